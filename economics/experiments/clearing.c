#include "economics/experiments/clearing.h"

#include "economics/games/market_table.h"

#define ROUNDS_PER_HOUR (3600.0 * 1000 / FEDERATION_ROUND_MS)

void clearing_init(struct clearing *clearing, const struct federation *federation)
{
    *clearing = (struct clearing){.federation = federation};
    arena_init(&clearing->arena, ARENA_ROUND_BYTES);
}

void clearing_fini(struct clearing *clearing)
{
    arena_fini(&clearing->arena);
}

enum status clearing_plan(struct clearing *clearing, const struct federation_report *report,
                          struct fault *fault)
{
    uint64_t everybody = (UINT64_C(1) << clearing->federation->parameters.members) - 1;
    arena_reset(&clearing->arena);
    clearing->worth = NULL;
    enum status status = federation_to_market(clearing->federation, report, everybody,
                                              &clearing->arena, &clearing->market, fault);
    if (status == STATUS_OK)
        status = plan_make(&clearing->market.market, &clearing->arena, &clearing->plan, fault);
    return status;
}

enum status clearing_split(struct clearing *clearing, const struct mechanism *mechanism,
                           struct split *split, struct fault *fault)
{
    const struct market *market = &clearing->market.market;
    if (clearing->worth == NULL && mechanism->split != NULL) {
        size_t coalitions = (size_t)1 << market->member_count;
        clearing->worth = arena_alloc(&clearing->arena, coalitions, sizeof *clearing->worth);
        if (clearing->worth == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for a table of worths");
        enum status status = market_table(market, 1, clearing->worth, fault);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = split_find(mechanism, market, &clearing->plan, clearing->worth,
                                    &clearing->arena, split, fault);
    const struct split_purses unbounded = {.funder = MARKET_NONE, .outside = {.micros = INT64_MAX}};
    if (status == STATUS_OK)
        status = split_fit(market, &clearing->plan, &unbounded, &clearing->arena, split, fault);
    return status;
}

enum status clearing_utilities(struct clearing *clearing, const struct mechanism *mechanism,
                               double *utilities, struct fault *fault)
{
    struct split split;
    enum status status = clearing_split(clearing, mechanism, &split, fault);
    if (status != STATUS_OK)
        return status;
    federation_utilities(clearing->federation, &clearing->market, &clearing->plan, &split,
                         utilities);
    for (uint32_t i = 0; i < clearing->federation->parameters.members; i++)
        utilities[i] *= ROUNDS_PER_HOUR;
    return STATUS_OK;
}
