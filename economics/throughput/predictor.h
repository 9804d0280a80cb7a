/*
 * Predictor: how fast a job would train on some GPUs of a pool, from all that is known: fitted
 * models, what was stated, and how hosts deliver.
 *
 * Beyond the GPUs that were measured a statement's shape carries a fit's level on.
 * Asked in this order, the first that knows answers: the federation's fit, where the job's model
 * was measured on that GPU kind; what only its own home measured (a scope of the fit, which no
 * other member's jobs see); the job's own statement; the federation's table; at last the fit where
 * the pair was never measured, from other kinds and models. What a host delivers less than its kind
 * (delivery.h) then multiplies it.
 *
 * Ownership: everything is borrowed. Thread rule: read-only, any number of readers. Complexity:
 * O(log scopes + names of the fit + hints), below a microsecond.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_PREDICTOR_H
#define ENTENTE_ECONOMICS_THROUGHPUT_PREDICTOR_H

#include "economics/throughput/delivery.h"
#include "economics/throughput/model.h"
#include "economics/throughput/table.h"

enum throughput_basis {
    BASIS_NONE,   /* nothing is known */
    BASIS_FITTED, /* confirmed measurements of this model on this kind */
    BASIS_OWN,    /* its home's own measurements on this kind */
    BASIS_JOB,    /* stated with the job */
    BASIS_TABLE,  /* the federation's table */
    BASIS_POOLED, /* fitted to the model's and the kind's others: this pair was never measured */
    BASIS_COUNT
};

/* What one home alone measured of a model, in the fit under an index of its own. */
struct predictor_scope {
    struct name member;
    struct name key;
    uint32_t index; /* of the fit's models */
};

struct predictor {
    const struct throughput_table *table; /* NULL: none */
    const struct throughput_model *fit;   /* learned; NULL: none */
    const struct throughput_model *given; /* the operator's, for what the other lacks; NULL: none */
    const struct predictor_scope *scopes; /* [scope_count] by (member, key) */
    uint32_t scope_count;
    const struct delivery *deliveries; /* [delivery_count] by (pool, home) */
    uint32_t delivery_count;
};

struct predictor_question {
    const struct demand *demand;
    struct pool_id pool;
    struct configuration configuration; /* batch 0: the model's mean */
};

struct throughput_estimate {
    double examples_per_second; /* 0: nothing is known */
    double low;                 /* 90% of measurements lie between; 0: stated, not fitted */
    double high;
    double delivery; /* the host's factor, in all three */
    enum throughput_basis basis;
};

/* predictor NULL: only what the job states. */
struct throughput_estimate predictor_ask(const struct predictor *predictor,
                                         const struct predictor_question *question);

/* Configuration of a job on so many GPUs, packed on nodes that offer up to gpus_of_node each. */
struct configuration predictor_configuration(const struct demand *demand, uint32_t gpus,
                                             uint32_t gpus_of_node);

/* Under which key a job's measurements are kept: its model, or the job itself where it names none.
 */
const struct name *predictor_key(const struct demand *demand);

/* In the order of `scopes`. */
int predictor_scope_compare(const struct predictor_scope *a, const struct predictor_scope *b);

const char *throughput_basis_name(enum throughput_basis basis);

#endif
