/*
 * Transport: the abstract caller; passes on to its carrier.
 */
#include "proto/rpc/client.h"

#include <stddef.h>

struct transport_call *transport_start(struct transport *transport,
                                       const struct wire_method *method, const void *request,
                                       int64_t timeout_ms,
                                       const struct transport_callbacks *callbacks)
{
    return transport->operations->start(transport, method, request, timeout_ms, callbacks);
}

void transport_send(struct transport_call *call, const void *request)
{
    call->transport->operations->send(call, request);
}

void transport_half_close(struct transport_call *call)
{
    call->transport->operations->half_close(call);
}

void transport_cancel(struct transport_call *call)
{
    call->transport->operations->cancel(call);
}

void transport_close(struct transport *transport)
{
    if (transport != NULL)
        transport->operations->close(transport);
}
