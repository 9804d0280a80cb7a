/*
 * Collect, policy rows: share limits in GPUs per pool, and budgets. Internal to collect.
 *
 * A row is made only where it can bind: where each job's largest coefficient, summed, exceeds the
 * limit. O(columns + pools + members).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_COLLECT_ROWS_H
#define ENTENTE_ECONOMICS_MARKET_COLLECT_ROWS_H

#include "economics/market/market.h"

struct collect_limits {
    uint32_t *foreign_gpus_max; /* [pool_count] UINT32_MAX: none */
    struct credits *budget;     /* [member_count] most that may be in escrow; >= 0 */
    int64_t grace_ms;           /* billed at most after the firm end */
};

/* Sets the market's rows and entries. */
MUST_USE enum status collect_rows(struct market *market, const struct collect_limits *limits,
                                  struct arena *arena, struct fault *fault);

#endif
