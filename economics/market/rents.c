#include "economics/market/rents.h"

#include <math.h>

#include "economics/market/face.h"

#define NANOS_MAX INT64_C(1000000000000000000) /* a thousand million credits */

static void to_grid(const struct prepared *prepared, struct rents *rents, const double *pool_rent,
                    const double *row_rent);
static void cover_used(const struct prepared *prepared, struct rents *rents);
static void cover_shut(const struct prepared *prepared, struct rents *rents);
static void add_up(const struct prepared *prepared, struct rents *rents);

enum status rents_find(const struct prepared *prepared, const struct allocation *allocation,
                       struct lp_environment *environment, struct arena *arena, struct rents *rents,
                       struct fault *fault)
{
    const struct market *market = prepared->market;
    *rents = (struct rents){
        .pool_nanos = arena_alloc(arena, market->pool_count, sizeof(int64_t)),
        .row_rent = arena_alloc(arena, market->row_count, sizeof(double)),
        .job_nanos = arena_alloc(arena, market->job_count, sizeof(int64_t)),
        .column_row_nanos = arena_alloc(arena, market->column_count, sizeof(int64_t)),
    };
    double *pool = arena_alloc(arena, market->pool_count, sizeof *pool);
    double *row = arena_alloc(arena, market->row_count, sizeof *row);
    if (rents->pool_nanos == NULL || rents->row_rent == NULL || rents->job_nanos == NULL ||
        rents->column_row_nanos == NULL || pool == NULL || row == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    enum status const status = face_average(prepared, allocation, environment, pool, row,
                                            &rents->averaged, &rents->iterations, fault);
    if (status != STATUS_OK)
        return status;
    to_grid(prepared, rents, rents->averaged ? pool : allocation->pool_dual,
            rents->averaged ? row : allocation->row_dual);
    cover_used(prepared, rents);
    cover_shut(prepared, rents);
    add_up(prepared, rents);
    return STATUS_OK;
}

static int64_t nanos(double rounded)
{
    return rounded >= (double)NANOS_MAX ? NANOS_MAX : (int64_t)rounded;
}

int64_t rents_of_entry(double coefficient, double row_rent)
{
    return nanos(floor(coefficient * row_rent * NANOS_PER_CREDIT));
}

int64_t rents_of_limit(double limit, double row_rent)
{
    return nanos(ceil(limit * row_rent * NANOS_PER_CREDIT));
}

int64_t rents_of_column(const struct prepared *prepared, const struct rents *rents, uint32_t column)
{
    const struct market_column *of = &prepared->market->columns[column];
    wide const sum = (wide)of->gpus * rents->pool_nanos[of->pool] + rents->column_row_nanos[column];
    return sum > NANOS_MAX ? NANOS_MAX : (int64_t)sum;
}

static void rent_rows(const struct prepared *prepared, struct rents *rents)
{
    for (uint32_t k = 0; k < prepared->market->column_count; k++) {
        wide sum = 0;
        for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
            const struct lp_entry *entry = &prepared->row_entries[e];
            sum += rents_of_entry(entry->value, rents->row_rent[entry->index]);
        }
        rents->column_row_nanos[k] = sum > NANOS_MAX ? NANOS_MAX : (int64_t)sum;
    }
}

/* Nano-credits per GPU for pools; for rows, per unit so that the largest coefficient costs whole
 * nano-credits. */
static void to_grid(const struct prepared *prepared, struct rents *rents, const double *pool_rent,
                    const double *row_rent)
{
    const struct market *market = prepared->market;
    for (uint32_t p = 0; p < market->pool_count; p++)
        rents->pool_nanos[p] = nanos(round(fmax(0, pool_rent[p]) * NANOS_PER_CREDIT));
    for (uint32_t r = 0; r < market->row_count; r++) {
        double const largest = prepared->row_largest[r];
        double const whole = round(fmax(0, row_rent[r]) * largest * NANOS_PER_CREDIT);
        rents->row_rent[r] = whole / NANOS_PER_CREDIT / largest;
    }
    rent_rows(prepared, rents);
}

/* What the rents leave of a column's worth. */
static int64_t left_over(const struct prepared *prepared, const struct rents *rents, uint32_t k)
{
    return prepared->market->columns[k].worth.micros * NANOS_PER_MICRO -
           rents_of_column(prepared, rents, k);
}

static void cover_used(const struct prepared *prepared, struct rents *rents)
{
    const struct market *market = prepared->market;
    for (uint32_t k = 0; k < market->column_count; k++) {
        int64_t *surplus = &rents->job_nanos[market->columns[k].job];
        if (!prepared_usable(prepared, k, NULL))
            continue;
        int64_t const needed = left_over(prepared, rents, k);
        if (needed > *surplus)
            *surplus = needed;
    }
}

/* A row with b = 0 on this column; -1: none. */
static int32_t shut_row(const struct prepared *prepared, uint32_t k, double *coefficient)
{
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        int32_t const row = prepared->row_entries[e].index;
        if (prepared_limit(prepared, (uint32_t)row, NULL) > 0)
            continue;
        *coefficient = prepared->row_entries[e].value;
        return row;
    }
    return -1;
}

/* Columns that no plan can use, by a pool without GPUs or a row with b = 0: a rent there costs
 * nobody anything, and is raised until they are covered, too. */
static void cover_shut(const struct prepared *prepared, struct rents *rents)
{
    const struct market *market = prepared->market;
    bool raised = false;
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        if (column->worth.micros <= 0 || prepared_usable(prepared, k, NULL))
            continue;
        int64_t const short_by = left_over(prepared, rents, k) - rents->job_nanos[column->job];
        if (short_by <= 0)
            continue;
        double coefficient = 1;
        int32_t const row = shut_row(prepared, k, &coefficient);
        if (market->pools[column->pool].gpu_count == 0) {
            rents->pool_nanos[column->pool] += (short_by + column->gpus - 1) / column->gpus;
        } else if (row >= 0) {
            /* A little more, so that rounding down still covers. */
            double const more = ((double)short_by + 1) / NANOS_PER_CREDIT / coefficient;
            double const needed = (rents->row_rent[row] + more) * (1 + 1e-12);
            rents->row_rent[row] = needed;
            raised = true;
            rents->column_row_nanos[k] = rents_of_entry(coefficient, needed);
        }
    }
    if (raised)
        rent_rows(prepared, rents);
}

static void add_up(const struct prepared *prepared, struct rents *rents)
{
    const struct market *market = prepared->market;
    for (uint32_t j = 0; j < market->job_count; j++)
        rents->dual_nanos += rents->job_nanos[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        rents->dual_nanos += (wide)market->pools[p].gpu_count * rents->pool_nanos[p];
    for (uint32_t r = 0; r < market->row_count; r++)
        rents->dual_nanos += rents_of_limit(market->rows[r].limit, rents->row_rent[r]);
}
