/*
 * Model: making one: order the rows, fit, calibrate, write down what is believed of every pair.
 */
#include <string.h>

#include "economics/throughput/model.h"

enum { CALIBRATION_BYTES_MAX = 512 * 1024 * 1024 };

/* A parameter is the prior's where its rows tell less than a tenth of what the prior does. */
#define INFORMATION_LEAST 0.1

static enum status write_beliefs(const struct fit_set *set, const struct fit_state *state,
                                 struct arena *arena, struct throughput_model *model,
                                 struct fault *fault);

enum status model_fit(const struct measurements *measurements, const uint32_t *rows,
                      uint32_t row_count, const struct model_options *options, struct arena *arena,
                      const struct throughput_model **result, struct fault *fault)
{
    struct arena work;
    arena_init(&work, ARENA_ROUND_BYTES);
    struct fit_set set;
    struct fit_state state;
    struct interval_factors factors;
    struct throughput_model *model = arena_alloc(arena, 1, sizeof *model);
    uint32_t const count = rows == NULL ? measurements->row_count : row_count;
    uint32_t *all = arena_alloc(&work, count, sizeof *all);
    enum status status = STATUS_OK;
    if (model == NULL || all == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for a model of %u rows", count);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        all[i] = rows == NULL ? i : rows[i];
    if (status == STATUS_OK)
        status = fit_set_make(measurements, all, count, options != NULL ? options->link_gbps : NULL,
                              &work, &set, fault);
    if (status == STATUS_OK)
        status = fit_state_run(&set, NULL, NULL, &work, &state, fault);
    if (status == STATUS_OK)
        status = calibrate(&set, &state, CALIBRATION_BYTES_MAX, &factors, fault);
    if (status == STATUS_OK) {
        memcpy(model->models, measurements->models, sizeof model->models);
        memcpy(model->clusters, measurements->clusters, sizeof model->clusters);
        model->factors = factors;
        model->row_count = count;
        status = write_beliefs(&set, &state, arena, model, fault);
    }
    arena_fini(&work);
    *result = model;
    return status;
}

/* Which parameters the rows say (almost) nothing of. */
static uint32_t find_at_prior(const struct pooling *pooling, const struct pair_estimate *estimate)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < FORM_PARAMETERS; i++) {
        double variance = 0;
        for (int level = 0; level < POOLING_LEVELS; level++)
            variance += pooling->variance[level][i];
        double const told =
            estimate != NULL ? estimate->information[i * FORM_PARAMETERS + i] * variance : 0;
        if (told < INFORMATION_LEAST)
            bits |= 1U << i;
    }
    return bits;
}

static enum status copy_effects(const struct batch_effects *from, struct arena *arena,
                                struct batch_effects *to, struct fault *fault)
{
    to->of = arena_copy(arena, from->of, from->count * sizeof *from->of);
    to->count = from->count;
    return to->of != NULL ? STATUS_OK : fault_set(fault, STATUS_NO_MEMORY, "no memory for a model");
}

static enum status write_measured(const struct fit_set *set, const struct fit_state *state,
                                  struct arena *arena, struct throughput_model *model,
                                  struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t p = 0; p < set->pair_count && status == STATUS_OK; p++) {
        const struct fit_pair_state *pair = &state->pairs[p];
        struct model_belief *belief =
            &model->beliefs[(size_t)set->pairs[p].model * (model->cluster_count + 1) +
                            set->pairs[p].cluster];
        memcpy(belief->mean, pair->belief.mean, sizeof belief->mean);
        memcpy(belief->covariance, pair->belief.covariance, sizeof belief->covariance);
        belief->scale = pair->estimate.scale;
        belief->coverage = pair->coverage;
        belief->at_prior = find_at_prior(&state->pooling, &pair->estimate);
        status = copy_effects(&pair->effects, arena, &belief->effects, fault);
    }
    return status;
}

static enum status write_beliefs(const struct fit_set *set, const struct fit_state *state,
                                 struct arena *arena, struct throughput_model *model,
                                 struct fault *fault)
{
    model->model_count = set->model_count;
    model->cluster_count = set->cluster_count;
    memcpy(model->centre, set->centre, set->model_count * sizeof *model->centre);
    model->centre[set->model_count] = set->centre[THROUGHPUT_MODELS_MAX];
    memcpy(model->link_gbps, set->link_gbps, set->cluster_count * sizeof *model->link_gbps);
    model->link_gbps[set->cluster_count] = 0;
    size_t const count = (size_t)(set->model_count + 1) * (set->cluster_count + 1);
    model->beliefs = arena_alloc(arena, count, sizeof *model->beliefs);
    if (model->beliefs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %zu pairs", count);
    for (uint32_t m = 0; m <= set->model_count; m++) {
        struct batch_effects shared = {NULL, 0};
        if (m < set->model_count && state->models[m].count > 0) {
            enum status const status = copy_effects(&state->models[m], arena, &shared, fault);
            if (status != STATUS_OK)
                return status;
        }
        for (uint32_t c = 0; c <= set->cluster_count; c++) {
            struct model_belief *belief = &model->beliefs[(size_t)m * (set->cluster_count + 1) + c];
            struct pooling_belief from_others;
            pooling_believe(&state->pooling, m < set->model_count ? m : POOLING_NONE,
                            c < set->cluster_count ? c : POOLING_NONE, NULL, &from_others);
            memcpy(belief->mean, from_others.mean, sizeof belief->mean);
            memcpy(belief->covariance, from_others.covariance, sizeof belief->covariance);
            belief->scale = state->scale;
            belief->effects = shared;
            belief->at_prior = find_at_prior(&state->pooling, NULL);
        }
    }
    return write_measured(set, state, arena, model, fault);
}
