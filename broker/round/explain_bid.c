#include "broker/round/explain_bid.h"

#include <math.h>

#include "broker/round/explain.h"

/* A bid is raised a little above the point of indifference, and further where that is not enough:
 * the duals are an average over the optimal face, so a rival may hold out above them; and whole
 * GPUs need not follow the LP. Between the last bid that lost and the first that won, halving finds
 * the least, to CLOSE_ENOUGH. */
static const double raises[] = {1.001, 1.05, 1.3, 2.0, 4.0};

#define CLOSE_ENOUGH 1.005

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

struct search {
    const struct round *round;
    const struct demand *demand;
    double lost; /* the highest bid that lost, nano-credits an example */
    double won;  /* the lowest that won; 0: none yet */
    struct fault *fault;
};

static int64_t bid_of(double value)
{
    return (int64_t)ceil(value) + 1;
}

static enum status try_bid(struct search *search, double value)
{
    bool placed = false;
    enum status status =
        would_place(search->round, search->demand, bid_of(value), &placed, search->fault);
    if (placed)
        search->won = value;
    else
        search->lost = value;
    return status;
}

enum status explain_winning_bid(const struct round *round, const struct market_job *job,
                                const struct demand *demand, int64_t *value_nanos,
                                struct fault *fault)
{
    double const value_max = 9e14; /* nano-credits; integers are exact in a double far beyond */
    double start = indifferent_value(round, job, demand);
    struct search search = {
        .round = round,
        .demand = demand,
        .lost = (double)demand->value_nanos_per_example,
        .fault = fault,
    };
    int tries = 0;
    enum status status = STATUS_OK;
    *value_nanos = 0;
    if (start <= 0.0 || start > value_max)
        return STATUS_OK;
    for (; status == STATUS_OK && search.won <= 0.0 &&
           tries < (int)(sizeof raises / sizeof raises[0]);
         tries++)
        status = try_bid(&search, start * raises[tries]);
    if (search.won <= 0.0)
        return status;
    for (; status == STATUS_OK && search.won > search.lost * CLOSE_ENOUGH &&
           tries < EXPLAIN_TRIES_MAX;
         tries++)
        status = try_bid(&search, sqrt(search.won * search.lost));
    *value_nanos = bid_of(search.won);
    return status;
}
