#include "economics/games/market_objection.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/excess.h"
#include "economics/games/market_core.h"
#include "economics/games/market_core_internal.h"
#include "economics/games/market_relaxation.h"

#define ENOUGH 1e-7 /* of v(N): nobody objects by more than this: looked no further */

enum { LOOKED_AT_PER_PASS = 16, SWEEPS_MAX = 200 };

/* A local search: the coalition at hand and the best so far. */
struct search {
    struct coalition_lp *lp;
    uint32_t n;
    const double *split;
    bool (*stop)(void *context);
    void *context;
    bool *in;
    uint32_t size;
    double excess; /* of in[] */
    struct market_objection *best;
};

static enum status exactly(const struct market *market, const double *split,
                           bool (*stop)(void *context), void *context,
                           struct market_objection *objection, struct fault *fault);
static enum status by_search(struct search *search, double *payoffs, struct fault *fault);

enum status market_objection(const struct market *market, const double *split,
                             bool (*stop)(void *context), void *context, struct arena *arena,
                             struct market_objection *objection, struct fault *fault)
{
    uint32_t n = market->member_count;
    assert(n >= 2);
    struct search search = {.n = n,
                            .split = split,
                            .stop = stop,
                            .context = context,
                            .in = arena_alloc(arena, n, sizeof *search.in),
                            .best = objection};
    double *payoffs = arena_alloc(arena, n, sizeof *payoffs);
    *objection = (struct market_objection){.in = arena_alloc(arena, n, sizeof *objection->in),
                                           .alone = arena_alloc(arena, n, sizeof(double)),
                                           .by = (double)-INFINITY};
    if (search.in == NULL || payoffs == NULL || objection->in == NULL || objection->alone == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to look for an objection");
    if (n <= MARKET_CORE_TABLE_MEMBERS_MAX)
        return exactly(market, split, stop, context, objection, fault);
    enum status status = coalition_lp_open(market, &search.lp, fault);
    if (status == STATUS_OK)
        status = by_search(&search, payoffs, fault);
    coalition_lp_close(search.lp);
    return status;
}

/* --- Exactly, by bounds ---------------------------------------------------------------------- */

static void remember(struct market_objection *objection, uint32_t members, uint32_t coalition,
                     double by)
{
    objection->by = by;
    for (uint32_t i = 0; i < members; i++)
        objection->in[i] = (coalition >> i & 1) != 0;
}

static enum status narrow(struct market_bounds *bounds, const double *split,
                          bool (*stop)(void *context), void *context,
                          struct market_objection *objection, struct fault *fault)
{
    for (;;) {
        struct excess_scan scan = {.worth = bounds->bound,
                                   .players = bounds->members,
                                   .x = split,
                                   .above = (double)-INFINITY};
        struct excess_list worst;
        excess_worst(&scan, LOOKED_AT_PER_PASS, &worst);
        objection->at_most = worst.excess[0];
        for (uint32_t k = 0; k < worst.count; k++)
            if (bounds->exact[worst.coalition[k]] != 0 && worst.excess[k] > objection->by)
                remember(objection, bounds->members, worst.coalition[k], worst.excess[k]);
        if (bounds->exact[worst.coalition[0]] != 0 || (stop != NULL && stop(context)))
            return STATUS_OK;
        for (uint32_t k = 0; k < worst.count; k++) {
            enum status status = market_bounds_solve(bounds, worst.coalition[k], fault);
            if (status != STATUS_OK)
                return status;
        }
    }
}

static enum status exactly(const struct market *market, const double *split,
                           bool (*stop)(void *context), void *context,
                           struct market_objection *objection, struct fault *fault)
{
    struct market_bounds bounds;
    enum status status = market_bounds_open(market, &bounds, fault);
    if (status != STATUS_OK)
        return status;
    objection->total = bounds.total;
    for (uint32_t i = 0; i < bounds.members; i++) {
        objection->alone[i] = bounds.bound[1u << i];
        if (objection->alone[i] - split[i] > objection->by)
            remember(objection, bounds.members, 1u << i, objection->alone[i] - split[i]);
    }
    status = narrow(&bounds, split, stop, context, objection, fault);
    market_bounds_close(&bounds);
    return status;
}

/* --- By local search ------------------------------------------------------------------------- */

static enum status evaluate(struct search *search, struct fault *fault)
{
    double worth;
    search->excess = 0.0;
    search->size = 0;
    for (uint32_t i = 0; i < search->n; i++) {
        coalition_lp_set(search->lp, i, search->in[i] ? 1.0 : 0.0);
        search->excess -= search->in[i] ? search->split[i] : 0.0;
        search->size += search->in[i] ? 1 : 0;
    }
    enum status status = coalition_lp_solve(search->lp, &worth, fault);
    search->excess += worth;
    if (status != STATUS_OK || search->size == 0 || search->size == search->n ||
        search->excess <= search->best->by)
        return status;
    search->best->by = search->excess;
    memcpy(search->best->in, search->in, search->n * sizeof *search->in);
    return STATUS_OK;
}

/* From in[]: whoever's joining or leaving raises the objection does so, until nobody's does. */
static enum status climb(struct search *search, struct fault *fault)
{
    bool better = true;
    enum status status = evaluate(search, fault);
    for (uint32_t sweep = 0; better && sweep < SWEEPS_MAX && status == STATUS_OK; sweep++) {
        better = false;
        for (uint32_t i = 0; i < search->n && status == STATUS_OK; i++) {
            double before = search->excess;
            search->in[i] = !search->in[i];
            status = evaluate(search, fault);
            bool stays = search->excess > before + 1e-12 * search->best->total &&
                         search->size > 0 && search->size < search->n;
            if (!stays) {
                search->in[i] = !search->in[i];
                search->excess = before;
            }
            better = better || stays;
            if (search->stop != NULL && search->stop(search->context))
                return status;
        }
    }
    return status;
}

static enum status alone_and_without(struct search *search, uint32_t *worst, struct fault *fault)
{
    double most = (double)-INFINITY;
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < 2 * search->n && status == STATUS_OK; k++) {
        for (uint32_t i = 0; i < search->n; i++)
            search->in[i] = (i == k / 2) == (k % 2 == 0);
        status = evaluate(search, fault);
        if (k % 2 == 0)
            search->best->alone[k / 2] = search->excess + search->split[k / 2];
        if (search->excess > most) {
            most = search->excess;
            *worst = k;
        }
    }
    return status;
}

static enum status by_search(struct search *search, double *payoffs, struct fault *fault)
{
    struct market_objection *best = search->best;
    uint32_t worst = 0;
    for (uint32_t i = 0; i < search->n; i++)
        coalition_lp_set(search->lp, i, 1.0);
    enum status status = coalition_lp_solve(search->lp, &best->total, fault);
    if (status == STATUS_OK && !coalition_lp_payoffs(search->lp, payoffs))
        status = fault_set(fault, STATUS_INTERNAL, "the market's LP gave no prices");
    if (status == STATUS_OK)
        status = alone_and_without(search, &worst, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < search->n; i++) {
        best->at_most += fmax(0.0, payoffs[i] - search->split[i]);
        search->in[i] = payoffs[i] > search->split[i];
    }
    status = climb(search, fault);
    for (uint32_t i = 0; i < search->n; i++)
        search->in[i] = (i == worst / 2) == (worst % 2 == 0);
    if (status == STATUS_OK && !(search->stop != NULL && search->stop(search->context)))
        status = climb(search, fault);
    if (status == STATUS_OK)
        status = market_relaxation(search->lp, search->n, search->split, best->total,
                                   fmax(best->by, ENOUGH * best->total), search->stop,
                                   search->context, &best->at_most, fault);
    best->at_most = fmax(best->at_most, best->by);
    return status;
}
