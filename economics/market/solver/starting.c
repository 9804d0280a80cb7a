#include "economics/market/solver/starting.h"

#include <math.h>
#include <stdlib.h>

#define IDLE UINT32_MAX

struct turn {
    double regret;
    uint32_t job;
};

struct starting {
    const struct columns *columns;
    const double *price;
    double *gpu_price;
    double *left; /* [resource_count] */
    struct turn *turns;
    double *values; /* of one job's columns */
};

static int compare_turns(const void *left, const void *right)
{
    const struct turn *a = left;
    const struct turn *b = right;
    if (a->regret != b->regret)
        return a->regret > b->regret ? -1 : 1;
    return (a->job > b->job) - (a->job < b->job);
}

static uint32_t find_values(const struct starting *s, uint32_t job)
{
    uint32_t const first = s->columns->first[job];
    uint32_t const count = s->columns->first[job + 1] - first;
    for (uint32_t i = 0; i < count; i++)
        s->values[i] = columns_value(s->columns, first + i, s->gpu_price, s->price);
    return count;
}

/* What it loses without the pool of its best column. */
static double regret_of(const struct starting *s, uint32_t job)
{
    uint32_t const count = find_values(s, job);
    uint32_t const first = s->columns->first[job];
    double best = 0;
    double second = 0;
    uint32_t pool = IDLE;
    for (uint32_t i = 0; i < count; i++) {
        double const value = s->values[i];
        uint32_t const at = columns_pool(s->columns, first + i);
        if (value > best) {
            if (at != pool)
                second = best;
            best = value;
            pool = at;
        } else if (at != pool && value > second) {
            second = value;
        }
    }
    return best - second;
}

static bool fits(const struct starting *s, uint32_t k)
{
    const struct columns *columns = s->columns;
    uint32_t const pool = columns_pool(columns, k);
    if (columns_gpus(columns, k) > s->left[pool])
        return false;
    for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++)
        if (columns->entry_part[e] > s->left[columns->entry_resource[e]])
            return false;
    return true;
}

static uint32_t choose(struct starting *s, uint32_t job)
{
    const struct columns *columns = s->columns;
    uint32_t const count = find_values(s, job);
    uint32_t const first = columns->first[job];
    uint32_t best = IDLE;
    double most = 0;
    for (uint32_t i = 0; i < count; i++)
        if (s->values[i] > most && fits(s, first + i)) {
            most = s->values[i];
            best = first + i;
        }
    if (best == IDLE)
        return IDLE;
    s->left[columns_pool(columns, best)] -= columns_gpus(columns, best);
    for (uint32_t e = columns->first_entry[best]; e < columns->first_entry[best + 1]; e++)
        s->left[columns->entry_resource[e]] -= columns->entry_part[e];
    return best;
}

static void choose_all(struct starting *s, uint32_t *choice)
{
    const struct columns *columns = s->columns;
    for (uint32_t p = 0; p < columns->pool_count; p++) {
        s->gpu_price[p] = s->price[p] * columns->unit[p];
        s->left[p] = columns->market->pools[p].gpu_count;
    }
    for (uint32_t r = columns->pool_count; r < columns->resource_count; r++)
        s->left[r] = 1;
    for (uint32_t j = 0; j < columns->job_count; j++)
        s->turns[j] = (struct turn){regret_of(s, j), j};
    qsort(s->turns, columns->job_count, sizeof *s->turns, compare_turns);
    for (uint32_t j = 0; j < columns->job_count; j++)
        choice[s->turns[j].job] = choose(s, s->turns[j].job);
}

enum status starting_choose(const struct columns *columns, const double *price, uint32_t *choice,
                            struct fault *fault)
{
    size_t widest = 1;
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (columns->first[j + 1] - columns->first[j] > widest)
            widest = columns->first[j + 1] - columns->first[j];
    struct starting s = {.columns = columns, .price = price};
    s.gpu_price = calloc((size_t)columns->pool_count + 1, sizeof *s.gpu_price);
    s.left = calloc((size_t)columns->resource_count + 1, sizeof *s.left);
    s.turns = calloc((size_t)columns->job_count + 1, sizeof *s.turns);
    s.values = calloc(widest, sizeof *s.values);
    enum status status = STATUS_OK;
    if (s.gpu_price == NULL || s.left == NULL || s.turns == NULL || s.values == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to choose where jobs start");
    else
        choose_all(&s, choice);
    free(s.gpu_price);
    free(s.left);
    free(s.turns);
    free(s.values);
    return status;
}
