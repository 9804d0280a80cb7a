/*
 * Model: the fitted predictor of step times: what is believed of every (model, cluster), measured
 * or not, and how sure.
 *
 * model_fit() makes it from measurements; model_predict() answers in under a microsecond with an
 * interval that holds 90% of measurements; model_write() and model_read() keep it as JSON
 * (README.md documents the file). Intervals: the posterior's deviation (Laplace's approximation)
 * and the residual scale, times a factor found by leaving rows out at fit time and looking how far
 * off the forecasts were (split conformal prediction [Lei et al. 2018], one factor for each reach:
 * within what was measured, beyond it, sparse). One data set gives one model, bit for bit.
 *
 * Ownership: the arena's. Thread rule: a finished model is read-only. Complexity: fitting about
 * 20 × rows × 12² × iterations; predicting O(12² + log batches).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_MODEL_H
#define ENTENTE_ECONOMICS_THROUGHPUT_MODEL_H

#include <stdio.h>

#include "base/domain/bytes.h"
#include "economics/throughput/calibration.h"

/* What is believed of one pair. */
struct model_belief {
    double mean[FORM_PARAMETERS];
    double covariance[PAIR_SQUARE];
    double scale; /* of a measurement's own noise, log seconds */
    struct fit_coverage coverage;
    uint32_t at_prior; /* bit i: too few rows to tell parameter i; it is the prior's */
    struct batch_effects effects;
};

struct throughput_model {
    struct name models[THROUGHPUT_MODELS_MAX];
    struct name clusters[THROUGHPUT_CLUSTERS_MAX];
    double centre[THROUGHPUT_MODELS_MAX + 1];      /* mean log batch; [model_count]: over all */
    double link_gbps[THROUGHPUT_CLUSTERS_MAX + 1]; /* 0: not known; so is [cluster_count] */
    uint32_t model_count;
    uint32_t cluster_count;
    uint32_t row_count;
    struct model_belief *beliefs; /* [(model_count + 1) × (cluster_count + 1)]: the last row and
                                     column are a model and a cluster never seen */
    struct interval_factors factors;
};

struct model_options {
    const double *link_gbps; /* by cluster of the measurements, 0 unknown; NULL: from the rows */
    /* The last so many models are learned apart: each from all that is shared and its own rows, and
     * nobody learns from those. Only without a choice of rows. */
    uint32_t apart_models;
};

struct prediction {
    double seconds; /* a step: the median */
    double seconds_low;
    double seconds_high;        /* 90% of measurements lie between */
    double examples_per_second; /* gpus × batch × accumulation / seconds */
    double examples_per_second_low;
    double examples_per_second_high;
    enum throughput_reach reach;
};

/* rows: indices into the measurements, or NULL for all. INVALID where there are none; NO_MEMORY;
 * INTERNAL. */
MUST_USE enum status model_fit(const struct measurements *measurements, const uint32_t *rows,
                               uint32_t row_count, const struct model_options *options,
                               struct arena *arena, const struct throughput_model **model,
                               struct fault *fault);

/* The index of a name; model_count or cluster_count where it was never seen. */
uint32_t model_find(const struct throughput_model *model, const char *name);
uint32_t model_find_cluster(const struct throughput_model *model, const char *name);

const struct model_belief *model_belief_of(const struct throughput_model *model, uint32_t job,
                                           uint32_t cluster);

/* job, cluster: as found. INVALID: configuration_check; PRECONDITION: a network is asked for where
 * the cluster's own is not known. */
MUST_USE enum status model_predict(const struct throughput_model *model, uint32_t job,
                                   uint32_t cluster, const struct configuration *configuration,
                                   struct prediction *prediction, struct fault *fault);

/* The law's input for a configuration as model_predict sees it; same faults. */
MUST_USE enum status model_prepare(const struct throughput_model *model, uint32_t job,
                                   uint32_t cluster, const struct configuration *configuration,
                                   struct form_input *input, struct fault *fault);

/* model_file.c */
MUST_USE enum status model_write(const struct throughput_model *model, FILE *to,
                                 struct fault *fault);
MUST_USE enum status model_read(const char *path, struct arena *arena,
                                const struct throughput_model **model, struct fault *fault);
/* As model_read, of text; name stands for the path in faults. */
MUST_USE enum status model_parse(const char *name, struct bytes text, struct arena *arena,
                                 const struct throughput_model **model, struct fault *fault);

const char *throughput_reach_name(enum throughput_reach reach);

#endif
