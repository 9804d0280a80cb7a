#include "economics/throughput/pooling.h"

#include <math.h>
#include <string.h>

#include "economics/throughput/linear.h"

enum { N = FORM_PARAMETERS };

/* In the order of enum form_parameter. */
static const struct prior_rule {
    double mean;
    double deviation; /* of μ */
    double between[POOLING_LEVELS];
} prior_rules[N] = {
    [FORM_T] = {-2, 4, {1.5, .5, .2}},       [FORM_L] = {0, 1.5, {1, .5, .4}},
    [FORM_KAPPA] = {.05, .2, {.1, .1, .12}}, [FORM_S1] = {-1.5, 1.5, {.8, .8, .5}},
    [FORM_P1] = {.1, .3, {.15, .15, .15}},   [FORM_S2] = {-.8, 1.5, {.8, .8, .4}},
    [FORM_P2] = {.1, .3, {.12, .12, .12}},   [FORM_C2] = {0, .3, {.12, .15, .12}},
    [FORM_Q2] = {0, .2, {.08, .1, .08}},     [FORM_D2] = {0, .3, {.1, .2, .1}},
    [FORM_LG] = {0, .7, {.4, .3, .4}},       [FORM_LINK] = {2, .7, {.3, .3, .3}},
};

enum status pooling_init(struct pooling *pooling, uint32_t model_count, uint32_t cluster_count,
                         struct arena *arena, struct fault *fault)
{
    *pooling = (struct pooling){.model_count = model_count, .cluster_count = cluster_count};
    pooling->size = (size_t)N * (1 + model_count + cluster_count);
    pooling->mean = arena_alloc(arena, pooling->size, sizeof(double));
    pooling->covariance = arena_alloc(arena, pooling->size * pooling->size, sizeof(double));
    if (pooling->mean == NULL || pooling->covariance == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to pool %u models on %u clusters",
                         model_count, cluster_count);
    for (int i = 0; i < N; i++) {
        pooling->mean[i] = prior_rules[i].mean;
        for (int level = 0; level < POOLING_LEVELS; level++)
            pooling->variance[level][i] =
                prior_rules[i].between[level] * prior_rules[i].between[level];
    }
    return STATUS_OK;
}

static size_t model_at(uint32_t model)
{
    return (size_t)N * (1 + model);
}

static size_t cluster_at(const struct pooling *pooling, uint32_t cluster)
{
    return (size_t)N * (1 + pooling->model_count + cluster);
}

/* -- The joint Gaussian ------------------------------------------------------------------------ */

/* With e integrated out a pair says A m = b of its mean m: A = J − J V J, b = h − J V h, where V =
 * (J + 1/e)⁻¹. False where V can't be had. */
static bool marginal(const struct pooling *pooling, const struct pair_estimate *of, double *a,
                     double *b)
{
    double v[PAIR_SQUARE];
    memcpy(v, of->information, sizeof v);
    for (int i = 0; i < N; i++)
        v[i * N + i] += 1 / pooling->variance[POOLING_PAIR][i];
    if (!linear_factor(v, N))
        return false;
    /* J V J column by column; A is symmetric, so columns serve as rows. */
    for (int i = 0; i < N; i++) {
        double column[N];
        for (int k = 0; k < N; k++)
            column[k] = of->information[k * N + i];
        linear_solve(v, N, column);
        for (int k = 0; k < N; k++) {
            double sum = of->information[k * N + i];
            for (int j = 0; j < N; j++)
                sum -= of->information[k * N + j] * column[j];
            a[i * N + k] = sum;
        }
    }
    double solved[N];
    memcpy(solved, of->vector, sizeof solved);
    linear_solve(v, N, solved);
    for (int i = 0; i < N; i++) {
        b[i] = of->vector[i];
        for (int j = 0; j < N; j++)
            b[i] -= of->information[i * N + j] * solved[j];
    }
    return true;
}

static void add_pair(struct pooling *pooling, const struct pooling_pair *pair, const double *a,
                     const double *b)
{
    size_t const places[3] = {0, model_at(pair->model), cluster_at(pooling, pair->cluster)};
    for (int p = 0; p < 3; p++)
        for (int i = 0; i < N; i++) {
            pooling->mean[places[p] + (size_t)i] += b[i];
            for (int q = 0; q < 3; q++)
                for (int k = 0; k < N; k++)
                    pooling->covariance[(places[p] + (size_t)i) * pooling->size + places[q] +
                                        (size_t)k] += (a[i * N + k] + a[k * N + i]) / 2;
        }
}

enum status pooling_solve(struct pooling *pooling, const struct pooling_pair *pairs,
                          uint32_t pair_count, struct fault *fault)
{
    size_t const size = pooling->size;
    memset(pooling->covariance, 0, size * size * sizeof(double));
    for (size_t i = 0; i < size; i++) {
        const struct prior_rule *rule = &prior_rules[i % N];
        bool const of_model = i >= N && i < cluster_at(pooling, 0);
        double const precision =
            i < N ? 1 / (rule->deviation * rule->deviation)
                  : 1 / pooling->variance[of_model ? POOLING_MODEL : POOLING_CLUSTER][i % N];
        pooling->covariance[i * size + i] = precision;
        pooling->mean[i] = i < N ? precision * rule->mean : 0;
    }
    for (uint32_t p = 0; p < pair_count; p++) {
        double a[PAIR_SQUARE];
        double b[N];
        if (!marginal(pooling, pairs[p].estimate, a, b))
            return fault_set(fault, STATUS_INTERNAL, "a pair's information is not positive");
        add_pair(pooling, &pairs[p], a, b);
    }
    if (!linear_factor(pooling->covariance, size))
        return fault_set(fault, STATUS_INTERNAL, "the pooled information is not positive");
    linear_solve(pooling->covariance, size, pooling->mean);
    linear_invert(pooling->covariance, size);
    return STATUS_OK;
}

/* -- Beliefs ----------------------------------------------------------------------------------- */

/* Mean and covariance of μ + u + v. */
static void believe_mean(const struct pooling *pooling, uint32_t model, uint32_t cluster,
                         struct pooling_belief *belief)
{
    size_t places[3] = {0};
    int count = 1;
    if (model != POOLING_NONE)
        places[count++] = model_at(model);
    if (cluster != POOLING_NONE)
        places[count++] = cluster_at(pooling, cluster);
    memset(belief, 0, sizeof *belief);
    for (int p = 0; p < count; p++)
        for (int i = 0; i < N; i++) {
            belief->mean[i] += pooling->mean[places[p] + (size_t)i];
            for (int q = 0; q < count; q++)
                for (int k = 0; k < N; k++)
                    belief->covariance[i * N + k] +=
                        pooling->covariance[(places[p] + (size_t)i) * pooling->size + places[q] +
                                            (size_t)k];
        }
    for (int i = 0; i < N; i++) {
        if (model == POOLING_NONE)
            belief->covariance[i * N + i] += pooling->variance[POOLING_MODEL][i];
        if (cluster == POOLING_NONE)
            belief->covariance[i * N + i] += pooling->variance[POOLING_CLUSTER][i];
    }
}

void pooling_variance_between(int parameter, double variance[POOLING_LEVELS])
{
    for (int level = 0; level < POOLING_LEVELS; level++)
        variance[level] =
            prior_rules[parameter].between[level] * prior_rules[parameter].between[level];
}

void pooling_prior_between(struct pair_prior *prior)
{
    for (int i = 0; i < N; i++) {
        double variance = 0;
        for (int level = 0; level < POOLING_LEVELS; level++)
            variance += prior_rules[i].between[level] * prior_rules[i].between[level];
        prior->mean[i] = prior_rules[i].mean;
        prior->precision[i] = 1 / variance;
    }
}

void pooling_prior_alone(const struct pooling *pooling, struct pair_prior *prior)
{
    for (int i = 0; i < N; i++) {
        double variance = prior_rules[i].deviation * prior_rules[i].deviation;
        for (int level = 0; level < POOLING_LEVELS; level++)
            variance += pooling->variance[level][i];
        prior->mean[i] = prior_rules[i].mean;
        prior->precision[i] = 1 / variance;
    }
}

void pooling_prior(const struct pooling *pooling, uint32_t model, uint32_t cluster,
                   struct pair_prior *prior)
{
    for (int i = 0; i < N; i++) {
        prior->mean[i] = pooling->mean[i] + pooling->mean[model_at(model) + (size_t)i] +
                         pooling->mean[cluster_at(pooling, cluster) + (size_t)i];
        prior->precision[i] = 1 / pooling->variance[POOLING_PAIR][i];
    }
}

/* out = V + G C G', G = V / e: the pair's own uncertainty, and its mean's. */
static void spread(const double *v, const double *pair_variance, const double *c, double *out)
{
    double gc[PAIR_SQUARE];
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            double sum = 0;
            for (int j = 0; j < N; j++)
                sum += v[i * N + j] / pair_variance[j] * c[j * N + k];
            gc[i * N + k] = sum;
        }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            double sum = v[i * N + k];
            for (int j = 0; j < N; j++)
                sum += gc[i * N + j] * v[k * N + j] / pair_variance[j];
            out[i * N + k] = sum;
        }
}

void pooling_believe(const struct pooling *pooling, uint32_t model, uint32_t cluster,
                     const struct pair_estimate *estimate, struct pooling_belief *belief)
{
    believe_mean(pooling, model, cluster, belief);
    const double *pair_variance = pooling->variance[POOLING_PAIR];
    double v[PAIR_SQUARE] = {0};
    if (estimate != NULL)
        memcpy(v, estimate->information, sizeof v);
    for (int i = 0; i < N; i++)
        v[i * N + i] += 1 / pair_variance[i];
    if (estimate == NULL || !linear_factor(v, N)) {
        for (int i = 0; i < N; i++)
            belief->covariance[i * N + i] += pair_variance[i];
        return;
    }
    linear_invert(v, N);
    double c[PAIR_SQUARE];
    memcpy(c, belief->covariance, sizeof c);
    spread(v, pair_variance, c, belief->covariance);
    memcpy(belief->mean, estimate->theta, sizeof belief->mean);
}

/* -- Variances --------------------------------------------------------------------------------- */

static void update_groups(struct pooling *pooling, enum pooling_level level, size_t first,
                          uint32_t count)
{
    for (int i = 0; i < N; i++) {
        double const prior = prior_rules[i].between[level] * prior_rules[i].between[level];
        double sum = POOLING_PSEUDO_GROUPS * prior;
        for (uint32_t k = 0; k < count; k++) {
            size_t const at = first + (size_t)k * N + (size_t)i;
            sum += pooling->mean[at] * pooling->mean[at] +
                   pooling->covariance[at * pooling->size + at];
        }
        pooling->variance[level][i] = sum / (POOLING_PSEUDO_GROUPS + count);
    }
}

/* e given the rows: mean θ − m; its covariance as in spread, with G = V/e − 1. */
static void add_deviation(const struct pooling *pooling, const struct pooling_pair *pair,
                          double *sum)
{
    struct pooling_belief m;
    believe_mean(pooling, pair->model, pair->cluster, &m);
    const double *variance = pooling->variance[POOLING_PAIR];
    double v[PAIR_SQUARE];
    memcpy(v, pair->estimate->information, sizeof v);
    for (int i = 0; i < N; i++)
        v[i * N + i] += 1 / variance[i];
    if (!linear_factor(v, N))
        return;
    linear_invert(v, N);
    for (int i = 0; i < N; i++) {
        double const away = pair->estimate->theta[i] - m.mean[i];
        double of_mean = 0;
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                of_mean += (v[i * N + j] / variance[j] - (i == j ? 1 : 0)) *
                           m.covariance[j * N + k] *
                           (v[i * N + k] / variance[k] - (i == k ? 1 : 0));
        sum[i] += away * away + v[i * N + i] + of_mean;
    }
}

void pooling_update_variances(struct pooling *pooling, const struct pooling_pair *pairs,
                              uint32_t pair_count)
{
    double sum[N];
    for (int i = 0; i < N; i++)
        sum[i] = POOLING_PSEUDO_GROUPS * prior_rules[i].between[POOLING_PAIR] *
                 prior_rules[i].between[POOLING_PAIR];
    for (uint32_t p = 0; p < pair_count; p++)
        add_deviation(pooling, &pairs[p], sum);
    for (int i = 0; i < N; i++)
        pooling->variance[POOLING_PAIR][i] = sum[i] / (POOLING_PSEUDO_GROUPS + pair_count);
    update_groups(pooling, POOLING_MODEL, model_at(0), pooling->model_count);
    update_groups(pooling, POOLING_CLUSTER, cluster_at(pooling, 0), pooling->cluster_count);
}
