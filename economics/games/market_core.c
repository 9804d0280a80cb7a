#include "economics/games/market_core.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/excess.h"
#include "economics/games/market_core_internal.h"
#include "economics/games/nucleolus.h"

#define CLOSE 1e-10 /* of v(N): a bound this near its worth is exact */
#define AGREE 1e-9  /* of v(N): lower and upper that differ by less are one */

enum { PASSES_MAX = 100000, SOLVED_PER_PASS = 24 };

static enum status by_bounds(struct market_bounds *bounds, bool (*stop)(void *context),
                             void *context, struct arena *scratch, struct market_core *core,
                             struct fault *fault);

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory for the least core");
}

enum status market_least_core(const struct market *market, bool (*stop)(void *context),
                              void *context, struct arena *arena, struct arena *scratch,
                              struct market_core *core, struct fault *fault)
{
    struct market_bounds bounds = {.members = market->member_count};
    *core = (struct market_core){.split =
                                     arena_alloc(arena, market->member_count, sizeof *core->split)};
    if (core->split == NULL)
        return no_memory(fault);
    assert(market->member_count <= MARKET_CORE_TABLE_MEMBERS_MAX);
    enum status status = market_bounds_open(market, &bounds, fault);
    if (status == STATUS_OK)
        status = by_bounds(&bounds, stop, context, scratch, core, fault);
    core->total = bounds.total;
    core->solved = bounds.solved;
    market_bounds_close(&bounds);
    core->epsilon = core->upper;
    core->tolerance = AGREE;
    core->exact = core->upper - core->lower <= AGREE * fmax(core->total, 0.0);
    return status;
}

/* The coalitions that prove the bounds' ε, then those that are worst off under its split. */
static enum status solve_binding(struct market_bounds *bounds, const struct least_core *least,
                                 bool *all_exact, struct fault *fault)
{
    enum status status = STATUS_OK;
    *all_exact = true;
    for (uint32_t k = 0; k < least->count && status == STATUS_OK; k++) {
        double bound = bounds->bound[least->coalition[k]];
        status = market_bounds_solve(bounds, least->coalition[k], fault);
        if (bound - bounds->bound[least->coalition[k]] > CLOSE * bounds->total)
            *all_exact = false;
    }
    if (*all_exact || status != STATUS_OK)
        return status;
    struct excess_scan scan = {.worth = bounds->bound,
                               .players = bounds->members,
                               .x = least->x,
                               .above = (double)-INFINITY,
                               .skip = bounds->exact};
    struct excess_list worst;
    excess_worst(&scan, SOLVED_PER_PASS, &worst);
    for (uint32_t k = 0; k < worst.count && status == STATUS_OK; k++)
        status = market_bounds_solve(bounds, worst.coalition[k], fault);
    return status;
}

/* What the weights prove on the true worths. */
static double proven(const struct market_bounds *bounds, const struct least_core *least)
{
    double value = 0.0;
    double cover = 0.0;
    for (uint32_t k = 0; k < least->count; k++) {
        value += least->weight[k] * bounds->bound[least->coalition[k]];
        cover += (least->coalition[k] & 1) != 0 ? least->weight[k] : 0.0;
    }
    return value - cover * bounds->total;
}

static enum status by_bounds(struct market_bounds *bounds, bool (*stop)(void *context),
                             void *context, struct arena *scratch, struct market_core *core,
                             struct fault *fault)
{
    struct game game = {.players = bounds->members, .worth = bounds->bound};
    enum status status = STATUS_OK;
    core->lower = (double)-INFINITY;
    core->upper = HUGE_VAL;
    for (uint32_t pass = 0; pass < PASSES_MAX && status == STATUS_OK; pass++) {
        struct least_core least;
        bool all_exact = false;
        status = game_least_core(&game, scratch, &least, fault);
        arena_reset(scratch);
        if (status != STATUS_OK)
            return status;
        if (least.epsilon < core->upper) {
            core->upper = least.epsilon;
            memcpy(core->split, least.x, bounds->members * sizeof *core->split);
        }
        status = solve_binding(bounds, &least, &all_exact, fault);
        core->lower = fmax(core->lower, proven(bounds, &least));
        if (all_exact || !least.has_epsilon || (stop != NULL && stop(context)))
            break;
    }
    return status;
}
