/*
 * Classes: identical jobs of a market merged into one each, for LPs over shares.
 *
 * Jobs of one home whose columns agree in pool, GPUs, worth, payment and policy rows are
 * interchangeable: m of them are one job of m times the GPUs, worth and coefficients, and what it
 * gets each of them gets. So the LP's optimum, duals of pools and rows, and any plan carry over
 * exactly. (Not for whole GPUs.)
 *
 * Ownership: the merged market lies in the arena. Thread rule: pure. Complexity: O(size log jobs).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_FAIRNESS_CLASSES_H
#define ENTENTE_ECONOMICS_MARKET_FAIRNESS_CLASSES_H

#include "economics/market/solver/session.h"

struct classes {
    const struct market *market; /* the original */
    struct market merged;        /* the original itself where no two jobs are identical */
    uint32_t *jobs;              /* [market->job_count] class by class, ascending */
    uint32_t *first;             /* [merged.job_count + 1] into jobs */
};

MUST_USE enum status classes_make(const struct market *market, struct arena *arena,
                                  struct classes *classes, struct fault *fault);

/* Adds share × the use of a merged column to each job's own: shares: [market->column_count]. */
void classes_spread(const struct classes *classes, struct session_use use, double share,
                    double *shares);

#endif
