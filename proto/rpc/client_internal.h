/*
 * Client, from inside: client.c opens and closes, client_call.c is one call's life.
 */
#ifndef ENTENTE_PROTO_RPC_CLIENT_INTERNAL_H
#define ENTENTE_PROTO_RPC_CLIENT_INTERNAL_H

#include <grpc/grpc.h>

#include "proto/rpc/client.h"
#include "proto/rpc/loop_internal.h"

enum {
    RPC_CLIENT_CALLS_MAX = 4096,        /* under way on one transport */
    RPC_TIMEOUT_DEFAULT_MS = 30 * 1000, /* a unary call with timeout_ms 0 */
    RPC_TARGET_MAX = ADDRESS_BYTES_MAX + 16
};

struct client_call;

struct rpc_client {
    struct transport transport; /* first: what callers see */
    struct rpc_loop *loop;
    grpc_channel *channel;
    struct client_call *calls;
    size_t call_count;
    char target[RPC_TARGET_MAX];
};

struct transport_call *client_call_start(struct transport *transport,
                                         const struct wire_method *method, const void *request,
                                         int64_t timeout_ms,
                                         const struct transport_callbacks *callbacks);
void client_call_send(struct transport_call *call, const void *request);
void client_call_half_close(struct transport_call *call);
void client_call_cancel(struct transport_call *call);
/* Its on_done runs here, with CANCELLED, and it leaves the client's list. */
void client_call_abandon(struct client_call *call);

#endif
