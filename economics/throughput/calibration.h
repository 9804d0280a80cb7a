/*
 * Calibration: how many deviations wide an interval must be to hold 90% of measurements.
 *
 * Fits again with rows left out, as a user would meet them: whole placements (measured), the larger
 * numbers of GPUs (beyond), all but a few rows of a cluster or a model (sparse); the 90% quantile of
 * the standardised errors, drawn to the Student-t's where there are few. Internal to
 * economics/throughput. Thread rule: pure over its arguments. Complexity: up to
 * CALIBRATION_GROUPS_MAX × 2 + 2 fits of FIT_PASSES_AGAIN passes.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_CALIBRATION_H
#define ENTENTE_ECONOMICS_THROUGHPUT_CALIBRATION_H

#include "economics/throughput/fitting.h"

enum { CALIBRATION_GROUPS_MAX = 6 }; /* clusters, and models, left out in turn */

struct calibration {
    double factor[REACH_COUNT];
    uint32_t evidence[REACH_COUNT]; /* rows */
};

MUST_USE enum status calibrate(const struct fit_set *set, const struct fit_state *fitted,
                               size_t memory_bytes_max, struct calibration *calibration,
                               struct fault *fault);

#endif
