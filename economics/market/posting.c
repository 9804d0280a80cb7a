#include "economics/market/posting.h"

#include <assert.h>

/* No rent is posted above it: a thousand million credits per GPU-second. */
#define PRICE_NANOS_MAX INT64_C(1000000000000000000)

static enum status price_placement(const struct prepared *prepared, const struct rents *rents,
                                   struct arena *arena, struct plan_placement *placement,
                                   struct fault *fault);
static enum status post_payment(const struct prepared *prepared, struct plan *plan,
                                const struct plan_placement *placement, struct arena *arena,
                                struct fault *fault);

enum status posting_run(const struct prepared *prepared, const struct rents *rents,
                        struct arena *arena, struct plan *plan, struct fault *fault)
{
    plan->objective.micros = 0;
    for (uint32_t i = 0; i < plan->placement_count; i++) {
        struct plan_placement *placement = &plan->placements[i];
        enum status status = price_placement(prepared, rents, arena, placement, fault);
        if (status == STATUS_OK)
            status = post_payment(prepared, plan, placement, arena, fault);
        if (status != STATUS_OK)
            return status;
        if (!credits_add(plan->objective, prepared->market->columns[placement->column].worth,
                         &plan->objective))
            return fault_set(fault, STATUS_INVALID, "the plan is worth more than can be counted");
    }
    return STATUS_OK;
}

void plan_split_payment(const struct plan_share *shares, uint32_t share_count,
                        struct credits payment, struct credits *amounts)
{
    assert(payment.micros >= 0);
    wide total = 0;
    for (uint32_t s = 0; s < share_count; s++)
        total += shares[s].price.nanos;
    int64_t left = payment.micros;
    for (uint32_t s = share_count; s-- > 1;) {
        amounts[s].micros =
            total == 0 ? 0 : (int64_t)((wide)payment.micros * shares[s].price.nanos / total);
        left -= amounts[s].micros;
    }
    if (share_count > 0)
        amounts[0].micros = left;
}

/* -- Price and shares -------------------------------------------------------------------------- */

/* nano-credits a round -> nano-credits a GPU-second, to nearest. */
static int64_t per_gpu_second(int64_t nanos_a_round, uint32_t gpus, int64_t round_ms)
{
    wide const gpu_ms = (wide)gpus * round_ms;
    wide const nanos = ((wide)nanos_a_round * MS_PER_SECOND + gpu_ms / 2) / gpu_ms;
    return nanos > PRICE_NANOS_MAX ? PRICE_NANOS_MAX : (int64_t)nanos;
}

/* The most a home pays for this column, as a price; at least the pool's cost. */
static int64_t price_limit(const struct prepared *prepared, uint32_t k)
{
    const struct market *market = prepared->market;
    const struct market_column *column = &market->columns[k];
    int64_t most = column->worth.micros + prepared->cost[k].micros;
    if (column->price_room.micros < most)
        most = column->price_room.micros;
    wide const gpu_ms = (wide)column->gpus * market_column_ms(market, column);
    /* micro-credits = price × gpu_ms / 1e6, see price_amount() */
    wide const price = (wide)most * MICROS_PER_CREDIT / gpu_ms;
    int64_t const cost = market->pools[column->pool].cost.nanos;
    if (price <= cost)
        return cost;
    return price > PRICE_NANOS_MAX ? PRICE_NANOS_MAX : (int64_t)price;
}

/* Adds rent to the beneficiary's share; a new one where it has none. */
static void add_share(struct plan_placement *placement, int32_t member, int64_t nanos)
{
    if (nanos == 0)
        return;
    for (uint32_t s = 0; s < placement->share_count; s++) {
        if (placement->shares[s].member != member)
            continue;
        placement->shares[s].price.nanos += nanos;
        return;
    }
    placement->shares[placement->share_count++] =
        (struct plan_share){.member = member, .price = {nanos}};
}

/* The rents in shares alone; the cost is added by the caller. */
static void share_rents(const struct prepared *prepared, const struct rents *rents,
                        struct plan_placement *placement)
{
    const struct market *market = prepared->market;
    uint32_t const k = placement->column;
    const struct market_column *column = &market->columns[k];
    placement->shares[0] = (struct plan_share){
        .member = market->pools[column->pool].owner,
        .price = {per_gpu_second(rents->pool_nanos[column->pool], 1, market->round_ms)}};
    placement->share_count = 1;
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        const struct lp_entry *entry = &prepared->row_entries[e];
        int32_t const owner = market->rows[entry->index].owner;
        if (owner == market->jobs[column->job].home)
            continue;
        int64_t const rent = rents_of_entry(entry->value, rents->row_rent[entry->index]);
        add_share(placement, owner, per_gpu_second(rent, column->gpus, market->round_ms));
    }
}

/* Cuts the rents in proportion to what there is room for; what rounding leaves is the pool owner's.
 */
static void cut_rents(struct plan_placement *placement, int64_t room)
{
    wide total = 0;
    for (uint32_t s = 0; s < placement->share_count; s++)
        total += placement->shares[s].price.nanos;
    if (total <= room)
        return;
    int64_t left = room;
    for (uint32_t s = placement->share_count; s-- > 1;) {
        struct price *price = &placement->shares[s].price;
        price->nanos = (int64_t)((wide)price->nanos * room / total);
        left -= price->nanos;
    }
    placement->shares[0].price.nanos = left;
}

static enum status price_placement(const struct prepared *prepared, const struct rents *rents,
                                   struct arena *arena, struct plan_placement *placement,
                                   struct fault *fault)
{
    const struct market *market = prepared->market;
    uint32_t const k = placement->column;
    const struct market_column *column = &market->columns[k];
    uint32_t const rows = prepared->first_of_column[k + 1] - prepared->first_of_column[k];
    placement->shares = arena_alloc(arena, (size_t)rows + 1, sizeof *placement->shares);
    if (placement->shares == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    int64_t const cost = market->pools[column->pool].cost.nanos;
    share_rents(prepared, rents, placement);
    cut_rents(placement, price_limit(prepared, k) - cost);
    placement->shares[0].price.nanos += cost;
    placement->price.nanos = 0;
    for (uint32_t s = 0; s < placement->share_count; s++)
        placement->price.nanos += placement->shares[s].price.nanos;
    if (!price_amount(placement->price, column->gpus, market_column_ms(market, column),
                      &placement->payment))
        return fault_set(fault, STATUS_INVALID, "columns[%u]: its price is out of range", k);
    return STATUS_OK;
}

/* -- Payoffs ----------------------------------------------------------------------------------- */

static enum status post_payment(const struct prepared *prepared, struct plan *plan,
                                const struct plan_placement *placement, struct arena *arena,
                                struct fault *fault)
{
    const struct market *market = prepared->market;
    const struct market_column *column = &market->columns[placement->column];
    int64_t const cost = prepared->cost[placement->column].micros;
    struct credits *amounts = arena_alloc(arena, placement->share_count, sizeof *amounts);
    if (amounts == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    plan_split_payment(placement->shares, placement->share_count, placement->payment, amounts);
    plan->members[market->jobs[column->job].home].payoff.micros +=
        column->worth.micros + cost - placement->payment.micros;
    for (uint32_t s = 0; s < placement->share_count; s++)
        plan->members[placement->shares[s].member].payoff.micros += amounts[s].micros;
    plan->members[market->pools[column->pool].owner].payoff.micros -= cost;
    return STATUS_OK;
}
