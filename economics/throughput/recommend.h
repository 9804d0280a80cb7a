/*
 * Recommend: which configurations to train in: the fastest within a budget, the cheapest before a
 * deadline, and those that no other beats in both time and cost.
 *
 * Enumerates clusters × GPUs × batches, packed on as few nodes as hold them, predicts each, and
 * judges by goodput where a noise scale is given (efficiency.h), else by throughput. A deadline or
 * budget counts as met only where the far end of the 90% interval meets it: nine in ten times.
 *
 * Ownership: the arena's. Thread rule: pure over its arguments. Complexity: O(choices log choices),
 * RECOMMEND_CHOICES_MAX of them.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_RECOMMEND_H
#define ENTENTE_ECONOMICS_THROUGHPUT_RECOMMEND_H

#include "economics/throughput/efficiency.h"
#include "economics/throughput/model.h"

enum { RECOMMEND_CHOICES_MAX = 20000, RECOMMEND_BATCHES_MAX = 32 };

struct recommend_cluster {
    uint32_t cluster; /* of the model's */
    double price;     /* credits per GPU-second, >= 0 */
    uint32_t gpus_max;
    uint32_t gpus_per_node;
};

struct recommend_question {
    uint32_t job; /* of the model's models */
    const struct recommend_cluster *clusters;
    uint32_t cluster_count;
    const double *batches; /* a worker and pass */
    uint32_t batch_count;
    double examples;          /* the work, in examples at the base batch, > 0 */
    double deadline_seconds;  /* 0: none */
    double budget;            /* credits; 0: none */
    struct noise_scale noise; /* base_batch 0: not asked */
};

struct choice {
    uint32_t cluster;
    struct configuration configuration;
    struct prediction prediction;
    double efficiency;  /* 1 where no noise scale is given */
    double run_seconds; /* median */
    double run_seconds_high;
    double cost; /* credits, median */
    double cost_high;
    bool meets;    /* deadline and budget, nine in ten times */
    bool frontier; /* none is both faster and cheaper */
};

struct recommendation {
    struct choice *choices; /* [choice_count]: those that meet first; then by cost where a deadline
                               is asked for, else by time */
    uint32_t choice_count;
};

MUST_USE enum status recommend(const struct throughput_model *model,
                               const struct recommend_question *question, struct arena *arena,
                               struct recommendation *recommendation, struct fault *fault);

#endif
