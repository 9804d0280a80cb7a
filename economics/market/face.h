/*
 * Face: the optimal dual face of a market's LP as a small LP of its own. Internal to rents, whose
 * note says what it is.
 *
 * Variables: μ of tight pools, then ρ = π × the row's largest coefficient of tight rows, both
 * scaled as the allocation's objective is.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_FACE_H
#define ENTENTE_ECONOMICS_MARKET_FACE_H

#include "economics/market/allocation.h"

/* The average of the two extreme points; `found` false where GLPK's tolerances got in the way (the
 * caller has other duals then). pool and row have room for all of the market's; credits. */
MUST_USE enum status face_average(const struct prepared *prepared,
                                  const struct allocation *allocation,
                                  struct lp_environment *environment, double *pool_rent,
                                  double *row_rent, bool *found, uint64_t *iterations,
                                  struct fault *fault);

#endif
