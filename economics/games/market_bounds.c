/* Bounds on all coalitions' worths from the prices of those solved: see market_core.h. */
#include <math.h>
#include <stdlib.h>

#include "economics/games/market_core_internal.h"

#define CLOSE 1e-10 /* of v(N): a bound this near its worth is exact */

enum { LOW_MEMBERS = 11 };

/* bound[T] = min(bound[T], payoffs(T)) for all T. */
static void lower_bounds(struct market_bounds *bounds)
{
    uint32_t low_members = bounds->members < LOW_MEMBERS ? bounds->members : LOW_MEMBERS;
    uint32_t width = 1u << low_members;
    double *low = bounds->low;
    low[0] = 0.0;
    for (uint32_t s = 1; s < width; s++)
        low[s] = low[s & (s - 1)] + bounds->payoffs[__builtin_ctz(s)];
    for (uint32_t first = 0; first < 1u << bounds->members; first += width) {
        double high = 0.0;
        double *bound = bounds->bound + first;
        for (uint32_t i = low_members; i < bounds->members; i++)
            high += (first >> i & 1) != 0 ? bounds->payoffs[i] : 0.0;
        for (uint32_t s = 0; s < width; s++)
            bound[s] = high + low[s] < bound[s] ? high + low[s] : bound[s];
    }
}

/* Makes the coalition's bound exact, and lowers others'. */
enum status market_bounds_solve(struct market_bounds *bounds, uint32_t coalition,
                                struct fault *fault)
{
    double worth;
    if (bounds->exact[coalition] != 0)
        return STATUS_OK;
    for (uint32_t i = 0; i < bounds->members; i++)
        coalition_lp_set(bounds->lp, i, (coalition >> i & 1) != 0 ? 1.0 : 0.0);
    enum status status = coalition_lp_solve(bounds->lp, &worth, fault);
    if (status != STATUS_OK)
        return status;
    bool news = bounds->bound[coalition] - worth > CLOSE * bounds->total;
    if (news && coalition_lp_payoffs(bounds->lp, bounds->payoffs))
        lower_bounds(bounds);
    bounds->bound[coalition] = worth; /* prices of limits that need a partner may stay above */
    bounds->exact[coalition] = 1;
    bounds->solved++;
    return STATUS_OK;
}

static enum status first_bounds(struct market_bounds *bounds, struct fault *fault)
{
    uint32_t grand = (uint32_t)((UINT64_C(1) << bounds->members) - 1);
    for (uint32_t s = 0; s <= grand; s++)
        bounds->bound[s] = HUGE_VAL;
    bounds->bound[0] = 0.0;
    bounds->exact[0] = 1;
    enum status status = market_bounds_solve(bounds, grand, fault);
    bounds->total = bounds->bound[grand];
    for (uint32_t i = 0; i < bounds->members && status == STATUS_OK; i++) {
        status = market_bounds_solve(bounds, 1u << i, fault);
        if (status == STATUS_OK)
            status = market_bounds_solve(bounds, grand ^ (1u << i), fault);
    }
    return status;
}

enum status market_bounds_open(const struct market *market, struct market_bounds *bounds,
                               struct fault *fault)
{
    size_t coalitions = (size_t)1 << market->member_count;
    *bounds = (struct market_bounds){.members = market->member_count};
    bounds->bound = malloc(coalitions * sizeof *bounds->bound);
    bounds->exact = calloc(coalitions, 1);
    bounds->low = malloc(sizeof(double) << LOW_MEMBERS);
    bounds->payoffs = calloc(bounds->members, sizeof *bounds->payoffs);
    enum status status = STATUS_OK;
    if (bounds->bound == NULL || bounds->exact == NULL || bounds->low == NULL ||
        bounds->payoffs == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for bounds on %zu coalitions",
                           coalitions);
    if (status == STATUS_OK)
        status = coalition_lp_open(market, &bounds->lp, fault);
    if (status == STATUS_OK)
        status = first_bounds(bounds, fault);
    if (status != STATUS_OK)
        market_bounds_close(bounds);
    return status;
}

void market_bounds_close(struct market_bounds *bounds)
{
    coalition_lp_close(bounds->lp);
    free(bounds->bound);
    free(bounds->exact);
    free(bounds->low);
    free(bounds->payoffs);
    *bounds = (struct market_bounds){.members = 0};
}
