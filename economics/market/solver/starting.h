/*
 * Starting: a first feasible choice of a column for each job, from prices. Internal to the solver.
 *
 * Jobs choose one after the other, those first that lose most by not getting their best; each takes
 * the best at these prices that still fits, or is idle. Ties: the lower index. Thread rule: pure.
 * Complexity: O(columns + jobs log jobs).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_STARTING_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_STARTING_H

#include "economics/market/solver/columns.h"

/* choice: [job_count], filled with columns or UINT32_MAX (idle). */
MUST_USE enum status starting_choose(const struct columns *columns, const double *price,
                                     uint32_t *choice, struct fault *fault);

#endif
