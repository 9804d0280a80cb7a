/*
 * Prices: near-optimal prices of pools and policy rows found by asking the jobs, again and again.
 * Internal to the solver.
 *
 * Each price moves by a step of its own: up where more is asked for than there is, down where less;
 * the step grows while the sign stays and shrinks when it turns ([Riedmiller & Braun 1993], here on
 * the Lagrangian dual). First every fourth job is asked for all four, then all. The prices that
 * prove the least bound are kept. Any prices prove one, so nothing but speed rests on these.
 *
 * Thread rule: the team's. Complexity: as many passes as asked for.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_PRICES_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_PRICES_H

#include "economics/market/solver/answers.h"

struct prices {
    double *price; /* [resource_count] in scaled worth for the whole resource */
    double bound;  /* what they prove, scaled */
    uint64_t passes;
};

/* start: prices near the optimal ones, or NULL: none known. passes: >= 1, over all jobs. Fills
 * prices->price (the caller's memory, room for all resources). */
MUST_USE enum status prices_find(struct answers *answers, const double *start, uint32_t passes,
                                 struct prices *prices, struct fault *fault);

#endif
