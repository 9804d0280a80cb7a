/* Network, the way of messages: when each arrives, and what then happens at that end. */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/methods.h"
#include "tests/sim/memory.h"
#include "tests/sim/network_internal.h"

enum { DELIVERIES_MAX = 1000000 };

/* --- on the way */

static int64_t now(const struct sim_network *network)
{
    return network->clock != NULL ? clock_boot_ms(network->clock) : 0;
}

static bool goes_out(enum sim_kind kind)
{
    return kind == BEGIN || kind == TO_SERVER || kind == HALF_CLOSE || kind == CLIENT_GONE;
}

static void enqueue(struct sim_event *event)
{
    struct sim_event **link = &event->call->network->first;
    while (*link != NULL && (*link)->due_boot_ms <= event->due_boot_ms)
        link = &(*link)->next;
    event->next = *link;
    *link = event;
    event->call->under_way++;
}

static struct sim_event *make_event(struct sim_call *call, enum sim_kind kind)
{
    sim_memory_spare();
    struct sim_event *event = calloc(1, sizeof *event);
    sim_memory_spare_end();
    assert(event != NULL);
    event->kind = kind;
    event->call = call;
    return event;
}

/* Comes by itself, whatever the weather. */
static void at(struct sim_call *call, enum sim_kind kind, int64_t in_ms, enum status status,
               const char *text)
{
    struct sim_event *event = make_event(call, kind);
    event->due_boot_ms = now(call->network) + in_ms;
    event->status = status;
    snprintf(event->text, sizeof event->text, "%s", text);
    enqueue(event);
}

/* The connection is lost: both ends learn it when keepalive says so. */
static void lose(struct sim_call *call)
{
    if (call->out.broken)
        return;
    call->out.broken = true;
    call->back.broken = true;
    at(call, CLIENT_GONE, SIM_KEEPALIVE_MS, STATUS_UNAVAILABLE, "the connection was lost");
    at(call, CALLED_OFF, SIM_KEEPALIVE_MS, STATUS_UNAVAILABLE, "the connection was lost");
}

/* Is the process that sends it dead? Its connections break by themselves, for all to see. */
static bool sender_is_dead(const struct sim_call *call, enum sim_kind kind)
{
    const struct name *sender = &call->server.caller.subject.member;
    if (!goes_out(kind) || kind == CLIENT_GONE)
        return false;
    for (const struct sim_listener *listener = call->network->listeners; listener != NULL;
         listener = listener->next)
        if (listener->muted && name_equal(&listener->member, sender))
            return true;
    return false;
}

static void drop(struct sim_event *event)
{
    free((void *)(uintptr_t)event->bytes.data);
    free(event);
}

static void travel(struct sim_event *event)
{
    struct sim_call *call = event->call;
    const struct sim_network *network = call->network;
    bool out = goes_out(event->kind);
    if (sender_is_dead(call, event->kind)) {
        drop(event);
        return;
    }
    struct sim_way *way = out ? &call->out : &call->back;
    const struct name *client = &call->server.caller.subject.member;
    int64_t delay_ms = 0;
    if (network->weather != NULL)
        delay_ms = network->weather->delay_ms(
            network->weather->context, out ? client : &call->meant, out ? &call->meant : client);
    if (delay_ms < 0)
        lose(call);
    event->due_boot_ms = now(network) + delay_ms;
    if (way->broken) {
        drop(event);
        return;
    }
    if (event->due_boot_ms < way->newest_boot_ms)
        event->due_boot_ms = way->newest_boot_ms;
    way->newest_boot_ms = event->due_boot_ms;
    enqueue(event);
}

void sim_send(struct sim_call *call, enum sim_kind kind, const struct wire_message *message,
              const void *domain)
{
    sim_finish(call, kind, &(struct sim_end){message, domain, STATUS_OK, ""});
}

void sim_finish(struct sim_call *call, enum sim_kind kind, const struct sim_end *end)
{
    struct sim_event *event = make_event(call, kind);
    event->status = end->status;
    snprintf(event->text, sizeof event->text, "%s", end->text);
    if (end->domain != NULL) {
        struct arena arena;
        struct bytes bytes;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        sim_memory_spare();
        struct fault fault;
        if (wire_encode(end->message, end->domain, &arena, &bytes, &fault) != STATUS_OK) {
            fprintf(stderr, "a message that breaks the wire's rules: %s\n", fault.text);
            abort();
        }
        uint8_t *copy = malloc(bytes.size + 1);
        sim_memory_spare_end();
        assert(copy != NULL);
        memcpy(copy, bytes.data, bytes.size);
        event->bytes = (struct bytes){copy, bytes.size};
        arena_fini(&arena);
    }
    travel(event);
}

void sim_call_off(struct sim_call *call, int64_t in_ms, enum status status, const char *text)
{
    at(call, CALLED_OFF, in_ms, status, text);
}

/* --- the server's end */

static struct sim_call *call_of(struct rpc_call *server)
{
    return (struct sim_call *)(void *)((char *)server - offsetof(struct sim_call, server));
}

static bool is_dead(const struct sim_call *call)
{
    return call->server_over || (call->listener != NULL && call->listener->muted);
}

static void server_send(struct rpc_call *server, const void *response)
{
    struct sim_call *call = call_of(server);
    if (is_dead(call))
        return;
    server->unsent++;
    sim_send(call, TO_CLIENT, call->method->response, response);
    sim_send(call, DRAINED, NULL, NULL);
}

static void server_finish(struct rpc_call *server, const void *response, enum status status,
                          const char *text)
{
    struct sim_call *call = call_of(server);
    if (is_dead(call))
        return;
    sim_finish(
        call, FINISHED,
        &(struct sim_end){call->method->response, response, status, text != NULL ? text : ""});
}

const struct rpc_call_operations sim_server_operations = {server_send, server_finish};

static void refuse(struct sim_call *call, enum status status, const char *text)
{
    sim_finish(call, FINISHED, &(struct sim_end){NULL, NULL, status, text});
}

/* An answer that is on its way counts as out: what becomes of it there nobody knows here. */
void sim_close_server_end(struct sim_call *call)
{
    if (call->server_over)
        return;
    call->server_over = true;
    call->server.broken = !call->server.answered;
    if (call->begun && call->server.on_closed != NULL)
        call->server.on_closed(&call->server);
}

static struct sim_listener *find_listener(const struct sim_call *call)
{
    for (struct sim_listener *listener = call->network->listeners; listener != NULL;
         listener = listener->next)
        if (listener->open && strcmp(listener->address, call->address) == 0 &&
            name_equal(&listener->member, &call->meant))
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
        refuse(call, STATUS_UNAVAILABLE, "nobody listens there");
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
        refuse(call, status, fault.text);
        return;
    }
    call->begun = true;
    handler->handle(&call->server, request);
}

static void deliver_request(struct sim_call *call, struct bytes bytes)
{
    void *request = NULL;
    struct fault fault;
    if (call->server_over)
        return;
    if (wire_decode(call->method->request, bytes, &call->arena, &request, &fault) != STATUS_OK) {
        refuse(call, STATUS_INVALID, fault.text);
        return;
    }
    if (call->method->shape != WIRE_CLIENT_STREAM) {
        begin(call, request);
        return;
    }
    if (call->begun && !call->server.answered && call->server.on_message != NULL)
        call->server.on_message(&call->server, request);
    sim_send(call, WRITABLE, NULL, NULL);
}

/* --- the client's end */

void sim_client_done(struct sim_call *call, enum status status, const void *response,
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
    if (event->bytes.data != NULL) {
        status = wire_decode(call->method->response, event->bytes, &arena, &response, &fault);
        text = status == STATUS_OK ? "" : fault.text;
    }
    sim_client_done(call, status, response, text);
    arena_fini(&arena);
    sim_close_server_end(call);
}

/* The client's own word, at once; the server hears of it when it arrives. */
static void call_off(struct sim_call *call, const struct sim_event *event)
{
    if (call->client_over)
        return;
    sim_client_done(call, event->status, NULL, event->text);
    sim_send(call, CLIENT_GONE, NULL, NULL);
}

static void deliver_message(struct sim_call *call, struct bytes bytes)
{
    struct arena arena;
    void *response = NULL;
    if (call->client_over || call->callbacks.on_message == NULL)
        return;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (wire_decode(call->method->response, bytes, &arena, &response, NULL) == STATUS_OK)
        call->callbacks.on_message(call->callbacks.context, response);
    else
        lose(call); /* no memory: it was encoded by the same table */
    arena_fini(&arena);
}

static void deliver(struct sim_event *event)
{
    struct sim_call *call = event->call;
    switch (event->kind) {
    case BEGIN:
        if (!call->server_over)
            begin(call, NULL);
        break;
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
    case CALLED_OFF: call_off(call, event); break;
    case CLIENT_GONE: sim_close_server_end(call); break;
    }
}

/* A call that is over at both ends and has nothing under way. */
static void sweep(struct sim_network *network)
{
    for (struct sim_call **link = &network->calls; *link != NULL;) {
        struct sim_call *call = *link;
        if (!call->server_over || !call->client_over || call->under_way > 0) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        arena_fini(&call->arena);
        free(call);
    }
}

static void deliver_first(struct sim_network *network)
{
    struct sim_event *event = network->first;
    network->first = event->next;
    deliver(event);
    event->call->under_way--;
    network->delivered++;
    drop(event);
}

void sim_network_run(struct sim_network *network)
{
    uint64_t before = network->delivered;
    for (int delivered = 0; network->first != NULL; delivered++) {
        if (network->first->due_boot_ms > now(network))
            break;
        assert(delivered < DELIVERIES_MAX);
        deliver_first(network);
    }
    if (network->delivered != before)
        sweep(network);
}

int64_t sim_network_next_boot_ms(const struct sim_network *network)
{
    return network->first != NULL ? network->first->due_boot_ms : INT64_MAX;
}

void sim_network_init(struct sim_network *network)
{
    *network = (struct sim_network){0};
}

void sim_network_fini(struct sim_network *network)
{
    for (struct sim_call *call = network->calls; call != NULL; call = call->next) {
        sim_close_server_end(call);
        call->client_over = true;
    }
    while (network->first != NULL)
        deliver_first(network);
    sweep(network);
}
