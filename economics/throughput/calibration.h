/*
 * Calibration: how many deviations wide an interval must be to hold 90% of measurements.
 *
 * Fits again with rows left out, as a user would meet them: whole placements (measured), the larger
 * numbers of GPUs (beyond), all but a few rows of a cluster or a model (sparse); the 90% quantile
 * of the standardised errors, drawn to the Student-t's where there are few. Internal to
 * economics/throughput. Thread rule: pure over its arguments. Complexity: up to
 * CALIBRATION_GROUPS_MAX × 2 × SPARSE_TRIALS + 2 fits of FIT_PASSES_AGAIN passes.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_CALIBRATION_H
#define ENTENTE_ECONOMICS_THROUGHPUT_CALIBRATION_H

#include "economics/throughput/fitting.h"

enum {
    CALIBRATION_GROUPS_MAX = 4, /* clusters, and models, left out in turn */
    SPARSE_TRIALS = 3           /* with so many numbers of rows kept: calibration_rows */
};

/* Rows a pair that a cluster or model keeps in each trial, ascending. */
extern const uint32_t calibration_rows[SPARSE_TRIALS];

/* Half of a 90% interval, in deviations. Of a pair without a row nothing better is known than of
 * one with a few. */
struct interval_factors {
    double measured;
    double beyond;
    double sparse[SPARSE_TRIALS];   /* by calibration_rows */
    uint32_t evidence[REACH_COUNT]; /* left-out rows behind each; of sparse all */
};

MUST_USE enum status calibrate(const struct fit_set *set, const struct fit_state *fitted,
                               size_t memory_bytes_max, struct interval_factors *factors,
                               struct fault *fault);

#endif
