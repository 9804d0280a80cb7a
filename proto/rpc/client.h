/*
 * Client: calls to one other process (a broker, a peer, our own daemon on its Unix socket).
 *
 * struct transport is the abstract caller that broker and peer code is given, so that tests/sim can
 * put a virtual network there; rpc_client_open() makes the real one. Keepalive notices a dead
 * server within about 5 s; connections come back by themselves with back-off. Every call has a
 * deadline (streams: none where timeout_ms is 0). A call's callbacks run on the loop, never inside
 * the function that started it; exactly one on_done per call, the last one. Ownership: requests are
 * encoded at once and may go; responses are borrowed for the callback.
 */
#ifndef ENTENTE_PROTO_RPC_CLIENT_H
#define ENTENTE_PROTO_RPC_CLIENT_H

#include "proto/rpc/loop.h"
#include "proto/rpc/server.h"

struct transport;

/* A call under way; valid until its on_done returned. Carriers embed this as their first member. */
struct transport_call {
    struct transport *transport;
};

struct transport_callbacks {
    /* Unary and client streams: response on OK, NULL otherwise. Server streams: response is NULL.
     * fault is borrowed. */
    void (*on_done)(void *context, enum status status, const void *response,
                    const struct fault *fault);
    void (*on_message)(void *context, const void *response); /* server streams: each message */
    void (*on_writable)(
        void *context); /* client streams: the last send is on the wire; send more */
    void *context;
};

struct transport_operations {
    struct transport_call *(*start)(struct transport *transport, const struct wire_method *method,
                                    const void *request, int64_t timeout_ms,
                                    const struct transport_callbacks *callbacks);
    void (*send)(struct transport_call *call, const void *request);
    void (*half_close)(struct transport_call *call);
    void (*cancel)(struct transport_call *call);
    void (*close)(struct transport *transport);
};

/* Carriers embed this as their first member. */
struct transport {
    const struct transport_operations *operations;
};

/* Starts a call. request is NULL for client streams. Never fails at once: failures come through
 * on_done. NULL only without memory. */
struct transport_call *transport_start(struct transport *transport,
                                       const struct wire_method *method, const void *request,
                                       int64_t timeout_ms,
                                       const struct transport_callbacks *callbacks);
/* Client streams: one message at a time; wait for on_writable between two. */
void transport_send(struct transport_call *call, const void *request);
void transport_half_close(struct transport_call *call);
/* on_done still comes, with CANCELLED. */
void transport_cancel(struct transport_call *call);
/* Cancels what is under way (their on_done run before it returns) and frees. NULL is fine. */
void transport_close(struct transport *transport);

struct rpc_client_settings {
    enum rpc_security security;
    const char *address;                /* HOST:PORT, or a socket's path */
    struct rpc_credentials credentials; /* RPC_SERVER_TLS: roots only */
    /* The DNS SAN the server must show (identity_dns_name of the one we mean); required with TLS.
     */
    const char *server_name;
};

/* Opens at once; connects on first use. INVALID: the address is none. */
MUST_USE enum status rpc_client_open(struct transport **transport, struct rpc_loop *loop,
                                     const struct rpc_client_settings *settings,
                                     struct fault *fault);

/*
 * One unary call, waited for: for command lines. Must not be used inside a loop callback.
 * *response lies in the arena. rpc_loop_stop() (a signal, where rpc_loop_stop_on_signals() was
 * called) ends it with CANCELLED.
 */
MUST_USE enum status rpc_client_call(struct rpc_loop *loop, struct transport *transport,
                                     const struct wire_method *method, const void *request,
                                     int64_t timeout_ms, struct arena *arena, void **response,
                                     struct fault *fault);

#endif
