/*
 * Plant: defects planted on purpose, each of which the simulation must notice by the invariant that
 * it breaks: a check that can't fail is none. For `sim --plant NAME`; ctest has an entry each.
 *
 * Thread rule: one thread.
 */
#ifndef ENTENTE_TESTS_SIM_PLANT_H
#define ENTENTE_TESTS_SIM_PLANT_H

#include "tests/sim/world.h"

enum plant {
    PLANT_NONE,
    PLANT_DOUBLE_LEASE, /* peers forget which GPUs are in use: invariant 1 */
    PLANT_MINT,         /* credits that nobody deposited: 2 */
    PLANT_FORGET,       /* a peer forgets what it acknowledged: 3 */
    PLANT_REPEAT,       /* the broker does not know a repeated request: 4, seen by 2 */
    PLANT_OPEN_DOOR,    /* the broker admits everybody: 6 */
    PLANT_COUNT
};

/* PLANT_NONE: there is no such. */
enum plant plant_of(const char *name);
/* For the wrapped functions: what is planted in this process. */
void plant_set(enum plant plant);
void plant_tick(struct world *world);

#endif
