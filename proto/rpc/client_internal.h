/*
 * Client, from inside: client.c opens and closes, client_call.c is one call's life, client_end.c
 * its end.
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
    char address[ADDRESS_BYTES_MAX + 1]; /* for faults */
};

struct client_call {
    struct transport_call base; /* first: what callers see */
    struct rpc_client *client;  /* NULL once done */
    struct rpc_loop *loop;
    const struct wire_method *method;
    struct transport_callbacks callbacks;
    struct client_call *next;
    struct client_call *previous;
    grpc_call *grpc;
    struct arena arena; /* the message at hand */

    struct rpc_tag finish_tag;
    struct rpc_tag read_tag;
    struct rpc_tag write_tag;
    struct rpc_work start_now; /* pending counts as a batch */
    struct rpc_work write_now;
    struct rpc_work read_on;
    struct rpc_work write_on;
    unsigned batches; /* under way */
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    grpc_byte_buffer *outgoing;
    grpc_byte_buffer *incoming;
    struct rpc_timer failing; /* a failure of ours, on its way to on_done */
    struct fault fault;       /* status OK: none of ours */

    bool sending; /* the write under way carries a message */
    bool writing;
    bool half_closing;
    bool half_closed;
    bool done; /* on_done ran or runs */
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

/* The message at hand in the call's arena; NULL, and a fault of ours, where it can't be read. */
void *client_call_decode(struct client_call *call);
/* Where no batch is under way: the last word, and the struct goes. */
void client_call_settle(struct client_call *call);

#endif
