/*
 * Server: opens a listener, keeps one accept waiting per method, stops in order.
 *
 * Every method is registered, so that gRPC delivers a unary request together with the call; calls
 * of unregistered methods come through one generic accept and get UNIMPLEMENTED. Stop order
 * (ENGINEERING_NOTES): no new connections, shutdown_and_notify, grace, cancel_all_calls, its tag,
 * every call's last batch, destroy. An accept that came back with ok=0 is never posted again.
 */
#include "proto/rpc/server_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_posix.h>

#include "proto/rpc/tuning.h"

static enum status copy_settings(struct rpc_server *server,
                                 const struct rpc_server_settings *settings, struct fault *fault);
static enum status create(struct rpc_server *server, struct fault *fault);
static enum status register_methods(struct rpc_server *server, struct fault *fault);
static enum status listen_at(struct rpc_server *server, const struct rpc_server_settings *settings,
                             struct fault *fault);
static void wait_for_call(struct accept_slot *slot);
static void on_call(void *owner, bool ok);
static void destroy(struct rpc_server *server);

enum status rpc_server_open(struct rpc_server **out, struct rpc_loop *loop,
                            const struct rpc_server_settings *settings, struct fault *fault)
{
    struct rpc_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a server");
    server->loop = loop;
    enum status status = copy_settings(server, settings, fault);
    if (status == STATUS_OK)
        status = create(server, fault);
    if (status == STATUS_OK)
        status = register_methods(server, fault);
    if (status == STATUS_OK)
        status = listen_at(server, settings, fault);
    if (status != STATUS_OK) {
        rpc_server_close(server, 0);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

static bool is_shut_down(const void *context)
{
    const struct rpc_server *server = context;
    return server->shut_down && server->slots_waiting == 0 && server->calls_open == 0;
}

static void on_shut_down(void *owner, bool ok)
{
    (void)ok;
    struct rpc_server *server = owner;
    server->shut_down = true;
}

void rpc_server_close(struct rpc_server *server, int64_t grace_ms)
{
    if (server == NULL)
        return;
    server->closing = true;
    local_socket_close(server->local);
    if (server->grpc != NULL) {
        server->shutdown_tag = (struct rpc_tag){.done = on_shut_down, .owner = server};
        grpc_server_shutdown_and_notify(server->grpc, rpc_loop_queue(server->loop),
                                        &server->shutdown_tag);
        struct server_call *next;
        for (struct server_call *call = server->calls; call != NULL; call = next) {
            next = call->next;
            health_leave(call);
        }
        if (!rpc_loop_run_until(server->loop, is_shut_down, server, grace_ms, false)) {
            grpc_server_cancel_all_calls(server->grpc);
            rpc_loop_run_until(server->loop, is_shut_down, server, -1, false);
        }
    }
    destroy(server);
}

static void destroy(struct rpc_server *server)
{
    struct server_call *next;
    for (struct server_call *call = server->calls; call != NULL; call = next) {
        next = call->next;
        server_call_orphan(call);
    }
    if (server->grpc != NULL)
        grpc_server_destroy(server->grpc);
    credential_store_close(server->credentials);
    server_callers_forget(server);
    free(server->slots);
    free(server);
}

int rpc_server_port(const struct rpc_server *server)
{
    return server->port;
}

enum status rpc_server_set_credentials(struct rpc_server *server,
                                       const struct rpc_credentials *credentials,
                                       struct fault *fault)
{
    assert(server->credentials != NULL);
    return credential_store_set(server->credentials, credentials, fault);
}

void rpc_server_cancel_member(struct rpc_server *server, const struct name *member)
{
    for (struct server_call *call = server->calls; call != NULL; call = call->next) {
        const struct rpc_caller *caller = &call->call.caller;
        if (caller->authenticated && !caller->local && caller->subject.role == IDENTITY_MEMBER &&
            name_equal(&caller->subject.member, member))
            server_call_cancel(call, STATUS_DENIED, "this member may not call any more");
    }
}

static enum status copy_settings(struct rpc_server *server,
                                 const struct rpc_server_settings *settings, struct fault *fault)
{
    assert(settings->handler_count <= RPC_HANDLERS_MAX);
    server->security = settings->security;
    server->handlers = settings->handlers;
    server->handler_count = settings->handler_count;
    server->calls_max = settings->calls_max > 0 ? settings->calls_max : RPC_SERVER_CALLS_MAX;
    server->service = settings->service;
    server->admit = settings->admit;
    server->slot_count = settings->handler_count + health_handler_count + 1;
    server->slots = calloc(server->slot_count, sizeof *server->slots);
    server->callers = calloc(RPC_CALLERS_CACHED_MAX, sizeof *server->callers);
    if (server->slots == NULL || server->callers == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a server");
    return STATUS_OK;
}

static enum status create(struct rpc_server *server, struct fault *fault)
{
    struct tuning tuning;
    grpc_resource_quota *quota = grpc_resource_quota_create("server");
    grpc_resource_quota_resize(quota, RPC_SERVER_MEMORY_MAX);
    tuning_server(&tuning, quota);
    server->grpc = grpc_server_create(&tuning.list, NULL);
    grpc_resource_quota_unref(quota);
    if (server->grpc == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "gRPC could not make a server");
    grpc_server_register_completion_queue(server->grpc, rpc_loop_queue(server->loop), NULL);
    return STATUS_OK;
}

static enum status register_methods(struct rpc_server *server, struct fault *fault)
{
    for (size_t i = 0; i < server->slot_count; i++) {
        struct accept_slot *slot = &server->slots[i];
        *slot = (struct accept_slot){.server = server, .tag = {.done = on_call, .owner = slot}};
        grpc_metadata_array_init(&slot->metadata);
        grpc_call_details_init(&slot->details);
        if (i + 1 == server->slot_count)
            break;
        slot->health = i >= server->handler_count;
        slot->handler =
            slot->health ? &health_handlers[i - server->handler_count] : &server->handlers[i];
        const struct wire_method *method = slot->handler->method;
        slot->registered = grpc_server_register_method(
            server->grpc, method->path, NULL,
            method->shape == WIRE_CLIENT_STREAM ? GRPC_SRM_PAYLOAD_NONE
                                                : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
            0);
        if (slot->registered == NULL)
            return fault_set(fault, STATUS_INTERNAL, "method %s is registered twice", method->path);
    }
    return STATUS_OK;
}

static enum status add_port(struct rpc_server *server, const struct rpc_server_settings *settings,
                            struct fault *fault)
{
    grpc_server_credentials *keys;
    if (settings->security == RPC_CLEAR) {
        keys = grpc_insecure_server_credentials_create();
    } else {
        enum status status = credential_store_open(
            &server->credentials, rpc_loop_clock(server->loop), &settings->credentials, fault);
        if (status != STATUS_OK)
            return status;
        keys = credential_store_server(server->credentials, settings->security == RPC_MUTUAL_TLS);
    }
    server->port = grpc_server_add_http2_port(server->grpc, settings->address, keys);
    grpc_server_credentials_release(keys);
    if (server->port <= 0)
        return fault_set(fault, STATUS_IO,
                         "can't listen at %s: another program listens there, or it is no address "
                         "of this machine; choose another HOST:PORT",
                         settings->address);
    return STATUS_OK;
}

static enum status listen_at(struct rpc_server *server, const struct rpc_server_settings *settings,
                             struct fault *fault)
{
    if (settings->security != RPC_UNIX_SOCKET) {
        enum status status = add_port(server, settings, fault);
        if (status != STATUS_OK)
            return status;
    }
    grpc_server_start(server->grpc);
    for (size_t i = 0; i < server->slot_count; i++)
        wait_for_call(&server->slots[i]);
    if (settings->security != RPC_UNIX_SOCKET)
        return STATUS_OK;
    return local_socket_open(&server->local, server, settings->address, settings->allowed_gid,
                             fault);
}

static void wait_for_call(struct accept_slot *slot)
{
    struct rpc_server *server = slot->server;
    grpc_completion_queue *queue = rpc_loop_queue(server->loop);
    grpc_call_error error;
    slot->payload = NULL;
    if (slot->handler == NULL)
        error = grpc_server_request_call(server->grpc, &slot->grpc, &slot->details, &slot->metadata,
                                         queue, queue, &slot->tag);
    else
        error = grpc_server_request_registered_call(
            server->grpc, slot->registered, &slot->grpc, &slot->deadline, &slot->metadata,
            slot->handler->method->shape == WIRE_CLIENT_STREAM ? NULL : &slot->payload, queue,
            queue, &slot->tag);
    assert(error == GRPC_CALL_OK);
    server->slots_waiting++;
}

static void on_call(void *owner, bool ok)
{
    struct accept_slot *slot = owner;
    struct rpc_server *server = slot->server;
    server->slots_waiting--;
    if (ok)
        server_call_begin(slot);
    grpc_metadata_array_destroy(&slot->metadata);
    grpc_call_details_destroy(&slot->details);
    if (!ok)
        return;
    grpc_metadata_array_init(&slot->metadata);
    grpc_call_details_init(&slot->details);
    wait_for_call(slot);
}
