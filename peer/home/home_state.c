#include "peer/home/home_state.h"

#include <stddef.h>

static const struct {
    enum job_state state;
    enum home_event event;
    enum job_state next;
} moves[] = {
    {JOB_STATE_QUEUED, HOME_EVENT_PLACED, JOB_STATE_STAGING},
    {JOB_STATE_QUEUED, HOME_EVENT_CANCELLED, JOB_STATE_CANCELLED},
    {JOB_STATE_QUEUED, HOME_EVENT_FAILED, JOB_STATE_FAILED},
    {JOB_STATE_STAGING, HOME_EVENT_STARTED, JOB_STATE_RUNNING},
    {JOB_STATE_STAGING, HOME_EVENT_STOPPING, JOB_STATE_STOPPING},
    {JOB_STATE_STAGING, HOME_EVENT_BACK, JOB_STATE_QUEUED},
    {JOB_STATE_STAGING, HOME_EVENT_FAILED, JOB_STATE_FAILED},
    {JOB_STATE_STAGING, HOME_EVENT_CANCELLED, JOB_STATE_CANCELLED},
    {JOB_STATE_RUNNING, HOME_EVENT_STOPPING, JOB_STATE_STOPPING},
    {JOB_STATE_RUNNING, HOME_EVENT_BACK, JOB_STATE_QUEUED},
    {JOB_STATE_RUNNING, HOME_EVENT_COMPLETED, JOB_STATE_DONE},
    {JOB_STATE_RUNNING, HOME_EVENT_FAILED, JOB_STATE_FAILED},
    {JOB_STATE_RUNNING, HOME_EVENT_CANCELLED, JOB_STATE_CANCELLED},
    {JOB_STATE_STOPPING, HOME_EVENT_BACK, JOB_STATE_QUEUED},
    {JOB_STATE_STOPPING, HOME_EVENT_COMPLETED, JOB_STATE_DONE},
    {JOB_STATE_STOPPING, HOME_EVENT_FAILED, JOB_STATE_FAILED},
    {JOB_STATE_STOPPING, HOME_EVENT_CANCELLED, JOB_STATE_CANCELLED},
};

bool home_next(enum job_state state, enum home_event event, enum job_state *next)
{
    for (size_t m = 0; m < sizeof moves / sizeof moves[0]; m++)
        if (moves[m].state == state && moves[m].event == event) {
            *next = moves[m].next;
            return true;
        }
    return false;
}
