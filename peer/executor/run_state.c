#include "peer/executor/run_state.h"

#include <assert.h>

static const struct {
    enum run_state state;
    enum run_event event;
    enum run_state next;
} moves[] = {
    {RUN_GRANTED, RUN_EVENT_ACCEPTED, RUN_STAGING}, {RUN_GRANTED, RUN_EVENT_REFUSED, RUN_OVER},
    {RUN_STAGING, RUN_EVENT_STARTED, RUN_RUNNING},  {RUN_STAGING, RUN_EVENT_REFUSED, RUN_OVER},
    {RUN_RUNNING, RUN_EVENT_STOP, RUN_STOPPING},    {RUN_RUNNING, RUN_EVENT_GONE, RUN_DELIVERING},
    {RUN_STOPPING, RUN_EVENT_GONE, RUN_DELIVERING}, {RUN_DELIVERING, RUN_EVENT_DELIVERED, RUN_OVER},
};

bool run_next(enum run_state state, enum run_event event, enum run_state *next)
{
    for (size_t m = 0; m < sizeof moves / sizeof moves[0]; m++)
        if (moves[m].state == state && moves[m].event == event) {
            *next = moves[m].next;
            return true;
        }
    return false;
}

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATE_COUNT] = {
        "granted", "staging", "running", "stopping", "delivering", "over",
    };
    assert((unsigned)state < RUN_STATE_COUNT);
    return names[state];
}

static enum job_state ended_as(enum lease_outcome outcome)
{
    if (outcome == LEASE_OUTCOME_COMPLETED)
        return JOB_STATE_DONE;
    return outcome == LEASE_OUTCOME_JOB_FAILED ? JOB_STATE_FAILED : JOB_STATE_QUEUED;
}

enum job_state run_job_state(const struct spool_run *run)
{
    static const enum job_state states[RUN_STATE_COUNT] = {
        [RUN_GRANTED] = JOB_STATE_STAGING,     [RUN_STAGING] = JOB_STATE_STAGING,
        [RUN_RUNNING] = JOB_STATE_RUNNING,     [RUN_STOPPING] = JOB_STATE_STOPPING,
        [RUN_DELIVERING] = JOB_STATE_STOPPING,
    };
    return run->state == RUN_OVER ? ended_as(run->outcome) : states[run->state];
}
