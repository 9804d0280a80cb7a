/* Run state: the table of a hosted run's life. Pure. */
#ifndef ENTENTE_PEER_EXECUTOR_RUN_STATE_H
#define ENTENTE_PEER_EXECUTOR_RUN_STATE_H

#include "peer/spool/spool.h"

enum run_event {
    RUN_EVENT_ACCEPTED,  /* home came with the signed lease */
    RUN_EVENT_STARTED,   /* both ready */
    RUN_EVENT_STOP,      /* firm end, the broker's, home's or the operator's word */
    RUN_EVENT_GONE,      /* no process of it is left */
    RUN_EVENT_DELIVERED, /* checkpoint and results are home, or given up */
    RUN_EVENT_REFUSED,   /* never started */
    RUN_EVENT_COUNT
};

/* False (and *next untouched) for a pair that is not listed. */
MUST_USE bool run_next(enum run_state state, enum run_event event, enum run_state *next);

const char *run_state_name(enum run_state state);

/* What home is told. */
enum job_state run_job_state(const struct spool_run *run);

#endif
