/*
 * Host, time: what the clock does to a run: renewals begin, leases end, holdover is receipted and
 * has an end, grants that nobody takes up are given back.
 */
#include "peer/executor/run.h"

#include <stdio.h>

#include "proto/wire/methods.h"

enum {
    SKIPPED_MAX = 64, /* renewals granted while none could begin */
    HOLDOVER_RECEIPT_EVERY_MS = 15 * 60 * 1000,
    GRANT_SLACK_MS = 2000 /* home may be on its way at the last moment */
};

static void begin_renewal(struct run *run, int64_t now);
static void check_start(struct run *run, int64_t now);
static void keep_receipt(struct run *run, const struct receipt *receipt);

void run_lease_time(struct run *run)
{
    int64_t now = clock_boot_ms(run->peer->clock);
    if (run->row.state == RUN_GRANTED || run->row.state == RUN_STAGING) {
        check_start(run, now);
        return;
    }
    if (run->row.state != RUN_RUNNING)
        return;
    begin_renewal(run, now);
    struct meter *meter = &run->row.meter;
    if (run->row.ends && now >= meter->firm_end_boot_ms) {
        run_stop(run, run->row.stop_grace_ms, "the lease ended");
        return;
    }
    if (meter_phase(meter, now) == METER_OVER) {
        run_stop(run, run->row.stop_grace_ms, "the holdover limit is reached");
        return;
    }
    struct receipt receipt;
    if (meter_holdover_receipt(meter, now, clock_wall_ms(run->peer->clock),
                               HOLDOVER_RECEIPT_EVERY_MS, &receipt)) {
        keep_receipt(run, &receipt);
    }
}

/* Both or neither: a run that forgot the receipt would give its number to the next, which would
 * then not be kept. */
static void keep_receipt(struct run *run, const struct receipt *receipt)
{
    struct fault fault;
    struct spool *spool = run->peer->spool;
    enum status status = spool_begin(spool, &fault);
    if (status == STATUS_OK) {
        run_sign_receipt(run, receipt);
        run_save(run);
        status = spool_commit(spool, &fault);
    }
    if (status == STATUS_OK)
        return;
    spool_rollback(spool);
    peer_fail(run->peer, "keeping a receipt of holdover", &fault);
}

/* Where home does not come, the GPUs go back to the market. */
static void check_start(struct run *run, int64_t now)
{
    if (run->row.state == RUN_STAGING) {
        if (now - run->stage_since_boot_ms > run->peer->config->start_patience_ms)
            run_refuse(run, "home did not finish staging in time");
        return;
    }
    int64_t until = run->current.lease->accept_until_wall_ms;
    if (clock_wall_ms(run->peer->clock) > until + GRANT_SLACK_MS)
        run_refuse(run, "home did not come with the lease in time");
}

/* The moment at which the renewal takes over: its own start, or the old lease's end where that is
 * earlier; at once where both are past. */
static int64_t renewal_start(const struct run *run, int64_t now)
{
    const struct run_lease *next = &run->next_lease;
    int64_t start = next->accepted_boot_ms + next->lease->starts_in_ms;
    int64_t old_end = run->row.meter.firm_end_boot_ms;
    if (old_end < start)
        start = old_end;
    return start > now ? start : now;
}

static enum status read_lease(struct run *run, struct lease_id id, struct arena *arena,
                              const struct lease **lease, struct fault *fault)
{
    struct spool_lease known;
    void *decoded = NULL;
    enum status status = spool_lease_get(run->peer->spool, id, LEASE_AS_HOST, arena, &known, fault);
    if (status == STATUS_OK)
        status = wire_decode(&message_lease, known.signed_lease.body, arena, &decoded, fault);
    *lease = decoded;
    return status;
}

/* Is the present lease among those that the next one continues, over others? Not where the broker
 * was restored from before the present one, and goes on from an earlier. */
static bool continues_present(struct run *run, struct arena *arena)
{
    struct lease_id id = run->next_lease.lease->continues;
    for (int n = 0; n < SKIPPED_MAX && !lease_id_none(id); n++) {
        const struct lease *lease = NULL;
        if (lease_id_equal(id, run->row.lease))
            return true;
        if (read_lease(run, id, arena, &lease, NULL) != STATUS_OK)
            return false;
        id = lease->continues;
    }
    return false;
}

/* Renewals whose time passed while the job was staged or we were away: the broker waits for their
 * last receipt as for any other's. */
static void receipt_skipped(struct run *run)
{
    struct arena arena;
    struct lease_id id = run->next_lease.lease->continues;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    while (continues_present(run, &arena) && !lease_id_equal(id, run->row.lease)) {
        const struct lease *skipped = NULL;
        struct fault fault;
        struct receipt receipt;
        if (read_lease(run, id, &arena, &skipped, &fault) != STATUS_OK) {
            peer_fail(run->peer, "a renewal that was skipped", &fault);
            break;
        }
        meter_unused(skipped, clock_wall_ms(run->peer->clock), &receipt);
        receipt.outcome = LEASE_OUTCOME_RENEWED;
        run_sign_receipt(run, &receipt);
        id = skipped->continues;
    }
    arena_fini(&arena);
}

static void begin_renewal(struct run *run, int64_t now)
{
    if (run->next_lease.lease == NULL || renewal_start(run, now) > now)
        return;
    struct receipt receipt;
    meter_release(&run->row.meter, now, clock_wall_ms(run->peer->clock), LEASE_OUTCOME_RENEWED,
                  &receipt);
    meter_continue(&run->row.meter, run->next_lease.lease, run->next_lease.accepted_boot_ms,
                   &run->row.meter);
    struct fault fault;
    if (spool_begin(run->peer->spool, &fault) != STATUS_OK)
        peer_fail(run->peer, "beginning a renewal", &fault);
    run_sign_receipt(run, &receipt);
    receipt_skipped(run);
    run->row.lease = run->row.next;
    run->row.next = (struct lease_id){0};

    run_lease_clear(&run->current);
    run->current = run->next_lease;
    run->next_lease = (struct run_lease){0};
    run_report(run, run->row.lease, LEASE_REPORT_RUNNING, NULL);
    run_save(run);
    if (spool_commit(run->peer->spool, &fault) != STATUS_OK) {
        spool_rollback(run->peer->spool);
        peer_fail(run->peer, "beginning a renewal", &fault);
    }
}

/* A renewal that never began is over with the run. */
static void give_up_renewal(struct run *run)
{
    if (lease_id_none(run->row.next))
        return;
    run_report(run, run->row.next, LEASE_REPORT_REFUSED, "the job ended before it began");

    run->row.next = (struct lease_id){0};
    run_lease_clear(&run->next_lease);
}

/* The end of the job here: GPUs free, metered, receipted, reported, in one transaction. */
void run_gone(struct run *run, enum lease_outcome outcome, const char *text)
{
    struct executor *executor = run->peer->executor;
    int64_t now = clock_boot_ms(run->peer->clock);
    struct meter *meter = &run->row.meter;
    executor->operations->release(executor, run->directory);
    run->released = true;
    if (outcome == LEASE_OUTCOME_HOST_FAILED)
        now = meter->seen_boot_ms; /* what was not seen is not billed */
    struct receipt receipt;
    struct fault fault;
    meter_release(meter, now, clock_wall_ms(run->peer->clock), outcome, &receipt);
    if (spool_begin(run->peer->spool, &fault) != STATUS_OK)
        peer_fail(run->peer, "ending a run", &fault);
    run_sign_receipt(run, &receipt);
    give_up_renewal(run);
    run_report(run, run->row.lease, LEASE_REPORT_RELEASED, text);
    run_give_gpus(run);
    run->row.outcome = outcome;
    run_move(run, RUN_EVENT_GONE, text[0] != '\0' ? text : NULL);
    if (spool_commit(run->peer->spool, &fault) != STATUS_OK) {
        spool_rollback(run->peer->spool);
        peer_fail(run->peer, "ending a run", &fault);
    }
}
