#include "economics/games/market_owen.h"

#include <math.h>

#include "base/tolerance.h"
#include "base/units.h"
#include "economics/games/coalition_lp.h"
#include "economics/market/certificate.h"

#define STEP_FIRST 1e-3
#define STEP_LEAST 1e-8
#define ON_FACE    1e-10 /* of v(N): payoffs that add up to v(N) within this are dual optimal */

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "no memory for Owen's split");
}

static enum status find_split(const struct market *market, struct lp_environment *environment,
                              struct arena *arena, struct owen *owen, struct fault *fault)
{
    struct prepared prepared;
    struct allocation allocation;
    struct rents rents;
    wide *nanos = arena_alloc(arena, market->member_count, sizeof *nanos);
    if (nanos == NULL)
        return no_memory(fault);
    enum status status = prepared_make(market, arena, &prepared, fault);
    for (int attempt = 0; attempt < 2 && status == STATUS_OK; attempt++) {
        status = allocation_solve(&prepared, environment, attempt > 0, arena, &allocation, fault);
        if (status == STATUS_OK)
            status = rents_find(&prepared, &allocation, environment, arena, &rents, fault);
        double dual = (double)rents.dual_nanos / NANOS_PER_CREDIT;
        if (nearly_equal(dual, allocation.worth_credits, TOLERANCE_ANSWER))
            break; /* as the plan does: where they disagree, GLPK's scaling is tried */
    }
    if (status != STATUS_OK)
        return status;
    certificate_owen(&prepared, &rents, nanos);
    for (uint32_t i = 0; i < market->member_count; i++)
        owen->split[i] = (double)nanos[i] / NANOS_PER_CREDIT;
    return STATUS_OK;
}

/* What the member gets at the duals that are optimal where it brings (1 + step) of what it has. */
static enum status extreme(struct coalition_lp *lp, uint32_t members, uint32_t member, double sign,
                           double total, double *payoffs, bool *found, struct fault *fault)
{
    enum status status = STATUS_OK;
    *found = false;
    for (double step = STEP_FIRST; step > STEP_LEAST && !*found && status == STATUS_OK;
         step /= 8.0) {
        double worth;
        double sum = 0.0;
        coalition_lp_set(lp, member, 1.0 + sign * step);
        status = coalition_lp_solve(lp, &worth, fault);
        if (status != STATUS_OK || !coalition_lp_payoffs(lp, payoffs))
            break;
        for (uint32_t i = 0; i < members; i++)
            sum += payoffs[i];
        *found = fabs(sum - total) <= ON_FACE * total;
    }
    coalition_lp_set(lp, member, 1.0);
    return status;
}

static enum status find_ranges(const struct market *market, struct coalition_lp *lp,
                               double *payoffs, struct owen *owen, bool *ranged,
                               struct fault *fault)
{
    uint32_t n = market->member_count;
    for (uint32_t i = 0; i < n; i++)
        coalition_lp_set(lp, i, 1.0);
    enum status status = coalition_lp_solve(lp, &owen->total, fault);
    *ranged = true;
    owen->unique = true;
    if (owen->total == 0.0) /* nothing to share: all get 0 */
        return status;
    for (uint32_t i = 0; i < n && status == STATUS_OK && *ranged; i++) {
        status = extreme(lp, n, i, 1.0, owen->total, payoffs, ranged, fault);
        owen->least[i] = payoffs[i];
        if (status == STATUS_OK && *ranged)
            status = extreme(lp, n, i, -1.0, owen->total, payoffs, ranged, fault);
        owen->greatest[i] = payoffs[i];
        owen->unique =
            owen->unique && owen->greatest[i] - owen->least[i] <= TOLERANCE_LP * owen->total;
    }
    return status;
}

enum status market_owen(const struct market *market, struct arena *arena, struct owen *owen,
                        bool *ranged, struct fault *fault)
{
    struct lp_environment *environment;
    struct coalition_lp *lp = NULL;
    uint32_t n = market->member_count;
    double *payoffs = arena_alloc(arena, n, sizeof *payoffs);
    *owen = (struct owen){.split = arena_alloc(arena, n, sizeof *owen->split),
                          .least = arena_alloc(arena, n, sizeof *owen->least),
                          .greatest = arena_alloc(arena, n, sizeof *owen->greatest)};
    *ranged = false;
    if (payoffs == NULL || owen->split == NULL || owen->least == NULL || owen->greatest == NULL)
        return no_memory(fault);
    enum status status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK)
        status = find_split(market, environment, arena, owen, fault);
    lp_environment_close(environment);
    if (status == STATUS_OK)
        status = coalition_lp_open(market, &lp, fault);
    if (status == STATUS_OK)
        status = find_ranges(market, lp, payoffs, owen, ranged, fault);
    coalition_lp_close(lp);
    return status;
}
