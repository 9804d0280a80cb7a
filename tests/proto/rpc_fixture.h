/*
 * RPC fixture: a loop, a server with three methods that carry plain bytes, a client, and a record
 * of what a call brought. Server and client share the loop, as in a peer.
 */
#ifndef ENTENTE_TESTS_PROTO_RPC_FIXTURE_H
#define ENTENTE_TESTS_PROTO_RPC_FIXTURE_H

#include "tests/proto/identity_fixture.h"

#include <stdio.h>

#include "proto/rpc/client.h"

enum { WAIT_MS = 30 * 1000 }; /* a generous bound: nothing here is timed */

/* Bytes as they are: no wire_message. */
static const struct wire_method method_echo = {.path = "/test.Echo/Echo", .shape = WIRE_UNARY};
static const struct wire_method method_count = {.path = "/test.Echo/Count",
                                                .shape = WIRE_SERVER_STREAM};
static const struct wire_method method_collect = {.path = "/test.Echo/Collect",
                                                  .shape = WIRE_CLIENT_STREAM};
static const struct wire_method method_nowhere = {.path = "/test.Echo/Nowhere",
                                                  .shape = WIRE_UNARY};

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* What the server saw, and how it is to behave. */
struct echo_service {
    bool hold;              /* unary: keep the call in `held` instead of answering */
    bool endless;           /* count: send again whenever drained */
    size_t message_bytes;   /* count: of one message; 0: the number alone */
    struct rpc_call *held;  /* the call kept, NULL once closed */
    uint64_t handled;       /* calls handed to a handler */
    uint64_t closed;        /* on_closed calls */
    uint64_t broken;        /* of these: before the answer was out */
    uint64_t half_closed;   /* uploads that came to their end */
    uint64_t count_to;      /* count: messages asked for */
    uint64_t sent;          /* count: messages sent */
    uint64_t unsent_most;   /* count: the most that waited */
    uint64_t received;      /* collect: messages */
    bool out_of_order;      /* collect: some message was not the next number */
    enum status refuse;     /* admit: with this, where not OK */
    struct rpc_caller last; /* who called last */
};

static inline void echo_closed(struct rpc_call *call)
{
    struct echo_service *service = call->service;
    service->closed++;
    if (call->broken)
        service->broken++;
    service->held = NULL;
}

static inline void handle_echo(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    service->handled++;
    service->last = call->caller;
    call->on_closed = echo_closed;
    if (service->hold)
        service->held = call;
    else
        rpc_call_reply(call, request);
}

/* One message: its number, and padding. */
static inline void count_one(struct rpc_call *call)
{
    struct echo_service *service = call->service;
    size_t size =
        service->message_bytes > sizeof(uint64_t) ? service->message_bytes : sizeof(uint64_t);
    uint8_t *message = calloc(1, size);
    assert_non_null(message);
    memcpy(message, &service->sent, sizeof service->sent);
    rpc_call_send(call, &(struct bytes){message, size});
    free(message);
    service->sent++;
}

static inline void count_on(struct rpc_call *call)
{
    struct echo_service *service = call->service;
    while (call->unsent < RPC_UNSENT_MAX &&
           (service->endless || service->sent < service->count_to)) {
        count_one(call);
        if (call->unsent > service->unsent_most)
            service->unsent_most = call->unsent;
    }
    if (!service->endless && service->sent == service->count_to)
        rpc_call_end(call);
}

static inline void handle_count(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    const struct bytes *bytes = request;
    assert_int_equal(bytes->size, sizeof service->count_to);
    memcpy(&service->count_to, bytes->data, sizeof service->count_to);
    service->handled++;
    service->held = call;
    service->last = call->caller;
    call->on_drained = count_on;
    call->on_closed = echo_closed;
    count_on(call);
}

static inline void collect_one(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    const struct bytes *bytes = request;
    uint64_t number = 0;
    if (bytes->size >= sizeof number)
        memcpy(&number, bytes->data, sizeof number);
    if (number != service->received)
        service->out_of_order = true;
    service->received++;
}

static inline void collect_end(struct rpc_call *call)
{
    struct echo_service *service = call->service;
    service->half_closed++;
    rpc_call_reply(call, &(struct bytes){(const uint8_t *)&service->received, sizeof(uint64_t)});
}

static inline void handle_collect(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    assert_null(request);
    service->handled++;
    service->held = call;
    call->on_message = collect_one;
    call->on_half_close = collect_end;
    call->on_closed = echo_closed;
}

static const struct rpc_handler echo_handlers[] = {
    {&method_echo, handle_echo},
    {&method_count, handle_count},
    {&method_collect, handle_collect},
};

static inline enum status echo_admit(void *service, const struct rpc_caller *caller,
                                     const struct wire_method *method, struct fault *fault)
{
    const struct echo_service *echo = service;
    (void)caller;
    if (echo->refuse == STATUS_OK)
        return STATUS_OK;
    return fault_set(fault, echo->refuse, "%s is not for you", method->path);
}

struct rpc_fixture {
    struct log log;
    struct rpc_loop *loop;
    struct rpc_server *server;
    struct transport *client;
    struct echo_service service;
    char address[512];
};

static inline void fixture_open_loop(struct rpc_fixture *fixture)
{
    struct fault fault;
    *fixture = (struct rpc_fixture){
        .log = {.fd = 2, .level = LOG_LEVEL_ERROR, .clock = clock_real(), .component = "test"}};
    assert_ok(rpc_loop_open(&fixture->loop, clock_real(), &fixture->log, &fault));
}

static inline void fixture_serve(struct rpc_fixture *fixture, enum rpc_security security,
                                 const char *address, struct rpc_credentials credentials)
{
    struct rpc_server_settings settings = {
        .security = security,
        .address = address,
        .credentials = credentials,
        .allowed_gid = -1,
        .handlers = echo_handlers,
        .handler_count = sizeof echo_handlers / sizeof echo_handlers[0],
        .service = &fixture->service,
        .admit = echo_admit,
    };
    struct fault fault = {0};
    if (rpc_server_open(&fixture->server, fixture->loop, &settings, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    if (security == RPC_UNIX_SOCKET)
        snprintf(fixture->address, sizeof fixture->address, "%s", address);
    else
        snprintf(fixture->address, sizeof fixture->address, "127.0.0.1:%d",
                 rpc_server_port(fixture->server));
}

static inline struct transport *fixture_dial(struct rpc_fixture *fixture,
                                             enum rpc_security security,
                                             struct rpc_credentials credentials,
                                             const char *server_name)
{
    struct rpc_client_settings settings = {.security = security,
                                           .address = fixture->address,
                                           .credentials = credentials,
                                           .server_name = server_name};
    struct transport *transport = NULL;
    assert_ok(rpc_client_open(&transport, fixture->loop, &settings, NULL));
    return transport;
}

/* In clear, on any port of loopback. */
static inline void fixture_open(struct rpc_fixture *fixture)
{
    struct rpc_credentials none = {0};
    fixture_open_loop(fixture);
    fixture_serve(fixture, RPC_CLEAR, "127.0.0.1:0", none);
    fixture->client = fixture_dial(fixture, RPC_CLEAR, none, NULL);
}

static inline void fixture_close(struct rpc_fixture *fixture)
{
    transport_close(fixture->client);
    if (fixture->server != NULL)
        rpc_server_close(fixture->server, 0);
    rpc_loop_close(fixture->loop);
}

/* What became of one call. */
struct outcome {
    struct rpc_loop *loop;
    bool done;
    uint64_t done_count;
    enum status status;
    char text[FAULT_TEXT_MAX];
    uint8_t bytes[256]; /* of the response, or of the last message */
    size_t size;
    uint64_t messages;
    bool out_of_order;
    uint64_t stop_at; /* messages after which the loop stops; 0: none */
    /* client streams: send numbers up to this */
    struct transport_call *call;
    uint64_t to_send;
    uint64_t sent;
};

static inline void outcome_done(void *context, enum status status, const void *response,
                                const struct fault *fault)
{
    struct outcome *outcome = context;
    outcome->done = true;
    outcome->done_count++;
    outcome->status = status;
    if (fault != NULL)
        snprintf(outcome->text, sizeof outcome->text, "%s", fault->text);
    if (response != NULL) {
        const struct bytes *bytes = response;
        outcome->size = bytes->size;
        memcpy(outcome->bytes, bytes->data, bytes->size < 256 ? bytes->size : 256);
    }
    rpc_loop_stop(outcome->loop);
}

static inline void outcome_message(void *context, const void *response)
{
    struct outcome *outcome = context;
    const struct bytes *bytes = response;
    uint64_t number = 0;
    if (bytes->size >= sizeof number)
        memcpy(&number, bytes->data, sizeof number);
    if (number != outcome->messages)
        outcome->out_of_order = true;
    outcome->messages++;
    outcome->size = bytes->size;
    memcpy(outcome->bytes, bytes->data, bytes->size < 256 ? bytes->size : 256);
    if (outcome->stop_at == outcome->messages)
        rpc_loop_stop(outcome->loop);
}

static inline void outcome_writable(void *context)
{
    struct outcome *outcome = context;
    if (outcome->sent == outcome->to_send) {
        transport_half_close(outcome->call);
        return;
    }
    uint64_t number = outcome->sent++;
    transport_send(outcome->call, &(struct bytes){(const uint8_t *)&number, sizeof number});
}

static inline struct transport_call *outcome_start(struct outcome *outcome,
                                                   struct rpc_fixture *fixture,
                                                   const struct wire_method *method,
                                                   const struct bytes *request, int64_t timeout_ms)
{
    struct transport_callbacks callbacks = {.on_done = outcome_done,
                                            .on_message = outcome_message,
                                            .on_writable = outcome_writable,
                                            .context = outcome};
    uint64_t stop_at = outcome->stop_at;
    *outcome = (struct outcome){.loop = fixture->loop, .stop_at = stop_at};
    outcome->call = transport_start(fixture->client, method, request, timeout_ms, &callbacks);
    assert_non_null(outcome->call);
    assert_false(outcome->done); /* never inside the function that started it */
    return outcome->call;
}

static inline void outcome_wait(struct outcome *outcome)
{
    if (!outcome->done)
        rpc_loop_run_for(outcome->loop, WAIT_MS);
    assert_true(outcome->done);
}

/* A whole unary echo of "hello"; its status. */
static inline enum status echo_once(struct rpc_fixture *fixture, struct outcome *outcome)
{
    struct bytes hello = bytes_of("hello");
    outcome->stop_at = 0;
    outcome_start(outcome, fixture, &method_echo, &hello, WAIT_MS);
    outcome_wait(outcome);
    if (outcome->status == STATUS_OK) {
        assert_int_equal(outcome->size, 5);
        assert_memory_equal(outcome->bytes, "hello", 5);
    }
    return outcome->status;
}

/* Runs the loop until *flag is at least that, or fails. */
static inline void run_until_at_least(struct rpc_fixture *fixture, const uint64_t *value,
                                      uint64_t least)
{
    for (int i = 0; i < WAIT_MS / 10 && *value < least; i++)
        rpc_loop_run_for(fixture->loop, 10);
    assert_true(*value >= least);
}

#endif
