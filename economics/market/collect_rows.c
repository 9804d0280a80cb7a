#include "economics/market/collect_rows.h"

#include "economics/market/option.h"

struct making {
    struct market *market;
    const struct collect_limits *limits;
    uint32_t *by_pool;       /* columns in the order of pools */
    uint32_t *first_of_pool; /* [pool_count + 1] into by_pool */
};

static void sort_by_pool(struct making *m);
static void add_share_limit(struct making *m, uint32_t pool);
static void add_budget(struct making *m, int32_t member, uint32_t first, uint32_t end);

enum status collect_rows(struct market *market, const struct collect_limits *limits,
                         struct arena *arena, struct fault *fault)
{
    struct making m = {
        .market = market,
        .limits = limits,
        .by_pool = arena_alloc(arena, market->column_count, sizeof *m.by_pool),
        .first_of_pool = arena_alloc(arena, (size_t)market->pool_count + 2, sizeof *m.by_pool),
    };
    /* A column is in one share limit and one budget at most. */
    market->entries = arena_alloc(arena, (size_t)market->column_count * 2, sizeof *market->entries);
    market->rows =
        arena_alloc(arena, (size_t)market->pool_count + market->member_count, sizeof *market->rows);
    if (m.by_pool == NULL || m.first_of_pool == NULL || market->entries == NULL ||
        market->rows == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    sort_by_pool(&m);
    uint32_t pool = 0;
    uint32_t job = 0;
    for (int32_t member = 0; member < (int32_t)market->member_count; member++) {
        for (; pool < market->pool_count && market->pools[pool].owner == member; pool++)
            add_share_limit(&m, pool);
        uint32_t const first = job < market->job_count ? market->jobs[job].first_column : 0;
        uint32_t end = first;
        for (; job < market->job_count && market->jobs[job].home == member; job++)
            end = market->jobs[job].first_column + market->jobs[job].column_count;
        add_budget(&m, member, first, end);
    }
    return STATUS_OK;
}

static void sort_by_pool(struct making *m)
{
    const struct market *market = m->market;
    uint32_t *next = m->first_of_pool + 1; /* counts first, then where the next column goes */
    for (uint32_t k = 0; k < market->column_count; k++)
        next[market->columns[k].pool + 1]++;
    for (uint32_t p = 1; p <= market->pool_count; p++)
        next[p] += next[p - 1];
    for (uint32_t k = 0; k < market->column_count; k++)
        m->by_pool[next[market->columns[k].pool]++] = k;
}

/* The entries after the last row's become a row, unless even all jobs at their largest fit. */
static void close_row(struct market *market, struct market_row row, uint32_t entry_end)
{
    double most = 0;
    uint32_t e = market->entry_count;
    while (e < entry_end) {
        uint32_t const job = market->columns[market->entries[e].column].job;
        double largest = 0;
        for (; e < entry_end && market->columns[market->entries[e].column].job == job; e++)
            if (market->entries[e].coefficient > largest)
                largest = market->entries[e].coefficient;
        most += largest;
    }
    if (most <= row.limit)
        return;
    row.first_entry = market->entry_count;
    row.entry_count = entry_end - market->entry_count;
    market->rows[market->row_count++] = row;
    market->entry_count = entry_end;
}

/* Foreign jobs' GPUs in one pool; the host's own right-hand side. */
static void add_share_limit(struct making *m, uint32_t pool)
{
    struct market *market = m->market;
    if (m->limits->foreign_gpus_max[pool] == UINT32_MAX)
        return;
    int32_t const owner = market->pools[pool].owner;
    uint32_t end = market->entry_count;
    for (uint32_t i = m->first_of_pool[pool]; i < m->first_of_pool[pool + 1]; i++) {
        const struct market_column *column = &market->columns[m->by_pool[i]];
        if (market->jobs[column->job].home == owner)
            continue;
        market->entries[end++] =
            (struct market_entry){.column = m->by_pool[i], .coefficient = column->gpus};
    }
    close_row(market,
              (struct market_row){.kind = MARKET_ROW_FOREIGN_GPUS,
                                  .owner = owner,
                                  .partner = MARKET_NONE,
                                  .limit = m->limits->foreign_gpus_max[pool]},
              end);
}

/* What the leases of foreign GPUs can cost at most (the bid, for the round and the grace after it),
 * against the home's own means. */
static void add_budget(struct making *m, int32_t member, uint32_t first, uint32_t end)
{
    struct market *market = m->market;
    uint32_t entry = market->entry_count;
    for (uint32_t k = first; k < end; k++) {
        const struct market_column *column = &market->columns[k];
        if (market->pools[column->pool].owner == member || column->worth.micros <= 0)
            continue;
        market->entries[entry++] = (struct market_entry){
            .column = k, .coefficient = option_cap(column, market->round_ms, m->limits->grace_ms)};
    }
    close_row(market,
              (struct market_row){.kind = MARKET_ROW_BUDGET,
                                  .owner = member,
                                  .partner = MARKET_NONE,
                                  .limit = credits_to_double(m->limits->budget[member])},
              entry);
}
