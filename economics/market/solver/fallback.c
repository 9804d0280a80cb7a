#include "economics/market/solver/fallback.h"

#include "economics/market/solver/covering.h"

static enum status report(const struct market *market, const struct allocation *allocation,
                          const struct rents *rents, struct arena *arena,
                          struct session_result *result)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        count += allocation->share[k] > 0;
    struct session_use *uses = arena_alloc(arena, count, sizeof *uses);
    if (uses == NULL)
        return STATUS_EXHAUSTED;
    result->uses = uses;
    result->use_count = 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (allocation->share[k] > 0)
            result->uses[result->use_count++] =
                (struct session_use){.column = k, .share = allocation->share[k]};
    for (uint32_t p = 0; p < market->pool_count; p++)
        result->pool_rent_credits[p] = (double)rents->pool_nanos[p] / NANOS_PER_CREDIT;
    for (uint32_t j = 0; j < market->job_count; j++)
        result->job_surplus_credits[j] = (double)rents->job_nanos[j] / NANOS_PER_CREDIT;
    for (uint32_t r = 0; r < market->row_count; r++)
        result->row_rent_credits[r] = rents->row_rent[r];
    result->objective_credits = allocation->worth_credits;
    result->upper_bound_credits = (double)rents->dual_nanos / NANOS_PER_CREDIT;
    return STATUS_OK;
}

/* With GLPK's scaling, or without: where numbers are far apart one of them may do. */
static enum status try_once(const struct prepared *prepared, bool rescaled, struct arena *arena,
                            struct arena *scratch, struct session_result *result)
{
    struct lp_environment *environment = NULL;
    struct allocation allocation;
    struct rents rents;
    enum status status = lp_environment_open(&environment, NULL);
    if (status == STATUS_OK)
        status = allocation_solve(prepared, environment, rescaled, scratch, &allocation, NULL);
    if (status == STATUS_OK)
        status = covering_make(prepared->market, allocation.pool_dual, allocation.row_dual, scratch,
                               &rents, NULL);
    lp_environment_close(environment);
    if (status != STATUS_OK)
        return status;
    result->iterations += allocation.iterations;
    double const bound = (double)rents.dual_nanos / NANOS_PER_CREDIT;
    if (bound - allocation.worth_credits >= result->upper_bound_credits - result->objective_credits)
        return STATUS_OK;
    return report(prepared->market, &allocation, &rents, arena, result);
}

enum status fallback_try(const struct market *market, struct arena *arena,
                         struct session_result *result)
{
    struct arena scratch;
    struct prepared prepared;
    if (market->column_count > FALLBACK_COLUMNS_MAX)
        return STATUS_OK;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    enum status status = prepared_make(market, &scratch, &prepared, NULL);
    for (int rescaled = 0; rescaled < 2 && status == STATUS_OK && !result->optimal; rescaled++) {
        /* That GLPK has no answer either is no failure: there is one, with its gap. */
        enum status const tried = try_once(&prepared, rescaled == 1, arena, &scratch, result);
        status = tried == STATUS_EXHAUSTED || tried == STATUS_NO_MEMORY ? tried : STATUS_OK;
        session_judge(result);
    }
    arena_fini(&scratch);
    return status;
}
