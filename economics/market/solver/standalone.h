/*
 * Standalone: what each member reaches alone, v({i}), in a market of many members.
 *
 * Each member's jobs on its own pools under its own rows, solved to the optimum by a simplex of
 * their own (block.h): some hundreds of columns each, where an LP over the whole market's would
 * look at millions. Thread rule: pure. Complexity: O(columns) and a small simplex a member.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_STANDALONE_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_STANDALONE_H

#include "economics/market/solver/session.h"

struct standalone {
    double *worth_credits;    /* [member_count] v({i}) */
    struct session_use *uses; /* [use_count] of everybody's plan alone, together a feasible one */
    uint32_t use_count;
};

/* Everything in *standalone lies in the arena. threads: 1 or more. */
MUST_USE enum status standalone_find(const struct market *market, uint32_t threads,
                                     struct arena *arena, struct standalone *standalone,
                                     struct fault *fault);

#endif
