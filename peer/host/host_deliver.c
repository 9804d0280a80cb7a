/*
 * Host, delivery: each complete checkpoint goes home as it is made, the last one and the results
 * once the job is gone. What can't be brought home is tried again with back-off, for a day.
 */
#include "peer/executor/run.h"

#include <string.h>

enum {
    DELIVERY_RETRY_MS = 500,
    DELIVERY_RETRY_MS_MAX = 60 * 1000,
    DELIVERY_DOUBLINGS_MAX = 7,
    DELIVERY_PATIENCE_MS = 24 * 3600 * 1000
};

static enum run_delivery next_delivery(const struct run *run);
static void start_delivery(struct run *run, enum run_delivery delivery);
static void delivered(void *context, enum status status, const struct fault *fault);

void run_deliver(struct run *run)
{
    if (run->row.state < RUN_RUNNING || run->row.state == RUN_OVER ||
        run->delivery != DELIVERY_NONE)
        return;
    enum run_delivery delivery = next_delivery(run);
    bool gone = run->row.state == RUN_DELIVERING;
    if (delivery == DELIVERY_NONE) {
        if (gone)
            run_move(run, RUN_EVENT_DELIVERED, NULL);
        return;
    }
    int64_t waited = clock_wall_ms(run->peer->clock) - run->row.changed_wall_ms;
    if (gone && waited > DELIVERY_PATIENCE_MS) {
        run_move(run, RUN_EVENT_DELIVERED, "home could not be reached for a day");
        return;
    }
    if (clock_boot_ms(run->peer->clock) >= run->retry_boot_ms)
        start_delivery(run, delivery);
}

static enum run_delivery next_delivery(const struct run *run)
{
    bool has_checkpoint = run->specification->checkpoint_path[0] != '\0';
    if (has_checkpoint && run->checkpoint_number > run->row.delivered_number)
        return DELIVERY_CHECKPOINT;
    bool results_due = run->row.state == RUN_DELIVERING &&
                       run->row.outcome == LEASE_OUTCOME_COMPLETED &&
                       run->specification->result_count > 0;
    return results_due && !run->results_done ? DELIVERY_RESULTS : DELIVERY_NONE;
}

static void retry_later(struct run *run, const struct fault *fault)
{
    uint32_t doublings =
        run->failures < DELIVERY_DOUBLINGS_MAX ? run->failures : DELIVERY_DOUBLINGS_MAX;
    int64_t pause = (int64_t)DELIVERY_RETRY_MS << doublings;
    if (pause > DELIVERY_RETRY_MS_MAX)
        pause = DELIVERY_RETRY_MS_MAX;
    run->failures++;
    run->retry_boot_ms = clock_boot_ms(run->peer->clock) + pause;
    log_warning(run->peer->log, "job %s: delivery home failed, again in %lld ms: %s",
                run->row.job.text, (long long)pause, fault->text);
}

static enum status prepare_delivery(struct run *run, enum run_delivery delivery,
                                    struct fault *fault)
{
    const struct job_specification *specification = run->specification;
    char work[FILE_PATH_MAX];
    enum status status = path_join(work, run->directory, "work", fault);
    if (status != STATUS_OK)
        return status;
    struct chunks_source source = {
        .directory = work,
        .paths = delivery == DELIVERY_CHECKPOINT ? &specification->checkpoint_path
                                                 : specification->results,
        .path_count = delivery == DELIVERY_CHECKPOINT ? 1 : specification->result_count,
        .absent = CHUNKS_ABSENT_SKIPPED,
    };
    arena_fini(&run->delivery_arena);
    arena_init(&run->delivery_arena, ARENA_MESSAGE_BYTES);
    run->delivering_number = run->checkpoint_number;
    run->delivering_made_boot_ms = run->checkpoint_made_boot_ms;
    status = run_open_chunks(run, fault);
    if (status == STATUS_OK)
        status = chunks_scan(run->chunks, &source, &run->delivery_arena, &run->transfer.set, fault);
    if (status != STATUS_OK)
        return status;
    return peer_contact(run->peer, &run->row.home, run->current.lease->home_address, &run->contact,
                        fault);
}

static void start_delivery(struct run *run, enum run_delivery delivery)
{
    struct fault fault;
    if (prepare_delivery(run, delivery, &fault) != STATUS_OK) {
        retry_later(run, &fault);
        return;
    }
    run->delivery = delivery;
    run->transfer.transport = run->contact->transport;
    run->transfer.chunks = run->chunks;
    run->transfer.lease = run->row.lease;
    run->transfer.purpose = delivery == DELIVERY_CHECKPOINT ? FILES_CHECKPOINT : FILES_RESULT;
    run->transfer.examples = run->checkpoint_examples;
    run->transfer.done = delivered;
    run->transfer.context = run;
    transfer_start(&run->transfer);
}

/* Home will never take it: the job has moved on, or its home knows nothing of it. */
static bool refused(enum status status)
{
    return status == STATUS_DENIED || status == STATUS_NOT_FOUND || status == STATUS_INVALID;
}

static void delivered(void *context, enum status status, const struct fault *fault)
{
    struct run *run = context;
    enum run_delivery delivery = run->delivery;
    run->delivery = DELIVERY_NONE;
    contacts_give(&run->peer->contacts, &run->contact);
    if (refused(status) && run->row.state == RUN_DELIVERING) {
        run_move(run, RUN_EVENT_DELIVERED, fault->text);
        return;
    }
    if (status != STATUS_OK) {
        retry_later(run, fault);
        return;
    }
    run->failures = 0;
    if (delivery == DELIVERY_RESULTS) {
        run->results_done = true;
        return;
    }
    run->row.delivered_number = run->delivering_number;
    if (!run->row.meter.closed)
        meter_checkpoint(&run->row.meter, run->delivering_made_boot_ms);
    run_save(run);
}
