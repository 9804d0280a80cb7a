#include "broker/explain_bid.h"

#include <math.h>

#include "broker/explain.h"

/* A bid is raised a little above the point of indifference, and further where rounding to whole
 * GPUs does not follow. */
static const double raises[EXPLAIN_TRIES_MAX] = {1.001, 1.01, 1.1, 1.5, 3.0};

double explain_rent_credits(const struct round *round, uint32_t column)
{
    const struct market *market = &round->market;
    const struct market_column *of = &market->columns[column];
    double rent = (double)of->gpus * round->plan.pool_rent_credits[of->pool];
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            if (entry->column == column)
                rent += entry->coefficient * round->plan.row_rent_credits[r];
        }
    return rent;
}

/* The least value (nano-credits an example) at which some configuration covers its rents; 0: none.
 */
static double indifferent_value(const struct round *round, const struct market_job *job,
                                const struct demand *demand)
{
    double least = 0.0;
    for (uint32_t k = 0; k < job->column_count; k++) {
        const struct market_column *column = &round->market.columns[job->first_column + k];
        double value = credits_to_double(column->value);
        if (value <= 0.0)
            continue;
        double short_of =
            explain_rent_credits(round, job->first_column + k) - credits_to_double(column->worth);
        double wanted =
            (double)demand->value_nanos_per_example * (1.0 + fmax(0.0, short_of) / value);
        if (least <= 0.0 || wanted < least)
            least = wanted;
    }
    return least;
}

/* Is the job placed when it alone bids otherwise? */
static enum status would_place(const struct round *round, const struct demand *demand,
                               int64_t value_nanos, bool *placed, struct fault *fault)
{
    struct arena arena;
    struct market market;
    struct plan plan;
    struct collect_input input = round->input;
    struct demand raised = *demand;
    raised.value_nanos_per_example = value_nanos;
    arena_init(&arena, ARENA_ROUND_BYTES);
    struct collect_demand *demands =
        arena_copy(&arena, round->input.demands, input.demand_count * sizeof *demands);
    enum status status = demands == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < input.demand_count; i++)
        if (demands[i].demand == demand)
            demands[i].demand = &raised;
    input.demands = demands;
    if (status == STATUS_OK)
        status = market_collect(&input, &arena, &market, fault);
    if (status == STATUS_OK)
        status = plan_make(&market, &arena, &plan, fault);
    *placed = false;
    for (uint32_t i = 0; status == STATUS_OK && i < plan.placement_count; i++) {
        uint32_t job = market.columns[plan.placements[i].column].job;
        *placed = *placed || name_equal(&market.jobs[job].job, &demand->job);
    }
    arena_fini(&arena);
    return status;
}

enum status explain_winning_bid(const struct round *round, const struct market_job *job,
                                const struct demand *demand, int64_t *value_nanos,
                                struct fault *fault)
{
    double const value_max = 9e15; /* integers below it are exact in a double */
    double start = indifferent_value(round, job, demand);
    enum status status = STATUS_OK;
    *value_nanos = 0;
    for (int i = 0; status == STATUS_OK && i < EXPLAIN_TRIES_MAX; i++) {
        double value = start * raises[i];
        bool placed = false;
        if (start <= 0.0 || value > value_max)
            return STATUS_OK;
        int64_t candidate = (int64_t)ceil(value) + 1;
        status = would_place(round, demand, candidate, &placed, fault);
        if (status == STATUS_OK && placed) {
            *value_nanos = candidate;
            return STATUS_OK;
        }
    }
    return status;
}
