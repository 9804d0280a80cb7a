/*
 * Partition: members in blocks that have much to do with each other. Internal to the solver.
 *
 * Two members are as near as many jobs waver between their pools at the present prices. Blocks grow
 * from a member by whoever is nearest to the block; the second way of cutting starts where the
 * first one cut most, so that what one divides the other has together. Ties: the lower index.
 * Thread rule: pure. Complexity: O(columns + jobs log jobs + members × blocks).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_PARTITION_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_PARTITION_H

#include "economics/market/solver/columns.h"

enum { PARTITION_MEMBERS = 10 /* of a block, at most */ };

struct partition {
    uint32_t *block; /* [member_count] */
    uint32_t block_count;
};

/* former: the partition to cut across, or NULL. block has room for all members. */
MUST_USE enum status partition_make(const struct columns *columns, const double *price,
                                    const struct partition *former, struct partition *partition,
                                    struct fault *fault);

#endif
