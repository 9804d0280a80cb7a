/*
 * Store, demands: the jobs offered for placement. Kept as encoded message_demand, so that they
 * survive the broker's restart exactly as they were sent. Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_DEMANDS_H
#define ENTENTE_BROKER_STORE_DEMANDS_H

#include "base/domain/job.h"
#include "base/domain/lease.h"
#include "broker/store/store.h"

enum demand_state {
    DEMAND_OPEN,      /* takes part in rounds */
    DEMAND_COMPLETED, /* home says the job is done */
    DEMAND_CANCELLED, /* home called it off */
    DEMAND_STATE_COUNT
};

struct store_demand {
    uint64_t row; /* grows with each new job; for pages */
    const struct demand *demand;
    enum demand_state state;
    uint32_t age_rounds; /* rounds it took part in without being placed, since it was last placed */
    int64_t submitted_wall_ms; /* first, by the broker's clock */
    int64_t changed_wall_ms;
    double measured_examples_per_second; /* newest lease report; 0: unknown */
};

/* A new one is open with age 0; an open one is replaced and keeps row, age and submission time. An
 * ended one: PRECONDITION (job ids are unique for ever). Another home's job: DENIED. EXHAUSTED
 * where the home has JOBS_PER_MEMBER_MAX open ones. */
MUST_USE enum status store_demand_put(struct store *store, const struct demand *demand,
                                      int64_t now_wall_ms, struct fault *fault);
MUST_USE enum status store_demand_find(struct store *store, const struct name *job,
                                       struct arena *arena, struct store_demand *demand,
                                       struct fault *fault);
/* Ends an open one; ending it again the same way changes nothing, another way is PRECONDITION. */
MUST_USE enum status store_demand_end(struct store *store, const struct name *job,
                                      enum demand_state state, int64_t now_wall_ms,
                                      struct fault *fault);
/* A cancelled one is open again (its home ran the job itself for a while). Any other is left as it
 * is. */
MUST_USE enum status store_demand_reopen(struct store *store, const struct name *job,
                                         int64_t now_wall_ms, struct fault *fault);
/* All open ones, by (home, job). O(all). */
MUST_USE enum status store_demand_list_open(struct store *store, struct arena *arena,
                                            struct store_demand **demands, uint32_t *count,
                                            struct fault *fault);
/* A page by row, ended ones too; home "" for everybody's. *next_after 0: that was all. */
MUST_USE enum status store_demand_page(struct store *store, const struct name *home, uint64_t after,
                                       uint32_t rows, struct arena *arena,
                                       struct store_demand **demands, uint32_t *count,
                                       uint64_t *next_after, struct fault *fault);
MUST_USE enum status store_demand_count_open(struct store *store, const struct name *home,
                                             uint32_t *count, struct fault *fault);
MUST_USE enum status store_demand_set_age(struct store *store, const struct name *job,
                                          uint32_t age_rounds, struct fault *fault);
MUST_USE enum status store_demand_set_measured(struct store *store, const struct name *job,
                                               double examples_per_second, struct fault *fault);

#endif
