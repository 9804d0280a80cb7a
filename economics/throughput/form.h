/*
 * Form: the law of a training step: how its time follows from the configuration and twelve numbers.
 *
 * Phases as in [Pollux, OSDI'21, §4.1]: a gradient phase, a synchronisation phase by placement (one
 * GPU, one node, several nodes), partly overlapping with exponent γ >= 1, gradient accumulation.
 * Ours: powers of the numbers of workers in place of straight lines, in logarithms, so that pairs
 * of (model, cluster) share their shape. With K workers on N nodes, g on the fullest, batch m a
 * worker and pass, x = log m − centre, A passes a step, network b Gbit/s:
 *
 *   log Tg = t + log((1−h) + h e^x) + κ log g                h = logistic(l)
 *   log Ts = t + log traffic
 *            + s1 + p1 log(K/2)                                           one node
 *            + s2 + p2 log(K/2) + c2 log g + q2 log(N/2) + d2 [N=2]
 *                 + log((1−f) + f b0/b)                                   several; f =
 * logistic(link) T      = (A−1) Tg + (Tg^γ + Ts^γ)^(1/γ)                  γ = 1 + e^lg;  K = 1 and
 * no server: A Tg
 *
 * traffic, in model sizes over the busiest link: 2 (K−1)/K for the ring all-reduce [Patarasuk &
 * Yuan 2009]; 2 max(1, K/S) for S parameter servers (each worker's link carries the model twice,
 * each server's K/S of it twice). b0 is FORM_REFERENCE_GBPS.
 *
 * Units: seconds; logarithms are natural. Thread rule: pure. Complexity: O(1), about ten exp/log.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_FORM_H
#define ENTENTE_ECONOMICS_THROUGHPUT_FORM_H

#include "economics/throughput/measurement.h"

enum form_parameter {
    FORM_T,     /* log seconds of a gradient pass at the centre batch, on one GPU */
    FORM_L,     /* logit of the share of it that grows with the batch */
    FORM_KAPPA, /* contention of workers on a node */
    FORM_S1,    /* log of synchronisation / gradient time for one model size, one node */
    FORM_P1,    /* its power in workers */
    FORM_S2,    /* the same, several nodes */
    FORM_P2,
    FORM_C2,   /* power in the workers on the fullest node */
    FORM_Q2,   /* power in nodes */
    FORM_D2,   /* exactly two nodes */
    FORM_LG,   /* log(γ − 1) */
    FORM_LINK, /* logit of the share of s2 that is transfer over the network */
    FORM_PARAMETERS
};

#define FORM_REFERENCE_GBPS 10.0

/* "t", "l", ...: as in the model file and the reports. */
const char *form_parameter_name(enum form_parameter parameter);

/* Everything of a configuration that the law needs, worked out once. */
struct form_input {
    double excess;      /* e^x − 1 */
    double log_fullest; /* log g */
    double log_half;    /* log(K/2) */
    double log_nodes;   /* log(N/2) */
    double log_traffic;
    double link_ratio;    /* b0/b − 1 */
    double passes_before; /* A − 1 */
    bool synchronises;
    bool many_nodes;
    bool two_nodes;
};

/* centre: the mean log batch of the model. network_gbps 0 stands for the reference. */
struct form_input form_prepare(const struct configuration *configuration, double centre);

/* log seconds of a step. gradient (may be NULL): its derivative by each parameter. */
double form_log_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS],
                        double gradient[FORM_PARAMETERS]);

/* The phases alone, in seconds: of one gradient pass, and of moving one model size once over the
 * busiest link (0 where nothing synchronises). */
double form_gradient_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS]);
double form_transfer_seconds(const struct form_input *input, const double theta[FORM_PARAMETERS]);

#endif
