/*
 * Transfer: brings one set of files to another peer, whatever is there already: OfferFiles -> which
 * chunks lack -> PushChunks -> again until none lacks -> CommitFiles.
 *
 * One struct a transfer, the owner's storage, used again after `done`. A broken transfer ends with
 * its fault; starting it again sends only what lacks. Guarantee: `done` is called exactly once for
 * each transfer_start, never inside it. The storage must live while transfer_busy(). Memory: one
 * chunk and the list of missing digests. Thread rule: the loop's thread.
 */
#ifndef ENTENTE_PEER_FILES_TRANSFER_H
#define ENTENTE_PEER_FILES_TRANSFER_H

#include "peer/files/chunks.h"
#include "proto/rpc/client.h"
#include "proto/wire/messages.h"

struct transfer {
    /* Set before transfer_start; borrowed until done. */
    struct transport *transport;
    struct chunks *chunks; /* where the set's chunks lie */
    struct file_set set;
    struct lease_id lease;
    enum files_purpose purpose;
    uint64_t examples; /* of a checkpoint */
    void (*done)(void *context, enum status status, const struct fault *fault);
    void *context;
    /* Own. */
    struct transport_call *call;
    struct arena arena;
    struct digest *missing;
    uint32_t missing_count;
    uint32_t sent;
    uint32_t rounds;
    uint8_t *chunk; /* CHUNK_BYTES_MAX, in the arena */
    struct fault fault;
    bool broken; /* our own fault ended the push */
};

void transfer_start(struct transfer *transfer);
bool transfer_busy(const struct transfer *transfer);
void transfer_cancel(struct transfer *transfer); /* done still comes, with CANCELLED */

#endif
