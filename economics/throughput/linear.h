/*
 * Linear: the few dense operations on symmetric positive definite matrices that fitting needs, over
 * GSL. Matrices are rows of doubles, n × n.
 *
 * Thread rule: any thread; GSL's error handler is turned off for the process on first use (its
 * default aborts). Complexity: O(n³), solving O(n²).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_LINEAR_H
#define ENTENTE_ECONOMICS_THROUGHPUT_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* matrix := its Cholesky factor; false where it isn't positive definite (then it is spoilt). */
MUST_USE bool linear_factor(double *matrix, size_t n);

/* x := matrix⁻¹ x, from the factor. */
void linear_solve(const double *factor, size_t n, double *x);

/* factor := the inverse of the matrix it is the factor of, both halves. */
void linear_invert(double *factor, size_t n);

/* x' matrix x. */
double linear_quadratic(const double *matrix, size_t n, const double *x);

#endif
