/*
 * Guarantee: the plan worth most among those in which each member's own jobs are worth at least
 * what it reaches alone, v({i}). Internal to the solver.
 *
 *   maximise  Σ_t α_t W_t   s.t.  Σ_t α_t U_it >= v({i}),  Σ_t α_t = 1,  α >= 0
 *
 * over plans t, of which the first is everybody alone; the next are asked for under the weights
 * 1 + π_i that the duals of the rows say [Dantzig & Wolfe 1960]. What a weighted plan's bound
 * leaves after Σ π v is a bound on every guaranteed plan; at GUARANTEE_GAP, or after
 * GUARANTEE_ROUNDS plans, the search ends. The plan is a mix of feasible ones: feasible.
 *
 * Thread rule: the caller's thread (GLPK's state is a thread's). Complexity: a warm weighted solve
 * a round.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_GUARANTEE_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_GUARANTEE_H

#include "economics/market/solver/session.h"

enum { GUARANTEE_ROUNDS = 200 };

#define GUARANTEE_GAP 1e-6

/* Replaces uses, objective, bound and gap of *result, which is the welfare LP's; its rents stay. */
MUST_USE enum status guarantee_find(const struct market *market,
                                    const struct session_options *options, struct arena *arena,
                                    struct session_result *result, struct fault *fault);

#endif
