/*
 * Throughput table: examples/s of a model on a number of GPUs of a kind, as stated; the simplest
 * predictor.
 *
 * A demand's own hints come first, then the federation's table by model and GPU kind. Between
 * stated counts: interpolation in log-log; above the largest: its efficiency falls by the table's
 * last slope, or linear where one count is stated, times 0.95 per doubling; below the smallest:
 * proportional. A pair never stated has no prediction (the pool is then no option). The fitted
 * models of later releases answer the same call.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_TABLE_H
#define ENTENTE_ECONOMICS_THROUGHPUT_TABLE_H

#include "base/domain/job.h"

struct throughput_row {
    struct name model;
    struct name gpu;
    uint32_t gpus;
    double examples_per_second; /* finite, > 0 */
};

struct throughput_table {
    const struct throughput_row *rows; /* by (model, gpu, gpus) ascending, unique */
    uint32_t row_count;
};

/* Sorts in place and checks: INVALID names the row that repeats or is not a positive number. */
MUST_USE enum status throughput_table_prepare(struct throughput_row *rows, uint32_t row_count,
                                              struct fault *fault);

/* Examples/s, or 0 where nothing is stated for that model (or the demand's hints) on that kind.
 * O(log rows + hints). */
double throughput_predict(const struct throughput_table *table, const struct demand *demand,
                          const struct name *gpu, uint32_t gpus);

#endif
