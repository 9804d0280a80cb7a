/*
 * Market relaxation: the most that any coalition can object to a split, coalitions with parts of
 * members included; a bound for those of whole members, and 0 exactly where the split is paid out
 * by (or above) optimal dual prices, which puts it in the core.
 *
 *   max v(z) − x z,  0 <= z <= 1
 *
 * v is concave in what members bring, and prices give its slopes: by cutting planes [Kelley 1960].
 * Any moment's master is a bound. Thread rule: opens an LP environment. Complexity: a warm
 * coalition LP and a small master each step.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_RELAXATION_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_RELAXATION_H

#include "economics/games/coalition_lp.h"

/* Lowers *at_most to the bound; stops where it is at most `enough`. Leaves lp with parts of members
 * in. */
MUST_USE enum status market_relaxation(struct coalition_lp *lp, uint32_t members,
                                       const double *split, double total, double enough,
                                       bool (*stop)(void *context), void *context, double *at_most,
                                       struct fault *fault);

#endif
