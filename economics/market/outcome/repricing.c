#include "economics/market/outcome/repricing.h"

#include <math.h>

/* A row's part of what a use pays. */
struct levy {
    uint32_t use;
    uint32_t row;
    double rent;
};

struct levies {
    struct levy *items; /* by row */
    uint32_t count;
    double *due;  /* [use_count] n μ + Σ a π over rows of others */
    double *part; /* [use_count] of it that is paid, 0 to 1 */
};

static enum status collect(const struct market *market, const struct session_result *rents,
                           const struct session_use *uses, uint32_t use_count, struct arena *arena,
                           struct levies *levies, struct fault *fault);
static void pay(const struct market *market, const struct session_result *rents,
                const struct session_use *uses, uint32_t use_count, struct levies *levies,
                struct repricing *repricing);

enum status repricing_make(const struct market *market, const struct session_result *rents,
                           const struct session_use *uses, uint32_t use_count, struct arena *arena,
                           struct repricing *repricing, struct fault *fault)
{
    struct levies levies;
    *repricing = (struct repricing){
        .payment = arena_alloc(arena, use_count, sizeof(double)),
        .payoff = arena_alloc(arena, market->member_count, sizeof(double)),
        .owen = arena_alloc(arena, market->member_count, sizeof(double)),
    };
    if (repricing->payment == NULL || repricing->payoff == NULL || repricing->owen == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    enum status const status = collect(market, rents, uses, use_count, arena, &levies, fault);
    if (status != STATUS_OK)
        return status;
    pay(market, rents, uses, use_count, &levies, repricing);
    repricing_owen(market, rents, repricing->owen);
    for (uint32_t i = 0; i < market->member_count; i++)
        repricing->epsilon += fmax(0, repricing->owen[i] - repricing->payoff[i]);
    return STATUS_OK;
}

void repricing_owen(const struct market *market, const struct session_result *rents, double *owen)
{
    for (uint32_t i = 0; i < market->member_count; i++)
        owen[i] = 0;
    for (uint32_t j = 0; j < market->job_count; j++)
        owen[market->jobs[j].home] += rents->job_surplus_credits[j];
    for (uint32_t p = 0; p < market->pool_count; p++)
        owen[market->pools[p].owner] += rents->pool_rent_credits[p] * market->pools[p].gpu_count;
    for (uint32_t r = 0; r < market->row_count; r++)
        owen[market->rows[r].owner] += rents->row_rent_credits[r] * market->rows[r].limit;
}

static int32_t home_of(const struct market *market, uint32_t column)
{
    return market->jobs[market->columns[column].job].home;
}

static double cost_of(const struct market *market, const struct market_column *column)
{
    return price_to_double(market->pools[column->pool].cost) * column->gpus *
           (double)market_column_ms(market, column) / MS_PER_SECOND;
}

static uint32_t count_levies(const struct market *market, const struct session_result *rents)
{
    uint64_t count = 0;
    for (uint32_t r = 0; r < market->row_count; r++)
        if (rents->row_rent_credits[r] > 0)
            count += market->rows[r].entry_count;
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* Both lists go by column: one walk a row, from the row's first column on. */
static void levy_row(const struct market *market, const struct session_use *uses,
                     uint32_t use_count, uint32_t r, double rent, struct levies *levies)
{
    const struct market_row *row = &market->rows[r];
    const struct market_entry *entry = market->entries + row->first_entry;
    const struct market_entry *end = entry + row->entry_count;
    uint32_t low = 0;
    for (uint32_t high = use_count; entry < end && low < high;) {
        uint32_t const middle = low + (high - low) / 2;
        if (uses[middle].column < entry->column)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t u = low; u < use_count && entry < end;) {
        if (uses[u].column < entry->column) {
            u++;
        } else if (uses[u].column > entry->column) {
            entry++;
        } else {
            double const due = entry->coefficient * rent;
            if (home_of(market, uses[u].column) != row->owner) {
                levies->items[levies->count++] = (struct levy){.use = u, .row = r, .rent = due};
                levies->due[u] += due;
            }
            u++;
            entry++;
        }
    }
}

static enum status collect(const struct market *market, const struct session_result *rents,
                           const struct session_use *uses, uint32_t use_count, struct arena *arena,
                           struct levies *levies, struct fault *fault)
{
    *levies = (struct levies){
        .items = arena_alloc(arena, count_levies(market, rents), sizeof *levies->items),
        .due = arena_alloc(arena, use_count, sizeof(double)),
        .part = arena_alloc(arena, use_count, sizeof(double)),
    };
    if (levies->items == NULL || levies->due == NULL || levies->part == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t u = 0; u < use_count; u++) {
        const struct market_column *column = &market->columns[uses[u].column];
        levies->due[u] = rents->pool_rent_credits[column->pool] * column->gpus;
    }
    for (uint32_t r = 0; r < market->row_count; r++)
        if (rents->row_rent_credits[r] > 0)
            levy_row(market, uses, use_count, r, rents->row_rent_credits[r], levies);
    for (uint32_t u = 0; u < use_count; u++) {
        const struct market_column *column = &market->columns[uses[u].column];
        double const room = credits_to_double(column->price_room) - cost_of(market, column);
        double const most = fmax(0, fmin(credits_to_double(column->worth), room));
        levies->part[u] = levies->due[u] > most ? most / levies->due[u] : 1;
    }
    return STATUS_OK;
}

static void pay(const struct market *market, const struct session_result *rents,
                const struct session_use *uses, uint32_t use_count, struct levies *levies,
                struct repricing *repricing)
{
    for (uint32_t u = 0; u < use_count; u++) {
        const struct market_column *column = &market->columns[uses[u].column];
        double const part = levies->part[u] * uses[u].share;
        double const paid = levies->due[u] * part;
        repricing->payment[u] = cost_of(market, column) * uses[u].share + paid;
        repricing->payoff[home_of(market, uses[u].column)] +=
            credits_to_double(column->worth) * uses[u].share - paid;
        repricing->payoff[market->pools[column->pool].owner] +=
            rents->pool_rent_credits[column->pool] * column->gpus * part;
    }
    for (uint32_t i = 0; i < levies->count; i++) {
        const struct levy *levy = &levies->items[i];
        repricing->payoff[market->rows[levy->row].owner] +=
            levy->rent * levies->part[levy->use] * uses[levy->use].share;
    }
}
