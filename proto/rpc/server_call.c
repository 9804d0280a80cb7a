/*
 * Server call: one call from its arrival to its last batch.
 *
 * gRPC allows one batch of a kind at a time, so a call has three tags: close (the call is over),
 * write (server_answer.c) and read (client streams). `ending` is our decision to end it,
 * `call.answered` the handler's; they differ where we refuse a message behind the handler's back.
 * The handler keeps the struct alive until it answered or was told by on_closed; gRPC's call goes
 * as soon as its last batch came back. Cost: one allocation a call.
 */
#include "proto/rpc/server_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/rpc/payload.h"

static struct server_call *adopt(struct accept_slot *slot);
static void watch_close(struct server_call *call);
static enum status let_in(struct server_call *call, bool health, struct fault *fault);
static enum status leave_room(const struct server_call *call, struct fault *fault);
static void hand_over(struct server_call *call, grpc_byte_buffer *payload);
static void read_next(struct server_call *call);

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
        server_answer_end(call, status, fault.text);
    grpc_byte_buffer_destroy(slot->payload);
}

/* --- arrival */

static void on_close(void *owner, bool ok);
static void on_read(void *owner, bool ok);
static void read_on(void *owner);

static struct server_call *adopt(struct accept_slot *slot)
{
    struct rpc_server *server = slot->server;
    struct server_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->server = server;
    call->handler = slot->handler;
    call->grpc = slot->grpc;
    server_answer_init(call);
    call->close_tag = (struct rpc_tag){.done = on_close, .owner = call};
    call->read_tag = (struct rpc_tag){.done = on_read, .owner = call};
    call->read_on = (struct rpc_work){.run = read_on, .owner = call};
    arena_init(&call->arena, ARENA_MESSAGE_BYTES);
    arena_init(&call->message_arena, ARENA_MESSAGE_BYTES);
    call->call = (struct rpc_call){
        .operations = &server_answer_operations,
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

void server_call_batch(struct server_call *call, const grpc_op *ops, size_t count,
                       struct rpc_tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(call->grpc, ops, count, tag, NULL);
    assert(error == GRPC_CALL_OK);
}

static void watch_close(struct server_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                  .data.recv_close_on_server.cancelled = &call->cancelled};
    server_call_batch(call, &op, 1, &call->close_tag);
}

/* The cheap refusals, before anything of the request is looked at. */
static enum status let_in(struct server_call *call, bool health, struct fault *fault)
{
    struct rpc_server *server = call->server;
    if (server->call_count > server->calls_max)
        return fault_set(fault, STATUS_EXHAUSTED, "%u calls are open here; try again later",
                         server->calls_max);
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
    enum status status = leave_room(call, fault);
    if (status != STATUS_OK || server->admit == NULL)
        return status;
    status = server->admit(server->service, &call->call.caller, call->call.method, fault);
    if (status != STATUS_OK && fault->text[0] == '\0')
        return fault_set(fault, status, "%s", status_name(status));
    return status;
}

/* One member can't take every place: once half are taken, none may have more than its part. Until
 * then nobody is counted, so that this costs nothing on a quiet day. */
static enum status leave_room(const struct server_call *call, struct fault *fault)
{
    const struct rpc_server *server = call->server;
    const struct rpc_caller *caller = &call->call.caller;
    uint32_t const part = server->calls_max / RPC_SERVER_PARTS;
    uint32_t own = 0;
    if (server->call_count <= server->calls_max / 2 || !caller->authenticated || caller->local)
        return STATUS_OK;
    for (const struct server_call *other = server->calls; other != NULL; other = other->next)
        own += other->call.caller.authenticated &&
               name_equal(&other->call.caller.subject.member, &caller->subject.member);
    if (own <= part)
        return STATUS_OK;
    return fault_set(fault, STATUS_EXHAUSTED,
                     "member %s has %u calls open here, where each may have %u while half of all "
                     "places are taken; end some, or try again later",
                     caller->subject.member.text, own - 1, part);
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
            server_answer_end(call, status, fault.text);
            return;
        }
    }
    call->handed = true;
    call->handler->handle(rpc, request);
    if (rpc->method->shape == WIRE_CLIENT_STREAM && !call->ending)
        read_next(call);
}

/* --- reading (client streams) */

static void read_next(struct server_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->incoming};
    call->reading = true;
    server_call_batch(call, &op, 1, &call->read_tag);
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
        server_answer_end(call, status, fault.text);
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
    server_call_let_go(call);
}

static void read_on(void *owner)
{
    struct server_call *call = owner;
    call->reading = false;
    if (!call->ending && !call->closed)
        read_next(call);
    server_call_let_go(call);
}

/* --- the end */

static void on_close(void *owner, bool ok)
{
    (void)ok;
    struct server_call *call = owner;
    struct rpc_call *rpc = &call->call;
    call->closed = true;
    rpc->broken = call->cancelled != 0;
    server_answer_drop(call);
    if (call->handed && rpc->on_closed != NULL) {
        call->held = true; /* should on_closed answer it */
        rpc->on_closed(rpc);
        call->held = false;
        call->told = true;
    }
    server_call_let_go(call);
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

void server_call_let_go(struct server_call *call)
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
    server_answer_drop(call);
}
