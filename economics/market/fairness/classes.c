#include "economics/market/fairness/classes.h"

#include <stdlib.h>
#include <string.h>

/* What stands for a column or a job when they are compared: 128 bits of it. */
struct likeness {
    uint64_t low;
    uint64_t high;
};

struct signed_job {
    struct likeness likeness;
    uint32_t job;
};

static enum status sign_jobs(const struct market *market, struct arena *arena,
                             struct signed_job *jobs, struct fault *fault);
static uint32_t group(const struct market *market, struct signed_job *jobs,
                      struct classes *classes);
static enum status merge(struct classes *classes, uint32_t count, struct arena *arena,
                         struct fault *fault);

enum status classes_make(const struct market *market, struct arena *arena, struct classes *classes,
                         struct fault *fault)
{
    struct arena scratch;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    *classes = (struct classes){
        .market = market,
        .merged = *market,
        .jobs = arena_alloc(arena, market->job_count, sizeof(uint32_t)),
        .first = arena_alloc(arena, (size_t)market->job_count + 1, sizeof(uint32_t)),
    };
    struct signed_job *jobs = arena_alloc(&scratch, market->job_count, sizeof *jobs);
    enum status status = STATUS_OK;
    if (classes->jobs == NULL || classes->first == NULL || jobs == NULL)
        status = fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    if (status == STATUS_OK)
        status = sign_jobs(market, &scratch, jobs, fault);
    uint32_t const count = status == STATUS_OK ? group(market, jobs, classes) : 0;
    arena_fini(&scratch);
    if (status != STATUS_OK || count == market->job_count)
        return status;
    return merge(classes, count, arena, fault);
}

/* -- Who is identical -------------------------------------------------------------------------- */

/* One step of splitmix64 over what came before [Steele 2014]. */
static uint64_t stir(uint64_t state, uint64_t value)
{
    state = (state ^ value) + UINT64_C(0x9e3779b97f4a7c15);
    state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
    return state ^ state >> 31;
}

static void sign(struct likeness *likeness, uint64_t value)
{
    likeness->low = stir(likeness->low, value);
    likeness->high = stir(likeness->high, ~value);
}

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static enum status sign_jobs(const struct market *market, struct arena *arena,
                             struct signed_job *jobs, struct fault *fault)
{
    struct likeness *columns = arena_alloc(arena, market->column_count, sizeof *columns);
    if (columns == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            sign(&columns[entry->column], r);
            sign(&columns[entry->column], bits_of(entry->coefficient));
        }
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        struct likeness *likeness = &jobs[j].likeness;
        jobs[j].job = j;
        sign(likeness, (uint64_t)job->home);
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            const struct market_column *column = &market->columns[k];
            sign(likeness, (uint64_t)column->pool << 32 | column->gpus);
            sign(likeness, (uint64_t)column->worth.micros);
            sign(likeness, (uint64_t)column->value.micros);
            sign(likeness, (uint64_t)column->price_room.micros);
            sign(likeness, (uint64_t)column->held_ms);
            sign(likeness, columns[k].low);
            sign(likeness, columns[k].high);
        }
    }
    return STATUS_OK;
}

static int compare_signed(const void *left, const void *right)
{
    const struct signed_job *a = left;
    const struct signed_job *b = right;
    if (a->likeness.high != b->likeness.high)
        return a->likeness.high < b->likeness.high ? -1 : 1;
    if (a->likeness.low != b->likeness.low)
        return a->likeness.low < b->likeness.low ? -1 : 1;
    return (a->job > b->job) - (a->job < b->job);
}

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How many of them one merged job may stand for, so that its numbers stay within market.h's. */
static uint32_t most_of(const struct market *market, uint32_t j)
{
    const struct market_job *job = &market->jobs[j];
    int64_t gpus = 1;
    int64_t micros = 1;
    for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        struct credits cost = {0};
        gpus = largest(gpus, column->gpus);
        micros = largest(micros, llabs(column->worth.micros));
        micros = largest(micros, column->value.micros);
        if (price_amount(market->pools[column->pool].cost, column->gpus,
                         market_column_ms(market, column), &cost))
            micros = largest(micros, cost.micros);
    }
    int64_t const by_gpus = MARKET_GPUS_PER_COLUMN_MAX / gpus;
    int64_t const by_micros = MARKET_WORTH_MICROS_MAX / micros;
    int64_t const most = by_gpus < by_micros ? by_gpus : by_micros;
    return most > 1 ? (uint32_t)most : 1;
}

struct class_start {
    uint32_t job; /* its first */
    uint32_t at;  /* in the sorted jobs */
    uint32_t count;
};

static int compare_starts(const void *left, const void *right)
{
    const struct class_start *a = left;
    const struct class_start *b = right;
    return (a->job > b->job) - (a->job < b->job);
}

/* Classes in the order of their first jobs; returns how many. Without memory: none is merged. */
static uint32_t group(const struct market *market, struct signed_job *jobs, struct classes *classes)
{
    struct class_start *starts = calloc((size_t)market->job_count + 1, sizeof *starts);
    uint32_t count = 0;
    if (starts == NULL)
        return market->job_count;
    if (market->job_count > 0)
        qsort(jobs, market->job_count, sizeof *jobs, compare_signed);
    uint32_t most = 0;
    for (uint32_t i = 0; i < market->job_count; i++) {
        bool const same = i > 0 && jobs[i].likeness.low == jobs[i - 1].likeness.low &&
                          jobs[i].likeness.high == jobs[i - 1].likeness.high;
        if (!same)
            most = most_of(market, jobs[i].job);
        if (!same || starts[count - 1].count == most)
            starts[count++] = (struct class_start){.job = jobs[i].job, .at = i};
        starts[count - 1].count++;
    }
    if (count > 0)
        qsort(starts, count, sizeof *starts, compare_starts);
    uint32_t next = 0;
    for (uint32_t c = 0; c < count; c++) {
        classes->first[c] = next;
        for (uint32_t i = 0; i < starts[c].count; i++)
            classes->jobs[next++] = jobs[starts[c].at + i].job;
    }
    classes->first[count] = next;
    free(starts);
    return count;
}

/* -- The merged market ------------------------------------------------------------------------- */

static uint32_t merge_jobs(struct classes *classes, uint32_t count, int64_t *column_of)
{
    const struct market *market = classes->market;
    struct market *merged = &classes->merged;
    uint32_t columns = 0;
    for (uint32_t c = 0; c < count; c++) {
        const struct market_job *from = &market->jobs[classes->jobs[classes->first[c]]];
        uint32_t const times = classes->first[c + 1] - classes->first[c];
        merged->jobs[c] = *from;
        merged->jobs[c].first_column = columns;
        merged->jobs[c].held_column = MARKET_NONE; /* of no account in an LP */
        merged->jobs[c].held_nodes = NULL;
        merged->jobs[c].held_node_count = 0;
        for (uint32_t i = 0; i < from->column_count; i++, columns++) {
            struct market_column *column = &merged->columns[columns];
            column_of[from->first_column + i] = columns;
            *column = market->columns[from->first_column + i];
            column->job = c;
            column->gpus *= times;
            column->worth.micros *= times;
            column->value.micros *= times;
            column->price_room.micros *= times;
        }
    }
    return columns;
}

static void merge_rows(struct classes *classes, const int64_t *column_of)
{
    const struct market *market = classes->market;
    struct market *merged = &classes->merged;
    uint32_t next = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        merged->rows[r] = *row;
        merged->rows[r].first_entry = next;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            int64_t const column = column_of[market->entries[e].column];
            if (column < 0)
                continue;
            uint32_t const c = merged->columns[column].job;
            double const times = classes->first[c + 1] - classes->first[c];
            merged->entries[next++] = (struct market_entry){
                .column = (uint32_t)column, .coefficient = market->entries[e].coefficient * times};
        }
        merged->rows[r].entry_count = next - merged->rows[r].first_entry;
    }
    merged->entry_count = next;
}

static enum status merge(struct classes *classes, uint32_t count, struct arena *arena,
                         struct fault *fault)
{
    const struct market *market = classes->market;
    struct market *merged = &classes->merged;
    merged->jobs = arena_alloc(arena, count, sizeof *merged->jobs);
    merged->columns = arena_alloc(arena, market->column_count, sizeof *merged->columns);
    merged->rows = arena_alloc(arena, market->row_count, sizeof *merged->rows);
    merged->entries = arena_alloc(arena, market->entry_count, sizeof *merged->entries);
    int64_t *column_of = arena_alloc(arena, market->column_count, sizeof *column_of);
    if (merged->jobs == NULL || merged->columns == NULL || merged->rows == NULL ||
        merged->entries == NULL || column_of == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t k = 0; k < market->column_count; k++)
        column_of[k] = -1;
    merged->job_count = count;
    merged->column_count = merge_jobs(classes, count, column_of);
    merge_rows(classes, column_of);
    return STATUS_OK;
}

void classes_spread(const struct classes *classes, struct session_use use, double share,
                    double *shares)
{
    const struct market *merged = &classes->merged;
    if (merged->job_count == classes->market->job_count) {
        shares[use.column] += use.share * share;
        return;
    }
    uint32_t const c = merged->columns[use.column].job;
    uint32_t const nth = use.column - merged->jobs[c].first_column;
    for (uint32_t i = classes->first[c]; i < classes->first[c + 1]; i++)
        shares[classes->market->jobs[classes->jobs[i]].first_column + nth] += use.share * share;
}
