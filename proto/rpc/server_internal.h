/*
 * Server, from inside: the server, its accepts and its calls.
 *
 * server.c listens, accepts and stops; server_call.c is one call's life,
 * server_answer.c what it sends; server_caller.c says who
 * calls; credentials.c keeps the keys for gRPC's handshakes; local_socket.c is the Unix listener;
 * health.c answers grpc.health.v1. Thread rule: the loop's thread, but where a file says otherwise.
 */
#ifndef ENTENTE_PROTO_RPC_SERVER_INTERNAL_H
#define ENTENTE_PROTO_RPC_SERVER_INTERNAL_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "proto/rpc/loop_internal.h"
#include "proto/rpc/server.h"

enum {
    RPC_SERVER_PARTS = 8, /* of those places one member may have one part, where they get short */
    RPC_HANDLERS_MAX = 64,
    RPC_UNSENT_HARD_MAX = 4 * RPC_UNSENT_MAX, /* a handler that sends on is cut off here */
    RPC_CALLERS_CACHED_MAX = 4096,            /* parsed certificates, by their PEM text */
    RPC_CALLER_WAYS = 8                       /* places that one of them may be in */
};

/* One method that waits for its next call. */
struct accept_slot {
    struct rpc_server *server;
    const struct rpc_handler *handler; /* NULL: whatever has no handler */
    bool health;                       /* open to every caller who got a connection */
    void *registered;
    grpc_call *grpc;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details;
    grpc_byte_buffer *payload;
    struct rpc_tag tag;
};

struct cached_caller {
    char *pem;
    size_t pem_bytes;
    uint64_t hash;
    struct rpc_caller caller;
    int64_t until_wall_ms;
};

struct local_socket;
struct credential_store;

struct rpc_server {
    struct rpc_loop *loop;
    grpc_server *grpc;
    enum rpc_security security;
    size_t handler_count;
    uint32_t calls_max;
    void *service;
    enum status (*admit)(void *service, const struct rpc_caller *caller,
                         const struct wire_method *method, struct fault *fault);
    int port;
    struct credential_store *credentials;
    struct local_socket *local;

    struct accept_slot *slots; /* handlers, then health, then the rest */
    size_t slot_count;
    size_t slots_waiting;
    const struct rpc_handler *handlers;

    struct server_call *calls; /* all that are not freed */
    size_t call_count;
    size_t calls_open; /* those that gRPC still knows */

    struct cached_caller *callers; /* [RPC_CALLERS_CACHED_MAX], each among the ways of its hash */
    size_t callers_next;           /* way to be replaced next */

    bool closing;
    bool shut_down; /* gRPC has told us that it is done */
    struct rpc_tag shutdown_tag;
};

struct server_call {
    struct rpc_call call; /* first: what the handler sees */
    struct rpc_server *server;
    const struct rpc_handler *handler;
    grpc_call *grpc; /* NULL once gRPC is done with it */
    struct server_call *next;
    struct server_call *previous;
    struct arena arena;
    struct arena message_arena; /* client stream: the message at hand */

    struct rpc_tag close_tag;
    struct rpc_tag write_tag;
    struct rpc_tag read_tag;
    struct rpc_work write_now; /* pending counts as writing, reading */
    struct rpc_work write_on;
    struct rpc_work read_on;
    int cancelled;
    grpc_byte_buffer *incoming;
    struct outgoing *first;
    struct outgoing **last;
    grpc_byte_buffer *at_wire; /* the message of the write under way */

    bool handed; /* the handler has it */
    bool closed; /* gRPC says the call is over */
    bool told;   /* on_closed returned */
    bool held;   /* on_closed runs */
    bool reading;
    bool writing;
    bool greeted; /* initial metadata sent */
    bool ending;  /* status is to follow the last message */
    bool ended;   /* status sent */
    enum status status;
    char text[FAULT_TEXT_MAX];
};

/* server_call.c: takes the call (and the payload, which may be NULL) from the slot. */
void server_call_begin(struct accept_slot *slot);
/* Breaks it off, with what is queued. */
void server_call_cancel(struct server_call *call, enum status status, const char *text);
/* Gives up whatever nobody needs any more: gRPC's call first, then ours. */
void server_call_let_go(struct server_call *call);
void server_call_batch(struct server_call *call, const grpc_op *ops, size_t count,
                       struct rpc_tag *tag);
/* After the server is gone: the handler may still hold it. */
void server_call_orphan(struct server_call *call);

/* server_answer.c */
extern const struct rpc_call_operations server_answer_operations;
void server_answer_init(struct server_call *call);
/* The status, after what is queued; whatever the handler does later. */
void server_answer_end(struct server_call *call, enum status status, const char *text);
void server_answer_drop(struct server_call *call);

/* server_caller.c */
void server_caller_read(struct rpc_server *server, grpc_call *grpc, struct rpc_caller *caller);
void server_callers_forget(struct rpc_server *server);

/* credentials.c: shared with gRPC's threads under its own lock. */
MUST_USE enum status credential_store_open(struct credential_store **store,
                                           const struct clock *clock,
                                           const struct rpc_credentials *credentials,
                                           struct fault *fault);
MUST_USE enum status credential_store_set(struct credential_store *store,
                                          const struct rpc_credentials *credentials,
                                          struct fault *fault);
grpc_server_credentials *credential_store_server(struct credential_store *store,
                                                 bool certificate_required);
void credential_store_close(struct credential_store *store);

/* local_socket.c: hands each connection of an allowed user to the server. */
MUST_USE enum status local_socket_open(struct local_socket **socket, struct rpc_server *server,
                                       const char *path, int64_t allowed_gid, struct fault *fault);
void local_socket_close(struct local_socket *socket);

/* health.c */
extern const struct rpc_handler health_handlers[];
extern const size_t health_handler_count;
/* Tells a watcher that the end is near. */
void health_leave(struct server_call *call);

#endif
