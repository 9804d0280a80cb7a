#include "economics/throughput/fitting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/throughput/linear.h"

#define SCALE_FIRST 0.08
/* A pair's weight in the scale of all is capped, so that none dictates it. */
#define SCALE_WEIGHT_MAX 20.0
/* What the law may miss with every doubling of GPUs beyond those measured, log seconds. */
#define BEYOND_PER_OCTAVE 0.02

static enum status take_rows(const struct fit_set *set, const bool *keep, struct arena *arena,
                             struct fit_state *state, struct fault *fault);
static void fit_pairs(const struct fit_set *set, struct fit_state *state, bool first);
static void pool_scale(const struct fit_set *set, struct fit_state *state);
static void find_model_effects(const struct fit_set *set, struct fit_state *state);
static enum status find_pair_effects(const struct fit_set *set, struct fit_state *state,
                                     struct arena *arena, struct fault *fault);

enum status fit_state_run(const struct fit_set *set, const bool *keep, const struct fit_state *like,
                          struct arena *arena, struct fit_state *state, struct fault *fault)
{
    memset(state, 0, sizeof *state);
    state->pair_count = set->pair_count;
    enum status status =
        pooling_init(&state->pooling, set->model_count, set->cluster_count, arena, fault);
    if (status == STATUS_OK)
        status = take_rows(set, keep, arena, state, fault);
    struct pooling_pair *pooled = arena_alloc(arena, set->pair_count, sizeof *pooled);
    if (status == STATUS_OK && pooled == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for %u pairs", set->pair_count);
    if (status != STATUS_OK)
        return status;
    state->scale = like != NULL ? like->scale : SCALE_FIRST;
    if (like != NULL)
        memcpy(state->pooling.variance, like->pooling.variance, sizeof like->pooling.variance);
    for (uint32_t p = 0; p < set->pair_count; p++) {
        struct fit_pair_state *pair = &state->pairs[p];
        pair->estimate.scale = state->scale;
        memcpy(pair->estimate.theta, state->pooling.mean, sizeof pair->estimate.theta);
        pair->settled =
            like != NULL && p < like->pair_count && pair->rows.count == like->pairs[p].rows.count;
        if (pair->settled)
            pair->estimate = like->pairs[p].estimate;
        pooled[p] = (struct pooling_pair){set->pairs[p].model, set->pairs[p].cluster,
                                          &state->pairs[p].estimate};
    }
    int const passes = like != NULL ? FIT_PASSES_AGAIN : FIT_PASSES;
    for (int pass = 0; pass < passes; pass++) {
        fit_pairs(set, state, pass == 0);
        status = pooling_solve(&state->pooling, pooled, set->pair_count, fault);
        if (status != STATUS_OK)
            return status;
        if (like == NULL) {
            pooling_update_variances(&state->pooling, pooled, set->pair_count);
            pool_scale(set, state);
        }
        find_model_effects(set, state);
    }
    fit_pairs(set, state, false);
    for (uint32_t p = 0; p < set->pair_count; p++) {
        struct fit_pair_state *pair = &state->pairs[p];
        pooling_believe(&state->pooling, set->pairs[p].model, set->pairs[p].cluster,
                        pair->rows.count > 0 ? &pair->estimate : NULL, &pair->belief);
    }
    return find_pair_effects(set, state, arena, fault);
}

/* Rows of one placement share its noise: n of them weigh together n / (1 + (n − 1)/2), two at
 * most. */
static double shared_weight(uint32_t rows)
{
    return 1 / (1 + (rows - 1) / 2.0);
}

static void take_pair(const struct fit_set *set, const struct fit_pair *of, const bool *keep,
                      struct form_input *inputs, double *numbers, struct fit_pair_state *pair)
{
    pair->log_seconds = numbers;
    pair->fitted = numbers + of->count;
    double *weights = numbers + (size_t)of->count * 2;
    uint32_t n = 0;
    for (uint32_t i = of->first; i < of->first + of->count; i++) {
        if (keep != NULL && !keep[i])
            continue;
        const struct fit_row *row = &set->rows[i];
        inputs[n] = row->input;
        pair->log_seconds[n] = row->log_seconds;
        pair->fitted[n] = row->log_seconds;
        pair->batches[n] = row->source->configuration.batch;
        pair->groups[n] = row->group;
        if (row->source->configuration.gpus > pair->coverage.gpus_max)
            pair->coverage.gpus_max = row->source->configuration.gpus;
        if (row->source->configuration.nodes > pair->coverage.nodes_max)
            pair->coverage.nodes_max = row->source->configuration.nodes;
        n++;
    }
    for (uint32_t start = 0, end; start < n; start = end) {
        for (end = start; end < n && pair->groups[end] == pair->groups[start];)
            end++;
        for (uint32_t i = start; i < end; i++)
            weights[i] = shared_weight(end - start);
        pair->coverage.placements++;
    }
    pair->coverage.rows = n;
    pair->rows = (struct pair_rows){inputs, pair->fitted, weights, n};
}

static enum status take_rows(const struct fit_set *set, const bool *keep, struct arena *arena,
                             struct fit_state *state, struct fault *fault)
{
    state->pairs = arena_alloc(arena, set->pair_count, sizeof *state->pairs);
    for (uint32_t p = 0; state->pairs != NULL && p < set->pair_count; p++) {
        struct fit_pair_state *pair = &state->pairs[p];
        uint32_t const count = set->pairs[p].count;
        struct form_input *inputs = arena_alloc(arena, count, sizeof *inputs);
        double *numbers = arena_alloc(arena, (size_t)count * 3, sizeof *numbers);
        pair->batches = arena_alloc(arena, count, sizeof *pair->batches);
        pair->groups = arena_alloc(arena, count, sizeof *pair->groups);
        if (inputs == NULL || numbers == NULL || pair->batches == NULL || pair->groups == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u rows", count);
        take_pair(set, &set->pairs[p], keep, inputs, numbers, pair);
    }
    state->models = arena_alloc(arena, set->model_count, sizeof *state->models);
    state->residuals = arena_alloc(arena, set->row_count, sizeof *state->residuals);
    if (state->pairs == NULL || state->models == NULL || state->residuals == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u pairs", set->pair_count);
    for (uint32_t p = 0, rows = 0; p < set->pair_count; p++) {
        rows += set->pairs[p].count;
        if (p + 1 < set->pair_count && set->pairs[p + 1].model == set->pairs[p].model)
            continue;
        struct batch_effects *effects = &state->models[set->pairs[p].model];
        effects->of = arena_alloc(arena, rows, sizeof *effects->of);
        if (effects->of == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u batches", rows);
        rows = 0;
    }
    return STATUS_OK;
}

/* first: nothing is pooled yet, so every pair stands alone under the widest prior. */
static void fit_pairs(const struct fit_set *set, struct fit_state *state, bool first)
{
    for (uint32_t p = 0; p < set->pair_count; p++) {
        struct pair_prior prior = {.scale = state->scale};
        if (state->pairs[p].settled)
            continue;
        if (first)
            pooling_prior_alone(&state->pooling, &prior);
        else
            pooling_prior(&state->pooling, set->pairs[p].model, set->pairs[p].cluster, &prior);
        pair_fit(&state->pairs[p].rows, &prior, &state->pairs[p].estimate);
    }
}

/* The geometric mean over pairs. */
static void pool_scale(const struct fit_set *set, struct fit_state *state)
{
    double sum = 0;
    double weight = 0;
    for (uint32_t p = 0; p < set->pair_count; p++) {
        double const own = fmin(state->pairs[p].coverage.placements, SCALE_WEIGHT_MAX);
        sum += own * log(state->pairs[p].estimate.scale);
        weight += own;
    }
    if (weight > 0)
        state->scale = exp(sum / weight);
}

/* -- Effects of batches ------------------------------------------------------------------------ */

static uint32_t add_residuals(const struct fit_pair_state *pair, uint32_t number,
                              struct batch_residual *residuals, uint32_t count)
{
    for (uint32_t i = 0; i < pair->rows.count; i++)
        residuals[count++] = (struct batch_residual){
            pair->batches[i],
            pair->log_seconds[i] -
                form_log_seconds(&pair->rows.inputs[i], pair->estimate.theta, NULL),
            number};
    return count;
}

/* Pairs are in order of their models. What a model's pairs share is taken from what is fitted. */
static void find_model_effects(const struct fit_set *set, struct fit_state *state)
{
    for (uint32_t p = 0, next; p < set->pair_count; p = next) {
        uint32_t count = 0;
        struct batch_effects *effects = &state->models[set->pairs[p].model];
        for (next = p; next < set->pair_count && set->pairs[next].model == set->pairs[p].model;
             next++)
            count = add_residuals(&state->pairs[next], next, state->residuals, count);
        effects_of_model(state->residuals, count, effects);
        for (uint32_t q = p; q < next; q++) {
            struct fit_pair_state *pair = &state->pairs[q];
            for (uint32_t i = 0; i < pair->rows.count; i++)
                pair->fitted[i] = pair->log_seconds[i] - effects_at(effects, pair->batches[i]);
        }
    }
}

static enum status find_pair_effects(const struct fit_set *set, struct fit_state *state,
                                     struct arena *arena, struct fault *fault)
{
    for (uint32_t p = 0; p < set->pair_count; p++) {
        struct fit_pair_state *pair = &state->pairs[p];
        const struct batch_effects *model = &state->models[set->pairs[p].model];
        pair->effects.of = arena_alloc(arena, model->count, sizeof *pair->effects.of);
        if (pair->effects.of == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u batches", model->count);
        uint32_t const count = add_residuals(pair, p, state->residuals, 0);
        effects_of_pair(state->residuals, count, model, &pair->effects);
    }
    return STATUS_OK;
}

/* -- Forecasts --------------------------------------------------------------------------------- */

double fit_deviation(double posterior_variance, double scale, const struct fit_coverage *coverage,
                     const struct configuration *configuration)
{
    double beyond = 0;
    if (coverage->gpus_max > 0 && configuration->gpus > coverage->gpus_max)
        beyond = BEYOND_PER_OCTAVE * log2((double)configuration->gpus / coverage->gpus_max);
    return sqrt(fmax(posterior_variance, 0) + scale * scale + beyond * beyond);
}

struct fit_forecast fit_state_forecast(const struct fit_state *state, const struct fit_row *row)
{
    const struct fit_pair_state *of = &state->pairs[row->pair];
    const struct configuration *configuration = &row->source->configuration;
    double by[FORM_PARAMETERS];
    double const log_seconds = form_log_seconds(&row->input, of->belief.mean, by);
    double const variance = linear_quadratic(of->belief.covariance, FORM_PARAMETERS, by);
    return (struct fit_forecast){
        .log_seconds = log_seconds + effects_at(&of->effects, configuration->batch),
        .deviation = fit_deviation(variance, of->estimate.scale, &of->coverage, configuration)};
}

enum throughput_reach fit_reach(const struct fit_coverage *coverage,
                                const struct configuration *configuration)
{
    if (coverage->rows == 0)
        return REACH_NEW;
    if (coverage->rows < FIT_ROWS_KNOWN || coverage->placements < FIT_PLACEMENTS_KNOWN)
        return REACH_SPARSE;
    if (configuration->gpus > coverage->gpus_max ||
        (configuration->nodes > 1 && coverage->nodes_max == 1))
        return REACH_BEYOND;
    return REACH_MEASURED;
}
