/*
 * Posting: what each placement pays, to whom, and what that leaves each member. Internal to the
 * solver.
 *
 * Price per GPU-second = c_p + (μ_p + Σ a_r π_r / n_k) / τ. The pool's owner gets c_p and μ_p, each
 * binding row's owner its row's rent; a row of the home itself posts nothing (it would pay itself).
 * No home pays more than its price_room, nor more than w plus cost: what is missing is taken from
 * the rents in proportion, never from the pool's cost.
 *
 * Guarantee: shares add up to the price, receipts to the payment, payoffs to the objective.
 * Ownership: results lie in the arena given. Complexity: O(placements × rows of a column +
 * members).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_POSTING_H
#define ENTENTE_ECONOMICS_MARKET_POSTING_H

#include "economics/market/plan.h"
#include "economics/market/rents.h"

/* Fills price, shares and payment of the placements; the members' payoffs; the objective. */
MUST_USE enum status posting_run(const struct prepared *prepared, const struct rents *rents,
                                 struct arena *arena, struct plan *plan, struct fault *fault);

#endif
