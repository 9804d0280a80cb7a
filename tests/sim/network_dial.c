/* Network, who speaks: transports towards an address, and listeners there. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/memory.h"
#include "tests/sim/network_internal.h"

static struct sim_call *make_call(struct sim_transport *transport, const struct wire_method *method)
{
    struct sim_network *network = transport->network;
    sim_memory_spare();
    struct sim_call *call = calloc(1, sizeof *call);
    sim_memory_spare_end();
    assert(call != NULL);
    arena_init(&call->arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    call->client.transport = &transport->transport;
    call->server = (struct rpc_call){
        .operations = &sim_server_operations,
        .method = method,
        .caller = transport->caller,
        .arena = &call->arena,
    };
    call->network = network;
    call->transport = transport;
    call->meant = transport->meant;
    memcpy(call->address, transport->address, sizeof call->address);
    call->method = method;
    call->next = network->calls;
    network->calls = call;
    return call;
}

static void nobody_cares(void *context, enum status status, const void *response,
                         const struct fault *fault)
{
    (void)context;
    (void)status;
    (void)response;
    (void)fault;
}

/* What a caller that tried twice makes of a request: it arrives again, some time later. */
static void maybe_repeat(struct sim_transport *transport, const struct wire_method *method,
                         const void *request)
{
    const struct sim_network *network = transport->network;
    if (network->weather == NULL || method->shape != WIRE_UNARY)
        return;
    int64_t later_ms = network->weather->repeat_ms(
        network->weather->context, &transport->caller.subject.member, &transport->meant);
    if (later_ms < 0)
        return;
    struct sim_call *again = make_call(transport, method);
    again->transport = NULL;
    again->callbacks.on_done = nobody_cares;
    again->out.newest_boot_ms = clock_boot_ms(network->clock) + later_ms;
    sim_send(again, TO_SERVER, method->request, request);
    sim_call_off(again, later_ms + SIM_KEEPALIVE_MS, STATUS_DEADLINE, "");
}

static struct transport_call *transport_begin(struct transport *base,
                                              const struct wire_method *method, const void *request,
                                              int64_t timeout_ms,
                                              const struct transport_callbacks *callbacks)
{
    struct sim_transport *transport = (struct sim_transport *)base;
    struct sim_call *call = make_call(transport, method);
    call->callbacks = *callbacks;
    if (method->shape == WIRE_CLIENT_STREAM)
        sim_send(call, BEGIN, NULL, NULL);
    else
        sim_send(call, TO_SERVER, method->request, request);
    if (timeout_ms > 0 && transport->network->clock != NULL)
        sim_call_off(call, timeout_ms, STATUS_DEADLINE, "no answer in time");
    maybe_repeat(transport, method, request);
    return (struct transport_call *)call;
}

static void transport_message(struct transport_call *base, const void *request)
{
    struct sim_call *call = (struct sim_call *)base;
    sim_send(call, TO_SERVER, call->method->request, request);
}

static void transport_last(struct transport_call *base)
{
    sim_send((struct sim_call *)base, HALF_CLOSE, NULL, NULL);
}

static void transport_stop(struct transport_call *base)
{
    sim_call_off((struct sim_call *)base, 0, STATUS_CANCELLED, "cancelled");
}

static void transport_end(struct transport *base)
{
    struct sim_transport *transport = (struct sim_transport *)base;
    for (struct sim_call *call = transport->network->calls; call != NULL; call = call->next) {
        if (call->transport != transport)
            continue;
        call->transport = NULL;
        if (call->client_over)
            continue;
        sim_client_done(call, STATUS_CANCELLED, NULL, "the connection was closed");
        sim_send(call, CLIENT_GONE, NULL, NULL);
    }
    free(transport);
}

static const struct transport_operations transport_operations = {
    transport_begin, transport_message, transport_last, transport_stop, transport_end,
};

struct transport *sim_dial(struct sim_network *network, const char *address,
                           const struct rpc_caller *caller, const struct name *meant)
{
    sim_memory_spare();
    struct sim_transport *transport = calloc(1, sizeof *transport);
    sim_memory_spare_end();
    assert(transport != NULL);
    transport->transport.operations = &transport_operations;
    transport->network = network;
    snprintf(transport->address, sizeof transport->address, "%s", address);
    transport->caller = *caller;
    transport->meant = *meant;
    return &transport->transport;
}

/* --- listeners */

void sim_listen(struct sim_network *network, struct sim_listener *listener)
{
    listener->open = true;
    listener->muted = false;
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
    listener->muted = false;
    for (struct sim_call *call = network->calls; call != NULL; call = call->next) {
        if (call->listener != listener || call->server_over)
            continue;
        sim_close_server_end(call);
        sim_finish(call, FINISHED,
                   &(struct sim_end){NULL, NULL, STATUS_UNAVAILABLE, "the connection broke"});
    }
}
