/*
 * Rents: the market's dual prices, one fixed point of the optimal dual face. Internal to the
 * solver.
 *
 *   minimise  Σ λ_j + Σ K_p μ_p + Σ b_r π_r   s.t.  λ_j + n_k μ_p + Σ a_r π_r >= w_jk      [Owen
 * 1975]
 *
 * With an optimal x complementary slackness leaves a small LP over the tight pools and rows: slack
 * ones have no rent; a job served in full has λ_j = w_jk − rents of a column it uses, any other 0.
 * Two points of that face are taken: least total pool rent Σ K_p μ_p (the buyers' best), then, in
 * this order and each with the former fixed, the least μ of each tight pool by index and the least
 * π of each tight row; and likewise the greatest (the sellers' best). Their average lies on the
 * face. (Constraints are added as they turn out violated: a lexicographic optimum of fewer
 * constraints that satisfies all is that of all.) [ours; DESIGN §3]
 *
 * The average is rounded to nano-credits, and λ_j raised until it covers EVERY column, in integers:
 * the certificate holds exactly, and the bound is what these numbers add up to.
 *
 * Ownership: results lie in the arena given. Thread rule: the environment's. Complexity: LPs over
 * (tight pools + rows) columns; a pass over all columns each time constraints are added.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_RENTS_H
#define ENTENTE_ECONOMICS_MARKET_RENTS_H

#include "economics/market/allocation.h"

struct rents {
    int64_t *pool_nanos;       /* [pool_count] μ_p: nano-credits per GPU and round */
    double *row_rent;          /* [row_count] π_r: credits per unit of the row */
    int64_t *job_nanos;        /* [job_count] λ_j */
    int64_t *column_row_nanos; /* [column_count] Σ a_r π_r of each column, each term rounded down */
    wide dual_nanos;           /* the certified bound */
    bool averaged; /* false: numerical trouble on the face; the solver's vertex instead */
    uint64_t iterations;
};

MUST_USE enum status rents_find(const struct prepared *prepared,
                                const struct allocation *allocation,
                                struct lp_environment *environment, struct arena *arena,
                                struct rents *rents, struct fault *fault);

/* One entry's part of a column's rent: a_r π_r, rounded down to nano-credits. */
int64_t rents_of_entry(double coefficient, double row_rent);

/* b_r π_r, rounded up. */
int64_t rents_of_limit(double limit, double row_rent);

/* What a column pays beyond cost: n_k μ_p + Σ a_r π_r. */
int64_t rents_of_column(const struct prepared *prepared, const struct rents *rents,
                        uint32_t column);

#endif
