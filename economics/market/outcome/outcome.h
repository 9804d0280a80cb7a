/*
 * Outcome: a market solved as asked (method, objective, whole GPUs, guarantee), with its money: one
 * answer for `market solve`, `explain` and `what-if`.
 *
 * The plan may be the welfare optimum's, a fair one's or one in whole GPUs; rents, prices and
 * certificate are always the unweighted welfare LP's (repricing.h). Payoffs are in the core where
 * the plan is the welfare LP's optimum (they are its dual payoffs), else in the ε-core with the ε
 * that is given.
 *
 * Ownership: results lie in the arena; market and session are borrowed. Thread rule: the session's.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_OUTCOME_OUTCOME_H
#define ENTENTE_ECONOMICS_MARKET_OUTCOME_OUTCOME_H

#include "economics/market/fairness/fairness.h"
#include "economics/market/solver/session.h"

enum outcome_objective { OUTCOME_WELFARE, OUTCOME_MAX_MIN, OUTCOME_PROPORTIONAL };

struct outcome_options {
    struct session_options session;
    enum outcome_objective objective;
    bool gangs;     /* whole GPUs; with welfare alone */
    bool guarantee; /* each member's jobs reach what it is worth alone */
};

/* A configuration in use. */
struct outcome_part {
    uint32_t column;
    double share;   /* of the round */
    double payment; /* credits, for that share */
};

struct outcome {
    enum session_method method; /* EXACT or FAST: what was done */
    double objective;           /* Σ w x, credits a round */
    double upper_bound;         /* of Σ w x of any plan, proved by the rents */
    double gap;
    uint64_t iterations;
    uint64_t passes;
    bool warm;
    double seconds[SESSION_PHASE_COUNT];
    double average_seconds;     /* for the rents that are quoted (averaging.h) */
    struct outcome_part *parts; /* [part_count] by column */
    uint32_t part_count;
    double *price;       /* [pool_count] credits per GPU-second */
    double *pool_rent;   /* [pool_count] credits per GPU and round */
    double *row_rent;    /* [row_count] */
    double *job_surplus; /* [job_count] λ */
    double *payoff;      /* [member_count] */
    double *alone;       /* [member_count] v({i}); NULL: not computed */
    double epsilon;
    bool epsilon_exact;   /* else at most that */
    bool core;            /* payoffs are the dual ones of an optimum */
    struct fairness fair; /* of fair objectives; utility NULL otherwise */
};

/* INVALID: the options don't go together, or the guarantee can't be given. */
MUST_USE enum status outcome_find(const struct market *market, struct session *session,
                                  const struct outcome_options *options, struct arena *arena,
                                  struct outcome *outcome, struct fault *fault);

#endif
