/*
 * Allocation: the exact LP of a market, or of a coalition of its members [Owen 1975]. Internal to
 * the solver.
 *
 * The objective is scaled by a power of two so that the largest worth is near 1, pools and rows are
 * divided by their right-hand sides: GLPK's own scaling then does more harm than good where numbers
 * differ widely. A job with one column is bounded instead of given a row (GLPK's cost is its
 * basis). Shares are rounded to a grid of SHARE_GRID before anything discrete depends on them.
 * Ownership: results lie in the arena. Thread rule: the environment's. Complexity: one LP on (jobs
 * + pools + rows) rows.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_ALLOCATION_H
#define ENTENTE_ECONOMICS_MARKET_ALLOCATION_H

#include "economics/market/prepared.h"

#define ALLOCATION_SHARE_GRID 1e-9

struct allocation {
    double *share;        /* [column_count] x */
    double *pool_dual;    /* [pool_count] credits; where the solver stopped: one of many */
    double *row_dual;     /* [row_count] credits per unit of the row */
    double worth_credits; /* Σ w x, of the shares as rounded */
    uint64_t iterations;
};

/* rescaled: by GLPK, where the market's own scale turned out too wide. */
MUST_USE enum status allocation_solve(const struct prepared *prepared,
                                      struct lp_environment *environment, bool rescaled,
                                      struct arena *arena, struct allocation *allocation,
                                      struct fault *fault);

/* v(S) alone. Adds its iterations to *iterations. */
MUST_USE enum status allocation_worth(const struct prepared *prepared,
                                      struct lp_environment *environment, const uint64_t *mask,
                                      double *worth_credits, uint64_t *iterations,
                                      struct fault *fault);

struct allocation_choice {
    bool *columns;      /* [column_count] may be used; where found, is used */
    const int32_t *now; /* [job_count] the plan known already: each job's column, or -1 */
    uint32_t nodes_max;
    bool found;
};

/* The best plan of some columns with each used wholly or not at all, nodes aside. */
MUST_USE enum status allocation_whole(const struct prepared *prepared,
                                      struct lp_environment *environment,
                                      struct allocation_choice *choice, struct fault *fault);

#endif
