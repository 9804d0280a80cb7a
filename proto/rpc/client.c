/*
 * Client: one channel of gRPC as a transport, and the waiting call of command lines.
 */
#include "proto/rpc/client_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_security.h>

#include "proto/rpc/tuning.h"

static enum status make_target(char target[static RPC_TARGET_MAX],
                               const struct rpc_client_settings *settings, struct fault *fault);
static grpc_channel_credentials *make_keys(const struct rpc_client_settings *settings,
                                           struct fault *fault);
static void close_client(struct transport *transport);

static const struct transport_operations operations = {
    .start = client_call_start,
    .send = client_call_send,
    .half_close = client_call_half_close,
    .cancel = client_call_cancel,
    .close = close_client,
};

enum status rpc_client_open(struct transport **transport, struct rpc_loop *loop,
                            const struct rpc_client_settings *settings, struct fault *fault)
{
    bool tls = settings->security == RPC_MUTUAL_TLS || settings->security == RPC_SERVER_TLS;
    assert(!tls || settings->server_name != NULL);
    char target[RPC_TARGET_MAX];
    enum status status = make_target(target, settings, fault);
    if (status != STATUS_OK)
        return status;
    grpc_channel_credentials *keys = make_keys(settings, fault);
    if (keys == NULL)
        return STATUS_CONFIG;
    struct rpc_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        grpc_channel_credentials_release(keys);
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a connection");
    }
    client->transport.operations = &operations;
    client->loop = loop;
    snprintf(client->address, sizeof client->address, "%s", settings->address);
    struct tuning tuning;
    tuning_client(&tuning, tls ? settings->server_name : NULL);
    client->channel = grpc_channel_create(target, keys, &tuning.list);
    grpc_channel_credentials_release(keys);
    *transport = &client->transport;
    return STATUS_OK;
}

/* HOST:PORT or [IPV6]:PORT and nothing else. */
static bool is_host_and_port(const char *address)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t host = 0;
    if (address[0] == '[') {
        size_t inside = strspn(address + 1, "0123456789abcdefABCDEF:.");
        host = inside > 0 && address[1 + inside] == ']' ? inside + 2 : 0;
    } else {
        host = strspn(address, name);
    }
    const char *port = address + host + 1;
    if (host == 0 || address[host] != ':')
        return false;
    size_t digits = strspn(port, "0123456789");
    return digits >= 1 && digits <= 5 && port[digits] == '\0' && strtol(port, NULL, 10) <= 65535;
}

/*
 * gRPC reads a target as a URI: a member that gave "unix:80" or "xds:80" as its address would
 * choose where we connect. So the scheme is always ours; only "[::1]:80" goes as it is, being no
 * URI.
 */
static enum status make_target(char target[static RPC_TARGET_MAX],
                               const struct rpc_client_settings *settings, struct fault *fault)
{
    const char *address = settings->address;
    bool local = settings->security == RPC_UNIX_SOCKET;
    if (strlen(address) > ADDRESS_BYTES_MAX || (!local && !is_host_and_port(address)))
        return fault_set(fault, STATUS_INVALID, "'%.64s' is no address; it should be HOST:PORT",
                         address);
    const char *scheme = local ? "unix:" : address[0] == '[' ? "" : "dns:///";
    snprintf(target, RPC_TARGET_MAX, "%s%s", scheme, address);
    return STATUS_OK;
}

static grpc_channel_credentials *make_keys(const struct rpc_client_settings *settings,
                                           struct fault *fault)
{
    if (settings->security == RPC_CLEAR || settings->security == RPC_UNIX_SOCKET)
        return grpc_insecure_credentials_create();
    const struct rpc_credentials *given = &settings->credentials;
    bool own = given->chain_pem != NULL && given->key_pem != NULL;
    assert(given->roots_pem != NULL && (own || settings->security == RPC_SERVER_TLS));
    grpc_ssl_pem_key_cert_pair pair = {given->key_pem, given->chain_pem};
    grpc_channel_credentials *keys =
        grpc_ssl_credentials_create_ex(given->roots_pem, own ? &pair : NULL, NULL, NULL);
    if (keys == NULL)
        fault_set(fault, STATUS_CONFIG, "%s: the certificate or key is not usable",
                  settings->address);
    return keys;
}

/* Each call ends for its owner now; gRPC's part of it goes when its batches came back. */
static void close_client(struct transport *transport)
{
    struct rpc_client *client = (struct rpc_client *)transport;
    while (client->calls != NULL)
        client_call_abandon(client->calls);
    grpc_channel_destroy(client->channel);
    free(client);
}

/* --- one call, waited for */

struct waiting {
    const struct wire_method *method;
    struct arena *arena;
    void **response;
    struct fault *fault;
    enum status status;
    bool done;
};

/* The response is borrowed: it goes into the caller's arena by way of its bytes, which works for
 * every carrier. */
static enum status keep(struct waiting *waiting, const void *response)
{
    const struct wire_message *message = waiting->method->response;
    struct bytes bytes = {0};
    enum status status = STATUS_OK;
    if (message != NULL)
        status = wire_encode(message, response, waiting->arena, &bytes, waiting->fault);
    else
        bytes = *(const struct bytes *)response;
    if (status != STATUS_OK)
        return status;
    if (message != NULL)
        return wire_decode(message, bytes, waiting->arena, waiting->response, waiting->fault);
    struct bytes *raw = arena_alloc(waiting->arena, 1, sizeof *raw);
    if (raw != NULL)
        *raw = (struct bytes){arena_copy(waiting->arena, bytes.data, bytes.size), bytes.size};
    if (raw == NULL || raw->data == NULL)
        return fault_set(waiting->fault, STATUS_EXHAUSTED, "no room for the response");
    *waiting->response = raw;
    return STATUS_OK;
}

static void on_done(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    struct waiting *waiting = context;
    waiting->done = true;
    waiting->status = status;
    if (status == STATUS_OK)
        waiting->status = keep(waiting, response);
    else
        fault_set(waiting->fault, status, "%s", fault->text);
}

static bool is_done(const void *context)
{
    return ((const struct waiting *)context)->done;
}

enum status rpc_client_call(struct rpc_loop *loop, struct transport *transport,
                            const struct wire_method *method, const void *request,
                            int64_t timeout_ms, struct arena *arena, void **response,
                            struct fault *fault)
{
    assert(method->shape == WIRE_UNARY);
    struct waiting waiting = {
        .method = method, .arena = arena, .response = response, .fault = fault};
    struct transport_callbacks callbacks = {.on_done = on_done, .context = &waiting};
    struct transport_call *call =
        transport_start(transport, method, request, timeout_ms, &callbacks);
    if (call == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a call");
    if (!rpc_loop_run_until(loop, is_done, &waiting, -1, true)) {
        transport_cancel(call);
        rpc_loop_run_until(loop, is_done, &waiting, -1, false);
    }
    return waiting.status;
}
