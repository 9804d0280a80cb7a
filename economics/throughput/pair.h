/*
 * Pair: the twelve numbers of one (model, cluster) from its own rows and what the other pairs
 * suggest.
 *
 * Maximum a posteriori: Student-t (ν = PAIR_DEGREES) on log residuals with scale σ, Gaussian prior.
 * By iteratively reweighted least squares [Lange, Little & Taylor 1989] in a Levenberg–Marquardt
 * loop; σ by the same paper's step, drawn towards the scale of all pairs. What the rows alone say
 * (information matrix and vector) is kept apart from the prior, so that pooling does not count the
 * prior twice.
 *
 * Thread rule: pure over its arguments. Complexity: O(rows × 12²) an iteration, PAIR_ITERATIONS_MAX
 * of them.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_PAIR_H
#define ENTENTE_ECONOMICS_THROUGHPUT_PAIR_H

#include "economics/throughput/form.h"

#define PAIR_DEGREES           4.0
#define PAIR_SCALE_PSEUDO_ROWS 4.0
/* A clock's and a median's own noise: nothing is known better. */
#define PAIR_SCALE_MIN 0.003

enum { PAIR_ITERATIONS_MAX = 40, PAIR_SQUARE = FORM_PARAMETERS * FORM_PARAMETERS };

/* Rows of one pair, side by side. A placement's rows share its noise: their weights say so. */
struct pair_rows {
    const struct form_input *inputs;
    const double *log_seconds;
    const double *weights;
    uint32_t count;
};

struct pair_prior {
    double mean[FORM_PARAMETERS];
    double precision[FORM_PARAMETERS]; /* 1 / variance, > 0 */
    double scale;                      /* of all pairs' residuals, > 0 */
};

struct pair_estimate {
    double theta[FORM_PARAMETERS];   /* in: where to start; out: the estimate */
    double information[PAIR_SQUARE]; /* of the rows alone: J'ΩJ at theta */
    double vector[FORM_PARAMETERS];  /* of the rows alone: information × their own optimum */
    double scale;                    /* in: to start with; out: σ */
};

/* Without rows: theta is the prior's mean, the information zero. */
void pair_fit(const struct pair_rows *rows, const struct pair_prior *prior,
              struct pair_estimate *estimate);

#endif
