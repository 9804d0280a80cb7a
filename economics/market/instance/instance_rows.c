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

static double coefficient(const struct building *building, const struct raw_row *row, uint32_t k)
{
    const struct market *market = &building->instance->market;
    const struct market_column *column = &market->columns[k];
    const struct market_pool *pool = &market->pools[column->pool];
    int32_t const home = market->jobs[column->job].home;
    switch (row->kind) {
    case MARKET_ROW_FOREIGN_GPUS:
        if (pool->owner != row->owner || home == row->owner)
            return 0;
        return row->gpu == NULL || strcmp(row->gpu, pool->gpu.text) == 0 ? column->gpus : 0;
    case MARKET_ROW_LINK_BYTES:
        return home == row->owner && pool->owner == row->partner ? building->job_bytes[column->job]
                                                                 : 0;
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

static size_t list_rows(const struct building *building, struct raw_row *rows)
{
    uint64_t const members = building->instance->market.member_count;
    size_t count = 0;
    for (uint32_t i = 0; i < building->draft->limits.count; i++) {
        const struct draft_limit *limit = &building->draft->limits.items[i];
        int32_t const owner = (int32_t)building->member_of[limit->member];
        if (limit->foreign_gpus >= 0)
            rows[count++] = (struct raw_row){.kind = MARKET_ROW_FOREIGN_GPUS,
                                             .owner = owner,
                                             .partner = MARKET_NONE,
                                             .limit = limit->foreign_gpus,
                                             .gpu = limit->gpu};
        if (limit->credits >= 0)
            rows[count++] = (struct raw_row){.kind = MARKET_ROW_BUDGET,
                                             .owner = owner,
                                             .partner = MARKET_NONE,
                                             .limit = limit->credits};
    }
    for (size_t i = 0; i < building->pair_count; i++) {
        const struct instance_pair *pair = &building->pairs[i];
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

/* Columns by the owner of their pool: a share limit looks at no other. (A home's lie together.) */
struct bucket {
    uint32_t *columns;
    uint32_t *first; /* [member_count + 2] */
};

static bool make_bucket(struct building *building, struct bucket *bucket)
{
    const struct market *market = &building->instance->market;
    bucket->columns = arena_alloc(&building->scratch, market->column_count, sizeof(uint32_t));
    bucket->first =
        arena_alloc(&building->scratch, (size_t)market->member_count + 2, sizeof(uint32_t));
    if (bucket->columns == NULL || bucket->first == NULL)
        return false;
    uint32_t *next = bucket->first + 1;
    for (uint32_t k = 0; k < market->column_count; k++)
        next[market->pools[market->columns[k].pool].owner + 1]++;
    for (uint32_t m = 1; m <= market->member_count; m++)
        next[m] += next[m - 1];
    for (uint32_t k = 0; k < market->column_count; k++)
        bucket->columns[next[market->pools[market->columns[k].pool].owner]++] = k;
    return true;
}

static uint32_t fill_row(const struct building *building, const struct raw_row *raw,
                         const struct bucket *by_host, struct market_entry *entries)
{
    bool const hosted = raw->kind == MARKET_ROW_FOREIGN_GPUS;
    const uint32_t *first = hosted ? by_host->first : building->home_column;
    uint32_t count = 0;
    for (uint32_t i = first[raw->owner]; i < first[raw->owner + 1]; i++) {
        uint32_t const k = hosted ? by_host->columns[i] : i;
        double const a = coefficient(building, raw, k);
        if (a <= 0)
            continue;
        if (entries != NULL)
            entries[count] = (struct market_entry){.column = k, .coefficient = a};
        count++;
    }
    return count;
}

enum status building_rows(struct building *building, struct fault *fault)
{
    struct market *market = &building->instance->market;
    size_t const most = (size_t)building->draft->limits.count * 2 + building->pair_count;
    if (most > MARKET_ROWS_MAX)
        return fault_set(fault, STATUS_INVALID, "limits and links: more than %d", MARKET_ROWS_MAX);
    struct raw_row *raw = arena_alloc(&building->scratch, most, sizeof *raw);
    market->rows = arena_alloc(building->arena, most, sizeof *market->rows);
    struct bucket by_host;
    if (raw == NULL || market->rows == NULL || !make_bucket(building, &by_host))
        return draft_no_room(fault);
    market->row_count = (uint32_t)list_rows(building, raw);
    uint64_t entries = 0;
    for (uint32_t r = 0; r < market->row_count; r++) {
        market->rows[r] =
            (struct market_row){.kind = raw[r].kind,
                                .owner = raw[r].owner,
                                .partner = raw[r].partner,
                                .limit = raw[r].limit,
                                .first_entry = (uint32_t)entries,
                                .entry_count = fill_row(building, &raw[r], &by_host, NULL)};
        entries += market->rows[r].entry_count;
        if (entries > MARKET_ENTRIES_MAX)
            return fault_set(fault, STATUS_INVALID, "limits and links bind too many columns");
    }
    market->entries = arena_alloc(building->arena, entries, sizeof *market->entries);
    if (market->entries == NULL)
        return draft_no_room(fault);
    market->entry_count = (uint32_t)entries;
    for (uint32_t r = 0; r < market->row_count; r++)
        (void)fill_row(building, &raw[r], &by_host, market->entries + market->rows[r].first_entry);
    return STATUS_OK;
}
