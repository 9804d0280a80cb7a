/*
 * Averaging: which of the optimal rents are quoted.
 *
 * An optimum's duals are often not unique, and a solver stops at one of them. The rule (DESIGN §3)
 * is the average of two points of the optimal face, least and greatest total pool rent (rents.h).
 * It replaces what an exact solve found, where the market has no more than AVERAGING_COLUMNS_MAX
 * columns; above, and for fast solves, the solver's own rents stand, which depend on nothing but
 * the market either.
 *
 * Guarantee: the bound that the rents prove gets no worse than the tolerance of an optimum.
 * Ownership: results lie in the arena. Thread rule: one thread. Complexity: LPs over the pools and
 * rows that are used up.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_OUTCOME_AVERAGING_H
#define ENTENTE_ECONOMICS_MARKET_OUTCOME_AVERAGING_H

#include "economics/market/solver/session.h"

enum { AVERAGING_COLUMNS_MAX = 100000 };

/* Rents, surpluses, bound and gap of *result replaced, or as they were. */
MUST_USE enum status averaging_run(const struct market *market, struct arena *arena,
                                   struct session_result *result, struct fault *fault);

#endif
