/*
 * Rounding: from shares of a round to whole GPUs. Internal to the solver.
 *
 * 1. Jobs whose LP share where they run is at least RENEW keep their GPUs.
 * 2. Columns with a share: by share, worth per GPU, age (longest wait first), index.
 * 3. Any other column that fits, of jobs still without: by what it loses against the rents (least
 *    first), worth per GPU, age, index.
 * 4. Improving: each job tries every better column of its own, and to take the place of one job
 *    that is worth less there and may go elsewhere; at most IMPROVE_PASSES_MAX passes.
 * 5. The same with every held column kept first, whatever its share; taken if it is better.
 * 6. Where the bound isn't reached: branch and bound over the plan's own columns and the most
 *    promising others, then packed and improved; taken if it is better. (The neighbourhood is ours,
 *    in the manner of RINS [Danna, Rothberg & Le Pape 2005]. With few columns it is all of them.)
 *
 * Guarantee: a function of market and duals alone. Complexity: O(columns log columns) and bounded
 * tries.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_ROUNDING_H
#define ENTENTE_ECONOMICS_MARKET_ROUNDING_H

#include "economics/market/packing.h"
#include "economics/market/rents.h"

#define ROUNDING_RENEW 0.9

enum {
    ROUNDING_IMPROVE_PASSES_MAX = 4,
    ROUNDING_TRIES_MAX = 200000,
    ROUNDING_WHOLE_COLUMNS_MAX = 400,
    ROUNDING_WHOLE_WORK_MAX = 150000 /* branch and bound: nodes × columns */
};

MUST_USE enum status rounding_make(const struct prepared *prepared,
                                   const struct allocation *allocation, const struct rents *rents,
                                   struct lp_environment *environment, struct packing *packing,
                                   struct fault *fault);

/* Steps 1 and 2 alone: O(shares log shares). */
MUST_USE enum status rounding_place(const struct prepared *prepared,
                                    const struct allocation *allocation, const struct rents *rents,
                                    struct packing *packing, struct fault *fault);

#endif
