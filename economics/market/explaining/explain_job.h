/*
 * Explain a job: why it is placed where it is, or what stands in its way.
 *
 * At the optimum's rents each configuration leaves the job w − n μ − Σ a π. Placed: the best is
 * what it has, and the runner-up says how near another was. Not placed: none is above 0; the one
 * that lacks least says which constraint asks most, and by reduced costs what would place it: a
 * higher bid, a higher price limit, fewer GPUs (at the speed per GPU of its smallest configuration
 * there), or more GPUs in the pool. Each is proved by building and solving again with it; what is
 * not proved within EXPLAIN_TRIES_MAX is not said.
 *
 * Ownership: texts lie in the arena or the draft. Thread rule: the session's.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_EXPLAINING_EXPLAIN_JOB_H
#define ENTENTE_ECONOMICS_MARKET_EXPLAINING_EXPLAIN_JOB_H

#include "economics/market/explaining/trial.h"

enum { EXPLAIN_TRIES_MAX = 10, EXPLAIN_WORDS_MAX = 256 };

/* A configuration as the explanation sees it. */
struct explained_column {
    bool there;
    char pool[DRAFT_ID_BYTES_MAX + 1];
    uint32_t gpus;
    double share; /* of the round, in the plan */
    double worth; /* w */
    double rent;  /* n μ + Σ a π */
};

/* What would place the job: `needed` by reduced costs, `proved` by solving again (< 0: nothing
 * was). */
struct remedy {
    bool there;
    double needed;
    double proved;
    char pool[DRAFT_ID_BYTES_MAX + 1];
};

struct explained_job {
    char job[NAME_BYTES_MAX + 1];
    char home[NAME_BYTES_MAX + 1];
    double share;     /* of the round that it runs */
    double surplus;   /* λ */
    double bid;       /* v as it is, credits per example */
    double price_max; /* as it is; 0: none */
    struct explained_column best;
    struct explained_column runner_up;
    char binds[EXPLAIN_WORDS_MAX]; /* the constraint that asks most of `best`; "" where placed */
    struct remedy higher_bid;      /* credits per example */
    struct remedy higher_limit;    /* credits per GPU-second */
    struct remedy fewer_gpus;      /* of the job */
    struct remedy more_gpus;       /* of the pool, added */
};

MUST_USE enum status explain_market_job(struct draft *draft, struct session *session,
                                        const struct session_options *options, const char *id,
                                        struct explained_job *explained, struct fault *fault);

#endif
