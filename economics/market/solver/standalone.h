/*
 * Standalone: what each member reaches alone, v({i}), in a market of many members.
 *
 * Each member's jobs on its own pools under its own rows, solved to the optimum by a simplex of
 * their own (block.h): some hundreds of columns each, where an LP over the whole market's would
 * look at millions. Thread rule: pure. Complexity: O(columns) and a small simplex a member.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_STANDALONE_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_STANDALONE_H

#include "economics/market/market.h"

/* worth_credits: [member_count]. threads: 1 or more. */
MUST_USE enum status standalone_worths(const struct market *market, uint32_t threads,
                                       double *worth_credits, struct fault *fault);

#endif
