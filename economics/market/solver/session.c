/* A first, thin session: the exact LP and its rents through GLPK, cold each time. */
#include "economics/market/solver/session.h"

#include <stdlib.h>

#include "economics/market/rents.h"

struct session {
    bool kept; /* nothing else yet */
};

static const uint8_t nothing_kept[] = {'E', 'N', 'T', 'S', 0};

enum status session_open(struct session **session, struct fault *fault)
{
    *session = calloc(1, sizeof **session);
    return *session != NULL ? STATUS_OK
                            : fault_set(fault, STATUS_NO_MEMORY, "no memory for a market session");
}

void session_close(struct session *session)
{
    free(session);
}

void session_forget(struct session *session)
{
    session->kept = false;
}

static enum status refuse_options(const struct session_options *options, struct fault *fault)
{
    if (options->threads > SESSION_THREADS_MAX)
        return fault_set(fault, STATUS_INVALID, "threads: give at most %d", SESSION_THREADS_MAX);
    if (options->member_weight != NULL || options->member_floor_credits != NULL ||
        options->guarantee_standalone)
        return fault_set(fault, STATUS_INVALID, "weights and floors are not supported yet");
    return STATUS_OK;
}

static enum status report(const struct market *market, const struct allocation *allocation,
                          const struct rents *rents, struct arena *arena,
                          struct session_result *result, struct fault *fault)
{
    for (uint32_t k = 0; k < market->column_count; k++)
        result->use_count += allocation->share[k] > 0;
    result->uses = arena_alloc(arena, result->use_count, sizeof *result->uses);
    result->pool_rent_credits = arena_alloc(arena, market->pool_count, sizeof(double));
    result->job_surplus_credits = arena_alloc(arena, market->job_count, sizeof(double));
    if (result->uses == NULL || result->pool_rent_credits == NULL ||
        result->job_surplus_credits == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    uint32_t used = 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (allocation->share[k] > 0)
            result->uses[used++] = (struct session_use){.column = k, .share = allocation->share[k]};
    for (uint32_t p = 0; p < market->pool_count; p++)
        result->pool_rent_credits[p] = (double)rents->pool_nanos[p] / NANOS_PER_CREDIT;
    for (uint32_t j = 0; j < market->job_count; j++)
        result->job_surplus_credits[j] = (double)rents->job_nanos[j] / NANOS_PER_CREDIT;
    result->row_rent_credits = rents->row_rent;
    result->objective_credits = allocation->worth_credits;
    result->upper_bound_credits = (double)rents->dual_nanos / NANOS_PER_CREDIT;
    double const short_by = result->upper_bound_credits - result->objective_credits;
    result->gap = result->upper_bound_credits > 0 && short_by > 0
                      ? short_by / result->upper_bound_credits
                      : 0;
    result->optimal = result->gap <= 1e-6;
    result->iterations = allocation->iterations + rents->iterations;
    return STATUS_OK;
}

enum status session_solve(struct session *session, const struct market *market,
                          const struct session_options *options, struct arena *arena,
                          struct session_result *result, struct fault *fault)
{
    *result = (struct session_result){.method = SESSION_EXACT};
    (void)session;
    struct lp_environment *environment = NULL;
    struct prepared prepared;
    struct allocation allocation;
    struct rents rents;
    struct arena scratch;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    enum status status = refuse_options(options, fault);
    if (status == STATUS_OK)
        status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK)
        status = prepared_make(market, &scratch, &prepared, fault);
    if (status == STATUS_OK)
        status = allocation_solve(&prepared, environment, false, &scratch, &allocation, fault);
    if (status == STATUS_OK)
        status = rents_find(&prepared, &allocation, environment, arena, &rents, fault);
    if (status == STATUS_OK)
        status = report(market, &allocation, &rents, arena, result, fault);
    lp_environment_close(environment);
    arena_fini(&scratch);
    return status;
}

enum status session_save(const struct session *session, struct arena *arena, struct bytes *bytes,
                         struct fault *fault)
{
    (void)session;
    void *copy = arena_copy(arena, nothing_kept, sizeof nothing_kept);
    if (copy == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    *bytes = (struct bytes){.data = copy, .size = sizeof nothing_kept};
    return STATUS_OK;
}

enum status session_load(struct session *session, struct bytes bytes, struct fault *fault)
{
    session_forget(session);
    if (bytes.size != sizeof nothing_kept)
        return fault_set(fault, STATUS_CORRUPT, "not the state of a market session");
    return STATUS_OK;
}
