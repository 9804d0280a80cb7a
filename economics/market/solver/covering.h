/*
 * Covering: rents put on the grid of nano-credits and made to prove a bound, exactly.
 *
 *   λ_j + n_k μ_p + Σ a_r π_r >= w_jk   for EVERY column, in integers
 *
 * μ is rounded to nano-credits, π so that the row's largest coefficient costs whole nano-credits;
 * λ is raised until every column is covered, those that no plan can use (no GPUs, a limit of 0) by
 * a rent there, which costs nobody anything. The bound is what these numbers add up to, whatever
 * the solver did. Ownership: results lie in the arena. Thread rule: pure. Complexity: O(columns +
 * entries).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_COVERING_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_COVERING_H

#include "economics/market/rents.h"

/* pool_rent: [pool_count] credits per GPU and round; row_rent: [row_count] credits per unit.
 * Negative ones count as 0. Fills all of *rents but averaged and iterations. */
MUST_USE enum status covering_make(const struct market *market, const double *pool_rent,
                                   const double *row_rent, struct arena *arena, struct rents *rents,
                                   struct fault *fault);

#endif
