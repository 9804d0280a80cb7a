/*
 * Synthetic step times with a known truth: pairs of models and clusters under the law of form.h,
 * with noise of placements and of single measurements. Seeded.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_THROUGHPUT_TRUTH_H
#define ENTENTE_TESTS_ECONOMICS_THROUGHPUT_TRUTH_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "economics/throughput/form.h"

enum { TRUTH_MODELS = 4, TRUTH_CLUSTERS = 3, TRUTH_BATCHES = 5 };

#define TRUTH_PLACEMENT_NOISE 0.03
#define TRUTH_NOISE           0.02

struct truth {
    double theta[TRUTH_MODELS][TRUTH_CLUSTERS][FORM_PARAMETERS];
    double link_gbps[TRUTH_CLUSTERS]; /* 0: the rows do not say */
};

static inline double truth_normal(struct rng *rng)
{
    return sqrt(-2 * log(1 - rng_unit(rng))) * cos(2 * M_PI * rng_unit(rng));
}

/* θ = μ + u + v + e, with spreads like those of real clusters. */
static inline void truth_make(struct truth *truth, struct rng *rng)
{
    static const double middle[FORM_PARAMETERS] = {-2, .5, .03, -1, .1, -.5, .1, 0, .1, .1, .3, 2};
    static const double spread[FORM_PARAMETERS] = {1,   .5,  .03, .4,  .05, .4,
                                                   .05, .05, .05, .08, .2,  .2};
    memset(truth, 0, sizeof *truth);
    for (int i = 0; i < FORM_PARAMETERS; i++) {
        double u[TRUTH_MODELS];
        double v[TRUTH_CLUSTERS];
        for (int m = 0; m < TRUTH_MODELS; m++)
            u[m] = spread[i] * truth_normal(rng);
        for (int c = 0; c < TRUTH_CLUSTERS; c++)
            v[c] = spread[i] / 2 * truth_normal(rng);
        for (int m = 0; m < TRUTH_MODELS; m++)
            for (int c = 0; c < TRUTH_CLUSTERS; c++)
                truth->theta[m][c][i] = middle[i] + u[m] + v[c] + spread[i] / 4 * truth_normal(rng);
    }
}

static inline double truth_centre(void)
{
    return log(32);
}

/* Without noise. */
static inline double truth_seconds(const struct truth *truth, int m, int c,
                                   const struct configuration *of)
{
    struct form_input const input = form_prepare(of, truth_centre());
    return exp(form_log_seconds(&input, truth->theta[m][c], NULL));
}

/* One placement at every batch. */
static inline void truth_measure(const struct truth *truth, int m, int c, uint32_t gpus,
                                 uint32_t nodes, struct rng *rng, struct measurements *set)
{
    double const of_placement = TRUTH_PLACEMENT_NOISE * truth_normal(rng);
    for (int b = 0; b < TRUTH_BATCHES; b++) {
        struct measurement row = {.configuration = configuration_even(gpus, nodes, 8 << b)};
        char model[16];
        char cluster[16];
        snprintf(model, sizeof model, "model%d", m);
        snprintf(cluster, sizeof cluster, "cluster%d", c);
        row.configuration.network_gbps = truth->link_gbps[c];
        row.seconds = truth_seconds(truth, m, c, &row.configuration) *
                      exp(of_placement + TRUTH_NOISE * truth_normal(rng));
        assert_ok(measurements_add(set, model, cluster, &row, NULL));
    }
}

/* Every pair on 1 to 16 GPUs of up to four nodes. */
static inline void truth_measure_all(const struct truth *truth, struct rng *rng,
                                     struct measurements *set)
{
    static const struct {
        uint32_t gpus;
        uint32_t nodes;
    } placements[] = {{1, 1}, {2, 1}, {3, 1},  {4, 1},  {2, 2},  {3, 2},  {4, 2},
                      {3, 3}, {4, 3}, {4, 4},  {5, 2},  {6, 2},  {6, 3},  {8, 2},
                      {8, 4}, {9, 3}, {10, 4}, {12, 3}, {12, 4}, {14, 4}, {16, 4}};
    for (int m = 0; m < TRUTH_MODELS; m++)
        for (int c = 0; c < TRUTH_CLUSTERS; c++)
            for (size_t p = 0; p < sizeof placements / sizeof placements[0]; p++)
                truth_measure(truth, m, c, placements[p].gpus, placements[p].nodes, rng, set);
}

#endif
