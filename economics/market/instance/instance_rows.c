/* The policy rows of an instance: share limits, links, budgets. */
#include "economics/market/instance/instance_internal.h"

#include <stdlib.h>
#include <string.h>

/* A row to be, and which columns it binds. */
struct raw_row {
    enum market_row_kind kind;
    int32_t owner;
    int32_t partner;
    double limit;
    const char *gpu; /* share limits: NULL for all pools */
};

static double coefficient(const struct reading *reading, const struct raw_row *row, uint32_t k)
{
    const struct market *market = &reading->instance->market;
    const struct market_column *column = &market->columns[k];
    const struct market_pool *pool = &market->pools[column->pool];
    int32_t const home = market->jobs[column->job].home;
    switch (row->kind) {
    case MARKET_ROW_FOREIGN_GPUS:
        if (pool->owner != row->owner || home == row->owner)
            return 0;
        return row->gpu == NULL || strcmp(row->gpu, pool->gpu.text) == 0 ? column->gpus : 0;
    case MARKET_ROW_LINK_BYTES:
        return home == row->owner && pool->owner == row->partner ? reading->moved_bytes[k] : 0;
    case MARKET_ROW_BUDGET:
        return home == row->owner && pool->owner != row->owner
                   ? credits_to_double(column->price_room)
                   : 0;
    case MARKET_ROW_KIND_COUNT: break;
    }
    return 0;
}

static int compare_rows(const void *left, const void *right)
{
    const struct raw_row *a = left;
    const struct raw_row *b = right;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->partner != b->partner)
        return a->partner < b->partner ? -1 : 1;
    int const by_gpu = strcmp(a->gpu != NULL ? a->gpu : "", b->gpu != NULL ? b->gpu : "");
    if (by_gpu != 0)
        return by_gpu;
    return (a->limit > b->limit) - (a->limit < b->limit);
}

static size_t list_rows(const struct reading *reading, struct raw_row *rows)
{
    uint64_t const members = reading->instance->market.member_count;
    size_t count = 0;
    for (size_t i = 0; i < reading->limit_count; i++) {
        const struct instance_limit *limit = &reading->limits[i];
        if (limit->has_foreign)
            rows[count++] = (struct raw_row){.kind = MARKET_ROW_FOREIGN_GPUS,
                                             .owner = limit->member,
                                             .partner = MARKET_NONE,
                                             .limit = limit->foreign_gpus,
                                             .gpu = limit->gpu};
        if (limit->has_credits)
            rows[count++] = (struct raw_row){.kind = MARKET_ROW_BUDGET,
                                             .owner = limit->member,
                                             .partner = MARKET_NONE,
                                             .limit = limit->credits};
    }
    for (size_t i = 0; i < reading->pair_count; i++) {
        const struct instance_pair *pair = &reading->pairs[i];
        if (pair->has_limit && pair->key / members != pair->key % members)
            rows[count++] = (struct raw_row){.kind = MARKET_ROW_LINK_BYTES,
                                             .owner = (int32_t)(pair->key / members),
                                             .partner = (int32_t)(pair->key % members),
                                             .limit = pair->link_bytes};
    }
    if (count > 0)
        qsort(rows, count, sizeof *rows, compare_rows);
    return count;
}

/* Columns whose home (or, for share limits, whose pool) is the owner: a row looks at no other. */
struct bucket {
    uint32_t *columns;
    uint32_t *first; /* [member_count + 2] */
};

static bool make_bucket(const struct reading *reading, bool by_host, struct bucket *bucket)
{
    const struct market *market = &reading->instance->market;
    bucket->columns = arena_alloc(reading->arena, market->column_count, sizeof(uint32_t));
    bucket->first = arena_alloc(reading->arena, (size_t)market->member_count + 2, sizeof(uint32_t));
    if (bucket->columns == NULL || bucket->first == NULL)
        return false;
    uint32_t *next = bucket->first + 1;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < market->column_count; k++) {
            const struct market_column *column = &market->columns[k];
            int32_t const member =
                by_host ? market->pools[column->pool].owner : market->jobs[column->job].home;
            if (pass == 0)
                next[member + 1]++;
            else
                bucket->columns[next[member]++] = k;
        }
        for (uint32_t m = 1; pass == 0 && m <= market->member_count; m++)
            next[m] += next[m - 1];
    }
    return true;
}

static uint32_t fill_row(const struct reading *reading, const struct raw_row *raw,
                         const struct bucket *bucket, struct market_entry *entries)
{
    uint32_t count = 0;
    for (uint32_t i = bucket->first[raw->owner]; i < bucket->first[raw->owner + 1]; i++) {
        uint32_t const k = bucket->columns[i];
        double const a = coefficient(reading, raw, k);
        if (a <= 0)
            continue;
        if (entries != NULL)
            entries[count] = (struct market_entry){.column = k, .coefficient = a};
        count++;
    }
    return count;
}

enum status reading_rows(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    size_t const most = reading->limit_count * 2 + reading->pair_count;
    if (most > MARKET_ROWS_MAX)
        return fault_set(fault, STATUS_INVALID, "limits and links: more than %d", MARKET_ROWS_MAX);
    struct raw_row *raw = arena_alloc(reading->arena, most, sizeof *raw);
    market->rows = arena_alloc(reading->arena, most, sizeof *market->rows);
    struct bucket by_home;
    struct bucket by_host;
    if (raw == NULL || market->rows == NULL || !make_bucket(reading, false, &by_home) ||
        !make_bucket(reading, true, &by_host))
        return reading_no_room(fault);
    market->row_count = (uint32_t)list_rows(reading, raw);
    uint64_t entries = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct bucket *bucket = raw[r].kind == MARKET_ROW_FOREIGN_GPUS ? &by_host : &by_home;
        market->rows[r] =
            (struct market_row){.kind = raw[r].kind,
                                .owner = raw[r].owner,
                                .partner = raw[r].partner,
                                .limit = raw[r].limit,
                                .first_entry = (uint32_t)entries,
                                .entry_count = fill_row(reading, &raw[r], bucket, NULL)};
        entries += market->rows[r].entry_count;
        if (entries > MARKET_ENTRIES_MAX)
            return fault_set(fault, STATUS_INVALID, "limits and links bind too many columns");
    }
    market->entries = arena_alloc(reading->arena, entries, sizeof *market->entries);
    if (market->entries == NULL)
        return reading_no_room(fault);
    market->entry_count = (uint32_t)entries;
    for (uint32_t r = 0; r < market->row_count; r++)
        (void)fill_row(reading, &raw[r],
                       raw[r].kind == MARKET_ROW_FOREIGN_GPUS ? &by_host : &by_home,
                       market->entries + market->rows[r].first_entry);
    return STATUS_OK;
}
