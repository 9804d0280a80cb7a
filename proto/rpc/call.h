/*
 * Call: one RPC as its handler sees it, whatever carries it (gRPC here, a simulated network in
 * tests/sim).
 *
 * A handler gets the call and the decoded request and answers now or later, exactly once:
 * rpc_call_reply() or rpc_call_fail() for unary and client-streaming calls; any number of
 * rpc_call_send() and then rpc_call_end() or rpc_call_fail() for server streams. The call (and
 * request, and arena) lives until it was answered and, for one answered late or cancelled, until
 * on_closed returned. After on_closed the handler must forget the pointer. Thread rule: the loop's
 * thread.
 */
#ifndef ENTENTE_PROTO_RPC_CALL_H
#define ENTENTE_PROTO_RPC_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/name.h"
#include "base/fault.h"
#include "proto/identity/identity.h"
#include "proto/wire/wire.h"

struct rpc_call;

/* Who calls, proved by TLS or by the Unix socket's peer credentials. */
struct rpc_caller {
    bool authenticated;              /* a verified certificate of ours, or a local user that may */
    bool local;                      /* over the Unix socket */
    struct identity_subject subject; /* where authenticated and not local */
    char serial[SERIAL_TEXT_MAX];    /* of the certificate; "" where local */
};

struct rpc_call_operations {
    void (*send)(struct rpc_call *call, const void *response);
    void (*finish)(struct rpc_call *call, const void *response, enum status status,
                   const char *text);
};

/* The carrier embeds this; handlers use the public members and the functions below. */
struct rpc_call {
    const struct rpc_call_operations *operations;
    const struct wire_method *method;
    struct rpc_caller caller;
    struct arena *arena; /* the call's lifetime, bounded: build responses here, but those of a
                            stream that lasts in an arena of your own */
    void *service;       /* what was registered with the handler */
    uint32_t unsent;     /* server stream: responses sent but not yet on the wire; stop sending at
                            RPC_UNSENT_MAX */
    /* Set by the handler; all optional. */
    void *context;
    void (*on_message)(struct rpc_call *call,
                       const void *request); /* client stream: each message (borrowed) */
    void (*on_half_close)(
        struct rpc_call *call);                /* client stream: all messages are here; reply now */
    void (*on_drained)(struct rpc_call *call); /* server stream: unsent went to 0 */
    void (*on_closed)(
        struct rpc_call *call); /* the call is over (answered, cancelled or broken); last word */
    bool answered;
    bool broken; /* from on_closed on: the caller went, or its time ran out, before the answer was
                  * out
                  */
};

enum { RPC_UNSENT_MAX = 64, RPC_MESSAGE_BYTES_MAX = 4 * 1024 * 1024 };

/* One handler: for unary and server streams request is the message; for client streams it is NULL.
 */
struct rpc_handler {
    const struct wire_method *method;
    void (*handle)(struct rpc_call *call, const void *request);
};

void rpc_call_reply(struct rpc_call *call, const void *response);
/* fault may be NULL. The text reaches the caller: nothing secret in it. */
void rpc_call_fail(struct rpc_call *call, enum status status, const struct fault *fault);
void rpc_call_send(struct rpc_call *call, const void *response);
void rpc_call_end(struct rpc_call *call);

#endif
