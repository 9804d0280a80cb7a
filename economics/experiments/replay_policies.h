/*
 * Replay's policies: who decides, at each round's start, which jobs run where.
 *
 *   market       the federation: the broker's own round code (collect, plan, session) on offers and
 *                demands made of the world
 *   none         no federation: every member runs its own jobs on its own GPUs, first come first
 *                served
 *   fcfs         one queue over all GPUs in order of arrival, at home where there is room, else at
 *                the fastest kind
 *   cheapest     in order of arrival, each where its work costs least
 *   first-admit  in order of arrival, each asks members in an order of chance; the first with room
 *   max-min      heterogeneity-aware: every round the jobs that attained least, of what the fastest
 *                GPUs would have given them since they came, choose first, the fastest there is
 *                [after Gavel: Narayanan et al., OSDI 2020; greedily instead of by LP]
 *
 * All but market and max-min leave a running job where it is. A job that doesn't fit is passed over
 * (backfilling). Outside the market hosts are paid their cost.
 *
 * Thread rule: one thread per state. Complexity: O(open jobs × pools) a round; market: a plan.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_REPLAY_POLICIES_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_REPLAY_POLICIES_H

#include "economics/experiments/replay_world.h"

struct replay_market; /* the market's session and memory between rounds */

struct replay_deciding {
    struct replay_world *world;
    const struct replay_job *before; /* [job_count] as the last round left them */
    struct rng rng;                  /* for first-admit */
    double *price;                /* [job_count] credits per GPU-second, filled for placed jobs */
    struct replay_market *market; /* of the market alone */
};

struct replay_policy {
    const char *name;
    enum status (*decide)(struct replay_deciding *deciding, struct fault *fault);
};

extern const struct replay_policy replay_policies[];
extern const size_t replay_policy_count;

enum status replay_decide_market(struct replay_deciding *deciding, struct fault *fault);
MUST_USE enum status replay_market_open(const struct replay_world *world, struct arena *arena,
                                        struct replay_market **market, struct fault *fault);
void replay_market_close(struct replay_market *market); /* NULL is fine */

#endif
