/*
 * Call: what a handler may do with one, checked, and passed on to the carrier.
 */
#include "proto/rpc/call.h"

#include <assert.h>
#include <stddef.h>

void rpc_call_reply(struct rpc_call *call, const void *response)
{
    assert(!call->answered && response != NULL && call->method->shape != WIRE_SERVER_STREAM);
    call->answered = true;
    call->operations->finish(call, response, STATUS_OK, "");
}

void rpc_call_fail(struct rpc_call *call, enum status status, const struct fault *fault)
{
    assert(!call->answered && status != STATUS_OK);
    call->answered = true;
    call->operations->finish(call, NULL, status, fault != NULL ? fault->text : status_name(status));
}

void rpc_call_send(struct rpc_call *call, const void *response)
{
    assert(!call->answered && response != NULL && call->method->shape == WIRE_SERVER_STREAM);
    call->operations->send(call, response);
}

void rpc_call_end(struct rpc_call *call)
{
    assert(!call->answered && call->method->shape == WIRE_SERVER_STREAM);
    call->answered = true;
    call->operations->finish(call, NULL, STATUS_OK, "");
}
