#include "economics/games/market_core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/games/coalition_lp.h"
#include "economics/games/excess.h"
#include "economics/games/nucleolus.h"

#define CLOSE 1e-10 /* of v(N): a bound this near its worth is exact */
#define AGREE 1e-9  /* of v(N): lower and upper that differ by less are one */

enum { PASSES_MAX = 100000, SOLVED_PER_PASS = 24 };

struct bounding {
    const struct market *market;
    uint32_t members;
    struct coalition_lp *lp;
    double *bound;   /* [2^members] >= v */
    uint8_t *exact;  /* [2^members] bound is v */
    double *payoffs; /* [members] of the last coalition solved, at its prices */
    double *low;     /* [2^LOW] sums of payoffs over the low members */
    struct market_core *core;
};

enum { LOW_MEMBERS = 11 };

static enum status by_bounds(struct bounding *bounding, bool (*stop)(void *context), void *context,
                             struct arena *scratch, struct fault *fault);
static enum status by_single_members(struct bounding *bounding, struct fault *fault);

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory for the least core");
}

enum status market_least_core(const struct market *market, bool (*stop)(void *context),
                              void *context, struct arena *arena, struct arena *scratch,
                              struct market_core *core, struct fault *fault)
{
    struct bounding bounding = {.market = market, .members = market->member_count, .core = core};
    *core =
        (struct market_core){.split = arena_alloc(arena, bounding.members, sizeof *core->split)};
    bounding.payoffs = arena_alloc(arena, bounding.members, sizeof *bounding.payoffs);
    if (core->split == NULL || bounding.payoffs == NULL)
        return no_memory(fault);
    enum status status = coalition_lp_open(market, &bounding.lp, fault);
    bool tabled = bounding.members <= MARKET_CORE_TABLE_MEMBERS_MAX;
    if (status == STATUS_OK && tabled) {
        size_t coalitions = (size_t)1 << bounding.members;
        bounding.bound = malloc(coalitions * sizeof *bounding.bound);
        bounding.exact = calloc(coalitions, 1);
        bounding.low = malloc(sizeof(double) << LOW_MEMBERS);
        status = bounding.bound == NULL || bounding.exact == NULL || bounding.low == NULL
                     ? no_memory(fault)
                     : by_bounds(&bounding, stop, context, scratch, fault);
    } else if (status == STATUS_OK) {
        status = by_single_members(&bounding, fault);
    }
    free(bounding.bound);
    free(bounding.exact);
    free(bounding.low);
    coalition_lp_close(bounding.lp);
    core->exact = core->upper - core->lower <= AGREE * fmax(core->total, 0.0);
    return status;
}

/* --- Bounds ---------------------------------------------------------------------------------- */

/* bound[T] = min(bound[T], payoffs(T)) for all T. */
static void lower_bounds(struct bounding *bounding)
{
    uint32_t low_members = bounding->members < LOW_MEMBERS ? bounding->members : LOW_MEMBERS;
    uint32_t width = 1u << low_members;
    double *low = bounding->low;
    low[0] = 0.0;
    for (uint32_t s = 1; s < width; s++)
        low[s] = low[s & (s - 1)] + bounding->payoffs[__builtin_ctz(s)];
    for (uint32_t first = 0; first < 1u << bounding->members; first += width) {
        double high = 0.0;
        double *bound = bounding->bound + first;
        for (uint32_t i = low_members; i < bounding->members; i++)
            high += (first >> i & 1) != 0 ? bounding->payoffs[i] : 0.0;
        for (uint32_t s = 0; s < width; s++)
            bound[s] = high + low[s] < bound[s] ? high + low[s] : bound[s];
    }
}

/* Makes the coalition's bound exact, and lowers others'. */
static enum status solve_coalition(struct bounding *bounding, uint32_t coalition,
                                   struct fault *fault)
{
    double worth;
    if (bounding->exact[coalition] != 0)
        return STATUS_OK;
    for (uint32_t i = 0; i < bounding->members; i++)
        coalition_lp_set(bounding->lp, i, (coalition >> i & 1) != 0 ? 1.0 : 0.0);
    enum status status = coalition_lp_solve(bounding->lp, &worth, fault);
    if (status != STATUS_OK)
        return status;
    bool news = bounding->bound[coalition] - worth > CLOSE * bounding->core->total;
    if (news && coalition_lp_payoffs(bounding->lp, bounding->payoffs))
        lower_bounds(bounding);
    bounding->bound[coalition] = worth; /* prices of limits that need a partner may stay above */
    bounding->exact[coalition] = 1;
    bounding->core->solved++;
    return STATUS_OK;
}

static enum status first_bounds(struct bounding *bounding, struct fault *fault)
{
    uint32_t grand = (uint32_t)((UINT64_C(1) << bounding->members) - 1);
    for (uint32_t s = 0; s <= grand; s++)
        bounding->bound[s] = HUGE_VAL;
    bounding->bound[0] = 0.0;
    bounding->exact[0] = 1;
    enum status status = solve_coalition(bounding, grand, fault);
    bounding->core->total = bounding->bound[grand];
    for (uint32_t i = 0; i < bounding->members && status == STATUS_OK; i++) {
        status = solve_coalition(bounding, 1u << i, fault);
        if (status == STATUS_OK)
            status = solve_coalition(bounding, grand ^ (1u << i), fault);
    }
    return status;
}

/* The coalitions that prove the bounds' ε, then those that are worst off under its split. */
static enum status solve_binding(struct bounding *bounding, const struct least_core *least,
                                 bool *all_exact, struct fault *fault)
{
    enum status status = STATUS_OK;
    *all_exact = true;
    for (uint32_t k = 0; k < least->count && status == STATUS_OK; k++) {
        double bound = bounding->bound[least->coalition[k]];
        status = solve_coalition(bounding, least->coalition[k], fault);
        if (bound - bounding->bound[least->coalition[k]] > CLOSE * bounding->core->total)
            *all_exact = false;
    }
    if (*all_exact || status != STATUS_OK)
        return status;
    struct excess_scan scan = {.worth = bounding->bound,
                               .players = bounding->members,
                               .x = least->x,
                               .above = (double)-INFINITY,
                               .skip = bounding->exact};
    struct excess_list worst;
    excess_worst(&scan, SOLVED_PER_PASS, &worst);
    for (uint32_t k = 0; k < worst.count && status == STATUS_OK; k++)
        status = solve_coalition(bounding, worst.coalition[k], fault);
    return status;
}

/* What the weights prove on the true worths. */
static double proven(const struct bounding *bounding, const struct least_core *least)
{
    double value = 0.0;
    double cover = 0.0;
    for (uint32_t k = 0; k < least->count; k++) {
        value += least->weight[k] * bounding->bound[least->coalition[k]];
        cover += (least->coalition[k] & 1) != 0 ? least->weight[k] : 0.0;
    }
    return value - cover * bounding->core->total;
}

static enum status by_bounds(struct bounding *bounding, bool (*stop)(void *context), void *context,
                             struct arena *scratch, struct fault *fault)
{
    struct market_core *core = bounding->core;
    struct game game = {.players = bounding->members, .worth = bounding->bound};
    enum status status = first_bounds(bounding, fault);
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
            memcpy(core->split, least.x, bounding->members * sizeof *core->split);
        }
        status = solve_binding(bounding, &least, &all_exact, fault);
        core->lower = fmax(core->lower, proven(bounding, &least));
        if (all_exact || !least.has_epsilon || (stop != NULL && stop(context)))
            break;
    }
    return status;
}

/* --- Too many members for bounds ------------------------------------------------------------- */

/* {i} and N∖i share v(N): one of them falls short by at least half of what they lack. */
static enum status by_single_members(struct bounding *bounding, struct fault *fault)
{
    struct market_core *core = bounding->core;
    uint32_t n = bounding->members;
    for (uint32_t i = 0; i < n; i++)
        coalition_lp_set(bounding->lp, i, 1.0);
    enum status status = coalition_lp_solve(bounding->lp, &core->total, fault);
    if (status == STATUS_OK && !coalition_lp_payoffs(bounding->lp, core->split))
        status = fault_set(fault, STATUS_INTERNAL, "the market's LP gave no prices");
    core->lower = (double)-INFINITY;
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double without = 0.0;
        coalition_lp_set(bounding->lp, i, 0.0);
        status = coalition_lp_solve(bounding->lp, &without, fault);
        coalition_lp_set(bounding->lp, i, 1.0);
        core->lower = fmax(core->lower, -0.5 * (core->total - without)); /* less v({i}), below */
        bounding->payoffs[i] = core->total - without;
    }
    for (uint32_t i = 0; i < n; i++)
        coalition_lp_set(bounding->lp, i, 0.0);
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double alone = 0.0;
        coalition_lp_set(bounding->lp, i, 1.0);
        status = coalition_lp_solve(bounding->lp, &alone, fault);
        coalition_lp_set(bounding->lp, i, 0.0);
        core->lower = fmax(core->lower, 0.5 * (alone - bounding->payoffs[i]));
    }
    core->solved = 2u * n + 1u;
    core->lower = fmin(core->lower, 0.0);
    core->upper = 0.0;
    return status;
}
