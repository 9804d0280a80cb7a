/*
 * Results, read back: what results.sqlite holds, for reports.
 *
 * Ownership: everything lies in the arena. Thread rule: one thread. Complexity: O(rows).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_READ_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_READ_H

#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

enum { RESULTS_ROWS_MAX = 1000000, RESULTS_AXES_MAX = 48 };

struct result_arm {
    const char *values[RESULTS_AXES_MAX]; /* of each axis */
};

struct result_row {
    uint32_t arm;
    const char *series;
    const char *subject;
    const char *metric;
    const char *unit;
    uint32_t count;
    double mean, low, high; /* NaN: missing */
};

/* A paired difference between a series and the baseline in one arm. */
struct result_difference {
    uint32_t arm;
    const char *series;
    const char *against;
    const char *subject;
    const char *metric;
    uint32_t count;
    double mean, low, high;
};

struct results_read {
    const char *axes[RESULTS_AXES_MAX];
    uint32_t axis_count;
    struct result_arm *arms;
    uint32_t arm_count;
    struct result_row *rows; /* in the order of summary.csv */
    uint32_t row_count;
    struct result_difference *differences;
    uint32_t difference_count;
};

/* NOT_FOUND: no results there yet. CORRUPT, EXHAUSTED. */
MUST_USE enum status results_read(const char *path, struct arena *arena,
                                  struct results_read *results, struct fault *fault);

#endif
