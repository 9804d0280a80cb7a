/*
 * Model: asking a fitted model.
 */
#include "economics/throughput/model.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/throughput/linear.h"

const char *throughput_reach_name(enum throughput_reach reach)
{
    static const char *const names[REACH_COUNT] = {"measured", "beyond", "sparse", "new"};
    assert(reach < REACH_COUNT);
    return names[reach];
}

static uint32_t find(const struct name *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i].text, name) == 0)
            return i;
    return count;
}

uint32_t model_find(const struct throughput_model *model, const char *name)
{
    return find(model->models, model->model_count, name);
}

uint32_t model_find_cluster(const struct throughput_model *model, const char *name)
{
    return find(model->clusters, model->cluster_count, name);
}

const struct model_belief *model_belief_of(const struct throughput_model *model, uint32_t job,
                                           uint32_t cluster)
{
    assert(job <= model->model_count && cluster <= model->cluster_count);
    return &model->beliefs[(size_t)job * (model->cluster_count + 1) + cluster];
}

enum status model_prepare(const struct throughput_model *model, uint32_t job, uint32_t cluster,
                          const struct configuration *configuration, struct form_input *input,
                          struct fault *fault)
{
    enum status const status = configuration_check(configuration, fault);
    if (status != STATUS_OK)
        return status;
    struct configuration asked = *configuration;
    double const own = model->link_gbps[cluster];
    if (asked.network_gbps > 0 && !(own > 0))
        return fault_set(
            fault, STATUS_PRECONDITION,
            "the network of %s is not known, so a change of it can't be predicted: fit "
            "with --link %s=GBPS or a network_gbps column",
            cluster < model->cluster_count ? model->clusters[cluster].text : "an unknown cluster",
            cluster < model->cluster_count ? model->clusters[cluster].text : "CLUSTER");
    if (!(asked.network_gbps > 0))
        asked.network_gbps = own;
    *input = form_prepare(&asked, model->centre[job]);
    return STATUS_OK;
}

/* Between the numbers of rows at which sparse pairs were tried, in proportion. */
static double factor_of(const struct throughput_model *model, const struct fit_coverage *coverage,
                        enum throughput_reach reach)
{
    const struct interval_factors *factors = &model->factors;
    if (reach == REACH_MEASURED)
        return factors->measured;
    if (reach == REACH_BEYOND)
        return factors->beyond;
    int above = 0;
    while (above < SPARSE_TRIALS && calibration_rows[above] < coverage->rows)
        above++;
    if (above == 0 || above == SPARSE_TRIALS)
        return factors->sparse[above == 0 ? 0 : SPARSE_TRIALS - 1];
    double const from = calibration_rows[above - 1];
    double const share = (coverage->rows - from) / (calibration_rows[above] - from);
    return factors->sparse[above - 1] +
           share * (factors->sparse[above] - factors->sparse[above - 1]);
}

enum status model_predict(const struct throughput_model *model, uint32_t job, uint32_t cluster,
                          const struct configuration *configuration, struct prediction *prediction,
                          struct fault *fault)
{
    struct form_input input;
    enum status const status = model_prepare(model, job, cluster, configuration, &input, fault);
    if (status != STATUS_OK)
        return status;
    const struct model_belief *belief = model_belief_of(model, job, cluster);
    double by[FORM_PARAMETERS];
    double log_seconds = form_log_seconds(&input, belief->mean, by);
    double const variance = linear_quadratic(belief->covariance, FORM_PARAMETERS, by);
    log_seconds += effects_at(&belief->effects, configuration->batch);
    prediction->reach = fit_reach(&belief->coverage, configuration);
    double const half = factor_of(model, &belief->coverage, prediction->reach) *
                        fit_deviation(variance, belief->scale, &belief->coverage, configuration);
    double const spread = exp(half);
    double const examples =
        (double)configuration->gpus * configuration->batch * configuration->accumulation;
    prediction->seconds = exp(log_seconds);
    prediction->seconds_low = prediction->seconds / spread;
    prediction->seconds_high = prediction->seconds * spread;
    prediction->examples_per_second = examples / prediction->seconds;
    prediction->examples_per_second_low = examples / prediction->seconds_high;
    prediction->examples_per_second_high = examples / prediction->seconds_low;
    return STATUS_OK;
}
