/*
 * Effects: what single batch sizes do beside the law: kernels chosen by size make some slower or
 * faster than their neighbours, alike on every cluster or on one.
 *
 * An effect is the median residual of a batch's rows (log seconds), shrunk: a model's over its
 * pairs, then each pair's own over its placements. Internal to economics/throughput. Ownership: the
 * arena's. Thread rule: pure. Complexity: O(rows log rows); looking up O(log batches).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_EFFECTS_H
#define ENTENTE_ECONOMICS_THROUGHPUT_EFFECTS_H

#include <stdint.h>

#include "base/arena.h"

struct batch_effect {
    double batch;
    double effect; /* of log seconds */
};

struct batch_effects {
    struct batch_effect *of; /* [count] by batch */
    uint32_t count;
};

/* A row's residual of the law alone. */
struct batch_residual {
    double batch;
    double residual;
    uint32_t pair;
};

/* Sorts the residuals of one model's pairs; effects: at least `count` elements. */
void effects_of_model(struct batch_residual *residuals, uint32_t count,
                      struct batch_effects *effects);

/* residuals: of one pair. effects: at least model->count elements, a batch each; those that the
 * pair hasn't measured are the model's. */
void effects_of_pair(struct batch_residual *residuals, uint32_t count,
                     const struct batch_effects *model, struct batch_effects *effects);

/* 0 where the batch wasn't measured. */
double effects_at(const struct batch_effects *effects, double batch);

#endif
