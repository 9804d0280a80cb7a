/*
 * Explain a member: what more of what it has would be worth.
 *
 * The rent μ_p of a pool is the value of a GPU more, or less, a round, at the margin; where duals
 * are not unique it lies between the two. So each pool is solved again with one GPU more and one
 * fewer, and with ever more until the gain per GPU falls: the range in which one number says it
 * all. Another job like one of its own is worth at most that job's surplus λ [weak duality]; a copy
 * is solved.
 *
 * Ownership: results lie in the arena. Thread rule: the session's. Complexity: about
 * EXPLAIN_RANGE_MAX solves a pool, one a job shown.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_EXPLAINING_EXPLAIN_MEMBER_H
#define ENTENTE_ECONOMICS_MARKET_EXPLAINING_EXPLAIN_MEMBER_H

#include "economics/market/explaining/trial.h"

enum { EXPLAIN_RANGE_MAX = 8, EXPLAIN_JOBS_MAX = 3 };

struct explained_pool {
    const char *pool;
    uint32_t gpus;
    double used;
    double rent;       /* μ: credits per GPU and round */
    double gain;       /* of all, from one GPU more */
    double loss;       /* of all, from one fewer; 0 where it has none */
    uint32_t holds_up; /* the gain of each is `gain` for so many more, at least... */
    bool holds_on;     /* ...and was not seen to fall */
};

struct explained_copy {
    const char *job;
    double surplus; /* λ */
    double gain;    /* of all, from another job like it */
};

struct explained_member {
    const char *member;
    double payoff;
    double own_jobs; /* Σ w x */
    uint32_t jobs;
    uint32_t placed;
    struct explained_pool *pools; /* [pool_count] */
    uint32_t pool_count;
    struct explained_copy copies[EXPLAIN_JOBS_MAX]; /* of its jobs with the greatest surplus */
    uint32_t copy_count;
};

MUST_USE enum status explain_market_member(struct draft *draft, struct session *session,
                                           const struct session_options *options, const char *id,
                                           struct arena *arena, struct explained_member *explained,
                                           struct fault *fault);

#endif
