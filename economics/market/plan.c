#include "economics/market/plan.h"

#include <assert.h>
#include <math.h>

#include "base/tolerance.h"
#include "economics/market/certificate.h"
#include "economics/market/naming.h"
#include "economics/market/posting.h"
#include "economics/market/rounding.h"

/* One call's working memory; the result lies in the caller's arena. */
struct planning {
    const struct market *market;
    struct arena *arena;
    struct arena scratch;
    struct lp_environment *environment;
    struct prepared prepared;
    struct allocation allocation;
    struct rents rents;
    struct packing packing;
};

static enum status prepare(struct planning *p, struct plan *plan, struct fault *fault);
static enum status allocate(struct planning *p, struct plan *plan, struct fault *fault);
static enum status report_rents(struct planning *p, struct plan *plan, struct fault *fault);
static enum status round_to_gpus(struct planning *p, struct plan *plan, struct fault *fault);
static enum status post(struct planning *p, struct plan *plan, struct fault *fault);
static enum status certify(struct planning *p, struct plan *plan, struct fault *fault);

enum status plan_make(const struct market *market, struct arena *arena, struct plan *plan,
                      struct fault *fault)
{
    *plan = (struct plan){0};
    enum status status = market_validate(market, fault);
    if (status != STATUS_OK)
        return status;
    struct planning p = {.market = market, .arena = arena};
    arena_init(&p.scratch, ARENA_ROUND_BYTES);
    enum status (*const steps[])(struct planning *, struct plan *, struct fault *) = {
        prepare, allocate, report_rents, round_to_gpus, post, certify};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&p, plan, fault);
    lp_environment_close(p.environment);
    arena_fini(&p.scratch);
    return status;
}

enum status plan_make_with(const struct market *market, struct session *session,
                           const struct session_options *options, struct arena *arena,
                           struct plan *plan, struct fault *fault)
{
    (void)session; /* thin for now: cold each time */
    (void)options;
    return plan_make(market, arena, plan, fault);
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

/* One pair of optimal x and optimal duals. */
struct optimum {
    struct allocation allocation;
    struct rents rents;
};

static enum status find_optimum(struct planning *p, bool rescaled, struct optimum *optimum,
                                struct fault *fault)
{
    enum status const status = allocation_solve(&p->prepared, p->environment, rescaled, p->arena,
                                                &optimum->allocation, fault);
    if (status != STATUS_OK)
        return status;
    return rents_find(&p->prepared, &optimum->allocation, p->environment, p->arena, &optimum->rents,
                      fault);
}

/* What x and duals differ by, in parts of what they are worth; an optimum's agree. */
static double disagreement(const struct optimum *optimum)
{
    double const dual = (double)optimum->rents.dual_nanos / NANOS_PER_CREDIT;
    return fabs(dual - optimum->allocation.worth_credits) / fmax(dual, 1e-6);
}

/* Where the market's numbers are so far apart that x and duals disagree, GLPK's scaling is tried
 * too, and the better pair taken. */
static enum status allocate(struct planning *p, struct plan *plan, struct fault *fault)
{
    struct optimum first;
    enum status status = find_optimum(p, false, &first, fault);
    if (status != STATUS_OK || disagreement(&first) > TOLERANCE_ANSWER) {
        struct optimum second;
        enum status const again = find_optimum(p, true, &second, fault);
        if (again == STATUS_OK &&
            (status != STATUS_OK || disagreement(&second) < disagreement(&first))) {
            first = second;
            status = again;
        }
    }
    if (status != STATUS_OK)
        return status;
    p->allocation = first.allocation;
    p->rents = first.rents;
    plan->lp_share = p->allocation.share;
    plan->iterations += p->allocation.iterations + p->rents.iterations;
    return STATUS_OK;
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

static enum status round_to_gpus(struct planning *p, struct plan *plan, struct fault *fault)
{
    enum status status = packing_make(&p->prepared, &p->scratch, &p->packing, fault);
    if (status == STATUS_OK)
        status = rounding_make(&p->prepared, &p->allocation, &p->rents, p->environment, &p->packing,
                               fault);
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
