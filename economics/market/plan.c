#include "economics/market/plan.h"

#include <assert.h>
#include <math.h>

#include "base/tolerance.h"
#include "economics/market/certificate.h"
#include "economics/market/naming.h"
#include "economics/market/posting.h"
#include "economics/market/rounding.h"
#include "economics/market/solver/covering.h"
#include "economics/market/solver/gangs.h"

/* One call's working memory; the result lies in the caller's arena. */
struct planning {
    const struct market *market;
    struct session *session;
    const struct session_options *options;
    struct arena *arena;
    struct arena scratch;
    struct lp_environment *environment;
    struct prepared prepared;
    struct session_result result;
    struct allocation allocation;
    struct rents rents;
    struct packing packing;
    bool small; /* enough for the midpoint of the optimal face, and for branch and bound */
};

static enum status prepare(struct planning *p, struct plan *plan, struct fault *fault);
static enum status allocate(struct planning *p, struct plan *plan, struct fault *fault);
static enum status find_rents(struct planning *p, struct plan *plan, struct fault *fault);
static enum status report_rents(struct planning *p, struct plan *plan, struct fault *fault);
static enum status round_to_gpus(struct planning *p, struct plan *plan, struct fault *fault);
static enum status post(struct planning *p, struct plan *plan, struct fault *fault);
static enum status certify(struct planning *p, struct plan *plan, struct fault *fault);

enum status plan_make(const struct market *market, struct arena *arena, struct plan *plan,
                      struct fault *fault)
{
    static const struct session_options usual = {.method = SESSION_AUTO};
    struct session *session;
    enum status status = session_open(&session, fault);
    if (status != STATUS_OK)
        return status;
    status = plan_make_with(market, session, &usual, arena, plan, fault);
    session_close(session);
    return status;
}

enum status plan_make_with(const struct market *market, struct session *session,
                           const struct session_options *options, struct arena *arena,
                           struct plan *plan, struct fault *fault)
{
    *plan = (struct plan){0};
    if (options->member_weight != NULL || options->guarantee_standalone)
        return fault_set(fault, STATUS_INVALID,
                         "whole GPUs are planned for the unweighted welfare alone");
    enum status status = market_validate(market, fault);
    if (status != STATUS_OK)
        return status;
    struct planning p = {.market = market,
                         .session = session,
                         .options = options,
                         .arena = arena,
                         .small = market->column_count <= PLAN_SMALL_COLUMNS};
    arena_init(&p.scratch, ARENA_ROUND_BYTES);
    enum status (*const steps[])(struct planning *, struct plan *, struct fault *) = {
        allocate, prepare, find_rents, report_rents, round_to_gpus, post, certify};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++) {
        double const begun = session_seconds(options);
        status = steps[i](&p, plan, fault);
        if (steps[i] != allocate) /* whose phases are its own */
            plan->seconds[steps[i] == round_to_gpus ? SESSION_GANGS : SESSION_CERTIFY] +=
                session_seconds(options) - begun;
    }
    lp_environment_close(p.environment);
    arena_fini(&p.scratch);
    return status;
}

static enum status prepare(struct planning *p, struct plan *plan, struct fault *fault)
{
    plan->members = arena_alloc(p->arena, p->market->member_count, sizeof *plan->members);
    plan->pool_rent_credits = arena_alloc(p->arena, p->market->pool_count, sizeof(double));
    plan->pool_price = arena_alloc(p->arena, p->market->pool_count, sizeof *plan->pool_price);
    plan->job_surplus_credits = arena_alloc(p->arena, p->market->job_count, sizeof(double));
    if (plan->members == NULL || plan->pool_rent_credits == NULL || plan->pool_price == NULL ||
        plan->job_surplus_credits == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    enum status const status = lp_environment_open(&p->environment, fault);
    if (status != STATUS_OK)
        return status;
    return prepared_make(p->market, &p->scratch, &p->prepared, fault);
}

static double on_grid(double share)
{
    double const clipped = fmin(fmax(share, 0), 1);
    return round(clipped / ALLOCATION_SHARE_GRID) * ALLOCATION_SHARE_GRID;
}

static enum status allocate(struct planning *p, struct plan *plan, struct fault *fault)
{
    const struct market *market = p->market;
    enum status const status =
        session_solve(p->session, market, p->options, &p->scratch, &p->result, fault);
    if (status != STATUS_OK)
        return status;
    plan->lp_share = arena_alloc(p->arena, market->column_count, sizeof *plan->lp_share);
    if (plan->lp_share == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t u = 0; u < p->result.use_count; u++)
        plan->lp_share[p->result.uses[u].column] = on_grid(p->result.uses[u].share);
    p->allocation = (struct allocation){.share = plan->lp_share,
                                        .pool_dual = p->result.pool_rent_credits,
                                        .row_dual = p->result.row_rent_credits,
                                        .worth_credits = p->result.objective_credits};
    plan->iterations = p->result.iterations;
    plan->method = p->result.method;
    plan->lp_optimal = p->result.optimal;
    plan->warm = p->result.warm;
    plan->passes = p->result.passes;
    for (int phase = 0; phase < SESSION_PHASE_COUNT; phase++)
        plan->seconds[phase] = p->result.seconds[phase];
    return STATUS_OK;
}

/* The midpoint of the optimal face, where the market is small and numbers allow it; else where the
 * solver ended. */
static enum status find_rents(struct planning *p, struct plan *plan, struct fault *fault)
{
    if (p->small && p->result.optimal) {
        enum status const status =
            rents_find(&p->prepared, &p->allocation, p->environment, p->arena, &p->rents, fault);
        if (status != STATUS_OK)
            return status;
        plan->iterations += p->rents.iterations;
        double const credits = (double)p->rents.dual_nanos / NANOS_PER_CREDIT;
        if (nearly_at_most(credits, p->allocation.worth_credits, TOLERANCE_ANSWER))
            return STATUS_OK;
    }
    return covering_make(p->market, p->result.pool_rent_credits, p->result.row_rent_credits,
                         p->arena, &p->rents, fault);
}

static enum status report_rents(struct planning *p, struct plan *plan, struct fault *fault)
{
    wide const micros = p->rents.dual_nanos / NANOS_PER_MICRO;
    if (micros > INT64_MAX)
        return fault_set(fault, STATUS_INVALID, "the market is worth more than can be counted");
    plan->bound.micros = (int64_t)micros;
    plan->row_rent_credits = p->rents.row_rent;
    for (uint32_t j = 0; j < p->market->job_count; j++)
        plan->job_surplus_credits[j] = (double)p->rents.job_nanos[j] / NANOS_PER_CREDIT;
    for (uint32_t i = 0; i < p->market->pool_count; i++) {
        int64_t const nanos = p->rents.pool_nanos[i];
        plan->pool_rent_credits[i] = (double)nanos / NANOS_PER_CREDIT;
        wide const a_second =
            ((wide)nanos * MS_PER_SECOND + p->market->round_ms / 2) / p->market->round_ms;
        wide const price = p->market->pools[i].cost.nanos + a_second;
        plan->pool_price[i].nanos = price > INT64_MAX ? INT64_MAX : (int64_t)price;
    }
    return STATUS_OK;
}

/* Chains of moves; in a small market also what branch and bound finds, where that is better. */
static enum status pack(struct planning *p, struct fault *fault)
{
    struct packing *packing = &p->packing;
    enum status status = gangs_make(&p->prepared, &p->allocation, &p->rents, packing, fault);
    wide const bound_micros = p->rents.dual_nanos / NANOS_PER_MICRO;
    wide const chained = packing_worth(packing);
    if (status != STATUS_OK || !p->small || chained >= bound_micros)
        return status;
    packing_save(packing, PACKING_OTHER);
    packing_clear(packing);
    status = rounding_make(&p->prepared, &p->allocation, &p->rents, p->environment, packing, fault);
    if (packing_worth(packing) < chained)
        packing_restore(packing, PACKING_OTHER);
    return status;
}

static enum status round_to_gpus(struct planning *p, struct plan *plan, struct fault *fault)
{
    enum status status = packing_make(&p->prepared, &p->scratch, &p->packing, fault);
    if (status == STATUS_OK)
        status = pack(p, fault);
    if (status == STATUS_OK)
        status = naming_run(&p->prepared, &p->packing, p->arena, plan, fault);
    return status;
}

static enum status post(struct planning *p, struct plan *plan, struct fault *fault)
{
    enum status const status = posting_run(&p->prepared, &p->rents, p->arena, plan, fault);
    assert(status != STATUS_OK || plan->objective.micros <= plan->bound.micros);
    return status;
}

static enum status certify(struct planning *p, struct plan *plan, struct fault *fault)
{
    return certificate_make(&p->prepared, &p->rents, p->environment, &p->scratch, plan, fault);
}

enum status market_worth(const struct market *market, const uint64_t *mask, double *worth_credits,
                         struct fault *fault)
{
    struct lp_environment *environment = NULL;
    struct prepared prepared;
    struct arena scratch;
    uint64_t iterations = 0;
    enum status status = market_validate(market, fault);
    if (status != STATUS_OK)
        return status;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    status = prepared_make(market, &scratch, &prepared, fault);
    if (status == STATUS_OK)
        status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK)
        status = allocation_worth(&prepared, environment, mask, worth_credits, &iterations, fault);
    lp_environment_close(environment);
    arena_fini(&scratch);
    return status;
}
