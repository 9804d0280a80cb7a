#include "economics/market/solver/gangs_internal.h"

#include <stdlib.h>

enum { MANY_JOBS = 20000 };

static void place_idle(struct gangs *g);
static enum status improve(struct gangs *g, struct fault *fault);

enum status gangs_make(const struct prepared *prepared, const struct allocation *allocation,
                       const struct rents *rents, struct packing *packing, struct fault *fault)
{
    struct gangs *g = calloc(1, sizeof *g);
    if (g == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a plan in whole GPUs");
    g->prepared = prepared;
    g->market = prepared->market;
    g->rents = rents;
    g->packing = packing;
    enum status status = rounding_place(prepared, allocation, rents, packing, fault);
    if (status == STATUS_OK)
        status = gangs_make_fillers(g)
                     ? improve(g, fault)
                     : fault_set(fault, STATUS_NO_MEMORY, "no memory to fill what is left over");
    free(g->fillers);
    free(g->first);
    free(g->order);
    free(g);
    return status;
}

/* Cheap fillers first: what loses little must not be taken by what loses much. */
static enum status improve(struct gangs *g, struct fault *fault)
{
    static const double parts[] = {0.05, 0.1, 0.2, 0.4, 1};
    bool made = true;
    int const turns = g->market->job_count > MANY_JOBS ? 2 : GANGS_TURNS_MAX;
    for (int turn = 0; turn < turns && made; turn++) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            gangs_fill(g, parts[i]);
        if (turn > 0)
            place_idle(g);
        made = gangs_displace(g);
    }
    place_idle(g);
    return made ? STATUS_OK
                : fault_set(fault, STATUS_NO_MEMORY, "no memory to move jobs between pools");
}

static void place_idle(struct gangs *g)
{
    for (uint32_t j = 0; j < g->market->job_count; j++) {
        g->moves = 0;
        if (gangs_column(g, j) == PACKING_NONE)
            (void)gangs_move_best(g, j);
    }
}

/* -- What moves are worth ---------------------------------------------------------------------- */

double gangs_rent(const struct gangs *g, uint32_t pool)
{
    return (double)g->rents->pool_nanos[pool] / NANOS_PER_CREDIT;
}

static double worth_of(const struct gangs *g, int32_t column)
{
    return column == PACKING_NONE
               ? 0
               : (double)g->market->columns[column].worth.micros / MICROS_PER_CREDIT;
}

double gangs_loss(const struct gangs *g, uint32_t job, int32_t column)
{
    double const surplus = (double)g->rents->job_nanos[job] / NANOS_PER_CREDIT;
    if (column == PACKING_NONE)
        return surplus;
    double const rent =
        (double)rents_of_column(g->prepared, g->rents, (uint32_t)column) / NANOS_PER_CREDIT;
    return surplus + rent - worth_of(g, column);
}

/* -- Moves ------------------------------------------------------------------------------------- */

bool gangs_move(struct gangs *g, uint32_t job, int32_t to)
{
    int32_t const from = gangs_column(g, job);
    if (g->moves == GANGS_JOURNAL_MAX || from == to)
        return false;
    if (from != PACKING_NONE)
        packing_remove(g->packing, job);
    if (to != PACKING_NONE && !packing_add(g->packing, (uint32_t)to)) {
        if (from != PACKING_NONE)
            (void)packing_add(g->packing, (uint32_t)from);
        return false;
    }
    g->journal[g->moves++] = (struct gangs_move){job, from, to};
    g->gained += worth_of(g, to) - worth_of(g, from);
    return true;
}

void gangs_undo(struct gangs *g, uint32_t keep)
{
    while (g->moves > keep) {
        const struct gangs_move *move = &g->journal[--g->moves];
        if (move->to != PACKING_NONE)
            packing_remove(g->packing, move->job);
        if (move->from != PACKING_NONE)
            (void)packing_add(g->packing, (uint32_t)move->from);
        g->gained -= worth_of(g, move->to) - worth_of(g, move->from);
    }
}

/* GPUs of the pool that the job would find: what is free, and its own there. */
static uint32_t room_for(const struct gangs *g, uint32_t job, uint32_t pool)
{
    int32_t const now = gangs_column(g, job);
    uint32_t const own = now != PACKING_NONE && g->market->columns[now].pool == pool
                             ? g->market->columns[now].gpus
                             : 0;
    return g->packing->state.pool_free[pool] + own;
}

bool gangs_move_best(struct gangs *g, uint32_t job)
{
    const struct market_job *of = &g->market->jobs[job];
    int32_t const now = gangs_column(g, job);
    int64_t const least = now == PACKING_NONE ? 0 : g->market->columns[now].worth.micros;
    int64_t below = INT64_MAX;
    for (uint32_t tried = 0; tried < of->column_count; tried++) { /* rows or nodes may refuse */
        int32_t best = PACKING_NONE;
        int64_t most = least;
        for (uint32_t k = of->first_column; k < of->first_column + of->column_count; k++) {
            const struct market_column *column = &g->market->columns[k];
            if (column->worth.micros > most && column->worth.micros < below &&
                column->gpus <= room_for(g, job, column->pool) &&
                prepared_usable(g->prepared, k, NULL)) {
                most = column->worth.micros;
                best = (int32_t)k;
            }
        }
        if (best == PACKING_NONE)
            return false;
        if (gangs_move(g, job, best))
            return true;
        below = most;
    }
    return false;
}
