/* What the two files of the simulated network share; see network.h. */
#ifndef ENTENTE_TESTS_SIM_NETWORK_INTERNAL_H
#define ENTENTE_TESTS_SIM_NETWORK_INTERNAL_H

#include "tests/sim/network.h"

enum sim_kind {
    BEGIN, /* a client stream reaches its server */
    TO_SERVER,
    HALF_CLOSE,
    CLIENT_GONE, /* the server learns that its caller is gone */
    TO_CLIENT,
    WRITABLE,
    DRAINED,
    FINISHED,  /* the server's answer, or what the client learns instead of one */
    CALLED_OFF /* the client itself ended it, or its time is over */
};

struct sim_event {
    enum sim_kind kind;
    struct sim_call *call;
    int64_t due_boot_ms;
    struct bytes bytes;
    enum status status;
    char text[FAULT_TEXT_MAX];
    struct sim_event *next;
};

struct sim_transport {
    struct transport transport; /* must stay first */
    struct sim_network *network;
    char address[ADDRESS_BYTES_MAX + 1];
    struct rpc_caller caller;
    struct name meant;
};

/* One direction of a call. */
struct sim_way {
    int64_t newest_boot_ms; /* nothing overtakes */
    bool broken;            /* nothing arrives any more */
};

/* One call, both ends. */
struct sim_call {
    struct transport_call client; /* must stay first */
    struct rpc_call server;
    struct arena arena;
    struct sim_network *network;
    struct sim_transport *transport; /* NULL once closed */
    struct name meant;
    char address[ADDRESS_BYTES_MAX + 1];
    struct sim_listener *listener;
    struct transport_callbacks callbacks;
    const struct wire_method *method;
    struct sim_way out, back;
    uint32_t under_way; /* events */
    bool begun;         /* the handler has it */
    bool server_over;   /* on_closed ran, or the handler never had it */
    bool client_over;   /* on_done ran */
    struct sim_call *next;
};

/* How a call ends. */
struct sim_end {
    const struct wire_message *message;
    const void *domain; /* NULL: no message with it */
    enum status status;
    const char *text;
};

/* On its way, as the weather wills. */
void sim_send(struct sim_call *call, enum sim_kind kind, const struct wire_message *message,
              const void *domain);
void sim_finish(struct sim_call *call, enum sim_kind kind, const struct sim_end *end);
/* The client learns in so many ms that it is over, whatever the weather. */
void sim_call_off(struct sim_call *call, int64_t in_ms, enum status status, const char *text);

extern const struct rpc_call_operations sim_server_operations;
void sim_close_server_end(struct sim_call *call);
void sim_client_done(struct sim_call *call, enum status status, const void *response,
                     const char *text);

#endif
