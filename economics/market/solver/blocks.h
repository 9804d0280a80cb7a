/*
 * Blocks: the market improved block by block, several at a time. Internal to the solver.
 *
 * Each job belongs to the block where it runs now (or would like best to run); each block is solved
 * to its optimum over its own pools by a simplex of its own, with of each policy row what its jobs
 * use now, and in the one block where most of the row's columns are also what is left of it. So
 * blocks share nothing: each can only gain, and all together stay feasible. A job that now divides
 * its round over two blocks stays as it is.
 *
 * Guarantee: a function of its inputs, for any number of threads. Thread rule: the team's.
 * Complexity: that of the blocks' simplex, on some tens of resources each.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_BLOCKS_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_BLOCKS_H

#include "economics/market/solver/division.h"
#include "economics/market/solver/partition.h"

struct blocks_input {
    const struct columns *columns;
    struct team *team;
    const struct partition *partition;
    const double *price; /* [resource_count] near the optimal ones */
    double *found;       /* [resource_count] each from the block that has it; others as they were */
};

/* Improves *division. Adds the simplex' iterations to *iterations. */
MUST_USE enum status blocks_improve(const struct blocks_input *input, struct division *division,
                                    uint64_t *iterations, struct fault *fault);

#endif
