/* Random bytes from a seed; see random.c. The one global of the simulation: what it wraps has no
 * context to pass. Thread rule: one thread. */
#ifndef ENTENTE_TESTS_SIM_RANDOM_H
#define ENTENTE_TESTS_SIM_RANDOM_H

#include <stdint.h>

void sim_random_seed(uint64_t seed);

#endif
