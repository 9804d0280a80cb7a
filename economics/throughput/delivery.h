/*
 * Delivery: does a host's pool reach what is predicted for its GPU kind? The factor by which
 * predictions there are discounted where it does not.
 *
 * Evidence is what jobs reached there, as log(measured / predicted without any factor). Robust and
 * slow to judge: of each job the median, of each home the weighted median over its jobs, and a
 * discount only where DELIVERY_JOBS_MIN jobs say it and their spread leaves no doubt. What one home
 * says counts for its own jobs; for everybody's the homes' median, the milder of two middle ones,
 * the host's own jobs not among them: nobody talks another member's pool down alone. Within
 * DELIVERY_FACTOR_MIN and 1, drawn towards 1 where there is little evidence; evidence weighs half
 * after DELIVERY_HALF_LIFE_MS, so that a host that gets no more jobs is given another chance.
 *
 * Ownership: the arena's. Thread rule: pure. Complexity: O(evidence log evidence).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_DELIVERY_H
#define ENTENTE_ECONOMICS_THROUGHPUT_DELIVERY_H

#include "base/arena.h"
#include "base/domain/name.h"
#include "base/domain/offer.h"
#include "base/fault.h"

enum { DELIVERY_JOBS_MIN = 3, DELIVERY_HOMES_MIN = 2 };

#define DELIVERY_FACTOR_MIN   0.25
#define DELIVERY_HALF_LIFE_MS INT64_C(86400000) /* a day */

struct delivery_evidence {
    struct pool_id pool;
    struct name home;
    struct name job;
    double log_ratio; /* log(measured / predicted) */
    int64_t age_ms;
};

struct delivery {
    struct pool_id pool;
    struct name home; /* for whose jobs; "": for those of homes that have no factor of their own */
    double factor;    /* DELIVERY_FACTOR_MIN to 1 */
    uint32_t jobs;    /* behind it */
    uint32_t homes;
};

/* *deliveries: by (pool, home), also of those that deliver in full. Sorts the evidence. */
MUST_USE enum status delivery_estimate(struct delivery_evidence *evidence, uint32_t count,
                                       struct arena *arena, struct delivery **deliveries,
                                       uint32_t *delivery_count, struct fault *fault);

/* 1 where nothing is known. O(log count). */
double delivery_factor(const struct delivery *deliveries, uint32_t count,
                       const struct pool_id *pool, const struct name *home);

#endif
