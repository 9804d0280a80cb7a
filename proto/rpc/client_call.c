/*
 * Client call: one call from transport_start to its last batch; client_end.c has the last word.
 *
 * Three tags: finish (the status), read and write. The call ends when all of them came back, so
 * every message was delivered before on_done. A failure found before anything is sent (too large,
 * too many) comes through a timer of no delay, never inside transport_start.
 */
#include "proto/rpc/client_internal.h"

#include <assert.h>
#include <stdlib.h>

#include <grpc/support/time.h>

#include "proto/rpc/payload.h"

static struct client_call *make(struct rpc_client *client, const struct wire_method *method,
                                int64_t timeout_ms, const struct transport_callbacks *callbacks);
static enum status encode(struct client_call *call, const void *request);
static void start(struct client_call *call);
static void fail_later(struct client_call *call);

struct transport_call *client_call_start(struct transport *transport,
                                         const struct wire_method *method, const void *request,
                                         int64_t timeout_ms,
                                         const struct transport_callbacks *callbacks)
{
    struct rpc_client *client = (struct rpc_client *)transport;
    struct client_call *call = make(client, method, timeout_ms, callbacks);
    if (call == NULL)
        return NULL;
    assert((request == NULL) == (method->shape == WIRE_CLIENT_STREAM));
    enum status status = STATUS_OK;
    if (client->call_count > RPC_CLIENT_CALLS_MAX)
        status = fault_set(&call->fault, STATUS_EXHAUSTED, "%s: %d calls are under way",
                           client->address, RPC_CLIENT_CALLS_MAX);
    else if (request != NULL)
        status = encode(call, request);
    if (status != STATUS_OK)
        fail_later(call);
    else
        start(call);
    return &call->base;
}

/* --- beginning */

static void on_finish(void *owner, bool ok);
static void on_read(void *owner, bool ok);
static void on_write(void *owner, bool ok);
static void start_now(void *owner);
static void write_now(void *owner);
static void read_on(void *owner);
static void write_on(void *owner);

static gpr_timespec deadline_of(const struct wire_method *method, int64_t timeout_ms)
{
    if (timeout_ms <= 0 && method->shape != WIRE_UNARY)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    int64_t ms = timeout_ms > 0 ? timeout_ms : RPC_TIMEOUT_DEFAULT_MS;
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static struct client_call *make(struct rpc_client *client, const struct wire_method *method,
                                int64_t timeout_ms, const struct transport_callbacks *callbacks)
{
    struct client_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->base.transport = &client->transport;
    call->client = client;
    call->loop = client->loop;
    call->method = method;
    call->callbacks = *callbacks;
    call->finish_tag = (struct rpc_tag){.done = on_finish, .owner = call};
    call->read_tag = (struct rpc_tag){.done = on_read, .owner = call};
    call->write_tag = (struct rpc_tag){.done = on_write, .owner = call};
    call->start_now = (struct rpc_work){.run = start_now, .owner = call};
    call->write_now = (struct rpc_work){.run = write_now, .owner = call};
    call->read_on = (struct rpc_work){.run = read_on, .owner = call};
    call->write_on = (struct rpc_work){.run = write_on, .owner = call};
    call->details = grpc_empty_slice();
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    arena_init(&call->arena, ARENA_MESSAGE_BYTES);
    call->grpc = grpc_channel_create_call(
        client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, rpc_loop_queue(client->loop),
        grpc_slice_from_static_string(method->path), NULL, deadline_of(method, timeout_ms), NULL);
    call->next = client->calls;
    if (call->next != NULL)
        call->next->previous = call;
    client->calls = call;
    client->call_count++;
    return call;
}

static enum status encode(struct client_call *call, const void *request)
{
    return payload_encode(call->method->request, request, &call->outgoing, &call->fault);
}

static void begin(struct client_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(call->grpc, ops, count, tag, NULL);
    assert(error == GRPC_CALL_OK);
    call->batches++;
}

static grpc_op status_op(struct client_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &call->trailing;
    op.data.recv_status_on_client.status = &call->code;
    op.data.recv_status_on_client.status_details = &call->details;
    return op;
}

static grpc_op initial_op(struct client_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    op.data.recv_initial_metadata.recv_initial_metadata = &call->initial;
    return op;
}

static grpc_op message_op(struct client_call *call)
{
    return (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->incoming};
}

static grpc_op send_op(struct client_call *call)
{
    return (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->outgoing};
}

static void start_unary(struct client_call *call)
{
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        send_op(call),
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        initial_op(call),
        message_op(call),
        status_op(call),
    };
    begin(call, ops, sizeof ops / sizeof ops[0], &call->finish_tag);
}

/* The status first: it must be wanted before the first message is (ENGINEERING_NOTES). */
static void start_stream(struct client_call *call)
{
    grpc_op status = status_op(call);
    begin(call, &status, 1, &call->finish_tag);
    grpc_op first[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                       {.op = GRPC_OP_SEND_MESSAGE},
                       {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}};
    bool whole = call->method->shape == WIRE_SERVER_STREAM;
    if (whole)
        first[1] = send_op(call);
    call->half_closed = whole;
    begin(call, first, whole ? 3 : 1, &call->write_tag);
    grpc_op reads[] = {initial_op(call), message_op(call)};
    begin(call, reads, 2, &call->read_tag);
}

/* A stream writes nothing before it has begun. */
static void start(struct client_call *call)
{
    call->writing = call->method->shape != WIRE_UNARY;
    call->batches++;
    rpc_loop_send(call->loop, &call->start_now);
}

static void start_now(void *owner)
{
    struct client_call *call = owner;
    if (!call->done && call->method->shape == WIRE_UNARY)
        start_unary(call);
    else if (!call->done)
        start_stream(call);
    call->batches--;
    client_call_settle(call);
}

/* --- client streams: sending */

static void push(struct client_call *call)
{
    if (call->writing || call->half_closed || (call->outgoing == NULL && !call->half_closing))
        return;
    call->writing = true;
    call->batches++;
    rpc_loop_send(call->loop, &call->write_now);
}

static void write(struct client_call *call)
{
    grpc_op ops[2];
    size_t count = 0;
    if (call->outgoing != NULL)
        ops[count++] = send_op(call);
    call->sending = call->outgoing != NULL;
    call->half_closed = call->half_closing;
    if (call->half_closing)
        ops[count++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    begin(call, ops, count, &call->write_tag);
}

static void write_now(void *owner)
{
    struct client_call *call = owner;
    if (!call->done)
        write(call);
    call->batches--;
    client_call_settle(call);
}

void client_call_send(struct transport_call *base, const void *request)
{
    struct client_call *call = (struct client_call *)base;
    assert(call->method->shape == WIRE_CLIENT_STREAM && call->outgoing == NULL &&
           !call->half_closing);
    if (call->done || call->fault.status != STATUS_OK)
        return;
    if (encode(call, request) != STATUS_OK)
        grpc_call_cancel(call->grpc, NULL);
    else
        push(call);
}

void client_call_half_close(struct transport_call *base)
{
    struct client_call *call = (struct client_call *)base;
    assert(call->method->shape == WIRE_CLIENT_STREAM);
    call->half_closing = true;
    if (!call->done && call->fault.status == STATUS_OK)
        push(call);
}

static void on_write(void *owner, bool ok)
{
    struct client_call *call = owner;
    if (call->sending || !ok || call->half_closed) {
        grpc_byte_buffer_destroy(call->outgoing);
        call->outgoing = NULL;
    }
    if (ok) {
        rpc_loop_go_on(call->loop, &call->write_on);
        return;
    }
    call->batches--;
    client_call_settle(call);
}

/* The batch counts to the end: a callback may close the transport. */
static void write_on(void *owner)
{
    struct client_call *call = owner;
    bool message = call->sending;
    call->sending = false;
    call->writing = false;
    if (!call->done) {
        push(call);
        if (message && call->method->shape == WIRE_CLIENT_STREAM && !call->half_closing &&
            call->callbacks.on_writable != NULL)
            call->callbacks.on_writable(call->callbacks.context);
    }
    call->batches--;
    client_call_settle(call);
}

/* --- receiving */

/* A message we can't read ends the call with our own fault. */
void *client_call_decode(struct client_call *call)
{
    void *response = NULL;
    arena_reset(&call->arena);
    if (payload_decode(call->method->response, call->incoming, &call->arena, &response,
                       &call->fault) != STATUS_OK) {
        grpc_call_cancel(call->grpc, NULL);
        return NULL;
    }
    return response;
}

/* As above: the batch counts to the end. */
static void on_read(void *owner, bool ok)
{
    struct client_call *call = owner;
    bool message = ok && call->incoming != NULL && call->method->shape == WIRE_SERVER_STREAM;
    if (message && !call->done) {
        void *response = client_call_decode(call);
        grpc_byte_buffer_destroy(call->incoming);
        call->incoming = NULL;
        if (response != NULL && call->callbacks.on_message != NULL)
            call->callbacks.on_message(call->callbacks.context, response);
    }
    if (message) {
        rpc_loop_go_on(call->loop, &call->read_on);
        return;
    }
    call->batches--;
    client_call_settle(call);
}

static void read_on(void *owner)
{
    struct client_call *call = owner;
    grpc_op next = message_op(call);
    if (!call->done)
        begin(call, &next, 1, &call->read_tag);
    call->batches--;
    client_call_settle(call);
}

void client_call_cancel(struct transport_call *base)
{
    struct client_call *call = (struct client_call *)base;
    if (!call->done)
        grpc_call_cancel(call->grpc, NULL);
}

static void on_finish(void *owner, bool ok)
{
    (void)ok;
    struct client_call *call = owner;
    call->batches--;
    client_call_settle(call);
}

static void on_failing(void *context)
{
    client_call_settle(context);
}

static void fail_later(struct client_call *call)
{
    rpc_timer_start(call->client->loop, &call->failing, 0, on_failing, call);
}
