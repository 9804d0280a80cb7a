/*
 * Meter: what one lease is billed for: GPU-seconds held, from "both ready" to release (DESIGN §6).
 *
 * Pure: told the time on the host's boot clock, it answers. Receipts of one lease never overlap and
 * leave no gap: receipt s+1 begins where s ended, and a renewal begins where its predecessor ended.
 * The struct is plain data that the peer stores as it is and reads back after a restart; a boot
 * clock that went back means a reboot, and then time stands where the meter last saw it.
 * Every count in a receipt (held time, steps, examples, checkpoints) is since the receipt before
 * it, so that the receipts of a lease add up. Besides what is billed a receipt says how fast the
 * job ran: from the first progress seen to the last, so that neither its start nor its stop count.
 * Thread rule: pure, the caller's storage. Complexity: O(1).
 */
#ifndef ENTENTE_PEER_HOST_METER_H
#define ENTENTE_PEER_HOST_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/lease.h"

struct meter {
    struct lease_id lease;
    struct name job;
    struct name home;
    struct name host;
    uint32_t gpu_count;
    int64_t began_boot_ms;        /* both ready, or the predecessor's end */
    int64_t firm_end_boot_ms;     /* from acceptance: starts_in + duration */
    int64_t holdover_end_boot_ms; /* the latest moment at which the job must be asked to stop */
    int64_t receipted_boot_ms;    /* receipts cover all before this */
    int64_t seen_boot_ms;         /* the newest time the meter was told */
    int64_t saved_boot_ms;        /* work up to here is in a checkpoint delivered home */
    uint64_t steps;               /* newest counts, in all */
    uint64_t examples;
    uint64_t checkpoints;
    uint64_t receipted_steps; /* what the receipts made so far reached */
    uint64_t receipted_examples;
    uint64_t receipted_checkpoints;
    uint32_t sequence; /* receipts made */
    bool closed;       /* the last receipt is made */
    /* Measured throughput: the stretch from the first progress seen (or where the former receipt's
     * ended) to the newest. A meter kept by a release before these were there has none. */
    int64_t stretch_boot_ms; /* 0: no progress seen yet */
    uint64_t stretch_steps;
    uint64_t stretch_examples;
    int64_t progress_boot_ms;
    uint64_t progress_steps;
    uint64_t progress_examples;
};

/* Where a job stands, as its executor reports: counts in all, checkpoints resumed from included. */
struct meter_reading {
    int64_t boot_ms;
    uint64_t steps;
    uint64_t examples;
};

enum meter_phase {
    METER_FIRM,     /* within the lease */
    METER_HOLDOVER, /* past the firm end, at the same price */
    METER_OVER      /* past the holdover limit: stop the job */
};

/* A new start: reading.boot_ms is the moment of both ready; counts are what the checkpoint it
 * resumes from had. */
void meter_start(struct meter *meter, const struct lease *lease, int64_t accepted_boot_ms,
                 const struct meter_reading *reading);

/* A renewal: begins where `former`, closed by meter_release(RENEWED), ended, with its counts. */
void meter_continue(struct meter *meter, const struct lease *lease, int64_t accepted_boot_ms,
                    const struct meter *former);

/* The newest counts. Never goes back: a smaller count or an earlier time changes nothing. */
void meter_observe(struct meter *meter, const struct meter_reading *reading);

/* A checkpoint, made at made_boot_ms, has been delivered to home. */
void meter_checkpoint(struct meter *meter, int64_t made_boot_ms);

enum meter_phase meter_phase(const struct meter *meter, int64_t now_boot_ms);

/* Held in this lease so far, receipted or not. */
int64_t meter_held_ms(const struct meter *meter, int64_t now_boot_ms);

/* A receipt while the job goes on: due at the firm end and then every period in holdover. False,
 * and no receipt, where it isn't due. Its outcome is RENEWED (the job goes on), last is false. */
bool meter_holdover_receipt(struct meter *meter, int64_t now_boot_ms, int64_t now_wall_ms,
                            int64_t period_ms, struct receipt *receipt);

/* The last receipt, up to end_boot_ms. With HOST_FAILED, what was held since the newest delivered
 * checkpoint was made is not payable; never more than this receipt's own held time. UNUSED: held
 * nothing. Only once a lease. */
void meter_release(struct meter *meter, int64_t end_boot_ms, int64_t now_wall_ms,
                   enum lease_outcome outcome, struct receipt *receipt);

/* A receipt for a lease that never started (UNUSED), where there is no meter. */
void meter_unused(const struct lease *lease, int64_t now_wall_ms, struct receipt *receipt);

#endif
