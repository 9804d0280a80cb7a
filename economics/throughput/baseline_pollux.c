/*
 * Baselines: Pollux's throughput model, each pair by itself [Pollux, OSDI'21, §4.1].
 */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>

#include "economics/throughput/baselines.h"

enum { ALPHA, BETA, LOCAL, LOCAL_SLOPE, NODES, NODES_SLOPE, OVERLAP };
enum { ITERATIONS_MAX = 200 };

/* All seven are logarithms (of γ − 1 the last): a faint pull to their start keeps those that no row
 * tells of from drifting. */
#define PULL      0.01
#define TOLERANCE 1e-8

struct problem {
    const struct fit_row *rows;
    size_t count;
    double start[POLLUX_PARAMETERS];
};

static double predict(const double *p, const struct configuration *of)
{
    double const gradient = exp(p[ALPHA]) + exp(p[BETA]) * of->batch;
    double const before = (of->accumulation - 1.0) * gradient;
    if (of->gpus == 1)
        return before + gradient;
    double const extra = of->gpus - 2.0;
    double const sync = of->nodes == 1 ? exp(p[LOCAL]) + exp(p[LOCAL_SLOPE]) * extra
                                       : exp(p[NODES]) + exp(p[NODES_SLOPE]) * extra;
    double const gamma = 1 + exp(p[OVERLAP]);
    double const ahead = gamma * log(sync / gradient);
    return before + gradient * exp((fmax(ahead, 0) + log1p(exp(-fabs(ahead)))) / gamma);
}

static int residuals(const gsl_vector *x, void *of, gsl_vector *f)
{
    const struct problem *problem = of;
    double p[POLLUX_PARAMETERS];
    for (size_t i = 0; i < POLLUX_PARAMETERS; i++)
        p[i] = fmin(fmax(gsl_vector_get(x, i), -40), 20);
    p[OVERLAP] = fmin(p[OVERLAP], log(9)); /* γ <= 10, as in the paper */
    for (size_t i = 0; i < problem->count; i++)
        gsl_vector_set(f, i,
                       log(predict(p, &problem->rows[i].source->configuration)) -
                           problem->rows[i].log_seconds);
    for (size_t i = 0; i < POLLUX_PARAMETERS; i++)
        gsl_vector_set(f, problem->count + i, PULL * (gsl_vector_get(x, i) - problem->start[i]));
    return GSL_SUCCESS;
}

static void choose_start(struct problem *problem)
{
    double sum = 0;
    double batch = 0;
    for (size_t i = 0; i < problem->count; i++) {
        sum += problem->rows[i].log_seconds;
        batch += log(problem->rows[i].source->configuration.batch);
    }
    double const seconds = sum / (double)problem->count;
    problem->start[ALPHA] = seconds - log(4);
    problem->start[BETA] = seconds - batch / (double)problem->count - log(2);
    problem->start[LOCAL] = seconds - log(8);
    problem->start[LOCAL_SLOPE] = seconds - log(80);
    problem->start[NODES] = seconds - log(4);
    problem->start[NODES_SLOPE] = seconds - log(40);
    problem->start[OVERLAP] = 0;
}

static bool fit_one(struct problem *problem, double *parameters)
{
    gsl_multifit_nlinear_parameters options = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf problem_of = {.f = residuals,
                                           .n = problem->count + POLLUX_PARAMETERS,
                                           .p = POLLUX_PARAMETERS,
                                           .params = problem};
    choose_start(problem);
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &options, problem_of.n, POLLUX_PARAMETERS);
    if (work == NULL)
        return false;
    gsl_vector_view start = gsl_vector_view_array(problem->start, POLLUX_PARAMETERS);
    int info;
    int code = gsl_multifit_nlinear_init(&start.vector, &problem_of, work);
    if (code == GSL_SUCCESS)
        (void)gsl_multifit_nlinear_driver(ITERATIONS_MAX, TOLERANCE, TOLERANCE, TOLERANCE, NULL,
                                          NULL, &info, work);
    const gsl_vector *at = gsl_multifit_nlinear_position(work);
    for (size_t i = 0; i < POLLUX_PARAMETERS; i++)
        parameters[i] = fmin(fmax(gsl_vector_get(at, i), -40), 20);
    parameters[OVERLAP] = fmin(parameters[OVERLAP], log(9));
    gsl_multifit_nlinear_free(work);
    return code == GSL_SUCCESS;
}

enum status pollux_fit(const struct fit_set *set, struct arena *arena, struct pollux *pollux,
                       struct fault *fault)
{
    gsl_set_error_handler_off();
    pollux->parameters = arena_alloc(arena, set->pair_count, sizeof *pollux->parameters);
    if (pollux->parameters == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u pairs", set->pair_count);
    for (uint32_t p = 0; p < set->pair_count; p++) {
        struct problem problem = {&set->rows[set->pairs[p].first], set->pairs[p].count, {0}};
        if (problem.count < POLLUX_ROWS_MIN || !fit_one(&problem, pollux->parameters[p]))
            pollux->parameters[p][0] = (double)NAN;
    }
    return STATUS_OK;
}

double pollux_predict(const struct pollux *pollux, uint32_t pair,
                      const struct configuration *configuration)
{
    const double *parameters = pollux->parameters[pair];
    return isnan(parameters[0]) ? (double)NAN : predict(parameters, configuration);
}
