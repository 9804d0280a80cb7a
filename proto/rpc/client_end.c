/*
 * Client end: how one call ends for its owner, once, and goes.
 *
 * on_done runs when the last batch came back, or at once where the transport closes; the struct
 * goes after both. Our own fault (a message we can't read or send) goes before the server's status.
 */
#include "proto/rpc/client_internal.h"

#include <stdlib.h>

#include "proto/rpc/status_code.h"

static void conclude(struct client_call *call);
static void tell(struct client_call *call, enum status status, const void *response);

void client_call_settle(struct client_call *call)
{
    if (call->batches > 0)
        return;
    if (!call->done)
        conclude(call);
    grpc_call_unref(call->grpc);
    grpc_byte_buffer_destroy(call->outgoing);
    grpc_byte_buffer_destroy(call->incoming);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->details);
    arena_fini(&call->arena);
    free(call);
}

/* Control characters would forge lines in logs and on terminals. */
static void take_text(struct client_call *call, enum status status)
{
    bool name_address = status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE;
    int length = (int)GRPC_SLICE_LENGTH(call->details);
    fault_set(&call->fault, status, "%s%s%.*s", name_address ? call->client->address : "",
              name_address ? ": " : "", length, (const char *)GRPC_SLICE_START_PTR(call->details));
    for (char *c = call->fault.text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

static void conclude(struct client_call *call)
{
    enum status status = call->fault.status;
    const void *response = NULL;
    if (status == STATUS_OK) {
        status = status_from_code(call->code);
        if (status != STATUS_OK)
            take_text(call, status);
        else if (call->method->shape != WIRE_SERVER_STREAM && call->incoming == NULL)
            status = fault_set(&call->fault, STATUS_INTERNAL, "the response is missing");
        else if (call->method->shape != WIRE_SERVER_STREAM)
            response = client_call_decode(call);
        if (status == STATUS_OK)
            status = call->fault.status;
    }
    tell(call, status, response);
}

static void leave(struct client_call *call)
{
    struct rpc_client *client = call->client;
    if (call->next != NULL)
        call->next->previous = call->previous;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    client->call_count--;
    rpc_timer_stop(&call->failing);
    call->client = NULL;
}

/* The last word. Out of the list before it, since on_done may close the transport. */
static void tell(struct client_call *call, enum status status, const void *response)
{
    call->done = true;
    leave(call);
    call->batches++; /* on_done must not free it under our feet */
    if (call->callbacks.on_done != NULL)
        call->callbacks.on_done(call->callbacks.context, status, response,
                                status == STATUS_OK ? NULL : &call->fault);
    call->batches--;
}

void client_call_abandon(struct client_call *call)
{
    grpc_call_cancel(call->grpc, NULL);
    fault_set(&call->fault, STATUS_CANCELLED, "%s: the connection was closed",
              call->client->address);
    bool idle = call->batches == 0; /* it never started: no batch will free it */
    tell(call, STATUS_CANCELLED, NULL);
    if (idle)
        client_call_settle(call);
}
