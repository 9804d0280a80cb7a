/*
 * Network: a perceptron with one hidden layer (784 - hidden - 10), rectified linear units, softmax
 * and cross-entropy, trained by stochastic gradient descent.
 *
 * A struct network holds either weights or a gradient: one array of floats in a fixed order, so
 * that it is averaged, stored and compared as one. Arithmetic is plain and sequential: the same
 * inputs in the same order give the same bits. Ownership: network_fini frees. Thread rule: one
 * thread a struct; many may read the same weights. Complexity: O(pixels that aren't black × hidden)
 * an example.
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_NETWORK_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configs/demo/trainer/dataset.h"

enum { HIDDEN_MAX = 256 };

struct network {
    uint32_t hidden;
    size_t count;  /* of values */
    float *values; /* [count]: pixel to hidden, hidden biases, hidden to class, class biases */
};

/* All zero. hidden: 1..HIDDEN_MAX. */
MUST_USE enum status network_init(struct network *network, uint32_t hidden, struct fault *fault);
void network_fini(struct network *network);

/* Weights drawn for the seed, after He (2015). */
void network_seed(struct network *weights, uint64_t seed);

/* Adds one example's gradient to `gradient`; returns its loss. */
double network_learn(const struct network *weights, const uint8_t *pixels, uint8_t label,
                     struct network *gradient);

/* The class that the network finds likeliest. */
uint8_t network_classify(const struct network *weights, const uint8_t *pixels);

/* sum += part */
void network_add(struct network *sum, const struct network *part);
void network_clear(struct network *network);

/* weights -= rate × gradient */
void network_step(struct network *weights, const struct network *gradient, float rate);

#endif
