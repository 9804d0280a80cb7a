/* Holes filled along chains (gangs.h). */
#include <math.h>
#include <stdlib.h>

#include "economics/market/solver/gangs_internal.h"

/* Gains below this are rounding. */
#define GAIN_MIN 1e-9

enum { REFUSALS_MAX = 3 };

/* -- Who may fill ------------------------------------------------------------------------------ */

static int compare_fillers(const void *left, const void *right)
{
    const struct gangs_filler *a = left;
    const struct gangs_filler *b = right;
    if (a->loss_credits < b->loss_credits || a->loss_credits > b->loss_credits)
        return a->loss_credits < b->loss_credits ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* Filling so many GPUs is worth more than what the column loses. */
static bool may_fill(const struct gangs *g, uint32_t k, double *loss)
{
    const struct market_column *column = &g->market->columns[k];
    if (!prepared_usable(g->prepared, k, NULL))
        return false;
    *loss = gangs_loss(g, column->job, (int32_t)k);
    return *loss < column->gpus * gangs_rent(g, column->pool);
}

struct dearness {
    int64_t rent;
    uint32_t pool;
};

static int compare_dearness(const void *left, const void *right)
{
    const struct dearness *a = left;
    const struct dearness *b = right;
    if (a->rent != b->rent)
        return a->rent > b->rent ? -1 : 1;
    return (a->pool > b->pool) - (a->pool < b->pool);
}

static bool order_pools(struct gangs *g)
{
    struct dearness *pools = calloc((size_t)g->market->pool_count + 1, sizeof *pools);
    g->order = calloc((size_t)g->market->pool_count + 1, sizeof *g->order);
    if (pools == NULL || g->order == NULL) {
        free(pools);
        return false;
    }
    for (uint32_t p = 0; p < g->market->pool_count; p++)
        pools[p] = (struct dearness){g->rents->pool_nanos[p], p};
    qsort(pools, g->market->pool_count, sizeof *pools, compare_dearness);
    for (uint32_t p = 0; p < g->market->pool_count; p++)
        g->order[p] = pools[p].pool;
    free(pools);
    return true;
}

bool gangs_make_fillers(struct gangs *g)
{
    const struct market *market = g->market;
    double loss;
    g->first = calloc((size_t)market->pool_count + 2, sizeof *g->first);
    if (g->first == NULL || !order_pools(g))
        return false;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (may_fill(g, k, &loss))
            g->first[market->columns[k].pool + 2]++;
    for (uint32_t p = 0; p < market->pool_count; p++)
        g->first[p + 2] += g->first[p + 1];
    g->fillers = calloc(g->first[market->pool_count + 1] + 1, sizeof *g->fillers);
    if (g->fillers == NULL)
        return false;
    for (uint32_t k = 0; k < market->column_count; k++)
        if (may_fill(g, k, &loss))
            g->fillers[g->first[market->columns[k].pool + 1]++] =
                (struct gangs_filler){.column = k, .loss_credits = (float)loss};
    for (uint32_t p = 0; p < market->pool_count; p++)
        qsort(g->fillers + g->first[p], g->first[p + 1] - g->first[p], sizeof *g->fillers,
              compare_fillers);
    return true;
}

/* -- One hole ---------------------------------------------------------------------------------- */

struct looking {
    uint32_t pool;
    double part;
    double below; /* candidates that gain this or more were refused */
};

static bool moved_already(const struct gangs *g, uint32_t job)
{
    for (uint32_t i = 0; i < g->moves; i++)
        if (g->journal[i].job == job)
            return true;
    return false;
}

/* What filling with this column gains, where the hole that it leaves can be filled without loss;
 * 0 where it can't come. */
static double score_of(const struct gangs *g, const struct looking *looking,
                       const struct gangs_filler *filler)
{
    const struct market_column *column = &g->market->columns[filler->column];
    int32_t const now = gangs_column(g, column->job);
    double const rent = gangs_rent(g, looking->pool);
    double const loss = (double)filler->loss_credits;
    uint32_t own = 0;
    if (now != PACKING_NONE && g->market->columns[now].pool == looking->pool)
        own = g->market->columns[now].gpus;
    if (column->gpus > g->packing->state.pool_free[looking->pool] + own ||
        now == (int32_t)filler->column || loss > looking->part * column->gpus * rent)
        return 0;
    double const filled = (double)column->gpus - own;
    double const score = filled * rent + gangs_loss(g, column->job, now) - loss;
    return score > GAIN_MIN && score < looking->below && !moved_already(g, column->job) ? score : 0;
}

bool gangs_fill_once(struct gangs *g, uint32_t pool, double part, int32_t *left_pool)
{
    struct looking looking = {.pool = pool, .part = part, .below = HUGE_VAL};
    size_t const begin = g->first[pool];
    size_t end = g->first[pool + 1];
    if (end - begin > GANGS_CANDIDATES)
        end = begin + GANGS_CANDIDATES;
    for (int refused = 0; refused < REFUSALS_MAX; refused++) { /* by rows or nodes */
        const struct gangs_filler *best = NULL;
        double most = 0;
        for (size_t i = begin; i < end; i++) {
            double const score = score_of(g, &looking, &g->fillers[i]);
            if (score > most) {
                most = score;
                best = &g->fillers[i];
            }
        }
        if (best == NULL)
            return false;
        uint32_t const job = g->market->columns[best->column].job;
        int32_t const from = gangs_column(g, job);
        if (gangs_move(g, job, (int32_t)best->column)) {
            *left_pool = from == PACKING_NONE ? -1 : (int32_t)g->market->columns[from].pool;
            return true;
        }
        looking.below = most;
    }
    return false;
}

/* -- Chains ------------------------------------------------------------------------------------ */

/* True where the market is worth more after it. */
static bool fill_along_chain(struct gangs *g, uint32_t pool, double part)
{
    double best = GAIN_MIN;
    uint32_t keep = 0;
    int32_t at = (int32_t)pool;
    g->moves = 0;
    g->gained = 0;
    while (at >= 0 && g->moves < GANGS_CHAIN && gangs_fill_once(g, (uint32_t)at, part, &at))
        if (g->gained > best) {
            best = g->gained;
            keep = g->moves;
        }
    gangs_undo(g, keep);
    return keep > 0;
}

void gangs_fill(struct gangs *g, double part)
{
    bool better = true;
    for (int pass = 0; pass < GANGS_PASSES_MAX && better; pass++) {
        better = false;
        for (uint32_t i = 0; i < g->market->pool_count; i++) {
            uint32_t const pool = g->order[i];
            while (g->packing->state.pool_free[pool] > 0 && gangs_rent(g, pool) > 0 &&
                   fill_along_chain(g, pool, part))
                better = true;
        }
    }
}
