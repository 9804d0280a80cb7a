/*
 * Baselines: the two simpler predictors that ours has to beat.
 *
 * Pollux's plain fit: each (model, cluster) alone, seven numbers [Pollux, OSDI'21, §4.1]: gradient
 * α
 * + β m; synchronisation straight in workers, for one node and for several; overlap γ; least
 * squares of logarithms by GSL's Levenberg–Marquardt. Nearest: the step time of the nearest
 * measured configuration; of a cluster with under FIT_PLACEMENTS_KNOWN placements of the model, the
 * other clusters' nearest, scaled by the median ratio over its own rows. Neither has an interval.
 *
 * Ownership: the arena's. Thread rule: one thread per struct. Complexity: Pollux O(rows × 7² ×
 * iterations); nearest O(rows) an answer.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_BASELINES_H
#define ENTENTE_ECONOMICS_THROUGHPUT_BASELINES_H

#include "economics/throughput/fitting.h"

enum { POLLUX_PARAMETERS = 7, POLLUX_ROWS_MIN = 3 };

/* By pair of the set; NAN in [0] where a pair has under POLLUX_ROWS_MIN rows. */
struct pollux {
    double (*parameters)[POLLUX_PARAMETERS];
};

MUST_USE enum status pollux_fit(const struct fit_set *set, struct arena *arena,
                                struct pollux *pollux, struct fault *fault);

/* Seconds; NAN where the pair wasn't fitted. */
double pollux_predict(const struct pollux *pollux, uint32_t pair,
                      const struct configuration *configuration);

/* Seconds; NAN where neither the pair nor another cluster's rows of the model are there. ratios:
 * as nearest_prepare left them. */
struct nearest_baseline {
    const struct fit_set *set;
    double *log_ratio; /* [pair_count × pair_count]: of pair to another of its model; NAN: none */
    uint32_t *placements; /* [pair_count] */
};
MUST_USE enum status nearest_prepare(const struct fit_set *set, struct arena *arena,
                                     struct nearest_baseline *nearest, struct fault *fault);
double nearest_predict(const struct nearest_baseline *nearest, uint32_t pair,
                       const struct configuration *configuration);

#endif
