#include "economics/market/solver/columns.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define COLUMNS_BYTES_MAX ((size_t)8 * 1024 * 1024 * 1024)

/* While it is made: where a market's column went. */
#define GONE UINT32_MAX

static enum status make_room(struct columns *columns, struct fault *fault);
static void mark_barred(const struct market *market, uint32_t *place);
static void place_columns(struct columns *columns, uint32_t *place);
static void fill_columns(struct columns *columns, const uint32_t *place,
                         const double *member_weight);
static enum status transpose(struct columns *columns, const uint32_t *place, struct fault *fault);

enum status columns_make(const struct market *market, const double *member_weight,
                         struct columns *columns, struct fault *fault)
{
    *columns = (struct columns){.market = market,
                                .job_count = market->job_count,
                                .pool_count = market->pool_count,
                                .resource_count = market->pool_count + market->row_count};
    arena_init(&columns->arena, COLUMNS_BYTES_MAX);
    struct arena scratch;
    arena_init(&scratch, COLUMNS_BYTES_MAX);
    uint32_t *place = arena_alloc(&scratch, (size_t)market->column_count + 1, sizeof *place);
    columns->first = arena_alloc(&columns->arena, (size_t)market->job_count + 1, sizeof(uint32_t));
    columns->unit = arena_alloc(&columns->arena, columns->resource_count, sizeof(double));
    enum status status = STATUS_OK;
    if (place == NULL || columns->first == NULL || columns->unit == NULL)
        status = fault_set(fault, STATUS_EXHAUSTED, "no memory for the market's columns");
    if (status == STATUS_OK) {
        mark_barred(market, place);
        place_columns(columns, place);
        status = make_room(columns, fault);
    }
    if (status == STATUS_OK) {
        fill_columns(columns, place, member_weight);
        status = transpose(columns, place, fault);
    }
    arena_fini(&scratch);
    return status;
}

void columns_fini(struct columns *columns)
{
    arena_fini(&columns->arena);
}

/* Columns of rows that allow nothing. */
static void mark_barred(const struct market *market, uint32_t *place)
{
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        for (uint32_t e = row->first_entry;
             row->limit == 0 && e < row->first_entry + row->entry_count; e++)
            if (market->entries[e].coefficient > 0)
                place[market->entries[e].column] = GONE;
    }
}

static void place_columns(struct columns *columns, uint32_t *place)
{
    const struct market *market = columns->market;
    uint32_t count = 0;
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        columns->first[j] = count;
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            const struct market_column *column = &market->columns[k];
            bool const usable = place[k] != GONE && column->worth.micros > 0 &&
                                market->pools[column->pool].gpu_count > 0;
            place[k] = usable ? count++ : GONE;
        }
    }
    columns->first[market->job_count] = count;
    columns->column_count = count;
}

static enum status make_room(struct columns *columns, struct fault *fault)
{
    size_t const count = columns->column_count;
    columns->original = arena_alloc(&columns->arena, count, sizeof(uint32_t));
    columns->worth = arena_alloc(&columns->arena, count, sizeof(double));
    columns->pool_gpus = arena_alloc(&columns->arena, count, sizeof(uint32_t));
    columns->first_entry = arena_alloc(&columns->arena, count + 2, sizeof(uint32_t));
    if (columns->original == NULL || columns->worth == NULL || columns->pool_gpus == NULL ||
        columns->first_entry == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the market's columns");
    return STATUS_OK;
}

static void fill_columns(struct columns *columns, const uint32_t *place,
                         const double *member_weight)
{
    const struct market *market = columns->market;
    double largest = 1;
    for (uint32_t k = 0; k < market->column_count; k++) {
        if (place[k] == GONE)
            continue;
        const struct market_column *column = &market->columns[k];
        double worth = (double)column->worth.micros;
        if (member_weight != NULL)
            worth *= member_weight[market->jobs[column->job].home];
        columns->original[place[k]] = k;
        columns->worth[place[k]] = worth;
        columns->pool_gpus[place[k]] = column->pool << 16 | (column->gpus - 1);
        largest = fmax(largest, worth);
    }
    int exponent;
    (void)frexp(largest, &exponent);
    columns->scale = ldexp(1, -exponent);
    for (uint32_t k = 0; k < columns->column_count; k++)
        columns->worth[k] *= columns->scale;
    for (uint32_t p = 0; p < market->pool_count; p++)
        columns->unit[p] = market->pools[p].gpu_count > 0 ? 1.0 / market->pools[p].gpu_count : 1;
    for (uint32_t r = 0; r < market->row_count; r++)
        columns->unit[market->pool_count + r] = 1;
}

static double part_of(const struct market_row *row, const struct market_entry *entry)
{
    return row->limit > 0 ? entry->coefficient / row->limit : 0;
}

/* Rows' entries to columns' entries, by counting; a column's stay in the rows' order. */
static enum status transpose(struct columns *columns, const uint32_t *place, struct fault *fault)
{
    const struct market *market = columns->market;
    uint32_t *next = columns->first_entry + 1;
    uint32_t kept = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            uint32_t const k = place[market->entries[e].column];
            if (k == GONE || part_of(row, &market->entries[e]) <= COLUMNS_NEGLIGIBLE)
                continue;
            next[k + 1]++;
            kept++;
        }
    }
    columns->entry_resource = arena_alloc(&columns->arena, kept, sizeof(uint32_t));
    columns->entry_part = arena_alloc(&columns->arena, kept, sizeof(double));
    if (columns->entry_resource == NULL || columns->entry_part == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the market's policy rows");
    for (uint32_t k = 0; k < columns->column_count; k++) {
        if (next[k + 1] > COLUMNS_ENTRIES_MAX)
            return fault_set(fault, STATUS_INVALID, "columns[%u]: in more than %d policy rows",
                             columns->original[k], COLUMNS_ENTRIES_MAX);
        next[k + 1] += next[k];
    }
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            uint32_t const k = place[market->entries[e].column];
            double const part = part_of(row, &market->entries[e]);
            if (k == GONE || part <= COLUMNS_NEGLIGIBLE)
                continue;
            columns->entry_resource[next[k]] = market->pool_count + r;
            columns->entry_part[next[k]++] = part;
        }
    }
    return STATUS_OK;
}
