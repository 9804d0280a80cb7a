#include "economics/market/improving.h"

#include "economics/market/rounding.h"

struct improving {
    const struct prepared *prepared;
    struct packing *packing;
    uint32_t tries_left;
};

static bool improve_job(struct improving *improving, uint32_t job);

void improving_run(const struct prepared *prepared, struct packing *packing)
{
    struct improving improving = {
        .prepared = prepared, .packing = packing, .tries_left = ROUNDING_TRIES_MAX};
    bool better = true;
    for (int pass = 0; pass < ROUNDING_IMPROVE_PASSES_MAX && better; pass++) {
        better = false;
        for (uint32_t j = 0; j < prepared->market->job_count && improving.tries_left > 0; j++)
            if (improve_job(&improving, j))
                better = true;
    }
}

static int64_t worth(const struct improving *improving, int32_t column)
{
    return column == PACKING_NONE ? 0 : improving->prepared->market->columns[column].worth.micros;
}

static int32_t column_of(const struct improving *improving, uint32_t job)
{
    return improving->packing->state.column[job];
}

/* The job's best column above `than` that fits now; it is added. PACKING_NONE: none. */
static int32_t add_best(struct improving *improving, uint32_t job, int64_t than)
{
    const struct market_job *of = &improving->prepared->market->jobs[job];
    int32_t best = PACKING_NONE;
    for (uint32_t k = of->first_column; k < of->first_column + of->column_count; k++) {
        if (worth(improving, (int32_t)k) <= than || !prepared_usable(improving->prepared, k, NULL))
            continue;
        if (improving->tries_left == 0)
            break;
        improving->tries_left--;
        if (!packing_add(improving->packing, k))
            continue;
        packing_remove(improving->packing, job);
        than = worth(improving, (int32_t)k);
        best = (int32_t)k;
    }
    /* What fitted a moment ago may fit only packed anew; where not, nothing is lost but the try. */
    return best != PACKING_NONE && packing_add(improving->packing, (uint32_t)best) ? best
                                                                                   : PACKING_NONE;
}

/* A better column of its own, with the place it has now given up. */
static bool move(struct improving *improving, uint32_t job)
{
    int32_t const now = column_of(improving, job);
    packing_save(improving->packing, PACKING_TRY);
    if (now != PACKING_NONE)
        packing_remove(improving->packing, job);
    if (add_best(improving, job, worth(improving, now)) != PACKING_NONE)
        return true;
    packing_restore(improving->packing, PACKING_TRY);
    return false;
}

/* Column k takes the place of `victim`, which goes where it can; kept if all in all worth rises. */
static bool replace(struct improving *improving, uint32_t k, uint32_t victim)
{
    uint32_t const job = improving->prepared->market->columns[k].job;
    int64_t const before = worth(improving, column_of(improving, job)) +
                           worth(improving, column_of(improving, victim));
    packing_save(improving->packing, PACKING_TRY);
    if (column_of(improving, job) != PACKING_NONE)
        packing_remove(improving->packing, job);
    packing_remove(improving->packing, victim);
    improving->tries_left--;
    if (packing_add(improving->packing, k)) {
        int64_t const after =
            worth(improving, (int32_t)k) + worth(improving, add_best(improving, victim, 0));
        if (after > before)
            return true;
    }
    packing_restore(improving->packing, PACKING_TRY);
    return false;
}

static bool swap(struct improving *improving, uint32_t job, uint32_t k)
{
    const struct market_column *column = &improving->prepared->market->columns[k];
    int32_t victim = improving->packing->state.first[column->pool];
    while (victim != PACKING_NONE && improving->tries_left > 0) {
        int32_t const next = improving->packing->state.next[victim];
        uint32_t const freed =
            improving->packing->state.pool_free[column->pool] +
            improving->prepared->market->columns[column_of(improving, (uint32_t)victim)].gpus;
        if (victim != (int32_t)job && freed >= column->gpus &&
            replace(improving, k, (uint32_t)victim))
            return true;
        victim = next;
    }
    return false;
}

static bool improve_job(struct improving *improving, uint32_t job)
{
    const struct market_job *of = &improving->prepared->market->jobs[job];
    if (move(improving, job))
        return true;
    for (uint32_t k = of->first_column; k < of->first_column + of->column_count; k++)
        if (worth(improving, (int32_t)k) > worth(improving, column_of(improving, job)) &&
            prepared_usable(improving->prepared, k, NULL) && swap(improving, job, k))
            return true;
    return false;
}
