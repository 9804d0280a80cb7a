/*
 * Network: calls between processes that are structs, in one thread, on virtual time: what
 * proto/rpc is to real processes.
 *
 * A listener has an address, handlers and a service, as a real server has. sim_dial() makes a
 * transport towards an address for a caller whose identity the network vouches for. Every message
 * is encoded and decoded by proto/wire on its way, so that what the wire refuses is refused here.
 * Nothing is delivered inside the function that sends it: sim_network_run() delivers in order until
 * nothing is under way that is due. A listener that is closed fails its calls with UNAVAILABLE, as
 * a dead connection would.
 *
 * Without weather everything arrives at once. With it each message of a call takes its time, those
 * of one call and direction in order, as on one connection; one that is lost takes the connection
 * with it: nothing more of that call arrives, and both ends learn of it when keepalive would tell
 * them. Deadlines are kept where there is a clock. Ownership: sim_network_fini() frees what is
 * left. Thread rule: one thread.
 */
#ifndef ENTENTE_TESTS_SIM_NETWORK_H
#define ENTENTE_TESTS_SIM_NETWORK_H

#include "proto/rpc/client.h"

struct sim_event;
struct sim_call;

struct sim_listener {
    char address[ADDRESS_BYTES_MAX + 1];
    struct name member; /* who listens; "" for the broker */
    const struct rpc_handler *handlers;
    size_t handler_count;
    void *service;
    enum status (*admit)(void *service, const struct rpc_caller *caller,
                         const struct wire_method *method, struct fault *fault);
    bool open;
    bool muted; /* its process is dead, though its code still runs to the end of a step */
    struct sim_listener *next;
};

enum { SIM_KEEPALIVE_MS = 4500 };

/* What becomes of messages; names are "" for the broker. */
struct sim_weather {
    /* How long a message takes; -1: it is lost and the connection with it. */
    int64_t (*delay_ms)(void *context, const struct name *from, const struct name *to);
    /* Does a whole unary request arrive a second time, so much later? -1: no. */
    int64_t (*repeat_ms)(void *context, const struct name *from, const struct name *to);
    void *context;
};

struct sim_network {
    const struct clock *clock;         /* NULL: no deadlines; for weather it must be there */
    const struct sim_weather *weather; /* NULL: everything arrives at once */
    struct sim_listener *listeners;
    struct sim_call *calls;
    struct sim_event *first; /* under way, in order of arrival */
    uint64_t delivered;      /* messages so far */
};

void sim_network_init(struct sim_network *network);
void sim_network_fini(struct sim_network *network);

/* The caller's storage, filled but for `open`. Opening one address twice is the test's defect. */
void sim_listen(struct sim_network *network, struct sim_listener *listener);
void sim_unlisten(struct sim_network *network, struct sim_listener *listener);

/* meant: the member that must listen there ("" for the broker); another one is refused, as TLS
 * would. */
struct transport *sim_dial(struct sim_network *network, const char *address,
                           const struct rpc_caller *caller, const struct name *meant);

/* Delivers what is due, and what that causes. */
void sim_network_run(struct sim_network *network);
/* When the next is due, on the network's clock; INT64_MAX: nothing is under way. */
int64_t sim_network_next_boot_ms(const struct sim_network *network);

#endif
