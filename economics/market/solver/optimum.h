/*
 * Optimum: from a good plan and good prices to the exact optimum of the whole LP. Internal to the
 * solver.
 *
 * The simplex over all resources, started at the plan's whole columns with the prices as floors.
 * Its columns are those of jobs in doubt: who divide their round, whose second best is near their
 * best, and whoever a pass over EVERY column shows to want something else; such passes go on until
 * nobody does. Then floors are lowered, last to 0, where this is the proof of the optimum [sifting:
 * Bixby et al. 1992].
 *
 * Thread rule: passes by the team, the rest one thread. Complexity: measured in README.md.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_OPTIMUM_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_OPTIMUM_H

#include "economics/market/solver/answers.h"
#include "economics/market/solver/division.h"

struct optimum {
    uint64_t iterations_max;
    uint64_t iterations;
    uint64_t passes;
    bool proved; /* nobody wants anything else at *price */
};

/* Replaces *division and price[resource_count] by the optimal ones (or, at iterations_max, by what
 * was reached: feasible all the same). */
MUST_USE enum status optimum_find(struct answers *answers, struct division *division, double *price,
                                  struct optimum *optimum, struct fault *fault);

#endif
