#include "economics/throughput/predictor.h"

#include <assert.h>
#include <math.h>

/* A law fitted at one batch says little of one so many times larger or smaller. */
#define BATCH_REACH 8.0

/* Who of a fit answers for a job. */
struct answerer {
    const struct throughput_model *fit; /* NULL: nobody */
    uint32_t job;                       /* index of its models; model_count: unknown to it */
    uint32_t cluster;                   /* likewise */
};

static struct answerer find_answerer(const struct throughput_model *fit,
                                     const struct predictor_question *question);
static bool measured(struct answerer who, const struct configuration *configuration);
static bool known(struct answerer who);
static struct throughput_estimate ask_fit(struct answerer who,
                                          const struct configuration *configuration,
                                          enum throughput_basis basis);
static struct throughput_estimate ask_measured(const struct predictor *predictor,
                                               struct answerer who,
                                               const struct predictor_question *question,
                                               struct throughput_estimate stated,
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
    struct answerer const of_all = find_answerer(predictor->fit, question);
    struct answerer const given = find_answerer(predictor->given, question);
    struct answerer of_home = of_all;
    if (of_home.fit != NULL)
        of_home.job = find_scope(predictor, question->demand);
    struct throughput_estimate const stated = ask_stated(predictor, question);
    if (measured(of_all, &question->configuration))
        return ask_measured(predictor, of_all, question, stated, BASIS_FITTED);
    if (measured(of_home, &question->configuration))
        return ask_measured(predictor, of_home, question, stated, BASIS_OWN);
    if (measured(given, &question->configuration))
        return ask_measured(predictor, given, question, stated, BASIS_FITTED);
    if (stated.basis != BASIS_NONE)
        return stated;
    if (known(of_all))
        return ask_fit(of_all, &question->configuration, BASIS_POOLED);
    if (known(of_home))
        return ask_fit(of_home, &question->configuration, BASIS_POOLED);
    if (known(given))
        return ask_fit(given, &question->configuration, BASIS_POOLED);
    return stated;
}

struct throughput_estimate predictor_ask(const struct predictor *predictor,
                                         const struct predictor_question *question)
{
    static const struct predictor nothing;
    struct throughput_estimate estimate = find(predictor != NULL ? predictor : &nothing, question);
    estimate.delivery = 1;
    if (predictor != NULL && estimate.basis != BASIS_NONE)
        estimate.delivery = delivery_factor(predictor->deliveries, predictor->delivery_count,
                                            &question->pool, &question->demand->home);
    estimate.examples_per_second *= estimate.delivery;
    estimate.low *= estimate.delivery;
    estimate.high *= estimate.delivery;
    return estimate;
}

static struct answerer find_answerer(const struct throughput_model *fit,
                                     const struct predictor_question *question)
{
    if (fit == NULL)
        return (struct answerer){NULL, 0, 0};
    return (struct answerer){fit, model_find(fit, predictor_key(question->demand)->text),
                             model_find_cluster(fit, question->pool.gpu.text)};
}

static bool known(struct answerer who)
{
    return who.fit != NULL && who.job < who.fit->model_count &&
           who.cluster < who.fit->cluster_count;
}

/* Within BATCH_REACH of a batch that was measured of its model? What is far off (or a job that
 * misstates its batch) is left to a statement, where there is one. */
static bool near_batch(const struct batch_effects *measured, double batch)
{
    for (uint32_t i = 0; i < measured->count; i++)
        if (batch >= measured->of[i].batch / BATCH_REACH &&
            batch <= measured->of[i].batch * BATCH_REACH)
            return true;
    return !(batch > 0);
}

static bool measured(struct answerer who, const struct configuration *configuration)
{
    if (!known(who))
        return false;
    const struct model_belief *belief = model_belief_of(who.fit, who.job, who.cluster);
    return belief->coverage.rows > 0 && near_batch(&belief->effects, configuration->batch);
}

/* A job that names no batch is taken at the mean of what was measured of its model. */
static struct throughput_estimate ask_fit(struct answerer who,
                                          const struct configuration *configuration,
                                          enum throughput_basis basis)
{
    struct throughput_estimate estimate = {.basis = BASIS_NONE};
    struct configuration asked = *configuration;
    struct prediction prediction;
    if (!(asked.batch > 0))
        asked.batch = exp(who.fit->centre[who.job]);
    if (model_predict(who.fit, who.job, who.cluster, &asked, &prediction, NULL) != STATUS_OK ||
        !isfinite(prediction.examples_per_second) || !(prediction.examples_per_second > 0))
        return estimate;
    estimate.examples_per_second = prediction.examples_per_second;
    estimate.low = prediction.examples_per_second_low;
    estimate.high = prediction.examples_per_second_high;
    estimate.basis = basis;
    return estimate;
}

/* On more GPUs than were measured, where a statement reaches that far, its shape carries the fit's
 * level on: it knows this job, the fit's law only what jobs do in general. The interval stays as
 * wide as the fit's own. */
static struct throughput_estimate ask_measured(const struct predictor *predictor,
                                               struct answerer who,
                                               const struct predictor_question *question,
                                               struct throughput_estimate stated,
                                               enum throughput_basis basis)
{
    const struct model_belief *belief = model_belief_of(who.fit, who.job, who.cluster);
    struct throughput_estimate far = ask_fit(who, &question->configuration, basis);
    uint32_t const measured_gpus = belief->coverage.gpus_max;
    if (stated.basis == BASIS_NONE || far.basis == BASIS_NONE ||
        question->configuration.gpus <= measured_gpus)
        return far;
    struct predictor_question nearer = *question;
    uint32_t const a_node = question->configuration.gpus_on_fullest;
    nearer.configuration = predictor_configuration(question->demand, measured_gpus, a_node);
    struct throughput_estimate const near = ask_fit(who, &nearer.configuration, basis);
    struct throughput_estimate const stated_near = ask_stated(predictor, &nearer);
    if (near.basis == BASIS_NONE || stated_near.basis == BASIS_NONE)
        return far;
    double const carried =
        near.examples_per_second * stated.examples_per_second / stated_near.examples_per_second;
    far.low *= carried / far.examples_per_second;
    far.high *= carried / far.examples_per_second;
    far.examples_per_second = carried;
    return far;
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
