/*
 * Fallback: the whole LP by GLPK, for small markets whose numbers are too far apart for the simplex
 * here. Internal to the solver. Complexity: one LP on (jobs + pools + rows) rows.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_FALLBACK_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_FALLBACK_H

#include "economics/market/solver/session.h"

enum { FALLBACK_COLUMNS_MAX = 20000 };

/* Replaces *result where GLPK's proves a smaller gap; where it fails, or the market is larger, the
 * result stands as it is, with its gap. */
MUST_USE enum status fallback_try(const struct market *market, struct arena *arena,
                                  struct session_result *result);

/* Gap, and whether that is an optimum: 1e-6 of the bound, or a micro-credit. */
void session_judge(struct session_result *result);

#endif
