#include "economics/market/outcome/averaging.h"

#include <math.h>

#include "base/tolerance.h"
#include "economics/market/rents.h"

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* The session's plan as the allocation that rents_find() starts from. */
static enum status allocation_of(const struct market *market, const struct session_result *result,
                                 struct arena *arena, struct allocation *allocation,
                                 struct fault *fault)
{
    *allocation =
        (struct allocation){.share = arena_alloc(arena, market->column_count, sizeof(double)),
                            .pool_dual = result->pool_rent_credits,
                            .row_dual = result->row_rent_credits,
                            .worth_credits = result->objective_credits};
    if (allocation->share == NULL)
        return no_room(fault);
    for (uint32_t u = 0; u < result->use_count; u++)
        allocation->share[result->uses[u].column] = result->uses[u].share;
    return STATUS_OK;
}

static enum status take(const struct market *market, const struct rents *rents, struct arena *arena,
                        struct session_result *result, struct fault *fault)
{
    double const bound = (double)rents->dual_nanos / NANOS_PER_CREDIT;
    if (!rents->averaged || !nearly_at_most(bound, result->upper_bound_credits, TOLERANCE_ANSWER))
        return STATUS_OK;
    double *pool = arena_alloc(arena, market->pool_count, sizeof(double));
    double *job = arena_alloc(arena, market->job_count, sizeof(double));
    double *row = arena_copy(arena, rents->row_rent, market->row_count * sizeof(double));
    if (pool == NULL || job == NULL || row == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < market->pool_count; p++)
        pool[p] = (double)rents->pool_nanos[p] / NANOS_PER_CREDIT;
    for (uint32_t j = 0; j < market->job_count; j++)
        job[j] = (double)rents->job_nanos[j] / NANOS_PER_CREDIT;
    result->pool_rent_credits = pool;
    result->job_surplus_credits = job;
    result->row_rent_credits = row;
    result->upper_bound_credits = bound;
    double const gap = bound > 0 ? (bound - result->objective_credits) / bound : 0;
    result->gap = fmax(0, gap);
    return STATUS_OK;
}

enum status averaging_run(const struct market *market, struct arena *arena,
                          struct session_result *result, struct fault *fault)
{
    if (!result->optimal || market->column_count > AVERAGING_COLUMNS_MAX)
        return STATUS_OK;
    struct lp_environment *environment = NULL;
    struct prepared prepared;
    struct allocation allocation;
    struct rents rents;
    struct arena scratch;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    enum status status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK)
        status = prepared_make(market, &scratch, &prepared, fault);
    if (status == STATUS_OK)
        status = allocation_of(market, result, &scratch, &allocation, fault);
    if (status == STATUS_OK)
        status = rents_find(&prepared, &allocation, environment, &scratch, &rents, fault);
    if (status == STATUS_OK)
        status = take(market, &rents, arena, result, fault);
    lp_environment_close(environment);
    arena_fini(&scratch);
    return status;
}
