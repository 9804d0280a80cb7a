/*
 * Health: where starts fail. Pairs of job and host back off; pools where jobs of several homes
 * failed are quarantined. [DESIGN §6, black holes]
 *
 * A start that its host refused, or that nobody took up, keeps that job away from that host for
 * HEALTH_PAUSE_MS_FIRST, twice as long each time. What a host refused, and runs that failed
 * within HEALTH_SHORT_MS, count against the pool: where `failures` distinct jobs did so within
 * `window` (configuration), jobs of one home counting for less than all of them, no job is placed
 * there for `pause`, twice as long each time again, until an operator releases it. So no home alone
 * can have a rival's pool quarantined. What runs there goes on and is renewed. A run that came to
 * something clears the pool's count. In memory: after a restart a black hole has to show itself
 * anew. Thread rule: the loop's thread. Complexity: O(1) a failure, O(kept) a round.
 */
#ifndef ENTENTE_BROKER_ROUND_HEALTH_H
#define ENTENTE_BROKER_ROUND_HEALTH_H

#include "base/clock.h"
#include "base/hash.h"
#include "broker/config.h"
#include "economics/market/collect.h"
#include "proto/wire/messages.h"

enum {
    HEALTH_PAUSE_MS_FIRST = 2000,
    HEALTH_PAUSE_MS_MAX = 3600 * 1000,
    HEALTH_QUARANTINE_MS_MAX = 24 * 3600 * 1000,
    HEALTH_SHORT_MS = 60 * 1000,
    HEALTH_PAIRS_MAX = 100000,
    HEALTH_POOLS_MAX = 4096,
    HEALTH_FAILURES_KEPT = 32, /* the newest of a pool */
    HEALTH_REASON_BYTES_MAX = 200
};

struct health_pair;
struct health_pool;

struct health {
    const struct clock *clock;
    const struct broker_config *config;
    struct health_pair *pairs;
    struct health_pool *pools;
};

void health_init(struct health *health, const struct clock *clock,
                 const struct broker_config *config);
void health_fini(struct health *health);

/* A start of this lease's job at its host failed; by_host: the host said so. Returns for how long
 * the job is kept away from there. */
int64_t health_start_failed(struct health *health, const struct lease *lease, bool by_host,
                            const char *reason);
/* It runs: the pair is forgotten. */
void health_start_worked(struct health *health, const struct lease *lease);
/* Its use ended so after so long. */
void health_use_ended(struct health *health, const struct lease *lease, enum lease_outcome outcome,
                      int64_t held_ms);

/* What a round has to avoid now; in the arena. */
MUST_USE enum status health_avoid(const struct health *health, struct arena *arena,
                                  struct collect_input *input, struct fault *fault);

/* Pools in quarantine, for people; in the arena. Dates are of wall_ms. */
MUST_USE enum status health_list(const struct health *health, int64_t wall_ms, struct arena *arena,
                                 struct quarantine_row **rows, uint32_t *count,
                                 struct fault *fault);
/* By the operator: used again, its count begins anew. NOT_FOUND where it is not quarantined. */
MUST_USE enum status health_release(struct health *health, const struct pool_id *pool,
                                    struct fault *fault);

#endif
