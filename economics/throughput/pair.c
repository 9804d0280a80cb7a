#include "economics/throughput/pair.h"

#include <math.h>
#include <string.h>

#include "economics/throughput/linear.h"

#define DAMPING_FIRST  1e-3
#define DAMPING_MIN    1e-9
#define DAMPING_MAX    1e8
#define DAMPING_STEP   8.0
#define STEP_MAX       2.0  /* of any parameter at once: the law is not linear further away */
#define OBJECTIVE_DONE 1e-7 /* relative gain below which the fit is over */

/* The least squares problem around theta. */
struct normal {
    double matrix[PAIR_SQUARE];       /* J'ΩJ, the lower half */
    double gradient[FORM_PARAMETERS]; /* J'Ω residual */
};

static double objective(const struct pair_rows *rows, const struct pair_prior *prior,
                        const double *theta, double scale);
static void build_normal(const struct pair_rows *rows, const double *theta, double scale,
                         struct normal *normal);
static bool damped_step(const struct normal *normal, const struct pair_prior *prior,
                        const double *theta, double damping, double *next);
static double used_up(const struct normal *normal, const struct pair_prior *prior);
static double update_scale(const struct pair_rows *rows, const double *theta, double scale,
                           double prior_scale, double degrees);

void pair_fit(const struct pair_rows *rows, const struct pair_prior *prior,
              struct pair_estimate *estimate)
{
    memset(estimate->information, 0, sizeof estimate->information);
    memset(estimate->vector, 0, sizeof estimate->vector);
    if (rows->count == 0) {
        memcpy(estimate->theta, prior->mean, sizeof estimate->theta);
        estimate->scale = prior->scale;
        return;
    }
    double *theta = estimate->theta;
    double damping = DAMPING_FIRST;
    struct normal normal;
    build_normal(rows, theta, estimate->scale, &normal);
    double now = objective(rows, prior, theta, estimate->scale);
    for (int i = 0; i < PAIR_ITERATIONS_MAX && damping < DAMPING_MAX; i++) {
        double next[FORM_PARAMETERS];
        double then = HUGE_VAL;
        if (damped_step(&normal, prior, theta, damping, next))
            then = objective(rows, prior, next, estimate->scale);
        if (!(then <= now)) {
            damping *= DAMPING_STEP;
            continue;
        }
        double const gain = now - then;
        memcpy(theta, next, sizeof next);
        damping = fmax(damping / DAMPING_STEP, DAMPING_MIN);
        estimate->scale =
            update_scale(rows, theta, estimate->scale, prior->scale, used_up(&normal, prior));
        build_normal(rows, theta, estimate->scale, &normal);
        now = objective(rows, prior, theta, estimate->scale);
        if (gain <= OBJECTIVE_DONE * (1 + fabs(then)))
            break;
    }
    for (int i = 0; i < FORM_PARAMETERS; i++) {
        double own = normal.gradient[i];
        for (int k = 0; k < FORM_PARAMETERS; k++) {
            double const cell =
                normal.matrix[i >= k ? i * FORM_PARAMETERS + k : k * FORM_PARAMETERS + i];
            estimate->information[i * FORM_PARAMETERS + k] = cell;
            own += cell * theta[k];
        }
        estimate->vector[i] = own;
    }
}

static double objective(const struct pair_rows *rows, const struct pair_prior *prior,
                        const double *theta, double scale)
{
    double sum = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        double const r =
            (rows->log_seconds[i] - form_log_seconds(&rows->inputs[i], theta, NULL)) / scale;
        sum += rows->weights[i] * (PAIR_DEGREES + 1) * log1p(r * r / PAIR_DEGREES);
    }
    for (int i = 0; i < FORM_PARAMETERS; i++) {
        double const away = theta[i] - prior->mean[i];
        sum += away * away * prior->precision[i];
    }
    return sum / 2;
}

static void build_normal(const struct pair_rows *rows, const double *theta, double scale,
                         struct normal *normal)
{
    memset(normal, 0, sizeof *normal);
    double const variance = scale * scale;
    for (uint32_t i = 0; i < rows->count; i++) {
        double by[FORM_PARAMETERS];
        double const r = rows->log_seconds[i] - form_log_seconds(&rows->inputs[i], theta, by);
        double const weight =
            rows->weights[i] * (PAIR_DEGREES + 1) / (PAIR_DEGREES * variance + r * r);
        for (int a = 0; a < FORM_PARAMETERS; a++) {
            double const weighted = weight * by[a];
            normal->gradient[a] += weighted * r;
            double *row = &normal->matrix[a * FORM_PARAMETERS];
            for (int b = 0; b <= a; b++)
                row[b] += weighted * by[b];
        }
    }
}

static bool damped_step(const struct normal *normal, const struct pair_prior *prior,
                        const double *theta, double damping, double *next)
{
    double matrix[PAIR_SQUARE];
    double step[FORM_PARAMETERS];
    memcpy(matrix, normal->matrix, sizeof matrix);
    for (int i = 0; i < FORM_PARAMETERS; i++) {
        double *diagonal = &matrix[i * FORM_PARAMETERS + i];
        *diagonal = (*diagonal + prior->precision[i]) * (1 + damping);
        step[i] = normal->gradient[i] + prior->precision[i] * (prior->mean[i] - theta[i]);
    }
    if (!linear_factor(matrix, FORM_PARAMETERS))
        return false;
    linear_solve(matrix, FORM_PARAMETERS, step);
    for (int i = 0; i < FORM_PARAMETERS; i++)
        next[i] = theta[i] + fmin(fmax(step[i], -STEP_MAX), STEP_MAX);
    return true;
}

/* Degrees of freedom that the parameters take from the rows: tr(J (J + prior)⁻¹). Without them few
 * rows look as if they had no noise. */
static double used_up(const struct normal *normal, const struct pair_prior *prior)
{
    double inverse[PAIR_SQUARE];
    memcpy(inverse, normal->matrix, sizeof inverse);
    for (int i = 0; i < FORM_PARAMETERS; i++)
        inverse[i * FORM_PARAMETERS + i] += prior->precision[i];
    if (!linear_factor(inverse, FORM_PARAMETERS))
        return 0;
    linear_invert(inverse, FORM_PARAMETERS);
    double degrees = 0;
    for (int i = 0; i < FORM_PARAMETERS; i++)
        for (int k = 0; k <= i; k++)
            degrees += normal->matrix[i * FORM_PARAMETERS + k] * inverse[i * FORM_PARAMETERS + k] *
                       (i == k ? 1 : 2);
    return degrees;
}

/* One EM step for σ², with pseudo-rows at the scale of all pairs. */
static double update_scale(const struct pair_rows *rows, const double *theta, double scale,
                           double prior_scale, double degrees)
{
    double sum = PAIR_SCALE_PSEUDO_ROWS * prior_scale * prior_scale + degrees * scale * scale;
    double weight = PAIR_SCALE_PSEUDO_ROWS;
    for (uint32_t i = 0; i < rows->count; i++) {
        double const r = rows->log_seconds[i] - form_log_seconds(&rows->inputs[i], theta, NULL);
        double const trust = (PAIR_DEGREES + 1) / (PAIR_DEGREES + r * r / (scale * scale));
        sum += rows->weights[i] * trust * r * r;
        weight += rows->weights[i];
    }
    return fmax(sqrt(sum / weight), PAIR_SCALE_MIN);
}
