#include "economics/throughput/form.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *form_parameter_name(enum form_parameter parameter)
{
    static const char *const names[FORM_PARAMETERS] = {"t",  "l",  "kappa", "s1", "p1", "s2",
                                                       "p2", "c2", "q2",    "d2", "lg", "link"};
    assert(parameter < FORM_PARAMETERS);
    return names[parameter];
}

static double log_traffic(const struct configuration *of)
{
    double const workers = of->gpus;
    if (of->servers > 0)
        return log(2 * fmax(1, workers / of->servers));
    return workers > 1 ? log(2 * (workers - 1) / workers) : 0;
}

struct form_input form_prepare(const struct configuration *of, double centre)
{
    return (struct form_input){
        .excess = expm1(log(of->batch) - centre),
        .log_fullest = log(of->gpus_on_fullest),
        .log_half = log(of->gpus / 2.0),
        .log_nodes = log(of->nodes / 2.0),
        .log_traffic = log_traffic(of),
        .link_ratio = of->network_gbps > 0 ? FORM_REFERENCE_GBPS / of->network_gbps - 1 : 0,
        .passes_before = of->accumulation - 1.0,
        .synchronises = of->gpus > 1 || of->servers > 0,
        .many_nodes = of->nodes > 1,
        .two_nodes = of->nodes == 2,
    };
}

static double logistic(double logit)
{
    return 1 / (1 + exp(-logit));
}

/* log Tg, with its derivatives by t, l and κ. */
static double log_gradient_phase(const struct form_input *input, const double *theta,
                                 double *gradient)
{
    double const growing = logistic(theta[FORM_L]);
    double const size = 1 + growing * input->excess;
    if (gradient != NULL) {
        gradient[FORM_T] = 1;
        gradient[FORM_L] = growing * (1 - growing) * input->excess / size;
        gradient[FORM_KAPPA] = input->log_fullest;
    }
    return theta[FORM_T] + log(size) + theta[FORM_KAPPA] * input->log_fullest;
}

/* log of the time to move one model size; its derivatives by t and s1 to link. */
static double log_transfer(const struct form_input *input, const double *theta, double *gradient)
{
    if (!input->many_nodes) {
        if (gradient != NULL) {
            gradient[FORM_S1] = 1;
            gradient[FORM_P1] = input->log_half;
        }
        return theta[FORM_T] + theta[FORM_S1] + theta[FORM_P1] * input->log_half;
    }
    double log_link = 0;
    double by_link = 0;
    if (input->link_ratio != 0) {
        double const share = logistic(theta[FORM_LINK]);
        double const slowed = 1 + share * input->link_ratio;
        log_link = log(slowed);
        by_link = share * (1 - share) * input->link_ratio / slowed;
    }
    if (gradient != NULL) {
        gradient[FORM_S2] = 1;
        gradient[FORM_P2] = input->log_half;
        gradient[FORM_C2] = input->log_fullest;
        gradient[FORM_Q2] = input->log_nodes;
        gradient[FORM_D2] = input->two_nodes ? 1 : 0;
        gradient[FORM_LINK] = by_link;
    }
    return theta[FORM_T] + theta[FORM_S2] + theta[FORM_P2] * input->log_half +
           theta[FORM_C2] * input->log_fullest + theta[FORM_Q2] * input->log_nodes +
           (input->two_nodes ? theta[FORM_D2] : 0) + log_link;
}

/* log (Tg^γ + Ts^γ)^(1/γ); turns the phases' derivatives in gradient and gradient_s into its own.
 */
static double overlap(double log_g, double log_s, const double *theta, double *gradient,
                      const double *gradient_s)
{
    double const gamma = 1 + exp(theta[FORM_LG]);
    double const ahead = gamma * (log_s - log_g);
    /* log(1 + e^ahead), whichever phase is longer */
    double const tail = log1p(exp(-fabs(ahead)));
    double const soft = ahead > 0 ? ahead + tail : tail;
    if (gradient != NULL) {
        double const weight = logistic(ahead);
        for (int i = 0; i < FORM_PARAMETERS; i++)
            gradient[i] = (1 - weight) * gradient[i] + weight * gradient_s[i];
        gradient[FORM_LG] = (gamma - 1) * ((log_s - log_g) * weight - soft / gamma) / gamma;
    }
    return log_g + soft / gamma;
}

double form_log_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS],
                        double gradient[FORM_PARAMETERS])
{
    double gradient_g[FORM_PARAMETERS] = {0};
    double gradient_s[FORM_PARAMETERS] = {[FORM_T] = 1};
    bool const wanted = gradient != NULL;
    double const log_g = log_gradient_phase(input, theta, wanted ? gradient_g : NULL);
    double log_last = log_g;
    if (wanted)
        memcpy(gradient, gradient_g, sizeof gradient_g);
    if (input->synchronises) {
        double const log_s =
            input->log_traffic + log_transfer(input, theta, wanted ? gradient_s : NULL);
        log_last = overlap(log_g, log_s, theta, gradient, gradient_s);
    }
    if (input->passes_before == 0)
        return log_last;
    double const before = input->passes_before * exp(log_g - log_last);
    if (wanted)
        for (int i = 0; i < FORM_PARAMETERS; i++)
            gradient[i] = (before * gradient_g[i] + gradient[i]) / (1 + before);
    return log_last + log1p(before);
}

double form_gradient_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS])
{
    return exp(log_gradient_phase(input, theta, NULL));
}

double form_transfer_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS])
{
    return input->synchronises ? exp(log_transfer(input, theta, NULL)) : 0;
}
