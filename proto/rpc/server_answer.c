/*
 * Server answer: what a handler sends, in order, one message at a time, and the status last.
 *
 * Messages queue as encoded buffers: a handler stops at RPC_UNSENT_MAX, and one that does not is
 * cut off at RPC_UNSENT_HARD_MAX. Message and status share a batch where both are there, so a unary
 * answer is one write. Cost: one allocation a message.
 */
#include "proto/rpc/server_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/rpc/payload.h"
#include "proto/rpc/status_code.h"

struct outgoing {
    struct outgoing *next;
    grpc_byte_buffer *buffer;
};

static bool enqueue(struct server_call *call, const void *response);
static void push(struct server_call *call);
static void write_now(void *owner);
static void on_written(void *owner, bool ok);
static void write_on(void *owner);

void server_answer_init(struct server_call *call)
{
    call->last = &call->first;
    call->write_tag = (struct rpc_tag){.done = on_written, .owner = call};
    call->write_on = (struct rpc_work){.run = write_on, .owner = call};
    call->write_now = (struct rpc_work){.run = write_now, .owner = call};
}

static void carry_send(struct rpc_call *rpc, const void *response)
{
    struct server_call *call = (struct server_call *)rpc;
    if (call->closed || call->ending)
        return;
    if (rpc->unsent >= RPC_UNSENT_HARD_MAX)
        server_call_cancel(call, STATUS_EXHAUSTED, "the reader is too slow for this stream");
    else if (enqueue(call, response))
        push(call);
}

static void carry_finish(struct rpc_call *rpc, const void *response, enum status status,
                         const char *text)
{
    struct server_call *call = (struct server_call *)rpc;
    bool queued = response == NULL || call->closed || call->ending || enqueue(call, response);
    if (queued && !call->ending)
        server_answer_end(call, status, text);
    server_call_let_go(call);
}

const struct rpc_call_operations server_answer_operations = {.send = carry_send,
                                                             .finish = carry_finish};

/* A response that can't be encoded is a defect of ours; the caller learns only that. */
static bool enqueue(struct server_call *call, const void *response)
{
    struct rpc_call *rpc = &call->call;
    struct fault fault = {0};
    grpc_byte_buffer *buffer = NULL;
    struct outgoing *outgoing = malloc(sizeof *outgoing);
    enum status status = outgoing == NULL
                             ? fault_set(&fault, STATUS_EXHAUSTED, "no memory for the response")
                             : payload_encode(rpc->method->response, response, &buffer, &fault);
    if (status != STATUS_OK) {
        free(outgoing);
        log_error(rpc_loop_log(call->server->loop), "%s: response: %s", rpc->method->path,
                  fault.text);
        server_answer_end(call, status == STATUS_EXHAUSTED ? status : STATUS_INTERNAL, fault.text);
        return false;
    }
    *outgoing = (struct outgoing){.buffer = buffer};
    *call->last = outgoing;
    call->last = &outgoing->next;
    rpc->unsent++;
    return true;
}

void server_answer_end(struct server_call *call, enum status status, const char *text)
{
    call->ending = true;
    call->status = status;
    snprintf(call->text, sizeof call->text, "%s", text);
    push(call);
}

void server_call_cancel(struct server_call *call, enum status status, const char *text)
{
    if (call->grpc == NULL || call->closed)
        return;
    call->ending = true;
    call->ended = true;
    grpc_call_cancel_with_status(call->grpc, status_to_code(status), text, NULL);
}

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

static void push(struct server_call *call)
{
    if (call->writing || call->ended || call->closed || (call->first == NULL && !call->ending))
        return;
    call->writing = true;
    rpc_loop_send(call->server->loop, &call->write_now);
}

/* What came meanwhile goes with it; so may the call's end have come. */
static void write_now(void *owner)
{
    struct server_call *call = owner;
    if (call->ended || call->closed) {
        call->writing = false;
        server_call_let_go(call);
        return;
    }
    grpc_slice text = grpc_slice_from_copied_string(call->text);
    grpc_op ops[3];
    size_t count = add_greeting(call, ops);
    count += add_message(call, ops + count);
    count += add_status(call, ops + count, &text);
    server_call_batch(call, ops, count, &call->write_tag);
    grpc_slice_unref(text);
}

void server_answer_drop(struct server_call *call)
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
    server_call_let_go(call);
}

static void write_on(void *owner)
{
    struct server_call *call = owner;
    struct rpc_call *rpc = &call->call;
    call->writing = false;
    push(call);
    if (rpc->unsent == 0 && !call->ending && !call->closed && rpc->on_drained != NULL)
        rpc->on_drained(rpc);
    server_call_let_go(call);
}
