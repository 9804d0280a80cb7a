/*
 * Certificate: how far the posted payoffs are from the core. Internal to the solver.
 *
 *   ε = max_S v(S) − u(S)
 *
 * The dual payoffs cover every coalition: owen(S) >= v(S) [Owen 1975]. So S can be worse than what
 * is found already only where owen(S) − u(S) is, and the coalitions are tried in the order of that
 * bound until none is left; few LPs are solved. Above PLAN_ENUMERATE_MEMBERS_MAX members, or where
 * CERTIFICATE_LPS_MAX don't suffice, the bound Σ max(0, owen_i − u_i) is given instead and said to
 * be one.
 *
 * Complexity: O(2^members) and as many LPs at worst.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_CERTIFICATE_H
#define ENTENTE_ECONOMICS_MARKET_CERTIFICATE_H

#include "economics/market/plan.h"
#include "economics/market/rents.h"

enum { CERTIFICATE_LPS_MAX = 2000 };

/* Owen's payoffs in nano-credits, [member_count]; their sum is rents->dual_nanos. */
void certificate_owen(const struct prepared *prepared, const struct rents *rents, wide *owen_nanos);

/* Fills epsilon and epsilon_exact; the members' owen and alone; adds to plan->iterations. */
MUST_USE enum status certificate_make(const struct prepared *prepared, const struct rents *rents,
                                      struct lp_environment *environment, struct arena *arena,
                                      struct plan *plan, struct fault *fault);

#endif
