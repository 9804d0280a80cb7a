#include "economics/throughput/predictor.h"

#include <assert.h>
#include <math.h>

/* Who of the fit answers for a job. */
struct answerer {
    uint32_t job;     /* index of the fit's models; model_count: unknown to it */
    uint32_t cluster; /* likewise */
};

static bool measured(const struct predictor *predictor, struct answerer who);
static bool known(const struct predictor *predictor, struct answerer who);
static struct throughput_estimate ask_fit(const struct predictor *predictor, struct answerer who,
                                          const struct configuration *configuration,
                                          enum throughput_basis basis);
static struct throughput_estimate ask_stated(const struct predictor *predictor,
                                             const struct predictor_question *question);
static uint32_t find_scope(const struct predictor *predictor, const struct demand *demand);

const char *throughput_basis_name(enum throughput_basis basis)
{
    static const char *const names[BASIS_COUNT] = {
        [BASIS_NONE] = "",
        [BASIS_FITTED] = "measured",
        [BASIS_OWN] = "measured at home",
        [BASIS_JOB] = "stated with the job",
        [BASIS_TABLE] = "the federation's table",
        [BASIS_POOLED] = "from other pairs",
    };
    assert(basis < BASIS_COUNT);
    return names[basis];
}

const struct name *predictor_key(const struct demand *demand)
{
    return name_empty(&demand->model) ? &demand->job : &demand->model;
}

struct configuration predictor_configuration(const struct demand *demand, uint32_t gpus,
                                             uint32_t gpus_of_node)
{
    uint32_t const a_node = gpus_of_node == 0 || gpus_of_node > gpus ? gpus : gpus_of_node;
    uint32_t const nodes = (gpus + a_node - 1) / a_node;
    struct configuration configuration =
        configuration_even(gpus, nodes, (double)demand->batch / gpus);
    configuration.gpus_on_fullest = a_node;
    return configuration;
}

static struct throughput_estimate find(const struct predictor *predictor,
                                       const struct predictor_question *question)
{
    static const struct predictor nothing;
    struct answerer of_all = {0};
    struct answerer of_home = {0};
    if (predictor == NULL)
        predictor = &nothing;
    if (predictor->fit != NULL) {
        of_all.cluster = of_home.cluster =
            model_find_cluster(predictor->fit, question->pool.gpu.text);
        of_all.job = model_find(predictor->fit, predictor_key(question->demand)->text);
        of_home.job = find_scope(predictor, question->demand);
    }
    if (measured(predictor, of_all))
        return ask_fit(predictor, of_all, &question->configuration, BASIS_FITTED);
    if (measured(predictor, of_home))
        return ask_fit(predictor, of_home, &question->configuration, BASIS_OWN);
    struct throughput_estimate const stated = ask_stated(predictor, question);
    if (stated.basis != BASIS_NONE)
        return stated;
    if (known(predictor, of_all))
        return ask_fit(predictor, of_all, &question->configuration, BASIS_POOLED);
    if (known(predictor, of_home))
        return ask_fit(predictor, of_home, &question->configuration, BASIS_POOLED);
    return stated;
}

struct throughput_estimate predictor_ask(const struct predictor *predictor,
                                         const struct predictor_question *question)
{
    struct throughput_estimate estimate = find(predictor, question);
    estimate.delivery = 1;
    if (predictor != NULL && estimate.basis != BASIS_NONE)
        estimate.delivery = delivery_factor(predictor->deliveries, predictor->delivery_count,
                                            &question->pool, &question->demand->home);
    estimate.examples_per_second *= estimate.delivery;
    estimate.low *= estimate.delivery;
    estimate.high *= estimate.delivery;
    return estimate;
}

static bool known(const struct predictor *predictor, struct answerer who)
{
    const struct throughput_model *fit = predictor->fit;
    return fit != NULL && who.job < fit->model_count && who.cluster < fit->cluster_count;
}

static bool measured(const struct predictor *predictor, struct answerer who)
{
    return known(predictor, who) &&
           model_belief_of(predictor->fit, who.job, who.cluster)->coverage.rows > 0;
}

/* A job that names no batch is taken at the mean of what was measured of its model. */
static struct throughput_estimate ask_fit(const struct predictor *predictor, struct answerer who,
                                          const struct configuration *configuration,
                                          enum throughput_basis basis)
{
    struct throughput_estimate estimate = {.basis = BASIS_NONE};
    struct configuration asked = *configuration;
    struct prediction prediction;
    if (!(asked.batch > 0))
        asked.batch = exp(predictor->fit->centre[who.job]);
    if (model_predict(predictor->fit, who.job, who.cluster, &asked, &prediction, NULL) !=
            STATUS_OK ||
        !isfinite(prediction.examples_per_second) || !(prediction.examples_per_second > 0))
        return estimate;
    estimate.examples_per_second = prediction.examples_per_second;
    estimate.low = prediction.examples_per_second_low;
    estimate.high = prediction.examples_per_second_high;
    estimate.basis = basis;
    return estimate;
}

static struct throughput_estimate ask_stated(const struct predictor *predictor,
                                             const struct predictor_question *question)
{
    const struct demand *demand = question->demand;
    struct throughput_estimate estimate = {
        .examples_per_second = throughput_predict(predictor->table, demand, &question->pool.gpu,
                                                  question->configuration.gpus),
        .basis = BASIS_TABLE,
    };
    for (uint32_t i = 0; i < demand->hint_count; i++)
        if (name_equal(&demand->hints[i].gpu, &question->pool.gpu))
            estimate.basis = BASIS_JOB;
    if (!isfinite(estimate.examples_per_second) || !(estimate.examples_per_second > 0))
        estimate = (struct throughput_estimate){.basis = BASIS_NONE};
    return estimate;
}

int predictor_scope_compare(const struct predictor_scope *a, const struct predictor_scope *b)
{
    int const by_member = name_compare(&a->member, &b->member);
    return by_member != 0 ? by_member : name_compare(&a->key, &b->key);
}

static uint32_t find_scope(const struct predictor *predictor, const struct demand *demand)
{
    struct predictor_scope const wanted = {demand->home, *predictor_key(demand), 0};
    uint32_t low = 0;
    uint32_t high = predictor->scope_count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        int const order = predictor_scope_compare(&wanted, &predictor->scopes[middle]);
        if (order == 0)
            return predictor->scopes[middle].index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return predictor->fit->model_count;
}
