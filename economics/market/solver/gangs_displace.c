/* Jobs that lose much displace those that lose little (gangs.h). */
#include <math.h>
#include <stdlib.h>

#include "economics/market/solver/gangs_internal.h"

enum { PLACES_TRIED = 6, VICTIMS_MAX = 24, POOL_JOBS_MAX = 4096 };

/* Gains below this are rounding. */
#define GAIN_MIN 1e-9

/* Holes left by it are filled by what loses at most this part of their rent. */
#define FILL_PART 0.3

/* Jobs that lose less are let be. Of the rent of one GPU, on average. */
#define LOSS_SMALL 0.01

struct loser {
    double loss;
    uint32_t job;
};

struct place {
    double loss;
    uint32_t column;
};

struct victim {
    double cost; /* per GPU */
    uint32_t job;
    uint32_t gpus;
};

struct displacing {
    struct gangs *g;
    struct loser *losers;
    uint32_t loser_count;
    struct victim *victims; /* [POOL_JOBS_MAX] */
};

static int compare_losers(const void *left, const void *right)
{
    const struct loser *a = left;
    const struct loser *b = right;
    if (a->loss != b->loss)
        return a->loss > b->loss ? -1 : 1;
    return (a->job > b->job) - (a->job < b->job);
}

static int compare_victims(const void *left, const void *right)
{
    const struct victim *a = left;
    const struct victim *b = right;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return (a->job > b->job) - (a->job < b->job);
}

static void list_losers(struct displacing *d)
{
    const struct gangs *g = d->g;
    double rent = 0;
    uint64_t gpus = 1;
    for (uint32_t p = 0; p < g->market->pool_count; p++) {
        rent += g->market->pools[p].gpu_count * gangs_rent(g, p);
        gpus += g->market->pools[p].gpu_count;
    }
    double const least = LOSS_SMALL * rent / (double)gpus;
    for (uint32_t j = 0; j < g->market->job_count; j++) {
        double const loss = gangs_loss(g, j, gangs_column(g, j));
        if (loss > least)
            d->losers[d->loser_count++] = (struct loser){loss, j};
    }
    qsort(d->losers, d->loser_count, sizeof *d->losers, compare_losers);
}

/* The columns at which the job loses least, least first. */
static uint32_t list_places(const struct gangs *g, uint32_t job, struct place *places)
{
    const struct market_job *of = &g->market->jobs[job];
    double const now = gangs_loss(g, job, gangs_column(g, job));
    uint32_t count = 0;
    for (uint32_t k = of->first_column; k < of->first_column + of->column_count; k++) {
        if (!prepared_usable(g->prepared, k, NULL))
            continue;
        double const loss = gangs_loss(g, job, (int32_t)k);
        if (loss >= now || (count == PLACES_TRIED && loss >= places[count - 1].loss))
            continue;
        uint32_t at = count < PLACES_TRIED ? count++ : count - 1;
        for (; at > 0 && places[at - 1].loss > loss; at--)
            places[at] = places[at - 1];
        places[at] = (struct place){loss, k};
    }
    return count;
}

/* What it costs that a job leaves its place for the best other that has room, or for none. */
static double cost_of_leaving(const struct gangs *g, uint32_t job)
{
    const struct market_job *of = &g->market->jobs[job];
    int32_t const now = gangs_column(g, job);
    uint32_t const pool = g->market->columns[now].pool;
    double least = gangs_loss(g, job, PACKING_NONE);
    for (uint32_t k = of->first_column; k < of->first_column + of->column_count; k++) {
        const struct market_column *column = &g->market->columns[k];
        if (column->pool == pool || column->gpus > g->packing->state.pool_free[column->pool] ||
            !prepared_usable(g->prepared, k, NULL))
            continue;
        /* filling what is free there is a gain of its own */
        double const loss =
            gangs_loss(g, job, (int32_t)k) - column->gpus * gangs_rent(g, column->pool);
        least = fmin(least, loss);
    }
    return least - gangs_loss(g, job, now);
}

/* Clears `needed` GPUs of the pool, those first who lose least; false where that can't be. */
static bool clear(struct displacing *d, uint32_t pool, uint32_t needed, uint32_t but)
{
    struct gangs *g = d->g;
    uint32_t count = 0;
    for (int32_t j = g->packing->state.first[pool]; j != PACKING_NONE && count < POOL_JOBS_MAX;
         j = g->packing->state.next[j]) {
        if ((uint32_t)j == but)
            continue;
        uint32_t const gpus = g->market->columns[gangs_column(g, (uint32_t)j)].gpus;
        double const cost = cost_of_leaving(g, (uint32_t)j);
        /* more GPUs than needed are worth no more */
        d->victims[count++] =
            (struct victim){cost / (gpus < needed ? gpus : needed), (uint32_t)j, gpus};
    }
    qsort(d->victims, count, sizeof *d->victims, compare_victims);
    uint32_t freed = 0;
    for (uint32_t i = 0; i < count && i < VICTIMS_MAX && freed < needed; i++)
        if (gangs_move(g, d->victims[i].job, PACKING_NONE))
            freed += d->victims[i].gpus;
    return freed >= needed;
}

static bool displace(struct displacing *d, uint32_t job, uint32_t column)
{
    struct gangs *g = d->g;
    const struct market_column *to = &g->market->columns[column];
    int32_t const now = gangs_column(g, job);
    uint32_t room = g->packing->state.pool_free[to->pool];
    if (now != PACKING_NONE && g->market->columns[now].pool == to->pool)
        room += g->market->columns[now].gpus;
    g->moves = 0;
    g->gained = 0;
    bool moved = room >= to->gpus || clear(d, to->pool, to->gpus - room, job);
    uint32_t const victims = g->moves;
    moved = moved && gangs_move(g, job, (int32_t)column);
    for (uint32_t i = 0; i < victims && moved; i++)
        (void)gangs_move_best(g, g->journal[i].job);
    int32_t hole = now == PACKING_NONE ? -1 : (int32_t)g->market->columns[now].pool;
    for (int i = 0; i < GANGS_CHAIN && moved && hole >= 0; i++)
        if (!gangs_fill_once(g, (uint32_t)hole, FILL_PART, &hole))
            break;
    while (moved && gangs_fill_once(g, to->pool, FILL_PART, &hole) && hole < 0)
        continue;
    if (moved && g->gained > GAIN_MIN)
        return true;
    gangs_undo(g, 0);
    return false;
}

bool gangs_displace(struct gangs *g)
{
    struct displacing d = {.g = g};
    d.losers = calloc((size_t)g->market->job_count + 1, sizeof *d.losers);
    d.victims = calloc(POOL_JOBS_MAX, sizeof *d.victims);
    bool const made = d.losers != NULL && d.victims != NULL;
    if (made)
        list_losers(&d);
    for (uint32_t i = 0; made && i < d.loser_count; i++) {
        struct place places[PLACES_TRIED];
        uint32_t const count = list_places(g, d.losers[i].job, places);
        for (uint32_t p = 0; p < count; p++)
            if (displace(&d, d.losers[i].job, places[p].column))
                break;
    }
    free(d.losers);
    free(d.victims);
    return made;
}
