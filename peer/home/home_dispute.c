/*
 * Home, dispute: a receipt that home refused is disputed at the broker, with what home saw. It
 * waits in the spool until the broker has it, as reports do.
 */
#include <stdio.h>
#include <string.h>

#include "peer/home/home_job.h"

void home_dispute(struct home *home, const struct receipt *receipt, int64_t seen_ms,
                  const char *why)
{
    struct fault fault;
    char text[DISPUTE_TEXT_BYTES_MAX + 1];
    int64_t payable_ms = receipt->held_ms - receipt->unpayable_ms;
    snprintf(text, sizeof text, "%s", why);
    if (payable_ms <= 0)
        return; /* nothing is asked for */
    struct dispute_request dispute = {
        .lease = receipt->lease,
        .sequence = receipt->sequence,
        .action = DISPUTE_DO_OPEN,
        /* time that was seen, with another quarrel: the least that can be disputed */
        .payable_ms = seen_ms < payable_ms ? seen_ms : payable_ms - 1,
        .text = text,
    };
    if (spool_dispute_put(home->peer->spool, &dispute, false, &fault) != STATUS_OK)
        peer_trouble(home->peer, "keeping a dispute", &fault);
}

enum status home_dispute_note(struct home *home, const struct dispute_request *request,
                              struct fault *fault)
{
    struct spool *spool = home->peer->spool;
    if (request->action == DISPUTE_DO_OPEN)
        return spool_dispute_put(spool, request, true, fault);
    if (request->action == DISPUTE_DO_WITHDRAW)
        return spool_dispute_forget(spool, request->lease, request->sequence, fault);
    return STATUS_OK;
}
