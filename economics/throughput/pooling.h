/*
 * Pooling: what pairs of (model, cluster) tell about each other.
 *
 * Every parameter of a pair is θ = μ + u(model) + v(cluster) + e, each level Gaussian with its own
 * variance. Given each pair's information (pair.h), the joint posterior of (μ, u, v) is Gaussian in
 * closed form [Gelman et al. 2013, ch. 5 and 15]; the variances follow by expectation-maximisation,
 * drawn to their prior by POOLING_PSEUDO_GROUPS. A pair that was never measured is then predicted
 * from its model's and its cluster's others; a model or cluster never seen, from the mean of all.
 *
 * The means and deviations of the prior come from a spike on three clusters (README.md); they are
 * wide. Ownership: the caller's arena. Thread rule: one thread per struct. Complexity: O((12 (1 +
 * models + clusters))³) a solve.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_POOLING_H
#define ENTENTE_ECONOMICS_THROUGHPUT_POOLING_H

#include "base/arena.h"
#include "economics/throughput/pair.h"

#define POOLING_PSEUDO_GROUPS 4.0

enum pooling_level { POOLING_MODEL, POOLING_CLUSTER, POOLING_PAIR, POOLING_LEVELS };

struct pooling_pair {
    uint32_t model;
    uint32_t cluster;
    const struct pair_estimate *estimate;
};

struct pooling {
    uint32_t model_count;
    uint32_t cluster_count;
    size_t size;        /* 12 × (1 + models + clusters): μ, then models, then clusters */
    double *mean;       /* [size] */
    double *covariance; /* [size × size]; the prior's before the first solve */
    double variance[POOLING_LEVELS][FORM_PARAMETERS];
};

/* What is believed of one pair before or after its own rows are seen. */
struct pooling_belief {
    double mean[FORM_PARAMETERS];
    double covariance[PAIR_SQUARE];
};

/* Prior means and variances. */
MUST_USE enum status pooling_init(struct pooling *pooling, uint32_t model_count,
                                  uint32_t cluster_count, struct arena *arena, struct fault *fault);

/* (μ, u, v) from the pairs. INTERNAL where the arithmetic breaks down. */
MUST_USE enum status pooling_solve(struct pooling *pooling, const struct pooling_pair *pairs,
                                   uint32_t pair_count, struct fault *fault);

/* One expectation-maximisation step of the variances, after pooling_solve. */
void pooling_update_variances(struct pooling *pooling, const struct pooling_pair *pairs,
                              uint32_t pair_count);

/* Of one pair around the mean of all: how pairs differ before any is measured. scale is not set. */
void pooling_prior_between(struct pair_prior *prior);

/* How models, clusters and pairs differ in one parameter before any is measured. */
void pooling_variance_between(int parameter, double variance[POOLING_LEVELS]);

/* Before any solve: the widest prior, of a pair that stands alone. */
void pooling_prior_alone(const struct pooling *pooling, struct pair_prior *prior);

/* The mean that a pair's own fit starts from: μ + u + v, and the precision of e. */
void pooling_prior(const struct pooling *pooling, uint32_t model, uint32_t cluster,
                   struct pair_prior *prior);

/* POOLING_NONE: a model or cluster never seen. estimate NULL: no row of the pair. */
#define POOLING_NONE UINT32_MAX
void pooling_believe(const struct pooling *pooling, uint32_t model, uint32_t cluster,
                     const struct pair_estimate *estimate, struct pooling_belief *belief);

#endif
