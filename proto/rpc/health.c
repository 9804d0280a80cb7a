/*
 * Health: grpc.health.v1.Health, so that any load balancer or probe can ask.
 *
 * Its two messages are one field each, so they are read and written here by hand. Serving while the
 * server is open, not serving once it stops. Known services: "" and those of the handlers' paths.
 * Check of an unknown one is NOT_FOUND; Watch answers SERVICE_UNKNOWN and stays open, as the
 * protocol asks.
 */
#include "proto/rpc/server_internal.h"

#include <string.h>

/* HealthCheckResponse { ServingStatus status = 1; } */
enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };
static const uint8_t serving[] = {0x08, SERVING};
static const uint8_t not_serving[] = {0x08, NOT_SERVING};
static const uint8_t service_unknown[] = {0x08, SERVICE_UNKNOWN};

static void check(struct rpc_call *call, const void *request);
static void watch(struct rpc_call *call, const void *request);

static const struct wire_method method_check = {.path = "/grpc.health.v1.Health/Check",
                                                .shape = WIRE_UNARY};
static const struct wire_method method_watch = {.path = "/grpc.health.v1.Health/Watch",
                                                .shape = WIRE_SERVER_STREAM};
const struct rpc_handler health_handlers[] = {{&method_check, check}, {&method_watch, watch}};
const size_t health_handler_count = sizeof health_handlers / sizeof health_handlers[0];

enum { SERVICE_NAME_MAX = 127 }; /* so that its length is one byte */

/* HealthCheckRequest { string service = 1; }: nothing, or one short text. */
static bool read_request(const struct bytes *bytes, struct bytes *service)
{
    *service = (struct bytes){0};
    if (bytes->size == 0)
        return true;
    if (bytes->size < 2 || bytes->data[0] != 0x0a || bytes->data[1] > SERVICE_NAME_MAX ||
        bytes->data[1] != bytes->size - 2)
        return false;
    *service = (struct bytes){bytes->data + 2, bytes->size - 2};
    return true;
}

/* "/entente.v1.MemberService/Submit" is a method of entente.v1.MemberService. */
static bool known(const struct rpc_server *server, const struct bytes *service)
{
    if (service->size == 0)
        return true;
    for (size_t i = 0; i < server->handler_count; i++) {
        const char *path = server->handlers[i].method->path;
        if (strncmp(path + 1, (const char *)service->data, service->size) == 0 &&
            path[1 + service->size] == '/')
            return true;
    }
    return false;
}

static void check(struct rpc_call *call, const void *request)
{
    struct bytes service;
    struct fault fault;
    if (!read_request(request, &service)) {
        fault_set(&fault, STATUS_INVALID, "service: one name of up to %d bytes", SERVICE_NAME_MAX);
        rpc_call_fail(call, STATUS_INVALID, &fault);
    } else if (!known(call->service, &service)) {
        fault_set(&fault, STATUS_NOT_FOUND, "no such service here");
        rpc_call_fail(call, STATUS_NOT_FOUND, &fault);
    } else {
        rpc_call_reply(call, &(struct bytes){serving, sizeof serving});
    }
}

static void forget(struct rpc_call *call)
{
    call->context = NULL;
}

static void watch(struct rpc_call *call, const void *request)
{
    struct bytes service;
    if (!read_request(request, &service)) {
        rpc_call_fail(call, STATUS_INVALID, NULL);
        return;
    }
    call->on_closed = forget;
    if (known(call->service, &service))
        rpc_call_send(call, &(struct bytes){serving, sizeof serving});
    else
        rpc_call_send(call, &(struct bytes){service_unknown, sizeof service_unknown});
}

void health_leave(struct server_call *call)
{
    if (call->call.method != &method_watch || call->call.answered || call->closed)
        return;
    rpc_call_send(&call->call, &(struct bytes){not_serving, sizeof not_serving});
    rpc_call_end(&call->call);
}
