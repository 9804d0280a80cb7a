/*
 * Server call: one call from its arrival to its last batch.
 *
 * gRPC allows one batch of a kind at a time, so a call has three tags: close (the call is over),
 * write (one message at a time from a queue, then the status) and read (client streams). `ending`
 * is our decision to end it, `call.answered` the handler's; they differ where we refuse a message
 * behind the handler's back. The handler keeps the struct alive until it answered or was told by
 * on_closed; gRPC's call goes as soon as its last batch came back. Cost: one allocation a call, one
 * a message queued.
 */
#include "proto/rpc/server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/rpc/payload.h"
#include "proto/rpc/status_code.h"

struct outgoing {
    struct outgoing *next;
    grpc_byte_buffer *buffer;
};

static struct server_call *adopt(struct accept_slot *slot);
static void watch_close(struct server_call *call);
static enum status let_in(struct server_call *call, bool health, struct fault *fault);
static void hand_over(struct server_call *call, grpc_byte_buffer *payload);
static void end(struct server_call *call, enum status status, const char *text);
static void push_writes(struct server_call *call);
static void read_next(struct server_call *call);
static void let_go(struct server_call *call);

void server_call_begin(struct accept_slot *slot)
{
    struct server_call *call = adopt(slot);
    if (call == NULL) {
        grpc_byte_buffer_destroy(slot->payload);
        grpc_call_cancel_with_status(slot->grpc, GRPC_STATUS_RESOURCE_EXHAUSTED, "no memory", NULL);
        grpc_call_unref(slot->grpc);
        return;
    }
    watch_close(call);
    struct fault fault = {0};
    enum status status = let_in(call, slot->health, &fault);
    if (status == STATUS_OK)
        hand_over(call, slot->payload);
    else
        end(call, status, fault.text);
    grpc_byte_buffer_destroy(slot->payload);
}

/* --- arrival */

static void on_close(void *owner, bool ok);
static void on_written(void *owner, bool ok);
static void on_read(void *owner, bool ok);
static void write_on(void *owner);
static void read_on(void *owner);
static void carry_send(struct rpc_call *rpc, const void *response);
static void carry_finish(struct rpc_call *rpc, const void *response, enum status status,
                         const char *text);

static const struct rpc_call_operations operations = {.send = carry_send, .finish = carry_finish};

static struct server_call *adopt(struct accept_slot *slot)
{
    struct rpc_server *server = slot->server;
    struct server_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->server = server;
    call->handler = slot->handler;
    call->grpc = slot->grpc;
    call->last = &call->first;
    call->close_tag = (struct rpc_tag){.done = on_close, .owner = call};
    call->write_tag = (struct rpc_tag){.done = on_written, .owner = call};
    call->read_tag = (struct rpc_tag){.done = on_read, .owner = call};
    call->write_on = (struct rpc_work){.run = write_on, .owner = call};
    call->read_on = (struct rpc_work){.run = read_on, .owner = call};
    arena_init(&call->arena, ARENA_MESSAGE_BYTES);
    arena_init(&call->message_arena, ARENA_MESSAGE_BYTES);
    call->call = (struct rpc_call){
        .operations = &operations,
        .method = slot->handler != NULL ? slot->handler->method : NULL,
        .arena = &call->arena,
        .service = slot->health ? server : server->service,
    };
    call->next = server->calls;
    if (call->next != NULL)
        call->next->previous = call;
    server->calls = call;
    server->call_count++;
    server->calls_open++;
    return call;
}

static void start(struct server_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(call->grpc, ops, count, tag, NULL);
    assert(error == GRPC_CALL_OK);
}

static void watch_close(struct server_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                  .data.recv_close_on_server.cancelled = &call->cancelled};
    start(call, &op, 1, &call->close_tag);
}

/* The cheap refusals, before anything of the request is looked at. */
static enum status let_in(struct server_call *call, bool health, struct fault *fault)
{
    struct rpc_server *server = call->server;
    if (server->call_count > RPC_SERVER_CALLS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%d calls are open here; try again later",
                         RPC_SERVER_CALLS_MAX);
    if (call->handler == NULL)
        return fault_set(fault, STATUS_UNIMPLEMENTED, "no such method here");
    if (server->closing)
        return fault_set(fault, STATUS_UNAVAILABLE, "this daemon is stopping");
    server_caller_read(server, call->grpc, &call->call.caller);
    if (health)
        return STATUS_OK;
    if (server->security == RPC_MUTUAL_TLS && !call->call.caller.authenticated)
        return fault_set(fault, STATUS_UNAUTHENTICATED,
                         "the certificate names no member of this federation, or has expired");
    if (server->admit == NULL)
        return STATUS_OK;
    enum status status =
        server->admit(server->service, &call->call.caller, call->call.method, fault);
    if (status != STATUS_OK && fault->text[0] == '\0')
        return fault_set(fault, status, "%s", status_name(status));
    return status;
}

static void hand_over(struct server_call *call, grpc_byte_buffer *payload)
{
    struct rpc_call *rpc = &call->call;
    void *request = NULL;
    if (rpc->method->shape != WIRE_CLIENT_STREAM) {
        struct fault fault = {0};
        /* No payload: it was over the limit, or the caller closed without sending one. */
        enum status status =
            payload == NULL
                ? fault_set(&fault, STATUS_INVALID, "the request is missing")
                : payload_decode(rpc->method->request, payload, &call->arena, &request, &fault);
        if (status != STATUS_OK) {
            end(call, status, fault.text);
            return;
        }
    }
    call->handed = true;
    call->handler->handle(rpc, request);
    if (rpc->method->shape == WIRE_CLIENT_STREAM && !call->ending)
        read_next(call);
}

/* --- answers */

static void carry_send(struct rpc_call *rpc, const void *response)
{
    struct server_call *call = (struct server_call *)rpc;
    if (call->closed || call->ending)
        return;
    if (rpc->unsent >= RPC_UNSENT_HARD_MAX) {
        server_call_cancel(call, STATUS_EXHAUSTED, "the reader is too slow for this stream");
        return;
    }
    struct fault fault = {0};
    grpc_byte_buffer *buffer = NULL;
    enum status status = payload_encode(rpc->method->response, response, &buffer, &fault);
    struct outgoing *outgoing = status == STATUS_OK ? malloc(sizeof *outgoing) : NULL;
    if (outgoing == NULL) {
        grpc_byte_buffer_destroy(buffer);
        log_error(rpc_loop_log(call->server->loop), "%s: response: %s", rpc->method->path,
                  status == STATUS_OK ? "no memory" : fault.text);
        end(call, status == STATUS_EXHAUSTED ? status : STATUS_INTERNAL, fault.text);
        return;
    }
    *outgoing = (struct outgoing){.buffer = buffer};
    *call->last = outgoing;
    call->last = &outgoing->next;
    rpc->unsent++;
    push_writes(call);
}

static void carry_finish(struct rpc_call *rpc, const void *response, enum status status,
                         const char *text)
{
    struct server_call *call = (struct server_call *)rpc;
    if (response != NULL)
        carry_send(rpc, response);
    if (!call->ending)
        end(call, status, text);
    let_go(call);
}

static void end(struct server_call *call, enum status status, const char *text)
{
    call->ending = true;
    call->status = status;
    snprintf(call->text, sizeof call->text, "%s", text);
    push_writes(call);
}

void server_call_cancel(struct server_call *call, enum status status, const char *text)
{
    if (call->grpc == NULL || call->closed)
        return;
    call->ending = true;
    call->ended = true;
    grpc_call_cancel_with_status(call->grpc, status_to_code(status), text, NULL);
}

/* --- writing */

static size_t add_greeting(struct server_call *call, grpc_op *op)
{
    if (call->greeted)
        return 0;
    *op = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    call->greeted = true;
    return 1;
}

static size_t add_message(struct server_call *call, grpc_op *op)
{
    struct outgoing *outgoing = call->first;
    if (outgoing == NULL)
        return 0;
    call->first = outgoing->next;
    if (call->first == NULL)
        call->last = &call->first;
    call->at_wire = outgoing->buffer;
    free(outgoing);
    /* More to come: let gRPC put several messages into one write. */
    *op = (grpc_op){.op = GRPC_OP_SEND_MESSAGE,
                    .flags = call->first != NULL || call->ending ? GRPC_WRITE_BUFFER_HINT : 0,
                    .data.send_message.send_message = call->at_wire};
    return 1;
}

static size_t add_status(struct server_call *call, grpc_op *op, grpc_slice *text)
{
    if (!call->ending || call->first != NULL)
        return 0;
    *op = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    op->data.send_status_from_server.status = status_to_code(call->status);
    op->data.send_status_from_server.status_details = text;
    call->ended = true;
    return 1;
}

static void push_writes(struct server_call *call)
{
    if (call->writing || call->ended || call->closed || (call->first == NULL && !call->ending))
        return;
    grpc_slice text = grpc_slice_from_copied_string(call->text);
    grpc_op ops[3];
    size_t count = add_greeting(call, ops);
    count += add_message(call, ops + count);
    count += add_status(call, ops + count, &text);
    call->writing = true;
    start(call, ops, count, &call->write_tag);
    grpc_slice_unref(text);
}

static void drop_queue(struct server_call *call)
{
    while (call->first != NULL) {
        struct outgoing *next = call->first->next;
        grpc_byte_buffer_destroy(call->first->buffer);
        free(call->first);
        call->first = next;
    }
    call->last = &call->first;
}

static void on_written(void *owner, bool ok)
{
    struct server_call *call = owner;
    if (call->at_wire != NULL) {
        grpc_byte_buffer_destroy(call->at_wire);
        call->at_wire = NULL;
        call->call.unsent--;
    }
    if (ok) {
        rpc_loop_go_on(call->server->loop, &call->write_on);
        return;
    }
    /* The call is broken; its close comes. */
    call->writing = false;
    let_go(call);
}

static void write_on(void *owner)
{
    struct server_call *call = owner;
    struct rpc_call *rpc = &call->call;
    call->writing = false;
    push_writes(call);
    if (rpc->unsent == 0 && !call->ending && !call->closed && rpc->on_drained != NULL)
        rpc->on_drained(rpc);
    let_go(call);
}

/* --- reading (client streams) */

static void read_next(struct server_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->incoming};
    call->reading = true;
    start(call, &op, 1, &call->read_tag);
}

/* A cancelled upload must never look like a finished one. */
static bool whole(const struct server_call *call, bool ok)
{
    return ok && !call->closed && !grpc_call_failed_before_recv_message(call->grpc);
}

static void take_message(struct server_call *call)
{
    struct rpc_call *rpc = &call->call;
    struct fault fault = {0};
    void *request = NULL;
    arena_reset(&call->message_arena);
    enum status status = payload_decode(rpc->method->request, call->incoming, &call->message_arena,
                                        &request, &fault);
    if (status != STATUS_OK)
        end(call, status, fault.text);
    else if (rpc->on_message != NULL)
        rpc->on_message(rpc, request);
}

static void on_read(void *owner, bool ok)
{
    struct server_call *call = owner;
    struct rpc_call *rpc = &call->call;
    bool last = call->incoming == NULL;
    if (!call->ending && !call->closed && !last)
        take_message(call);
    else if (!call->ending && last && whole(call, ok) && rpc->on_half_close != NULL)
        rpc->on_half_close(rpc);
    grpc_byte_buffer_destroy(call->incoming);
    call->incoming = NULL;
    if (!last) {
        rpc_loop_go_on(call->server->loop, &call->read_on);
        return;
    }
    call->reading = false;
    let_go(call);
}

static void read_on(void *owner)
{
    struct server_call *call = owner;
    call->reading = false;
    if (!call->ending && !call->closed)
        read_next(call);
    let_go(call);
}

/* --- the end */

static void on_close(void *owner, bool ok)
{
    (void)ok;
    struct server_call *call = owner;
    struct rpc_call *rpc = &call->call;
    call->closed = true;
    drop_queue(call);
    if (call->handed && rpc->on_closed != NULL) {
        call->held = true; /* should on_closed answer it */
        rpc->on_closed(rpc);
        call->held = false;
        call->told = true;
    }
    let_go(call);
}

static void release(struct server_call *call)
{
    struct rpc_server *server = call->server;
    if (server != NULL) {
        if (call->next != NULL)
            call->next->previous = call->previous;
        if (call->previous != NULL)
            call->previous->next = call->next;
        else
            server->calls = call->next;
        server->call_count--;
    }
    arena_fini(&call->arena);
    arena_fini(&call->message_arena);
    free(call);
}

/* Gives up whatever nobody needs any more: gRPC's call first, then ours. */
static void let_go(struct server_call *call)
{
    if (!call->closed || call->reading || call->writing || call->held)
        return;
    if (call->grpc != NULL) {
        grpc_call_unref(call->grpc);
        call->grpc = NULL;
        call->server->calls_open--;
    }
    if (!call->handed || call->told || call->call.answered)
        release(call);
}

void server_call_orphan(struct server_call *call)
{
    assert(call->grpc == NULL);
    log_warning(rpc_loop_log(call->server->loop), "%s: never answered", call->call.method->path);
    call->server = NULL;
    drop_queue(call);
}
