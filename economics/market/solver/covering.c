#include "economics/market/solver/covering.h"

#include <math.h>
#include <stdlib.h>

#define NANOS_MAX INT64_C(1000000000000000000) /* a thousand million credits */

static bool make_room(const struct market *market, struct arena *arena, struct rents *rents);
static void to_grid(const struct market *market, const double *pool_rent, const double *row_rent,
                    struct rents *rents);
static void rent_columns(const struct market *market, struct rents *rents);
static void cover_used(const struct market *market, const bool *shut, struct rents *rents);
static void cover_empty_pools(const struct market *market, struct rents *rents);
static void cover_shut_rows(const struct market *market, struct rents *rents);
static void add_up(const struct market *market, struct rents *rents);

/* Columns in a row with a limit of 0. */
static void mark_shut(const struct market *market, bool *shut)
{
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        uint32_t const end = row->first_entry + (row->limit > 0 ? 0 : row->entry_count);
        for (uint32_t e = row->first_entry; e < end; e++)
            if (market->entries[e].coefficient > 0)
                shut[market->entries[e].column] = true;
    }
}

enum status covering_make(const struct market *market, const double *pool_rent,
                          const double *row_rent, struct arena *arena, struct rents *rents,
                          struct fault *fault)
{
    *rents = (struct rents){.dual_nanos = 0};
    bool *shut = calloc((size_t)market->column_count + 1, sizeof *shut);
    if (shut == NULL || !make_room(market, arena, rents)) {
        free(shut);
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    }
    mark_shut(market, shut);
    to_grid(market, pool_rent, row_rent, rents);
    rent_columns(market, rents);
    cover_used(market, shut, rents);
    cover_empty_pools(market, rents);
    cover_shut_rows(market, rents);
    add_up(market, rents);
    free(shut);
    return STATUS_OK;
}

static bool make_room(const struct market *market, struct arena *arena, struct rents *rents)
{
    rents->pool_nanos = arena_alloc(arena, market->pool_count, sizeof(int64_t));
    rents->row_rent = arena_alloc(arena, market->row_count, sizeof(double));
    rents->job_nanos = arena_alloc(arena, market->job_count, sizeof(int64_t));
    rents->column_row_nanos = arena_alloc(arena, market->column_count, sizeof(int64_t));
    return rents->pool_nanos != NULL && rents->row_rent != NULL && rents->job_nanos != NULL &&
           rents->column_row_nanos != NULL;
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

static int64_t at_most(wide sum)
{
    return sum > NANOS_MAX ? NANOS_MAX : (int64_t)sum;
}

static int64_t rent_of(const struct market *market, const struct rents *rents, uint32_t column)
{
    const struct market_column *of = &market->columns[column];
    return at_most((wide)of->gpus * rents->pool_nanos[of->pool] + rents->column_row_nanos[column]);
}

int64_t rents_of_column(const struct prepared *prepared, const struct rents *rents, uint32_t column)
{
    return rent_of(prepared->market, rents, column);
}

static void to_grid(const struct market *market, const double *pool_rent, const double *row_rent,
                    struct rents *rents)
{
    for (uint32_t p = 0; p < market->pool_count; p++)
        rents->pool_nanos[p] = nanos(round(fmax(0, pool_rent[p]) * NANOS_PER_CREDIT));
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        double largest = 0;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
            largest = fmax(largest, market->entries[e].coefficient);
        if (largest == 0 || row->limit == 0)
            continue;
        double const whole = round(fmax(0, row_rent[r]) * largest * NANOS_PER_CREDIT);
        rents->row_rent[r] = whole / NANOS_PER_CREDIT / largest;
    }
}

static void rent_row(const struct market *market, uint32_t r, struct rents *rents)
{
    const struct market_row *row = &market->rows[r];
    for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
        const struct market_entry *entry = &market->entries[e];
        int64_t *sum = &rents->column_row_nanos[entry->column];
        *sum = at_most((wide)*sum + rents_of_entry(entry->coefficient, rents->row_rent[r]));
    }
}

static void rent_columns(const struct market *market, struct rents *rents)
{
    for (uint32_t r = 0; r < market->row_count; r++)
        if (rents->row_rent[r] > 0)
            rent_row(market, r, rents);
}

/* What the rents leave of a column's worth. */
static int64_t left_over(const struct market *market, const struct rents *rents, uint32_t k)
{
    return market->columns[k].worth.micros * NANOS_PER_MICRO - rent_of(market, rents, k);
}

static void cover_used(const struct market *market, const bool *shut, struct rents *rents)
{
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        if (column->worth.micros <= 0 || shut[k] || market->pools[column->pool].gpu_count == 0)
            continue;
        int64_t const needed = left_over(market, rents, k);
        if (needed > rents->job_nanos[column->job])
            rents->job_nanos[column->job] = needed;
    }
}

/* By how much a column is not covered yet; <= 0: it is. */
static int64_t short_by(const struct market *market, const struct rents *rents, uint32_t k)
{
    if (market->columns[k].worth.micros <= 0)
        return 0;
    return left_over(market, rents, k) - rents->job_nanos[market->columns[k].job];
}

static void cover_empty_pools(const struct market *market, struct rents *rents)
{
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        if (market->pools[column->pool].gpu_count > 0)
            continue;
        int64_t const missing = short_by(market, rents, k);
        if (missing > 0)
            rents->pool_nanos[column->pool] += (missing + column->gpus - 1) / column->gpus;
    }
}

static void cover_shut_rows(const struct market *market, struct rents *rents)
{
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        double rent = 0;
        for (uint32_t e = row->first_entry;
             row->limit == 0 && e < row->first_entry + row->entry_count; e++) {
            const struct market_entry *entry = &market->entries[e];
            int64_t const missing =
                entry->coefficient > 0 ? short_by(market, rents, entry->column) : 0;
            /* A little more, so that rounding down still covers. */
            if (missing > 0)
                rent = fmax(rent, ((double)missing + 1) / NANOS_PER_CREDIT / entry->coefficient *
                                      (1 + 1e-12));
        }
        if (rent == 0)
            continue;
        rents->row_rent[r] = rent; /* nobody used it: it had none */
        rent_row(market, r, rents);
    }
}

static void add_up(const struct market *market, struct rents *rents)
{
    for (uint32_t j = 0; j < market->job_count; j++)
        rents->dual_nanos += rents->job_nanos[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        rents->dual_nanos += (wide)market->pools[p].gpu_count * rents->pool_nanos[p];
    for (uint32_t r = 0; r < market->row_count; r++)
        rents->dual_nanos += rents_of_limit(market->rows[r].limit, rents->row_rent[r]);
}
