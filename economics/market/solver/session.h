/*
 * Session: the market's LP solved again and again while jobs and offers come and go.
 *
 * A session keeps the prices of pools and policy rows and each job's last configuration, by name,
 * so that the next market, which is much like the last one, starts where that ended. With nothing
 * kept (just opened) a solve is cold; one-shot users open, solve once and close.
 *
 *   exact   the optimum of the full LP to 1e-6 relative, proved by pricing every allowed column
 *   fast    a feasible plan and an upper bound, both certain; the gap between them is reported
 *   auto    exact up to SESSION_EXACT_COLUMNS columns, fast above
 *
 * Guarantee: upper_bound holds whatever the solver did: it is what the reported rents prove over
 * every column. Same market, same options but threads, same state kept: same result bit for bit,
 * for any number of threads, compiler and build type. Limits are iterations, never seconds. Ties go
 * to the lower index in the market's order (README.md of this folder).
 *
 * Ownership: results lie in the arena given. Thread rule: a session is used by one thread at a
 * time, any one; a solve makes its own helpers and joins them before it returns. Complexity: passes
 * over the columns, and simplex iterations on the tight pools and rows alone.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_SESSION_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_SESSION_H

#include "base/domain/bytes.h"
#include "economics/market/market.h"

enum {
    SESSION_THREADS_MAX = 64,
    SESSION_EXACT_COLUMNS = 1200000,
    SESSION_PHASE_COUNT = 5,
    SESSION_STATE_BYTES_MAX = 256 * 1024 * 1024
};

enum session_method { SESSION_AUTO, SESSION_EXACT, SESSION_FAST };

/* Where the time went. economics/ has no clock of its own: the caller's, or none. */
enum session_phase {
    SESSION_PREPARE,  /* checked, columns laid out */
    SESSION_PRICES,   /* prices adjusted, each job answering with its best */
    SESSION_OPTIMISE, /* simplex over the jobs that are in doubt */
    SESSION_CERTIFY,  /* every column priced, bound added up */
    SESSION_GANGS     /* whole GPUs packed (plan_make_with) */
};

struct session_clock {
    double (*seconds)(void *context); /* monotonic; NULL: phases report 0 */
    void *context;
};

struct session_options {
    enum session_method method;
    uint32_t threads;        /* 0: one; at most SESSION_THREADS_MAX */
    uint64_t iterations_max; /* simplex iterations; 0: the default, enough for an optimum. Reached:
                                the plan is feasible and its gap says how good */
    /* The plan maximises Σ weight(home) × w × x instead (fairness); prices, objective and bound are
     * then of that LP, in weighted credits. [member_count], > 0 and finite; NULL: welfare. */
    const double *member_weight;
    /* Each member's own jobs are worth what it reaches alone, or more (guarantee.h). Rents and
     * surplus are the welfare LP's all the same; upper_bound and gap are of guaranteed plans. */
    bool guarantee_standalone;
    struct session_clock clock;
};

/* A column in use. */
struct session_use {
    uint32_t column;
    double share; /* of the round, (0, 1] */
};

/* By column. */
void session_sort_uses(struct session_use *uses, uint32_t count);

struct session_result {
    enum session_method method; /* EXACT or FAST: what was done */
    bool optimal;               /* gap <= 1e-6, proved */
    double objective_credits;   /* Σ w x of the uses */
    double upper_bound_credits; /* no plan is worth more */
    double gap;                 /* (bound − objective) / bound; 0 where both are 0 */
    uint64_t iterations;        /* simplex */
    uint64_t passes;            /* over all columns */
    double seconds[SESSION_PHASE_COUNT];
    bool warm;                /* something kept was used */
    struct session_use *uses; /* [use_count] by column ascending */
    uint32_t use_count;
    double *pool_rent_credits;   /* [pool_count] μ_p: credits per GPU and round, whole nanos */
    double *row_rent_credits;    /* [row_count] π_r: credits per unit of the row */
    double *job_surplus_credits; /* [job_count] λ_j, whole nanos; covers every column of the job */
};

/* By the options' clock; 0 without one. */
double session_seconds(const struct session_options *options);

struct session;

/* Knows nothing yet. *session is set exactly on OK. */
MUST_USE enum status session_open(struct session **session, struct fault *fault);
void session_close(struct session *session); /* NULL is fine */

/* The market passed market_validate() (asserted where cheap). What is found is kept for the next.
 */
MUST_USE enum status session_solve(struct session *session, const struct market *market,
                                   const struct session_options *options, struct arena *arena,
                                   struct session_result *result, struct fault *fault);

/* Forgets everything: the next solve is cold. */
void session_forget(struct session *session);

/*
 * What is kept, as bytes; the same state gives the same bytes, and a session that loads them solves
 * bit for bit as the one that saved them. Loading trusts nothing: CORRUPT with what is wrong, and
 * the session then knows nothing. O(pools + rows + jobs).
 */
MUST_USE enum status session_save(const struct session *session, struct arena *arena,
                                  struct bytes *bytes, struct fault *fault);
MUST_USE enum status session_load(struct session *session, struct bytes bytes, struct fault *fault);

#endif
