/* Random bytes of a simulation: identity's random_bytes(), wrapped by the linker, so that one seed
 * gives one history, keys included. */
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "tests/sim/random.h"

static struct rng sim_random = {{1, 2, 3, 4}};

void __wrap_random_bytes(void *data, size_t size);

void sim_random_seed(uint64_t seed)
{
    rng_init(&sim_random, seed, 2);
}

void __wrap_random_bytes(void *data, size_t size)
{
    uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(&sim_random);
}
