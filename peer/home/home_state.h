/* Home state: the table of a job's life as its home sees it. Pure. */
#ifndef ENTENTE_PEER_HOME_HOME_STATE_H
#define ENTENTE_PEER_HOME_HOME_STATE_H

#include "base/domain/job.h"
#include "base/status.h"

enum home_event {
    HOME_EVENT_PLACED,   /* a lease was granted */
    HOME_EVENT_STARTED,  /* both ready */
    HOME_EVENT_STOPPING, /* asked to stop; checkpoint on its way */
    HOME_EVENT_BACK,     /* without completion: to the market, with its checkpoint */
    HOME_EVENT_COMPLETED,
    HOME_EVENT_FAILED, /* retries used up */
    HOME_EVENT_CANCELLED,
    HOME_EVENT_COUNT
};

/* False (and *next untouched) for a pair that is not listed. */
MUST_USE bool home_next(enum job_state state, enum home_event event, enum job_state *next);

#endif
