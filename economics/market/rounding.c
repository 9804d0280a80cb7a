#include "economics/market/rounding.h"

#include <math.h>
#include <stdlib.h>

#include "economics/market/improving.h"

/* A column with the keys that it is sorted by. */
struct candidate {
    uint32_t column;
    int64_t share_nanos;
    int64_t loss_nanos;
    int64_t worth_micros;
    uint32_t gpus;
    uint32_t age_rounds;
};

static void keep_renewed(const struct prepared *prepared, const struct allocation *allocation,
                         double share_min, struct packing *packing);
static enum status place_in_order(const struct prepared *prepared,
                                  const struct allocation *allocation, const struct rents *rents,
                                  bool shares_only, struct packing *packing, struct fault *fault);
static enum status try_staying(const struct prepared *prepared, const struct allocation *allocation,
                               const struct rents *rents, struct packing *packing,
                               struct fault *fault);
static enum status try_whole(const struct prepared *prepared, const struct rents *rents,
                             struct lp_environment *environment, struct packing *packing,
                             struct fault *fault);

enum status rounding_make(const struct prepared *prepared, const struct allocation *allocation,
                          const struct rents *rents, struct lp_environment *environment,
                          struct packing *packing, struct fault *fault)
{
    keep_renewed(prepared, allocation, ROUNDING_RENEW, packing);
    enum status status = place_in_order(prepared, allocation, rents, false, packing, fault);
    if (status != STATUS_OK)
        return status;
    improving_run(prepared, packing);
    status = try_staying(prepared, allocation, rents, packing, fault);
    if (status != STATUS_OK)
        return status;
    wide const bound_micros = rents->dual_nanos / NANOS_PER_MICRO;
    if (packing_worth(packing) >= bound_micros)
        return STATUS_OK;
    return try_whole(prepared, rents, environment, packing, fault);
}

enum status rounding_place(const struct prepared *prepared, const struct allocation *allocation,
                           const struct rents *rents, struct packing *packing, struct fault *fault)
{
    keep_renewed(prepared, allocation, ROUNDING_RENEW, packing);
    return place_in_order(prepared, allocation, rents, true, packing, fault);
}

static void keep_renewed(const struct prepared *prepared, const struct allocation *allocation,
                         double share_min, struct packing *packing)
{
    const struct market *market = prepared->market;
    for (uint32_t j = 0; j < market->job_count; j++) {
        int32_t const held = market->jobs[j].held_column;
        if (held != MARKET_NONE && allocation->share[held] >= share_min &&
            prepared_usable(prepared, (uint32_t)held, NULL))
            (void)packing_add(packing, (uint32_t)held);
    }
}

/* Everybody stays who is worth something where it runs, whatever the LP's shares; taken if better:
 * nobody moves for less than staying is worth. */
static enum status try_staying(const struct prepared *prepared, const struct allocation *allocation,
                               const struct rents *rents, struct packing *packing,
                               struct fault *fault)
{
    const struct market *market = prepared->market;
    bool held = false;
    for (uint32_t j = 0; j < market->job_count && !held; j++)
        held = market->jobs[j].held_column != MARKET_NONE;
    if (!held)
        return STATUS_OK;
    wide const best = packing_worth(packing);
    packing_save(packing, PACKING_BEST);
    packing_clear(packing);
    keep_renewed(prepared, allocation, 0, packing);
    enum status const status = place_in_order(prepared, allocation, rents, false, packing, fault);
    improving_run(prepared, packing);
    if (packing_worth(packing) <= best)
        packing_restore(packing, PACKING_BEST);
    return status;
}

/* w / n descending, age descending, index ascending. */
static int compare_ties(const struct candidate *a, const struct candidate *b)
{
    wide const left = (wide)a->worth_micros * b->gpus;
    wide const right = (wide)b->worth_micros * a->gpus;
    if (left != right)
        return left > right ? -1 : 1;
    if (a->age_rounds != b->age_rounds)
        return a->age_rounds > b->age_rounds ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->share_nanos != b->share_nanos)
        return a->share_nanos > b->share_nanos ? -1 : 1;
    if (a->share_nanos == 0 && a->loss_nanos != b->loss_nanos)
        return a->loss_nanos < b->loss_nanos ? -1 : 1;
    return compare_ties(a, b);
}

/* What using this column wholly costs against the bound: λ_j + rents − w >= 0. */
static int64_t loss_nanos(const struct prepared *prepared, const struct rents *rents, uint32_t k)
{
    const struct market_column *column = &prepared->market->columns[k];
    return rents->job_nanos[column->job] + rents_of_column(prepared, rents, k) -
           column->worth.micros * NANOS_PER_MICRO;
}

static struct candidate candidate_of(const struct prepared *prepared,
                                     const struct allocation *allocation, const struct rents *rents,
                                     uint32_t k)
{
    const struct market *market = prepared->market;
    const struct market_column *column = &market->columns[k];
    return (struct candidate){
        .column = k,
        .share_nanos = (int64_t)llround(allocation->share[k] / ALLOCATION_SHARE_GRID),
        .loss_nanos = loss_nanos(prepared, rents, k),
        .worth_micros = column->worth.micros,
        .gpus = column->gpus,
        .age_rounds = market->jobs[column->job].age_rounds,
    };
}

static bool counts(const struct prepared *prepared, const struct allocation *allocation,
                   bool shares_only, uint32_t k)
{
    return (!shares_only || allocation->share[k] > 0) && prepared_usable(prepared, k, NULL);
}

/* Steps 2 and 3 in one order: columns with a share come first. */
static enum status place_in_order(const struct prepared *prepared,
                                  const struct allocation *allocation, const struct rents *rents,
                                  bool shares_only, struct packing *packing, struct fault *fault)
{
    const struct market *market = prepared->market;
    size_t room = 1;
    for (uint32_t k = 0; k < market->column_count; k++)
        room += counts(prepared, allocation, shares_only, k);
    struct candidate *candidates = malloc(room * sizeof *candidates);
    if (candidates == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to order the columns");
    uint32_t count = 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (counts(prepared, allocation, shares_only, k))
            candidates[count++] = candidate_of(prepared, allocation, rents, k);
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    for (uint32_t i = 0; i < count; i++)
        if (packing->state.column[market->columns[candidates[i].column].job] == PACKING_NONE)
            (void)packing_add(packing, candidates[i].column);
    free(candidates);
    return STATUS_OK;
}

/* -- Branch and bound -------------------------------------------------------------------------- */

/* 0 renewed, 1 one node, 2 any: the order in which a given choice packs best. */
static int packing_class(const struct prepared *prepared, uint32_t k)
{
    const struct market_job *job = &prepared->market->jobs[prepared->market->columns[k].job];
    if (job->held_column == (int32_t)k)
        return 0;
    return job->one_node ? 1 : 2;
}

/* As much of the choice as packs. (One-node jobs get packed anew, largest first, where need be.) */
static void pack_choice(const struct prepared *prepared, const bool *chosen,
                        struct packing *packing)
{
    packing_clear(packing);
    for (int class = 0; class <= 2; class ++)
        for (uint32_t k = 0; k < prepared->market->column_count; k++)
            if (chosen[k] && packing_class(prepared, k) == class)
                (void)packing_add(packing, k);
}

static int compare_losses(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->loss_nanos != b->loss_nanos)
        return a->loss_nanos < b->loss_nanos ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* The columns of the plan found, and ROUNDING_WHOLE_COLUMNS_MAX others that lose least against the
 * rents. What alone loses more than the plan does is no part of a
 * better one (reduced cost fixing). Returns how many. */
static uint32_t mark_promising(const struct prepared *prepared, const struct rents *rents,
                               const struct packing *packing, struct candidate *candidates,
                               bool *columns)
{
    const struct market *market = prepared->market;
    wide const gap = rents->dual_nanos - packing_worth(packing) * NANOS_PER_MICRO;
    uint32_t count = 0;
    uint32_t marked = 0;
    for (uint32_t k = 0; k < market->column_count; k++) {
        int64_t const loss = loss_nanos(prepared, rents, k);
        columns[k] = packing->state.column[market->columns[k].job] == (int32_t)k;
        marked += columns[k];
        if (!columns[k] && prepared_usable(prepared, k, NULL) && loss < gap)
            candidates[count++] = (struct candidate){.column = k, .loss_nanos = loss};
    }
    qsort(candidates, count, sizeof *candidates, compare_losses);
    for (uint32_t i = 0; i < count && i < ROUNDING_WHOLE_COLUMNS_MAX; i++, marked++)
        columns[candidates[i].column] = true;
    return marked;
}

static enum status try_whole(const struct prepared *prepared, const struct rents *rents,
                             struct lp_environment *environment, struct packing *packing,
                             struct fault *fault)
{
    size_t const room = (size_t)prepared->market->column_count + 1;
    bool *columns = calloc(room, sizeof *columns);
    struct candidate *candidates = malloc(room * sizeof *candidates);
    enum status status = STATUS_OK;
    struct allocation_choice choice = {.columns = columns, .now = packing->state.column};
    if (columns == NULL || candidates == NULL) {
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for a choice of columns");
    } else {
        uint32_t const count = mark_promising(prepared, rents, packing, candidates, columns);
        choice.nodes_max = ROUNDING_WHOLE_WORK_MAX / (count + 1);
        status = allocation_whole(prepared, environment, &choice, fault);
    }
    if (choice.found) {
        wide const best = packing_worth(packing);
        packing_save(packing, PACKING_BEST);
        pack_choice(prepared, columns, packing);
        improving_run(prepared, packing);
        if (packing_worth(packing) <= best)
            packing_restore(packing, PACKING_BEST);
    }
    free(columns);
    free(candidates);
    return status;
}
