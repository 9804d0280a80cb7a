/*
 * Gangs: from shares of a round to whole GPUs in a large market. Internal to the solver.
 *
 * What is lost against the bound is, to the nano-credit, Σ over jobs of what their choice loses at
 * the rents, and Σ over resources of rent × what is left over. Placed are first jobs that keep
 * their GPUs, then columns by their share (rounding_place()). Then, in turns:
 *
 *   fill      holes, dearest pool first: the column that gains most by being put there comes, from
 *             where it is, and the hole that it leaves is filled likewise, along a chain of at most
 *             GANGS_CHAIN moves, of which the best beginning is kept [ejection chains: Glover 1996]
 *   displace  jobs that lose much take the place of those that lose least by leaving, who go where
 *             they can; kept where the market is worth more
 *
 * Guarantee: a function of its inputs; the packing is feasible at all times. Ties: the lower
 * column. Thread rule: one thread. Complexity: O(columns log columns) and bounded looks at
 * GANGS_CANDIDATES columns each; less is tried the more jobs there are.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_GANGS_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_GANGS_H

#include "economics/market/rounding.h"

enum { GANGS_CHAIN = 8, GANGS_CANDIDATES = 400, GANGS_PASSES_MAX = 8, GANGS_TURNS_MAX = 5 };

MUST_USE enum status gangs_make(const struct prepared *prepared,
                                const struct allocation *allocation, const struct rents *rents,
                                struct packing *packing, struct fault *fault);

#endif
