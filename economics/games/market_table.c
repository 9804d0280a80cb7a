#include "economics/games/market_table.h"

#include <assert.h>

#include "economics/market/plan.h"

enum status market_table(const struct market *market, double *worth, struct fault *fault)
{
    assert(market->member_count <= MARKET_TABLE_PLAYERS_MAX);
    worth[0] = 0.0;
    for (uint64_t s = 1; s < UINT64_C(1) << market->member_count; s++) {
        enum status status = market_worth(market, &s, &worth[s], fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
