/*
 * Checkpoint: a training's state in one file, replaced by rename.
 *
 * Layout, all numbers little end first: "ENTTRAIN", version, hidden units, seed, batch, learning
 * rate (bits of a double), steps, examples, loss (bits), count of weights, the weights (bits of
 * floats), CRC-32 of all before. A file that is damaged, of another version or of another training
 * is refused with a sentence; nothing of it is used. Thread rule: one thread. Complexity:
 * O(weights).
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_CHECKPOINT_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_CHECKPOINT_H

#include "configs/demo/trainer/network.h"

enum { CHECKPOINT_VERSION = 1 };

/* What makes a training the same training, and how far it is. */
struct training {
    uint64_t seed;
    uint32_t hidden;
    uint32_t batch;
    double learning_rate;
    uint64_t steps;
    uint64_t examples;
    double loss; /* mean over the newest steps */
};

MUST_USE enum status checkpoint_write(const char *path, const struct training *training,
                                      const struct network *weights, struct fault *fault);

/* training's first four fields say what is expected; the rest and weights are read. NOT_FOUND where
 * there is no file, CORRUPT where it is damaged, PRECONDITION where it is of another training. */
MUST_USE enum status checkpoint_read(const char *path, struct training *training,
                                     struct network *weights, struct fault *fault);

#endif
