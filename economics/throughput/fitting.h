/*
 * Fitting: the passes in which pairs and pooling find their agreement, over all rows or some.
 *
 * Internal to economics/throughput: model_fit.c fits a model with it, calibration.c the same again
 * with rows left out. A fit_set orders the rows once (pairs, and in them placements, side by side);
 * a fit_state is one fit of those rows that a mask keeps. Ownership: the arena's. Thread rule: one
 * thread per state; a set is read-only. Complexity: FIT_PASSES × (rows × 12² × some iterations +
 * pooling's solve).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_FITTING_H
#define ENTENTE_ECONOMICS_THROUGHPUT_FITTING_H

#include "economics/throughput/effects.h"
#include "economics/throughput/measurement.h"
#include "economics/throughput/pooling.h"

enum { FIT_PASSES = 10, FIT_PASSES_AGAIN = 3 };

struct fit_row {
    struct form_input input;
    double log_seconds;
    const struct measurement *source;
    uint32_t pair;
    uint32_t group; /* rows of one pair and placement: they share its noise */
};

struct fit_pair {
    uint32_t model;
    uint32_t cluster;
    uint32_t first; /* its rows are [first, first + count) */
    uint32_t count;
};

struct fit_set {
    struct fit_row *rows; /* by model, cluster, nodes, GPUs, fullest, batch, line */
    uint32_t row_count;
    struct fit_pair *pairs;
    uint32_t pair_count;
    uint32_t group_count;
    uint32_t model_count;
    uint32_t cluster_count;
    double centre[THROUGHPUT_MODELS_MAX + 1];      /* mean log batch; the last: over all */
    double link_gbps[THROUGHPUT_CLUSTERS_MAX + 1]; /* 0: not known */
};

/* How far a question lies from what was measured of its pair. */
enum throughput_reach {
    REACH_MEASURED, /* no larger than what was measured */
    REACH_BEYOND,   /* more GPUs, or several nodes where none were measured */
    REACH_SPARSE,   /* under FIT_ROWS_KNOWN rows or FIT_PLACEMENTS_KNOWN placements measured */
    REACH_NEW,      /* no row of this pair */
    REACH_COUNT
};
enum { FIT_ROWS_KNOWN = 16, FIT_PLACEMENTS_KNOWN = 6 };

struct fit_coverage {
    uint32_t rows;
    uint32_t placements;
    uint32_t gpus_max;
    uint32_t nodes_max;
};
struct fit_pair_state {
    struct pair_rows rows;
    struct pair_estimate estimate;
    struct pooling_belief belief;
    double
        *log_seconds; /* [rows.count] as measured; rows.log_seconds are less the batch's effect */
    double *fitted;   /* [rows.count] what the law is fitted to: rows.log_seconds */
    double *batches;  /* [rows.count] */
    uint32_t *groups; /* [rows.count] */
    bool settled;     /* no row less than in the fit this one is like: its estimate stands */
    struct fit_coverage coverage;
    struct batch_effects effects; /* of every batch of its model: the model's, and its own part */
};

struct fit_state {
    struct pooling pooling;
    double scale;                 /* of all pairs */
    struct fit_pair_state *pairs; /* [pair_count], the set's */
    uint32_t pair_count;
    struct batch_residual *residuals; /* [set.row_count] scratch */
    struct batch_effects *models;     /* [set.model_count] what all pairs of a model share */
};

/* rows: indices into the measurements. link_gbps: by cluster, 0 unknown, or NULL. */
MUST_USE enum status fit_set_make(const struct measurements *measurements, const uint32_t *rows,
                                  uint32_t row_count, const double *link_gbps, struct arena *arena,
                                  struct fit_set *set, struct fault *fault);

/* keep: by row of the set; NULL: all. like: a fit whose variances and estimates to start from and
 * to leave as they are, of the same pairs or of the first of them; NULL: from the prior. */
MUST_USE enum status fit_state_run(const struct fit_set *set, const bool *keep,
                                   const struct fit_state *like, struct arena *arena,
                                   struct fit_state *state, struct fault *fault);

enum throughput_reach fit_reach(const struct fit_coverage *coverage,
                                const struct configuration *configuration);

/* Of log seconds of one measurement: the posterior's variance, its own noise, and what the law may
 * miss at more GPUs than were measured. */
double fit_deviation(double posterior_variance, double scale, const struct fit_coverage *coverage,
                     const struct configuration *configuration);

struct fit_forecast {
    double log_seconds;
    double deviation;
};

/* Of a row of the set, as if it had not been measured. */
struct fit_forecast fit_state_forecast(const struct fit_state *state, const struct fit_row *row);

#endif
