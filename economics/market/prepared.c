#include "economics/market/prepared.h"

#include <assert.h>

static void transpose(struct prepared *prepared);

enum status prepared_make(const struct market *market, struct arena *arena,
                          struct prepared *prepared, struct fault *fault)
{
    *prepared = (struct prepared){
        .market = market,
        .first_of_column = arena_alloc(arena, (size_t)market->column_count + 2, sizeof(uint32_t)),
        .row_entries = arena_alloc(arena, market->entry_count, sizeof(struct lp_entry)),
        .row_largest = arena_alloc(arena, market->row_count, sizeof(double)),
        .cost = arena_alloc(arena, market->column_count, sizeof(struct credits)),
    };
    if (prepared->first_of_column == NULL || prepared->row_entries == NULL ||
        prepared->row_largest == NULL || prepared->cost == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    transpose(prepared);
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        bool const fits = price_amount(market->pools[column->pool].cost, column->gpus,
                                       market_column_ms(market, column), &prepared->cost[k]);
        assert(fits); /* market_validate() */
    }
    return STATUS_OK;
}

/* Rows' entries to columns' entries, by counting. */
static void transpose(struct prepared *prepared)
{
    const struct market *market = prepared->market;
    uint32_t *next = prepared->first_of_column + 1;
    for (uint32_t e = 0; e < market->entry_count; e++)
        if (market->entries[e].coefficient > 0)
            next[market->entries[e].column + 1]++;
    for (uint32_t k = 1; k <= market->column_count; k++)
        next[k] += next[k - 1];
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        double largest = 0;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            const struct market_entry *entry = &market->entries[e];
            if (entry->coefficient > largest)
                largest = entry->coefficient;
            if (entry->coefficient > 0)
                prepared->row_entries[next[entry->column]++] =
                    (struct lp_entry){.index = (int32_t)r, .value = entry->coefficient};
        }
        prepared->row_largest[r] = largest > 0 ? largest : 1;
    }
}

double prepared_limit(const struct prepared *prepared, uint32_t row, const uint64_t *mask)
{
    const struct market_row *of = &prepared->market->rows[row];
    if (!coalition_has(mask, of->owner))
        return 0;
    if (of->partner != MARKET_NONE && !coalition_has(mask, of->partner))
        return 0;
    return of->limit;
}

bool prepared_usable(const struct prepared *prepared, uint32_t column, const uint64_t *mask)
{
    const struct market *market = prepared->market;
    const struct market_column *of = &market->columns[column];
    const struct market_pool *pool = &market->pools[of->pool];
    if (of->worth.micros <= 0 || pool->gpu_count == 0)
        return false;
    if (!coalition_has(mask, pool->owner) || !coalition_has(mask, market->jobs[of->job].home))
        return false;
    for (uint32_t e = prepared->first_of_column[column]; e < prepared->first_of_column[column + 1];
         e++)
        if (prepared_limit(prepared, (uint32_t)prepared->row_entries[e].index, mask) == 0)
            return false;
    return true;
}
