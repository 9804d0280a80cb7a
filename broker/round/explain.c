/* See explain.h. Steps: find the job, list its options, look for its placement, find the bid that
 * would have won, say it in words. */
#include "broker/round/explain.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "broker/round/explain_bid.h"

enum { SUMMARY_TEXT_MAX = 1024 };

struct explaining {
    const struct round *round;
    const struct market_job *job;
    uint32_t job_index;
    const struct demand *demand;
    const struct plan_placement *placement; /* NULL: not placed */
    struct arena *arena;
    struct explain_response *response;
    const struct explain_option *best; /* by surplus, of those allowed; NULL: none */
    struct fault *fault;
};

static bool find_job(struct explaining *explaining, const struct name *job);
static enum status list_options(struct explaining *explaining);
static void find_best(struct explaining *explaining);
static enum status find_bid(struct explaining *explaining);
static enum status say(struct explaining *explaining);

enum status explain_job(const struct round *round, bool committed, const struct name *job,
                        struct arena *arena, struct explain_response *response, struct fault *fault)
{
    struct explaining explaining = {
        .round = round, .arena = arena, .response = response, .fault = fault};
    *response = (struct explain_response){
        .job = *job, .round = committed ? round->number : 0, .summary = ""};
    if (!find_job(&explaining, job))
        return fault_set(fault, STATUS_NOT_FOUND, "job %s took part in no round yet", job->text);
    response->placed = explaining.placement != NULL;
    enum status status = list_options(&explaining);
    find_best(&explaining);
    if (status == STATUS_OK && !response->placed)
        status = find_bid(&explaining);
    return status == STATUS_OK ? say(&explaining) : status;
}

static const struct demand *demand_of(const struct round *round, const struct name *job)
{
    for (uint32_t i = 0; i < round->input.demand_count; i++)
        if (name_equal(&round->input.demands[i].demand->job, job))
            return round->input.demands[i].demand;
    return NULL;
}

bool explain_knows(const struct round *round, const struct name *job)
{
    return demand_of(round, job) != NULL;
}

static bool find_job(struct explaining *explaining, const struct name *job)
{
    const struct market *market = &explaining->round->market;
    const struct plan *plan = &explaining->round->plan;
    explaining->demand = demand_of(explaining->round, job);
    for (uint32_t i = 0; i < market->job_count && explaining->job == NULL; i++)
        if (name_equal(&market->jobs[i].job, job)) {
            explaining->job = &market->jobs[i];
            explaining->job_index = i;
        }
    if (explaining->job == NULL || explaining->demand == NULL)
        return false;
    for (uint32_t i = 0; i < plan->placement_count; i++)
        if (market->columns[plan->placements[i].column].job == explaining->job_index)
            explaining->placement = &plan->placements[i];
    return true;
}

/* --- options */

/* What the market was told of that column, with its interval: asked again of what the round
 * predicted with. */
static struct throughput_estimate estimate_of(const struct explaining *explaining,
                                              const struct market_pool *pool, uint32_t gpus)
{
    uint32_t fullest = 0;
    for (uint32_t n = 0; n < pool->node_count; n++) {
        uint32_t const usable = (uint32_t)__builtin_popcountll(pool->nodes[n].gpus);
        fullest = usable > fullest ? usable : fullest;
    }
    struct predictor_question const question = {
        .demand = explaining->demand,
        .pool = {explaining->round->market.members[pool->owner].name, pool->gpu},
        .configuration = predictor_configuration(explaining->demand, gpus, fullest),
    };
    return predictor_ask(explaining->round->input.predictor, &question);
}

static struct explain_option option_of(const struct explaining *explaining, uint32_t index)
{
    const struct market *market = &explaining->round->market;
    const struct market_column *column = &market->columns[index];
    const struct market_pool *pool = &market->pools[column->pool];
    double round_seconds = (double)market->round_ms / 1000.0;
    double rent = explain_rent_credits(explaining->round, index);
    double worth = credits_to_double(column->worth);
    struct throughput_estimate const estimate = estimate_of(explaining, pool, column->gpus);
    struct explain_option option = {
        .pool = {.member = market->members[pool->owner].name, .gpu = pool->gpu},
        .gpus = column->gpus,
        .examples_per_second = (double)column->micro_examples_per_second / 1e6,
        .value_credits = credits_to_double(column->value),
        .price_per_gpu_second =
            price_to_double(pool->cost) + rent / ((double)column->gpus * round_seconds),
        .surplus_credits = worth - rent,
        .examples_per_second_low = estimate.low,
        .examples_per_second_high = estimate.high,
        .basis = throughput_basis_name(estimate.basis),
        .obstacle = column->worth.micros <= 0 ? "costs more than it is worth to the job" : "",
    };
    return option;
}

/* A pool where the job has no column: one line that says why. */
static bool obstacle_at(const struct explaining *explaining, uint32_t p,
                        struct explain_option *option)
{
    const struct market *market = &explaining->round->market;
    const struct collect_input *input = &explaining->round->input;
    const struct market_pool *pool = &market->pools[p];
    const struct name *owner = &market->members[pool->owner].name;
    for (uint32_t k = 0; k < explaining->job->column_count; k++)
        if (market->columns[explaining->job->first_column + k].pool == p)
            return false;
    const struct offer *offer = NULL;
    for (uint32_t i = 0; i < input->offer_count; i++)
        if (name_equal(&input->offers[i]->member, owner))
            offer = input->offers[i];
    const struct pool_offer *offered = offer == NULL ? NULL : offer_pool(offer, &pool->gpu);
    if (offered == NULL)
        return false;
    *option = (struct explain_option){
        .pool = {.member = *owner, .gpu = pool->gpu},
        .basis = "",
        .gpus = explaining->demand->gpus_min,
        .price_per_gpu_second = price_to_double(explaining->round->plan.pool_price[p]),
        .obstacle = market_obstacle(input, explaining->demand, offer, offered,
                                    explaining->demand->gpus_min),
    };
    return option->obstacle[0] != '\0';
}

static enum status list_options(struct explaining *explaining)
{
    const struct market *market = &explaining->round->market;
    struct explain_response *response = explaining->response;
    uint64_t most = (uint64_t)explaining->job->column_count + market->pool_count;
    most = most < EXPLAIN_OPTIONS_MAX ? most : EXPLAIN_OPTIONS_MAX;
    response->options = arena_alloc(explaining->arena, most, sizeof *response->options);
    if (response->options == NULL)
        return fault_set(explaining->fault, STATUS_EXHAUSTED, "too many options to explain");
    for (uint32_t k = 0; k < explaining->job->column_count && response->option_count < most; k++)
        response->options[response->option_count++] =
            option_of(explaining, explaining->job->first_column + k);
    for (uint32_t p = 0; p < market->pool_count && response->option_count < most; p++)
        if (obstacle_at(explaining, p, &response->options[response->option_count]))
            response->option_count++;
    return STATUS_OK;
}

static void find_best(struct explaining *explaining)
{
    for (uint32_t i = 0; i < explaining->response->option_count; i++) {
        const struct explain_option *option = &explaining->response->options[i];
        if (option->obstacle[0] != '\0')
            continue;
        if (explaining->best == NULL || option->surplus_credits > explaining->best->surplus_credits)
            explaining->best = option;
    }
}

static enum status find_bid(struct explaining *explaining)
{
    return explain_winning_bid(explaining->round, explaining->job, explaining->demand,
                               &explaining->response->winning_value_nanos_per_example,
                               explaining->fault);
}

/* --- words */

static void say_placed(const struct explaining *explaining, char text[static SUMMARY_TEXT_MAX])
{
    const struct market *market = &explaining->round->market;
    const struct market_column *column = &market->columns[explaining->placement->column];
    const struct market_pool *pool = &market->pools[column->pool];
    snprintf(text, SUMMARY_TEXT_MAX,
             "Placed on %" PRIu32 " %s of %s at %.6f credits per GPU-second: of its options this "
             "one leaves the federation the most.",
             column->gpus, pool->gpu.text, market->members[pool->owner].name.text,
             price_to_double(explaining->placement->price));
}

static void say_waiting(const struct explaining *explaining, char text[static SUMMARY_TEXT_MAX])
{
    const struct explain_response *response = explaining->response;
    const struct explain_option *best = explaining->best;
    double bid = (double)explaining->demand->value_nanos_per_example / 1e9;
    char winning[160] = "No bid would have placed it.";
    if (response->winning_value_nanos_per_example > 0)
        snprintf(winning, sizeof winning,
                 "A value of %.9f credits per example would have been placed; it bids %.9f.",
                 (double)response->winning_value_nanos_per_example / 1e9, bid);
    if (response->option_count == 0)
        snprintf(text, SUMMARY_TEXT_MAX, "Not placed: nobody offered GPUs in this round.");
    else if (explaining->job->column_count == 0)
        snprintf(text, SUMMARY_TEXT_MAX,
                 "Not placed: no pool may run it; at %s/%s, for example: %s.",
                 response->options[0].pool.member.text, response->options[0].pool.gpu.text,
                 response->options[0].obstacle);
    else if (best == NULL)
        snprintf(text, SUMMARY_TEXT_MAX,
                 "Not placed: everywhere it would cost more than the job is worth. %s", winning);
    else if (best->surplus_credits < 0)
        snprintf(text, SUMMARY_TEXT_MAX,
                 "Not placed: other jobs are worth more. Its best option, %" PRIu32 " %s of %s, "
                 "falls short by %.6f credits a round. %s",
                 best->gpus, best->pool.gpu.text, best->pool.member.text, -best->surplus_credits,
                 winning);
    else
        snprintf(text, SUMMARY_TEXT_MAX,
                 "Not placed: it could pay the price of %" PRIu32 " %s of %s, but jobs get whole "
                 "GPUs and those were taken; it waits with growing precedence. %s",
                 best->gpus, best->pool.gpu.text, best->pool.member.text, winning);
}

static enum status say(struct explaining *explaining)
{
    char *text = arena_alloc(explaining->arena, SUMMARY_TEXT_MAX, 1);
    if (text == NULL)
        return fault_set(explaining->fault, STATUS_EXHAUSTED, "no memory to explain");
    if (explaining->placement != NULL)
        say_placed(explaining, text);
    else
        say_waiting(explaining, text);
    explaining->response->summary = text;
    return STATUS_OK;
}
