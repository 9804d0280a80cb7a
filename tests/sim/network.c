#include "tests/sim/network.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/methods.h"

enum { DELIVERIES_MAX = 1000000 };

enum sim_kind { TO_SERVER, TO_CLIENT, HALF_CLOSE, WRITABLE, DRAINED, FINISHED };

struct sim_event {
    enum sim_kind kind;
    struct sim_call *call;
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

/* One call, both ends. */
struct sim_call {
    struct transport_call client; /* must stay first */
    struct rpc_call server;
    struct arena arena;
    struct sim_network *network;
    struct sim_transport *transport; /* NULL once closed */
    struct sim_listener *listener;
    struct transport_callbacks callbacks;
    const struct wire_method *method;
    bool begun;       /* the handler has it */
    bool server_over; /* on_closed ran, or the handler never had it */
    bool client_over; /* on_done ran */
    struct sim_call *next;
};

static void send_event(struct sim_call *call, enum sim_kind kind,
                       const struct wire_message *message, const void *domain)
{
    struct sim_event *event = calloc(1, sizeof *event);
    assert(event != NULL);
    event->kind = kind;
    event->call = call;
    if (domain != NULL) {
        struct arena arena;
        struct bytes bytes;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        if (wire_encode(message, domain, &arena, &bytes, NULL) != STATUS_OK)
            abort(); /* a test or a handler that breaks the wire's rules */
        uint8_t *copy = malloc(bytes.size + 1);
        assert(copy != NULL);
        memcpy(copy, bytes.data, bytes.size);
        event->bytes = (struct bytes){copy, bytes.size};
        arena_fini(&arena);
    }
    struct sim_network *network = call->network;
    if (network->last != NULL)
        network->last->next = event;
    else
        network->first = event;
    network->last = event;
}

static void finish_event(struct sim_call *call, const struct wire_message *message,
                         const void *response, enum status status, const char *text)
{
    send_event(call, FINISHED, message, response);
    call->network->last->status = status;
    snprintf(call->network->last->text, FAULT_TEXT_MAX, "%s", text);
}

/* --- the server's end */

static struct sim_call *call_of(struct rpc_call *server)
{
    return (struct sim_call *)(void *)((char *)server - offsetof(struct sim_call, server));
}

static void server_send(struct rpc_call *server, const void *response)
{
    struct sim_call *call = call_of(server);
    server->unsent++;
    send_event(call, TO_CLIENT, call->method->response, response);
    send_event(call, DRAINED, NULL, NULL);
}

static void server_finish(struct rpc_call *server, const void *response, enum status status,
                          const char *text)
{
    struct sim_call *call = call_of(server);
    finish_event(call, call->method->response, response, status, text != NULL ? text : "");
}

static const struct rpc_call_operations server_operations = {server_send, server_finish};

static void close_server_end(struct sim_call *call)
{
    if (call->server_over)
        return;
    call->server_over = true;
    if (call->begun && call->server.on_closed != NULL)
        call->server.on_closed(&call->server);
}

static struct sim_listener *find_listener(const struct sim_call *call)
{
    if (call->transport == NULL)
        return NULL;
    for (struct sim_listener *listener = call->network->listeners; listener != NULL;
         listener = listener->next)
        if (listener->open && strcmp(listener->address, call->transport->address) == 0 &&
            name_equal(&listener->member, &call->transport->meant))
            return listener;
    return NULL;
}

static const struct rpc_handler *find_handler(const struct sim_listener *listener,
                                              const struct wire_method *method)
{
    for (size_t h = 0; h < listener->handler_count; h++)
        if (listener->handlers[h].method == method)
            return &listener->handlers[h];
    return NULL;
}

static void begin(struct sim_call *call, const void *request)
{
    struct fault fault = {.text = ""};
    struct sim_listener *listener = find_listener(call);
    if (listener == NULL) {
        finish_event(call, NULL, NULL, STATUS_UNAVAILABLE, "nobody listens there");
        return;
    }
    const struct rpc_handler *handler = find_handler(listener, call->method);
    call->listener = listener;
    call->server.service = listener->service;
    enum status status =
        listener->admit != NULL
            ? listener->admit(listener->service, &call->server.caller, call->method, &fault)
            : STATUS_OK;
    if (status == STATUS_OK && handler == NULL)
        status = fault_set(&fault, STATUS_UNIMPLEMENTED, "no such method");
    if (status != STATUS_OK) {
        finish_event(call, NULL, NULL, status, fault.text);
        return;
    }
    call->begun = true;
    handler->handle(&call->server, request);
}

static void deliver_request(struct sim_call *call, struct bytes bytes)
{
    void *request = NULL;
    struct fault fault;
    if (call->server_over || call->client_over)
        return;
    if (wire_decode(call->method->request, bytes, &call->arena, &request, &fault) != STATUS_OK) {
        finish_event(call, NULL, NULL, STATUS_INVALID, fault.text);
        return;
    }
    if (call->method->shape != WIRE_CLIENT_STREAM) {
        begin(call, request);
        return;
    }
    if (call->begun && !call->server.answered && call->server.on_message != NULL)
        call->server.on_message(&call->server, request);
    send_event(call, WRITABLE, NULL, NULL);
}

/* --- the client's end */

static void client_done(struct sim_call *call, enum status status, const void *response,
                        const char *text)
{
    struct fault fault = {.status = status};
    if (call->client_over)
        return;
    call->client_over = true;
    snprintf(fault.text, sizeof fault.text, "%s", text);
    call->callbacks.on_done(call->callbacks.context, status, status == STATUS_OK ? response : NULL,
                            &fault);
}

static void deliver_end(struct sim_call *call, const struct sim_event *event)
{
    void *response = NULL;
    struct arena arena;
    struct fault fault;
    enum status status = event->status;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    const char *text = event->text;
    if (event->bytes.data != NULL &&
        wire_decode(call->method->response, event->bytes, &arena, &response, &fault) != STATUS_OK) {
        status = STATUS_CORRUPT;
        text = fault.text;
    }
    client_done(call, status, response, text);
    arena_fini(&arena);
    close_server_end(call);
}

static void deliver_message(struct sim_call *call, struct bytes bytes)
{
    struct arena arena;
    void *response = NULL;
    if (call->client_over || call->callbacks.on_message == NULL)
        return;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (wire_decode(call->method->response, bytes, &arena, &response, NULL) != STATUS_OK)
        abort(); /* it was encoded by the same table */
    call->callbacks.on_message(call->callbacks.context, response);
    arena_fini(&arena);
}

static void deliver(struct sim_event *event)
{
    struct sim_call *call = event->call;
    switch (event->kind) {
    case TO_SERVER: deliver_request(call, event->bytes); break;
    case TO_CLIENT: deliver_message(call, event->bytes); break;
    case HALF_CLOSE:
        if (call->begun && !call->server_over && call->server.on_half_close != NULL)
            call->server.on_half_close(&call->server);
        break;
    case WRITABLE:
        if (!call->client_over && call->callbacks.on_writable != NULL)
            call->callbacks.on_writable(call->callbacks.context);
        break;
    case DRAINED:
        if (!call->server_over && --call->server.unsent == 0 && call->server.on_drained != NULL)
            call->server.on_drained(&call->server);
        break;
    case FINISHED: deliver_end(call, event); break;
    }
}

/* A call that is over at both ends and has nothing under way. */
static void sweep(struct sim_network *network)
{
    for (struct sim_call **link = &network->calls; *link != NULL;) {
        struct sim_call *call = *link;
        if (!call->server_over || !call->client_over) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        arena_fini(&call->arena);
        free(call);
    }
}

void sim_network_run(struct sim_network *network)
{
    for (int delivered = 0; network->first != NULL; delivered++) {
        struct sim_event *event = network->first;
        assert(delivered < DELIVERIES_MAX);
        network->first = event->next;
        if (network->first == NULL)
            network->last = NULL;
        deliver(event);
        network->delivered++;
        free((void *)(uintptr_t)event->bytes.data);
        free(event);
    }
    sweep(network);
}

/* --- transports */

static struct transport_call *transport_begin(struct transport *base,
                                              const struct wire_method *method, const void *request,
                                              int64_t timeout_ms,
                                              const struct transport_callbacks *callbacks)
{
    struct sim_transport *transport = (struct sim_transport *)base;
    struct sim_call *call = calloc(1, sizeof *call);
    (void)timeout_ms;
    if (call == NULL)
        return NULL;
    arena_init(&call->arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    call->client.transport = base;
    call->server = (struct rpc_call){
        .operations = &server_operations,
        .method = method,
        .caller = transport->caller,
        .arena = &call->arena,
    };
    call->network = transport->network;
    call->transport = transport;
    call->callbacks = *callbacks;
    call->method = method;
    call->next = transport->network->calls;
    transport->network->calls = call;
    if (method->shape == WIRE_CLIENT_STREAM)
        begin(call, NULL);
    else
        send_event(call, TO_SERVER, method->request, request);
    return (struct transport_call *)call;
}

static void transport_message(struct transport_call *base, const void *request)
{
    struct sim_call *call = (struct sim_call *)base;
    send_event(call, TO_SERVER, call->method->request, request);
}

static void transport_last(struct transport_call *base)
{
    send_event((struct sim_call *)base, HALF_CLOSE, NULL, NULL);
}

static void transport_stop(struct transport_call *base)
{
    finish_event((struct sim_call *)base, NULL, NULL, STATUS_CANCELLED, "cancelled");
}

static void transport_end(struct transport *base)
{
    struct sim_transport *transport = (struct sim_transport *)base;
    for (struct sim_call *call = transport->network->calls; call != NULL; call = call->next) {
        if (call->transport != transport)
            continue;
        call->transport = NULL;
        client_done(call, STATUS_CANCELLED, NULL, "the connection was closed");
        close_server_end(call);
    }
    free(transport);
}

static const struct transport_operations transport_operations = {
    transport_begin, transport_message, transport_last, transport_stop, transport_end,
};

struct transport *sim_dial(struct sim_network *network, const char *address,
                           const struct rpc_caller *caller, const struct name *meant)
{
    struct sim_transport *transport = calloc(1, sizeof *transport);
    assert(transport != NULL);
    transport->transport.operations = &transport_operations;
    transport->network = network;
    snprintf(transport->address, sizeof transport->address, "%s", address);
    transport->caller = *caller;
    transport->meant = *meant;
    return &transport->transport;
}

/* --- listeners */

void sim_network_init(struct sim_network *network)
{
    *network = (struct sim_network){0};
}

void sim_network_fini(struct sim_network *network)
{
    sim_network_run(network);
    for (struct sim_call *call = network->calls; call != NULL; call = call->next) {
        close_server_end(call);
        call->client_over = true;
    }
    sweep(network);
}

void sim_listen(struct sim_network *network, struct sim_listener *listener)
{
    listener->open = true;
    for (struct sim_listener *known = network->listeners; known != NULL; known = known->next)
        if (known == listener)
            return;
    listener->next = network->listeners;
    network->listeners = listener;
}

/* The process behind it is gone: its handlers forget their calls, the callers see a broken
 * connection. */
void sim_unlisten(struct sim_network *network, struct sim_listener *listener)
{
    listener->open = false;
    for (struct sim_call *call = network->calls; call != NULL; call = call->next) {
        if (call->listener != listener || call->server_over)
            continue;
        close_server_end(call);
        finish_event(call, NULL, NULL, STATUS_UNAVAILABLE, "the connection broke");
    }
}
