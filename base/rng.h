/*
 * Rng: reproducible random numbers. xoshiro256** [Blackman & Vigna 2021], seeded through
 * splitmix64.
 *
 * Guarantee: one seed and one stream number give one sequence, on every machine. Never used for
 * secrets. Thread rule: one thread per struct; streams are independent. Complexity: O(1).
 */
#ifndef ENTENTE_BASE_RNG_H
#define ENTENTE_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

/* Streams of one seed are statistically independent: a replication or a thread takes its own. */
void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);

/* Uniform in [0, bound), without bias; bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* Uniform in [0, 1) with 53 bits. */
double rng_unit(struct rng *rng);

#endif
