#include "peer/host/meter.h"

#include <assert.h>

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void open_meter(struct meter *meter, const struct lease *lease, int64_t accepted_boot_ms,
                       int64_t began_boot_ms)
{
    *meter = (struct meter){
        .lease = lease->id,
        .job = lease->job,
        .home = lease->home,
        .host = lease->host,
        .gpu_count = lease->gpu_count,
        .began_boot_ms = began_boot_ms,
        .firm_end_boot_ms = accepted_boot_ms + lease->starts_in_ms + lease->duration_ms,
        .receipted_boot_ms = began_boot_ms,
        .seen_boot_ms = began_boot_ms,
        .saved_boot_ms = began_boot_ms,
    };
    meter->holdover_end_boot_ms = meter->firm_end_boot_ms + lease->holdover_ms;
}

void meter_start(struct meter *meter, const struct lease *lease, int64_t accepted_boot_ms,
                 const struct meter_reading *reading)
{
    open_meter(meter, lease, accepted_boot_ms, reading->boot_ms);
    meter->steps = meter->receipted_steps = reading->steps;
    meter->examples = meter->receipted_examples = reading->examples;
}

void meter_continue(struct meter *meter, const struct lease *lease, int64_t accepted_boot_ms,
                    const struct meter *former)
{
    assert(former->closed);
    struct meter const before = *former; /* meter and former may be the same struct */
    open_meter(meter, lease, accepted_boot_ms, before.receipted_boot_ms);
    meter->steps = before.steps;
    meter->examples = before.examples;
    meter->receipted_steps = before.receipted_steps;
    meter->receipted_examples = before.receipted_examples;
    meter->stretch_boot_ms = before.stretch_boot_ms;
    meter->stretch_steps = before.stretch_steps;
    meter->stretch_examples = before.stretch_examples;
    meter->progress_boot_ms = before.progress_boot_ms;
    meter->progress_steps = before.progress_steps;
    meter->progress_examples = before.progress_examples;
    /* Work that the former lease paid for is paid: saved_boot_ms is not carried over. */
}

/* The boot clock never goes back; where it seems to, the machine was started anew and nothing ran
 * since we last looked. */
static int64_t advance(struct meter *meter, int64_t boot_ms)
{
    meter->seen_boot_ms = latest(meter->seen_boot_ms, boot_ms);
    return meter->seen_boot_ms;
}

/* The newest progress; the first one begins the stretch that is measured. */
static void note_progress(struct meter *meter, const struct meter_reading *reading)
{
    if (reading->examples <= meter->examples || reading->boot_ms < meter->progress_boot_ms)
        return;
    meter->progress_boot_ms = reading->boot_ms;
    meter->progress_steps = reading->steps;
    meter->progress_examples = reading->examples;
    if (meter->stretch_boot_ms != 0)
        return;
    meter->stretch_boot_ms = reading->boot_ms;
    meter->stretch_steps = reading->steps;
    meter->stretch_examples = reading->examples;
}

void meter_observe(struct meter *meter, const struct meter_reading *reading)
{
    note_progress(meter, reading);
    advance(meter, reading->boot_ms);
    if (reading->steps > meter->steps)
        meter->steps = reading->steps;
    if (reading->examples > meter->examples)
        meter->examples = reading->examples;
}

void meter_checkpoint(struct meter *meter, int64_t made_boot_ms)
{
    advance(meter, made_boot_ms);
    meter->saved_boot_ms = latest(meter->saved_boot_ms, made_boot_ms);
    meter->checkpoints++;
}

enum meter_phase meter_phase(const struct meter *meter, int64_t now_boot_ms)
{
    if (now_boot_ms < meter->firm_end_boot_ms)
        return METER_FIRM;
    return now_boot_ms < meter->holdover_end_boot_ms ? METER_HOLDOVER : METER_OVER;
}

int64_t meter_held_ms(const struct meter *meter, int64_t now_boot_ms)
{
    int64_t const end =
        meter->closed ? meter->receipted_boot_ms : latest(now_boot_ms, meter->seen_boot_ms);
    return end - meter->began_boot_ms;
}

/* Closes the stretch since the former receipt at end_boot_ms, and writes it down. */
static void write_receipt(struct meter *meter, int64_t end_boot_ms, int64_t now_wall_ms,
                          struct receipt *receipt)
{
    assert(end_boot_ms >= meter->receipted_boot_ms && !meter->closed);
    *receipt = (struct receipt){
        .lease = meter->lease,
        .job = meter->job,
        .home = meter->home,
        .host = meter->host,
        .sequence = ++meter->sequence,
        .outcome = LEASE_OUTCOME_RENEWED,
        .gpu_count = meter->gpu_count,
        .held_ms = end_boot_ms - meter->receipted_boot_ms,
        .steps = meter->steps - meter->receipted_steps,
        .examples = meter->examples - meter->receipted_examples,
        .checkpoints = meter->checkpoints - meter->receipted_checkpoints,
        .ended_wall_ms = now_wall_ms,
        .measured_ms = meter->progress_boot_ms - meter->stretch_boot_ms,
        .measured_steps = meter->progress_steps > meter->stretch_steps
                              ? meter->progress_steps - meter->stretch_steps
                              : 0,
        .measured_examples = meter->progress_examples - meter->stretch_examples,
    };
    meter->stretch_boot_ms = meter->progress_boot_ms;
    meter->stretch_steps = meter->progress_steps;
    meter->stretch_examples = meter->progress_examples;
    meter->receipted_boot_ms = end_boot_ms;
    meter->receipted_steps = meter->steps;
    meter->receipted_examples = meter->examples;
    meter->receipted_checkpoints = meter->checkpoints;
}

bool meter_holdover_receipt(struct meter *meter, int64_t now_boot_ms, int64_t now_wall_ms,
                            int64_t period_ms, struct receipt *receipt)
{
    assert(period_ms > 0);
    if (meter->closed || now_boot_ms < meter->seen_boot_ms)
        return false;
    /* Receipts cut time at the firm end and at whole periods after it, whenever we are asked. */
    int64_t end = meter->firm_end_boot_ms;
    if (meter->receipted_boot_ms >= end)
        end += ((meter->receipted_boot_ms - end) / period_ms + 1) * period_ms;
    if (now_boot_ms < end)
        return false;
    advance(meter, now_boot_ms);
    write_receipt(meter, end, now_wall_ms, receipt);
    return true;
}

void meter_release(struct meter *meter, int64_t end_boot_ms, int64_t now_wall_ms,
                   enum lease_outcome outcome, struct receipt *receipt)
{
    int64_t const begin = meter->receipted_boot_ms;
    /* A renewal may close the old lease at its firm end, a little after that moment was seen. */
    int64_t end = outcome == LEASE_OUTCOME_RENEWED ? end_boot_ms : advance(meter, end_boot_ms);
    end = latest(end, begin);
    if (outcome == LEASE_OUTCOME_UNUSED)
        end = begin;
    write_receipt(meter, end, now_wall_ms, receipt);
    receipt->last = true;
    receipt->outcome = outcome;
    if (outcome == LEASE_OUTCOME_HOST_FAILED)
        receipt->unpayable_ms = earliest(receipt->held_ms, latest(0, end - meter->saved_boot_ms));
    meter->closed = true;
}

void meter_unused(const struct lease *lease, int64_t now_wall_ms, struct receipt *receipt)
{
    *receipt = (struct receipt){
        .lease = lease->id,
        .job = lease->job,
        .home = lease->home,
        .host = lease->host,
        .sequence = 1,
        .last = true,
        .outcome = LEASE_OUTCOME_UNUSED,
        .gpu_count = lease->gpu_count,
        .ended_wall_ms = now_wall_ms,
    };
}
