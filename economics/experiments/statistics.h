/*
 * Statistics: means with intervals, from small samples, the same bits on every machine.
 *
 * Student: mean ± t · s/√n, exact for normal observations. Bootstrap: percentile intervals [Efron
 * 1979] of STATISTICS_RESAMPLES means, drawn from a stream that depends on nothing but the number
 * of observations. Sums are compensated [Neumaier 1974], so that order hardly matters; callers give
 * observations in order of replication.
 *
 * Thread rule: pure. Complexity: O(n) Student, O(n × resamples) bootstrap.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_STATISTICS_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_STATISTICS_H

#include "economics/experiments/design.h"

enum { STATISTICS_RESAMPLES = 1999 };

/* A sample summed up. Of one observation there is no interval: low = high = mean, deviation 0. */
struct summary {
    uint32_t count;
    double mean;
    double deviation; /* of the sample, n - 1 */
    double low, high; /* the interval of the mean */
};

/* values: [count], finite. scratch: [STATISTICS_RESAMPLES] doubles, used by the bootstrap. */
void statistics_sum_up(const double *values, uint32_t count, enum interval_kind kind,
                       double confidence, double *scratch, struct summary *summary);

/* t with P(|T| <= t) = confidence, T Student's with `degrees` of freedom; 0 < confidence < 1. */
double statistics_student(double confidence, uint32_t degrees);

#endif
