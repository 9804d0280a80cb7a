#include "peer/files/transfer.h"

#include <assert.h>

#include "proto/wire/methods.h"

enum {
    TRANSFER_CALL_MS = 60 * 1000,
    TRANSFER_PUSH_MS = 3600 * 1000,
    TRANSFER_ROUNDS_MAX = 100000 /* offers; each names thousands of chunks */
};

static void offer(struct transfer *transfer);
static void offered(void *context, enum status status, const void *response,
                    const struct fault *fault);
static void push(struct transfer *transfer);
static void push_next(void *context);
static void pushed(void *context, enum status status, const void *response,
                   const struct fault *fault);
static void commit(struct transfer *transfer);
static void committed(void *context, enum status status, const void *response,
                      const struct fault *fault);

void transfer_start(struct transfer *transfer)
{
    assert(transfer->call == NULL);
    transfer->rounds = 0;
    arena_init(&transfer->arena, ARENA_MESSAGE_BYTES);
    offer(transfer);
}

bool transfer_busy(const struct transfer *transfer)
{
    return transfer->call != NULL;
}

void transfer_cancel(struct transfer *transfer)
{
    if (transfer->call != NULL)
        transport_cancel(transfer->call);
}

static void finish(struct transfer *transfer, enum status status, const struct fault *fault)
{
    transfer->call = NULL;
    arena_fini(&transfer->arena);
    transfer->done(transfer->context, status, fault);
}

/* No memory to start a call: tell it like any other failure. */
static void started(struct transfer *transfer)
{
    if (transfer->call == NULL) {
        struct fault fault;
        enum status status = fault_set(&fault, STATUS_NO_MEMORY, "no memory for a call");
        finish(transfer, status, &fault);
    }
}

static void offer(struct transfer *transfer)
{
    struct offer_files_request request = {
        .lease = transfer->lease,
        .purpose = transfer->purpose,
        .files = transfer->set.files,
        .file_count = transfer->set.count,
        .examples = transfer->examples,
    };
    struct transport_callbacks callbacks = {.on_done = offered, .context = transfer};
    transfer->call = transport_start(transfer->transport, &method_offer_files, &request,
                                     TRANSFER_CALL_MS, &callbacks);
    started(transfer);
}

static void offered(void *context, enum status status, const void *response,
                    const struct fault *fault)
{
    struct transfer *transfer = context;
    if (status != STATUS_OK) {
        finish(transfer, status, fault);
        return;
    }
    const struct offer_files_response *answer = response;
    if (answer->missing_count == 0) {
        commit(transfer);
        return;
    }
    arena_reset(&transfer->arena);
    transfer->missing = arena_copy(&transfer->arena, answer->missing,
                                   answer->missing_count * sizeof *answer->missing);
    transfer->chunk = arena_alloc(&transfer->arena, CHUNK_BYTES_MAX, 1);
    transfer->missing_count = answer->missing_count;
    struct fault own;
    if (transfer->missing == NULL || transfer->chunk == NULL)
        finish(transfer, fault_set(&own, STATUS_NO_MEMORY, "no memory for a transfer"), &own);
    else if (++transfer->rounds > TRANSFER_ROUNDS_MAX)
        finish(transfer,
               fault_set(&own, STATUS_EXHAUSTED, "the other side lacks chunks again and again"),
               &own);
    else
        push(transfer);
}

static void push(struct transfer *transfer)
{
    struct transport_callbacks callbacks = {
        .on_done = pushed, .on_writable = push_next, .context = transfer};
    transfer->sent = 0;
    transfer->broken = false;
    transfer->call = transport_start(transfer->transport, &method_push_chunks, NULL,
                                     TRANSFER_PUSH_MS, &callbacks);
    if (transfer->call != NULL)
        push_next(transfer);
    else
        started(transfer);
}

/* The next chunk that lacks; the end of the stream after the last one. */
static void push_next(void *context)
{
    struct transfer *transfer = context;
    if (transfer->sent == transfer->missing_count) {
        transport_half_close(transfer->call);
        return;
    }
    struct push_chunk_request request = {
        .lease = transfer->lease,
        .digest = transfer->missing[transfer->sent],
        .data.data = transfer->chunk,
    };
    if (chunks_get(transfer->chunks, &request.digest, transfer->chunk, &request.data.size,
                   &transfer->fault) != STATUS_OK) {
        transfer->broken = true;
        transport_cancel(transfer->call);
        return;
    }
    transfer->sent++;
    transport_send(transfer->call, &request);
}

static void pushed(void *context, enum status status, const void *response,
                   const struct fault *fault)
{
    struct transfer *transfer = context;
    (void)response;
    if (transfer->broken)
        finish(transfer, transfer->fault.status, &transfer->fault);
    else if (status != STATUS_OK)
        finish(transfer, status, fault);
    else
        offer(transfer);
}

static void commit(struct transfer *transfer)
{
    struct commit_files_request request = {.lease = transfer->lease, .purpose = transfer->purpose};
    struct transport_callbacks callbacks = {.on_done = committed, .context = transfer};
    transfer->call = transport_start(transfer->transport, &method_commit_files, &request,
                                     TRANSFER_CALL_MS, &callbacks);
    started(transfer);
}

static void committed(void *context, enum status status, const void *response,
                      const struct fault *fault)
{
    (void)response;
    finish(context, status, fault);
}
