/*
 * Model: making one: order the rows, fit, calibrate, write down what is believed of every pair.
 * Then the models that are learned apart, each from the shared fit and its own rows alone.
 */
#include <assert.h>
#include <string.h>

#include "economics/throughput/model.h"

enum { CALIBRATION_BYTES_MAX = 512 * 1024 * 1024 };

/* A parameter is the prior's where its rows tell less than a tenth of what the prior does. */
#define INFORMATION_LEAST 0.1

/* One fit of a set, and the model that it is written to. */
struct making {
    const struct measurements *measurements;
    const struct model_options *options;
    struct arena *work;
    struct arena *arena; /* the model's */
    struct throughput_model *model;
    struct fit_set set;
    struct fit_state state;
    struct fault *fault;
};

static enum status fit_shared(struct making *making, const uint32_t *rows, uint32_t row_count);
static enum status open_model(struct making *making, uint32_t row_count);
static enum status fit_apart(const struct making *shared, uint32_t which);
static enum status write_row(const struct making *making, uint32_t of_set, uint32_t as);

enum status model_fit(const struct measurements *measurements, const uint32_t *rows,
                      uint32_t row_count, const struct model_options *options, struct arena *arena,
                      const struct throughput_model **result, struct fault *fault)
{
    static const struct model_options plain;
    struct arena work;
    struct making making = {.measurements = measurements,
                            .options = options != NULL ? options : &plain,
                            .work = &work,
                            .arena = arena,
                            .fault = fault};
    uint32_t const count = rows == NULL ? measurements->row_count : row_count;
    uint32_t const apart = making.options->apart_models;
    assert(apart <= measurements->model_count && (apart == 0 || rows == NULL));
    if (count == 0)
        return fault_set(fault, STATUS_INVALID, "no measurement to fit");
    arena_init(&work, ARENA_ROUND_BYTES);
    enum status status = fit_shared(&making, rows, count);
    if (status == STATUS_OK)
        status = open_model(&making, count);
    uint32_t const shared = measurements->model_count - apart;
    for (uint32_t m = 0; m < shared && status == STATUS_OK; m++)
        status = write_row(&making, m, m);
    for (uint32_t m = shared; m < measurements->model_count && status == STATUS_OK; m++)
        status = fit_apart(&making, m);
    if (status == STATUS_OK) /* a model never seen */
        status = write_row(&making, shared, measurements->model_count);
    arena_fini(&work);
    *result = making.model;
    return status;
}

static enum status no_memory(struct fault *fault, uint32_t rows)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory for a model of %u rows", rows);
}

/* The rows with a model below `models`, as a set of so many models and the clusters they have. */
static enum status fit_shared(struct making *making, const uint32_t *rows, uint32_t row_count)
{
    const struct measurements *from = making->measurements;
    struct measurements *view = arena_copy(making->work, from, sizeof *from);
    uint32_t *used = arena_alloc(making->work, row_count, sizeof *used);
    uint32_t count = 0;
    if (view == NULL || used == NULL)
        return no_memory(making->fault, row_count);
    view->model_count -= making->options->apart_models;
    view->cluster_count = making->options->apart_models == 0 ? from->cluster_count : 0;
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t const at = rows == NULL ? i : rows[i];
        if (from->rows[at].model >= view->model_count)
            continue;
        used[count++] = at;
        if (from->rows[at].cluster >= view->cluster_count)
            view->cluster_count = from->rows[at].cluster + 1U;
    }
    enum status status = fit_set_make(view, used, count, making->options->link_gbps, making->work,
                                      &making->set, making->fault);
    if (status == STATUS_OK)
        status =
            fit_state_run(&making->set, NULL, NULL, making->work, &making->state, making->fault);
    return status;
}

static enum status open_model(struct making *making, uint32_t row_count)
{
    const struct measurements *from = making->measurements;
    const struct fit_set *set = &making->set;
    struct throughput_model *model = arena_alloc(making->arena, 1, sizeof *model);
    if (model == NULL)
        return no_memory(making->fault, row_count);
    making->model = model;
    enum status const status =
        calibrate(set, &making->state, CALIBRATION_BYTES_MAX, &model->factors, making->fault);
    if (status != STATUS_OK)
        return status;
    memcpy(model->models, from->models, sizeof model->models);
    memcpy(model->clusters, from->clusters, sizeof model->clusters);
    model->row_count = row_count;
    model->model_count = from->model_count;
    model->cluster_count = from->cluster_count;
    memcpy(model->centre, set->centre, set->model_count * sizeof *model->centre);
    model->centre[from->model_count] = set->centre[THROUGHPUT_MODELS_MAX];
    memcpy(model->link_gbps, set->link_gbps, set->cluster_count * sizeof *model->link_gbps);
    size_t const count = (size_t)(from->model_count + 1) * (from->cluster_count + 1);
    model->beliefs = arena_alloc(making->arena, count, sizeof *model->beliefs);
    return model->beliefs != NULL ? STATUS_OK : no_memory(making->fault, row_count);
}

/* -- Apart ------------------------------------------------------------------------------------- */

/* The shared rows, and behind their models one more with the rows of `which`. */
static enum status view_apart(const struct making *shared, uint32_t which, struct arena *work,
                              struct measurements **result)
{
    const struct measurements *from = shared->measurements;
    struct measurements *view = arena_copy(work, from, sizeof *from);
    struct measurement *rows = arena_alloc(work, from->row_count, sizeof *rows);
    if (view == NULL || rows == NULL)
        return no_memory(shared->fault, from->row_count);
    view->rows = rows;
    view->row_count = 0;
    view->model_count = shared->set.model_count + 1;
    for (uint32_t i = 0; i < from->row_count; i++) {
        if (from->rows[i].model >= shared->set.model_count && from->rows[i].model != which)
            continue;
        struct measurement *row = &rows[view->row_count++];
        *row = from->rows[i];
        if (row->model == which)
            row->model = (uint16_t)shared->set.model_count;
    }
    *result = view;
    return STATUS_OK;
}

/* Its own rows move nothing that is shared: estimates of the other pairs stand, as do variances and
 * the factors of intervals, and of this fit only its own beliefs are kept. */
static enum status fit_apart(const struct making *shared, uint32_t which)
{
    struct arena work;
    struct measurements *view = NULL;
    struct making making = *shared;
    arena_init(&work, ARENA_ROUND_BYTES);
    making.work = &work;
    enum status status = view_apart(shared, which, &work, &view);
    uint32_t *used = view != NULL ? arena_alloc(&work, view->row_count, sizeof *used) : NULL;
    if (status == STATUS_OK && used == NULL)
        status = no_memory(shared->fault, view->row_count);
    for (uint32_t i = 0; status == STATUS_OK && i < view->row_count; i++)
        used[i] = i;
    if (status == STATUS_OK)
        status = fit_set_make(view, used, view->row_count, shared->options->link_gbps, &work,
                              &making.set, shared->fault);
    if (status == STATUS_OK)
        status =
            fit_state_run(&making.set, NULL, &shared->state, &work, &making.state, shared->fault);
    if (status == STATUS_OK)
        status = write_row(&making, shared->set.model_count, which);
    if (status == STATUS_OK)
        shared->model->centre[which] = making.set.centre[shared->set.model_count];
    arena_fini(&work);
    return status;
}

/* -- Beliefs ----------------------------------------------------------------------------------- */

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

static enum status write_measured(const struct making *making, uint32_t p, uint32_t as)
{
    const struct fit_pair_state *pair = &making->state.pairs[p];
    struct throughput_model *model = making->model;
    struct model_belief *belief =
        &model->beliefs[(size_t)as * (model->cluster_count + 1) + making->set.pairs[p].cluster];
    memcpy(belief->mean, pair->belief.mean, sizeof belief->mean);
    memcpy(belief->covariance, pair->belief.covariance, sizeof belief->covariance);
    belief->scale = pair->estimate.scale;
    belief->coverage = pair->coverage;
    belief->at_prior = find_at_prior(&making->state.pooling, &pair->estimate);
    return copy_effects(&pair->effects, making->arena, &belief->effects, making->fault);
}

/* All beliefs of one model of the set (beyond its models: one never seen), as that of the model. */
static enum status write_row(const struct making *making, uint32_t of_set, uint32_t as)
{
    const struct fit_set *set = &making->set;
    const struct fit_state *state = &making->state;
    struct throughput_model *model = making->model;
    struct batch_effects shared = {NULL, 0};
    enum status status = STATUS_OK;
    if (of_set < set->model_count && state->models[of_set].count > 0)
        status = copy_effects(&state->models[of_set], making->arena, &shared, making->fault);
    for (uint32_t c = 0; c <= model->cluster_count && status == STATUS_OK; c++) {
        struct model_belief *belief = &model->beliefs[(size_t)as * (model->cluster_count + 1) + c];
        struct pooling_belief from_others;
        pooling_believe(&state->pooling, of_set < set->model_count ? of_set : POOLING_NONE,
                        c < set->cluster_count ? c : POOLING_NONE, NULL, &from_others);
        memcpy(belief->mean, from_others.mean, sizeof belief->mean);
        memcpy(belief->covariance, from_others.covariance, sizeof belief->covariance);
        belief->scale = state->scale;
        belief->effects = shared;
        belief->at_prior = find_at_prior(&state->pooling, NULL);
    }
    for (uint32_t p = 0; p < set->pair_count && status == STATUS_OK; p++)
        if (set->pairs[p].model == of_set)
            status = write_measured(making, p, as);
    return status;
}
