#include "economics/throughput/probe.h"

#include <math.h>
#include <string.h>

#include "economics/throughput/pooling.h"

/* How far one measurement strays from the law: its own noise, and what the law does not know of its
 * placement. */
#define STRAY 0.12

enum { N = FORM_PARAMETERS };

struct design {
    double mean[N];
    double covariance[PAIR_SQUARE]; /* given what is chosen */
    double spread[PAIR_SQUARE];     /* Σ g g' over all available */
    double centre;                  /* mean log batch */
};

static void gradient_of(const struct design *design, const struct configuration *of, double *by)
{
    struct form_input const input = form_prepare(of, design->centre);
    (void)form_log_seconds(&input, design->mean, by);
}

static void begin(struct design *design, const struct configuration *available, uint32_t count)
{
    struct pair_prior prior;
    pooling_prior_between(&prior);
    memset(design, 0, sizeof *design);
    for (uint32_t i = 0; i < count; i++)
        design->centre += log(available[i].batch) / count;
    for (int i = 0; i < N; i++) {
        design->mean[i] = prior.mean[i];
        design->covariance[i * N + i] = 1 / prior.precision[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        double by[N];
        gradient_of(design, &available[i], by);
        for (int a = 0; a < N; a++)
            for (int b = 0; b < N; b++)
                design->spread[a * N + b] += by[a] * by[b];
    }
}

/* covariance × by; returns by' covariance by. */
static double along(const struct design *design, const double *by, double *out)
{
    double sum = 0;
    for (int a = 0; a < N; a++) {
        out[a] = 0;
        for (int b = 0; b < N; b++)
            out[a] += design->covariance[a * N + b] * by[b];
        sum += by[a] * out[a];
    }
    return sum;
}

/* By how much the variances of all available fall when this one is measured. */
static double gain_of(const struct design *design, const struct configuration *of)
{
    double by[N];
    double out[N];
    gradient_of(design, of, by);
    double const variance = along(design, by, out);
    double gain = 0;
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            gain += out[a] * design->spread[a * N + b] * out[b];
    return gain / (variance + STRAY * STRAY);
}

static void measure(struct design *design, const struct configuration *of)
{
    double by[N];
    double out[N];
    gradient_of(design, of, by);
    double const variance = along(design, by, out) + STRAY * STRAY;
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            design->covariance[a * N + b] -= out[a] * out[b] / variance;
}

uint32_t probe_choose(const struct configuration *available, uint32_t count, uint32_t wanted,
                      bool *chosen)
{
    struct design design;
    begin(&design, available, count);
    memset(chosen, 0, count * sizeof *chosen);
    uint32_t taken = 0;
    for (; taken < wanted && taken < count; taken++) {
        uint32_t best = 0;
        double most = -1;
        for (uint32_t i = 0; i < count; i++) {
            double const gain = chosen[i] ? -1 : gain_of(&design, &available[i]);
            if (gain > most) {
                most = gain;
                best = i;
            }
        }
        chosen[best] = true;
        measure(&design, &available[best]);
    }
    return taken;
}
