/*
 * Splitting: which rows a predictor is fitted on and which it is tried on. Internal to
 * economics/throughput; evaluate.h says what the splits are.
 *
 * Ownership: the arena's. Thread rule: one thread per struct. Complexity: O(rows log rows) a fold.
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_SPLITTING_H
#define ENTENTE_ECONOMICS_THROUGHPUT_SPLITTING_H

#include "economics/throughput/evaluate.h"

struct fold {
    const struct measurements *measurements;
    struct split split;
    struct arena *arena;
    uint32_t count; /* of folds */
    uint32_t *train;
    uint32_t train_count;
    uint32_t *test;
    uint32_t test_count;
    uint32_t *part; /* folds: by row, the fold in which it is tried */
};

MUST_USE enum status fold_init(struct fold *fold, const struct measurements *measurements,
                               const struct split *split, struct arena *arena, struct fault *fault);

/* Fills train and test for fold number `at`. */
MUST_USE enum status fold_choose(struct fold *fold, uint32_t at, struct fault *fault);

#endif
