#include "economics/market/certificate.h"

#include <math.h>
#include <stdlib.h>

#include "base/tolerance.h"
#include "economics/market/solver/standalone.h"

/* v(S) comes from a floating-point LP: less than this of a micro-credit is no excess. */
#define EXCESS_MICROS 1e-3

struct certifying {
    const struct prepared *prepared;
    struct lp_environment *environment;
    struct plan *plan;
    const wide *owen_nanos;
};

struct coalition {
    uint64_t mask;
    wide bound_nanos; /* owen(S) − u(S) >= v(S) − u(S) */
};

static void round_owen(const struct certifying *c, const wide *owen_nanos, struct fault *fault);
static enum status find_alone(struct certifying *c, struct arena *arena, struct fault *fault);
static enum status enumerate(struct certifying *c, struct arena *arena, struct fault *fault);
static void bound(struct certifying *c);

enum status certificate_make(const struct prepared *prepared, const struct rents *rents,
                             struct lp_environment *environment, struct arena *arena,
                             struct plan *plan, struct fault *fault)
{
    const struct market *market = prepared->market;
    wide *owen_nanos = arena_alloc(arena, market->member_count, sizeof *owen_nanos);
    if (owen_nanos == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    certificate_owen(prepared, rents, owen_nanos);
    struct certifying c = {
        .prepared = prepared, .environment = environment, .plan = plan, .owen_nanos = owen_nanos};
    round_owen(&c, owen_nanos, fault);
    enum status const status = find_alone(&c, arena, fault);
    if (status != STATUS_OK)
        return status;
    if (market->member_count <= PLAN_ENUMERATE_MEMBERS_MAX)
        return enumerate(&c, arena, fault);
    bound(&c);
    return STATUS_OK;
}

void certificate_owen(const struct prepared *prepared, const struct rents *rents, wide *owen_nanos)
{
    const struct market *market = prepared->market;
    for (uint32_t i = 0; i < market->member_count; i++)
        owen_nanos[i] = 0;
    for (uint32_t j = 0; j < market->job_count; j++)
        owen_nanos[market->jobs[j].home] += rents->job_nanos[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        owen_nanos[market->pools[p].owner] +=
            (wide)market->pools[p].gpu_count * rents->pool_nanos[p];
    for (uint32_t r = 0; r < market->row_count; r++)
        owen_nanos[market->rows[r].owner] +=
            rents_of_limit(market->rows[r].limit, rents->row_rent[r]);
}

/* Whole micro-credits by largest remainder, so that they add up to the bound. */
static void round_owen(const struct certifying *c, const wide *owen_nanos, struct fault *fault)
{
    (void)fault;
    struct plan_member *members = c->plan->members;
    uint32_t const count = c->prepared->market->member_count;
    int64_t left = c->plan->bound.micros;
    for (uint32_t i = 0; i < count; i++) {
        members[i].owen.micros = (int64_t)(owen_nanos[i] / NANOS_PER_MICRO);
        left -= members[i].owen.micros;
    }
    /* left < count: each remainder is below one micro-credit */
    for (int remainder = NANOS_PER_MICRO - 1; remainder >= 0 && left > 0; remainder--)
        for (uint32_t i = 0; i < count && left > 0; i++)
            if (owen_nanos[i] % NANOS_PER_MICRO == remainder) {
                members[i].owen.micros++;
                left--;
            }
}

/* Few members: by the LP that coalitions are solved by. Many: each by a simplex of its own. */
static enum status alone_worths(struct certifying *c, struct arena *arena, double **worth,
                                struct fault *fault)
{
    uint32_t const count = c->prepared->market->member_count;
    if (count > PLAN_ENUMERATE_MEMBERS_MAX) {
        struct standalone standalone;
        enum status const found =
            standalone_find(c->prepared->market, 1, arena, &standalone, fault);
        *worth = standalone.worth_credits;
        return found;
    }
    enum status status = STATUS_OK;
    *worth = arena_alloc(arena, count, sizeof **worth);
    if (*worth == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint64_t const mask = UINT64_C(1) << i;
        status = allocation_worth(c->prepared, c->environment, &mask, &(*worth)[i],
                                  &c->plan->iterations, fault);
    }
    return status;
}

static enum status find_alone(struct certifying *c, struct arena *arena, struct fault *fault)
{
    uint32_t const count = c->prepared->market->member_count;
    double *worth = NULL;
    enum status const status = alone_worths(c, arena, &worth, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        if (!credits_from_double(worth[i], &c->plan->members[i].alone))
            return fault_set(fault, STATUS_INTERNAL, "a member's worth alone is out of range");
    return STATUS_OK;
}

static int compare_coalitions(const void *left, const void *right)
{
    const struct coalition *a = left;
    const struct coalition *b = right;
    if (a->bound_nanos != b->bound_nanos)
        return a->bound_nanos > b->bound_nanos ? -1 : 1;
    return (a->mask > b->mask) - (a->mask < b->mask);
}

static struct coalition *list_coalitions(const struct certifying *c, struct arena *arena)
{
    uint32_t const members = c->prepared->market->member_count;
    size_t const count = (size_t)1 << members;
    struct coalition *coalitions = arena_alloc(arena, count, sizeof *coalitions);
    for (size_t mask = 0; coalitions != NULL && mask < count; mask++) {
        coalitions[mask].mask = mask;
        for (uint32_t i = 0; i < members; i++)
            if ((mask >> i & 1) != 0)
                coalitions[mask].bound_nanos +=
                    c->owen_nanos[i] - (wide)c->plan->members[i].payoff.micros * NANOS_PER_MICRO;
    }
    if (coalitions != NULL)
        qsort(coalitions, count, sizeof *coalitions, compare_coalitions);
    return coalitions;
}

static enum status excess(struct certifying *c, uint64_t mask, double *micros, struct fault *fault)
{
    double worth;
    enum status const status =
        allocation_worth(c->prepared, c->environment, &mask, &worth, &c->plan->iterations, fault);
    if (status != STATUS_OK)
        return status;
    double const v = worth * MICROS_PER_CREDIT;
    double u = 0;
    for (uint32_t i = 0; i < c->prepared->market->member_count; i++)
        if ((mask >> i & 1) != 0)
            u += (double)c->plan->members[i].payoff.micros;
    double const over = v - u;
    *micros = over > EXCESS_MICROS + TOLERANCE_LP * fmax(v, fabs(u)) ? over : 0;
    return STATUS_OK;
}

static enum status enumerate(struct certifying *c, struct arena *arena, struct fault *fault)
{
    size_t const count = (size_t)1 << c->prepared->market->member_count;
    const struct coalition *coalitions = list_coalitions(c, arena);
    if (coalitions == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    double worst_micros = 0; /* of nobody: v(∅) − u(∅) = 0 */
    uint32_t lps = 0;
    for (size_t i = 0; i < count; i++) {
        if ((double)coalitions[i].bound_nanos <= worst_micros * NANOS_PER_MICRO)
            break;
        if (lps++ == CERTIFICATE_LPS_MAX) {
            bound(c);
            return STATUS_OK;
        }
        double micros;
        enum status const status = excess(c, coalitions[i].mask, &micros, fault);
        if (status != STATUS_OK)
            return status;
        worst_micros = fmax(worst_micros, micros);
    }
    c->plan->epsilon.micros = (int64_t)ceil(worst_micros - EXCESS_MICROS);
    c->plan->epsilon_exact = true;
    return STATUS_OK;
}

static void bound(struct certifying *c)
{
    wide nanos = 0;
    for (uint32_t i = 0; i < c->prepared->market->member_count; i++) {
        wide const short_by =
            c->owen_nanos[i] - (wide)c->plan->members[i].payoff.micros * NANOS_PER_MICRO;
        if (short_by > 0)
            nanos += short_by;
    }
    c->plan->epsilon.micros = (int64_t)((nanos + NANOS_PER_MICRO - 1) / NANOS_PER_MICRO);
    c->plan->epsilon_exact = false;
}
