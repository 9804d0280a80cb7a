#include "economics/throughput/probe.h"

#include <math.h>
#include <string.h>

#include "economics/throughput/pooling.h"

/* How far one measurement strays from the law: its own noise, and what the law does not know of its
 * placement. */
#define STRAY 0.12

/* What is common stands first, the pair's own behind it: θ is their sum. */
enum { N = FORM_PARAMETERS, M = 2 * N };

struct design {
    double mean[N];
    double covariance[M * M]; /* given what is chosen */
    double spread[N * N];     /* Σ g g' over all available */
    double centre;            /* mean log batch */
};

void probe_begin(struct probe *probe, enum probe_new what)
{
    memset(probe, 0, sizeof *probe);
    for (int i = 0; i < N; i++) {
        double variance[POOLING_LEVELS];
        pooling_variance_between(i, variance);
        double const model = variance[POOLING_MODEL];
        double const cluster = variance[POOLING_CLUSTER];
        /* Of a cluster that is known its part is known too. */
        probe->common[i * N + i] = what == PROBE_NEW_MODEL ? model : 0;
        probe->own[i] = variance[POOLING_PAIR];
        if (what == PROBE_NEW_PAIR)
            probe->own[i] += model + cluster;
    }
}

static void gradient_of(const struct design *design, const struct configuration *of, double *by)
{
    struct form_input const input = form_prepare(of, design->centre);
    (void)form_log_seconds(&input, design->mean, by);
}

static void begin(struct design *design, const struct probe *probe,
                  const struct configuration *available, uint32_t count)
{
    struct pair_prior prior;
    pooling_prior_between(&prior);
    memset(design, 0, sizeof *design);
    for (uint32_t i = 0; i < count; i++)
        design->centre += log(available[i].batch) / count;
    for (int i = 0; i < N; i++) {
        design->mean[i] = prior.mean[i];
        design->covariance[(N + i) * M + N + i] = probe->own[i];
        for (int k = 0; k < N; k++)
            design->covariance[i * M + k] = probe->common[i * N + k];
    }
    for (uint32_t i = 0; i < count; i++) {
        double by[N];
        gradient_of(design, &available[i], by);
        for (int a = 0; a < N; a++)
            for (int b = 0; b < N; b++)
                design->spread[a * N + b] += by[a] * by[b];
    }
}

/* covariance × (by, by); returns its variance. */
static double along(const struct design *design, const double *by, double *out)
{
    double sum = 0;
    for (int a = 0; a < M; a++) {
        out[a] = 0;
        for (int b = 0; b < M; b++)
            out[a] += design->covariance[a * M + b] * by[b % N];
        sum += by[a % N] * out[a];
    }
    return sum;
}

/* By how much the variances of all available fall when this one is measured. */
static double gain_of(const struct design *design, const struct configuration *of)
{
    double by[N];
    double out[M];
    gradient_of(design, of, by);
    double const variance = along(design, by, out);
    double gain = 0;
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            gain += (out[a] + out[N + a]) * design->spread[a * N + b] * (out[b] + out[N + b]);
    return gain / (variance + STRAY * STRAY);
}

static void measure(struct design *design, const struct configuration *of)
{
    double by[N];
    double out[M];
    gradient_of(design, of, by);
    double const variance = along(design, by, out) + STRAY * STRAY;
    for (int a = 0; a < M; a++)
        for (int b = 0; b < M; b++)
            design->covariance[a * M + b] -= out[a] * out[b] / variance;
}

uint32_t probe_choose(struct probe *probe, const struct configuration *available, uint32_t count,
                      uint32_t wanted, bool *chosen)
{
    struct design design;
    begin(&design, probe, available, count);
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
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            probe->common[i * N + k] = design.covariance[i * M + k];
    return taken;
}
