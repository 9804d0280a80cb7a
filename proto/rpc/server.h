/*
 * Server: listens, authenticates, decodes, dispatches to handlers, encodes the answer. Generic over
 * wire_method.
 *
 * Every server also answers grpc.health.v1.Health/Check and Watch. Unknown methods get
 * UNIMPLEMENTED, messages over RPC_MESSAGE_BYTES_MAX RESOURCE_EXHAUSTED, undecodable ones
 * INVALID_ARGUMENT with the field's path. Keepalive notices a dead client within about 5 s. One
 * address is never bound twice (no SO_REUSEPORT). Thread rule: the loop's thread; only the
 * credentials' lock is shared with gRPC's threads.
 */
#ifndef ENTENTE_PROTO_RPC_SERVER_H
#define ENTENTE_PROTO_RPC_SERVER_H

#include <stddef.h>

#include "proto/rpc/call.h"
#include "proto/rpc/loop.h"

enum rpc_security {
    RPC_MUTUAL_TLS,  /* callers without a certificate under roots get nothing */
    RPC_SERVER_TLS,  /* the enrolment listener: callers may have none */
    RPC_UNIX_SOCKET, /* local; SO_PEERCRED's uid must be ours, 0 or in allowed_gid; file mode 0660
                      */
    RPC_CLEAR        /* benchmarks and tests on loopback */
};

/* Copied on open and on rpc_server_set_credentials. */
struct rpc_credentials {
    const char *roots_pem; /* whom to trust */
    const char *chain_pem; /* our certificate, leaf first */
    const char *key_pem;
};

struct rpc_server_settings {
    enum rpc_security security;
    const char *address; /* "127.0.0.1:7600" (port 0: any, see rpc_server_port), "[::1]:7600", or a
                            socket's path */
    struct rpc_credentials credentials;
    int64_t allowed_gid;                /* RPC_UNIX_SOCKET: this group too; -1: none */
    const struct rpc_handler *handlers; /* [handler_count]; borrowed for the server's life */
    size_t handler_count;
    uint32_t calls_max; /* open at once; more get RESOURCE_EXHAUSTED. 0: RPC_SERVER_CALLS_MAX */
    void *service;      /* handed to every handler as call->service */
    /* Refuses a caller before its request is decoded (revoked, suspended, wrong role); NULL:
       everybody the listener lets in may. On RPC_MUTUAL_TLS only authenticated callers get this
       far; on RPC_SERVER_TLS and RPC_CLEAR look at caller->authenticated. Not asked for health
       checks. */
    enum status (*admit)(void *service, const struct rpc_caller *caller,
                         const struct wire_method *method, struct fault *fault);
};

enum { RPC_SERVER_CALLS_MAX = 8192 };

struct rpc_server;

/* Listening when it returns OK. IO: the address is taken or can't be bound. */
MUST_USE enum status rpc_server_open(struct rpc_server **server, struct rpc_loop *loop,
                                     const struct rpc_server_settings *settings,
                                     struct fault *fault);

/* The port it really listens on. */
int rpc_server_port(const struct rpc_server *server);

/* New handshakes use these from now on; calls under way go on. Chain, key and date are verified
 * against roots first; what fails changes nothing. */
MUST_USE enum status rpc_server_set_credentials(struct rpc_server *server,
                                                const struct rpc_credentials *credentials,
                                                struct fault *fault);

/* Cancels the calls (streams) of one member, e.g. when it was revoked. */
void rpc_server_cancel_member(struct rpc_server *server, const struct name *member);

/*
 * Graceful stop: no new calls, calls under way may end within grace_ms, then they are cancelled.
 * Runs the loop meanwhile, so call it after rpc_loop_run() returned or from outside callbacks.
 * Frees the server. A call that its handler never answered and watches with no on_closed stays
 * valid for a late answer. NULL is fine.
 */
void rpc_server_close(struct rpc_server *server, int64_t grace_ms);

#endif
