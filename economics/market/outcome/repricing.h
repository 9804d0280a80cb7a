/*
 * Repricing: what a given plan pays at given rents, and what that leaves each member.
 *
 * Money prices come only from the unweighted welfare LP (DESIGN §3). A plan that is not that LP's
 * optimum (fast, fair, guaranteed) pays its rents all the same: per round n μ + Σ a π beyond the
 * pools' cost, to the pool's owner and the rows' owners; a row of the home itself posts nothing; no
 * home pays more than w plus cost, nor than its price limit, and what is missing is taken from the
 * rents in proportion.
 *
 * Guarantee: payoffs add up to the plan's worth Σ w x. They are in the ε-core for
 * ε = Σ_i max(0, owen_i − u_i), since the rents' dual payoffs cover every coalition [Owen 1975]; at
 * an optimum with its own rents ε is 0 but for row rents that a home owes itself, and rounding.
 *
 * Ownership: results lie in the arena. Thread rule: pure. Complexity: O(columns + entries).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_OUTCOME_REPRICING_H
#define ENTENTE_ECONOMICS_MARKET_OUTCOME_REPRICING_H

#include "economics/market/solver/session.h"

struct repricing {
    double *payment; /* [use_count] credits, for the share of the round that is used */
    double *payoff;  /* [member_count] credits a round */
    double *owen;    /* [member_count] dual payoffs: K μ, λ, b π */
    double epsilon;  /* credits */
};

MUST_USE enum status repricing_make(const struct market *market, const struct session_result *rents,
                                    const struct session_use *uses, uint32_t use_count,
                                    struct arena *arena, struct repricing *repricing,
                                    struct fault *fault);

/* Dual payoffs alone; owen: [member_count]. */
void repricing_owen(const struct market *market, const struct session_result *rents, double *owen);

#endif
