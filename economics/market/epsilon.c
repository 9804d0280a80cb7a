#include "economics/market/epsilon.h"

#include <math.h>

#include "base/tolerance.h"

int64_t market_excess_micros(double worth_credits, int64_t payoff_micros)
{
    double const worth = worth_credits * MICROS_PER_CREDIT;
    double const over = worth - (double)payoff_micros;
    double const noise = 1 + TOLERANCE_LP * fmax(worth, fabs((double)payoff_micros));
    return over > noise ? (int64_t)ceil(over - noise) : 0;
}

enum status market_greatest_excess(const struct market *market, const struct credits *payoffs,
                                   struct market_excess *excess, struct fault *fault)
{
    *excess = (struct market_excess){0};
    if (market->member_count > PLAN_ENUMERATE_MEMBERS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%u members have too many coalitions to try each; %d are the most",
                         market->member_count, PLAN_ENUMERATE_MEMBERS_MAX);
    for (uint64_t mask = 1; mask < UINT64_C(1) << market->member_count; mask++) {
        double worth;
        enum status const status = market_worth(market, &mask, &worth, fault);
        if (status != STATUS_OK)
            return status;
        int64_t payoff = 0;
        for (uint32_t i = 0; i < market->member_count; i++)
            if ((mask >> i & 1) != 0)
                payoff += payoffs[i].micros;
        int64_t const by = market_excess_micros(worth, payoff);
        if (by > excess->by.micros)
            *excess = (struct market_excess){.by = {by}, .coalition = mask};
    }
    return STATUS_OK;
}
