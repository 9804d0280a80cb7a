#include <math.h>

#include "base/tolerance.h"
#include "economics/market/checking/checking.h"

static enum status check_price(struct checking *c, uint32_t index, struct fault *fault)
{
    const struct plan_placement *placement = &c->plan->placements[index];
    const struct market_column *column = checking_column(c, index);
    const struct market_pool *pool = &c->market->pools[column->pool];
    int64_t sum = 0;
    for (uint32_t s = 0; s < placement->share_count; s++) {
        int32_t const member = placement->shares[s].member;
        if (member < 0 || (uint32_t)member >= c->market->member_count ||
            placement->shares[s].price.nanos < 0)
            return checking_wrong(fault, index, "shares: no such member, or below zero");
        sum += placement->shares[s].price.nanos;
    }
    if (placement->share_count == 0 || placement->shares[0].member != pool->owner ||
        placement->shares[0].price.nanos < pool->cost.nanos)
        return checking_wrong(fault, index,
                              "shares: the pool's owner first, with its cost at least");
    if (sum != placement->price.nanos)
        return checking_wrong(fault, index, "price: not the sum of its shares");
    struct credits payment;
    struct credits cost;
    if (!price_amount(placement->price, column->gpus, market_column_ms(c->market, column),
                      &payment) ||
        payment.micros != placement->payment.micros)
        return checking_wrong(fault, index, "payment: not price × GPUs × time held");
    if (!price_amount(pool->cost, column->gpus, market_column_ms(c->market, column), &cost) ||
        payment.micros > column->price_room.micros ||
        payment.micros > column->worth.micros + cost.micros)
        return checking_wrong(fault, index, "payment: more than the home's room");
    return STATUS_OK;
}

enum status checking_prices(struct checking *c, struct fault *fault)
{
    for (uint32_t i = 0; i < c->plan->placement_count; i++) {
        enum status const status = check_price(c, i, fault);
        if (status != STATUS_OK)
            return status;
    }
    for (uint32_t p = 0; p < c->market->pool_count; p++) {
        double const a_second = c->plan->pool_rent_credits[p] * MS_PER_SECOND /
                                (double)c->market->round_ms * NANOS_PER_CREDIT;
        double const posted =
            (double)(c->plan->pool_price[p].nanos - c->market->pools[p].cost.nanos);
        if (fabs(posted - a_second) > 0.6 + TOLERANCE_LP * fabs(posted))
            return fault_set(fault, STATUS_CORRUPT, "plan: pool_price[%u] is not cost and rent", p);
    }
    return STATUS_OK;
}

/* Receipts add up to payments, so that payoffs add up to the objective, to the micro-credit. */
enum status checking_payoffs(struct checking *c, struct fault *fault)
{
    const struct market *market = c->market;
    for (uint32_t i = 0; i < c->plan->placement_count; i++) {
        const struct plan_placement *placement = &c->plan->placements[i];
        const struct market_column *column = checking_column(c, i);
        const struct market_pool *pool = &market->pools[column->pool];
        struct credits cost;
        if (!price_amount(pool->cost, column->gpus, market_column_ms(market, column), &cost))
            return checking_wrong(fault, i, "column: its cost is out of range");
        c->payoff[market->jobs[column->job].home] +=
            column->worth.micros + cost.micros - placement->payment.micros;
        c->payoff[pool->owner] -= cost.micros;
        int64_t rest = placement->payment.micros;
        for (uint32_t s = 1; s < placement->share_count; s++) {
            __extension__ typedef __int128 wide;
            int64_t const part =
                (int64_t)((wide)placement->payment.micros * placement->shares[s].price.nanos /
                          placement->price.nanos);
            rest -= part;
            c->payoff[placement->shares[s].member] += part;
        }
        c->payoff[placement->shares[0].member] += rest;
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < market->member_count; i++) {
        int64_t const off = c->payoff[i] - c->plan->members[i].payoff.micros;
        if (off != 0)
            return fault_set(fault, STATUS_CORRUPT,
                             "plan: members[%u].payoff is not what its placements leave", i);
        sum += c->plan->members[i].payoff.micros;
    }
    if (sum != c->plan->objective.micros)
        return fault_set(fault, STATUS_CORRUPT, "plan: payoffs do not add up to the objective");
    return STATUS_OK;
}

/* What can be said of ε without solving: the coalitions of all and of one. */
enum status checking_epsilon(struct checking *c, struct fault *fault)
{
    const struct plan *plan = c->plan;
    double const slack = 2e-6 + TOLERANCE_ANSWER * 10 * credits_to_double(plan->bound);
    double const of_all = checking_lp_worth(c) - credits_to_double(plan->objective);
    if (plan->epsilon.micros < 0 || credits_to_double(plan->epsilon) < of_all - slack)
        return fault_set(fault, STATUS_CORRUPT, "plan: epsilon is below the gap");
    int64_t bound = 0;
    for (uint32_t i = 0; i < c->market->member_count; i++) {
        const struct plan_member *member = &plan->members[i];
        if (member->alone.micros - member->payoff.micros > plan->epsilon.micros + 1)
            return fault_set(fault, STATUS_CORRUPT,
                             "plan: members[%u] alone gets over epsilon more", i);
        if (member->owen.micros > member->payoff.micros)
            bound += member->owen.micros - member->payoff.micros;
    }
    if (!plan->epsilon_exact && plan->epsilon.micros + c->market->member_count < bound)
        return fault_set(fault, STATUS_CORRUPT, "plan: epsilon is below its own bound");
    return STATUS_OK;
}
