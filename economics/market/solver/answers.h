/*
 * Answers: given prices, each job answers with its best column; what that would use of each
 * resource, and the bound it proves. Internal to the solver.
 *
 *   Σ w x <= Σ_r y_r + Σ_j max(0, max_k w_jk − y·a_jk)     for every y >= 0    [Lagrange]
 *
 * Usage is added up in integers and the bound by fixed groups of jobs, so that neither depends on
 * how many threads there are. Ties: the first column of a job that is best; idle where none is
 * worth more than 0. Ownership: arrays are the struct's. Thread rule: one caller; the team's
 * threads inside. Complexity: one pass over the columns of the jobs asked.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_ANSWERS_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_ANSWERS_H

#include "economics/market/solver/columns.h"

#define ANSWERS_IDLE UINT32_MAX

struct answers {
    const struct columns *columns;
    struct team *team;
    uint32_t stride;   /* every stride-th job is asked */
    uint32_t *best;    /* [job_count] column or ANSWERS_IDLE, of the jobs asked */
    double *surplus;   /* [job_count] what is left of it, >= 0 */
    double *usage;     /* [resource_count] of capacity 1 */
    double bound;      /* in scaled worth; of all jobs only where stride is 1 */
    double *gpu_price; /* [pool_count] */
    const double *price;
    double *group_surplus; /* one a group of jobs */
    int64_t *counted;      /* [workers × resource_count] */
    struct arena arena;
};

MUST_USE enum status answers_make(const struct columns *columns, struct team *team,
                                  struct answers *answers, struct fault *fault);
void answers_fini(struct answers *answers);

/* price: [resource_count], >= 0. Every stride-th job is asked, usage is for all. */
void answers_ask(struct answers *answers, const double *price, uint32_t stride);

#endif
