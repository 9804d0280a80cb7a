/*
 * Tolerance: the one place where doubles are compared.
 *
 * Differences are judged against the size of what is compared: |a − b| <= relative × max(1, |a|,
 * |b|). Thread rule: pure. Complexity: O(1).
 */
#ifndef ENTENTE_BASE_TOLERANCE_H
#define ENTENTE_BASE_TOLERANCE_H

#include <math.h>
#include <stdbool.h>

#define TOLERANCE_LP     1e-9 /* reduced costs, feasibility of a scaled LP */
#define TOLERANCE_ANSWER 1e-6 /* optima and published results */

static inline double tolerance_scale(double a, double b)
{
    return fmax(1.0, fmax(fabs(a), fabs(b)));
}

static inline bool nearly_equal(double a, double b, double relative)
{
    return fabs(a - b) <= relative * tolerance_scale(a, b);
}

/* a <= b, give or take. */
static inline bool nearly_at_most(double a, double b, double relative)
{
    return a - b <= relative * tolerance_scale(a, b);
}

#endif
