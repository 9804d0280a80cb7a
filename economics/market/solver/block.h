/*
 * Block: one block's own small market, cut out of the whole. Internal to blocks.
 *
 * Of each job's columns only those in the block's pools that are not far from its best at the
 * prices given. Thread rule: one thread. Complexity: O(columns of its jobs).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_BLOCK_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_BLOCK_H

#include "economics/market/solver/division.h"
#include "economics/market/solver/partition.h"

/* What all blocks read. */
struct block_ground {
    const struct columns *columns;
    const struct partition *partition;
    const struct division *division;
    const double *price;
    const double *gpu_price;
    const double *left;       /* [resource_count] of capacity 1, not used by anybody */
    const uint32_t *row_home; /* [resource_count] the block that has what is left of it */
    bool whole;               /* every column counts, however far from the best: a true optimum */
};

struct block_task {
    uint32_t block;
    const uint32_t *jobs; /* [job_count] */
    uint32_t job_count;
    const struct division_extra *extras; /* of these jobs, [extra_count] */
    uint32_t extra_count;
};

struct block_answer {
    struct division_extra *main;   /* [job_count] */
    struct division_extra *extras; /* [extra_count] */
    uint32_t extra_count;
    uint64_t iterations;
    double *price;      /* [resource_count] the block's own duals */
    uint32_t *resource; /* [resource_count] whose */
    uint32_t resource_count;
};

/* map: scratch, [resource_count] of UINT32_MAX, left so. The answer is the caller's to
 * free. */
MUST_USE enum status block_solve(const struct block_ground *ground, const struct block_task *task,
                                 uint32_t *map, struct block_answer *answer, struct fault *fault);
void block_answer_fini(struct block_answer *answer);

#endif
