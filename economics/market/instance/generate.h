/*
 * Generate: instances like federations of GPU datacenters, in the JSON of instance.h or the compact
 * form of compact.h, from a seed.
 *
 * Datacenters lie at random in a unit square; each has 1 to 3 pools of different GPUs in nodes of
 * 8. A job's home is drawn by its datacenter's load, so that some have too many jobs and some too
 * few; it may run at home and at the 7 nearest others, in 1 to 3 gang sizes of each of their pools,
 * about 33 configurations. Affinity falls with distance; moving data costs money and bandwidth;
 * a quarter of the members limit foreign GPUs, a quarter what they spend. All jobs together want
 * about 1.3 times the GPUs there are.
 *
 * Guarantee: the same parameters, the same bytes, on any machine (no libm function but sqrt). Jobs
 * are written as they are drawn: memory is O(datacenters), whatever the number of jobs. Thread
 * rule: one thread. Complexity: O(datacenters² + configurations).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_GENERATE_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_GENERATE_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/fault.h"
#include "economics/market/instance/writer.h"

struct generate_parameters {
    uint32_t datacenters; /* 1 to MARKET_MEMBERS_MAX */
    uint32_t jobs;        /* 0 to MARKET_JOBS_MAX */
    uint64_t seed;
    /* Of a later round: this part of the jobs, 0 to 1, is gone, and as many others are there. */
    double changed;
    enum instance_form form;
};

/* INVALID: out of range. EXHAUSTED, IO. */
MUST_USE enum status generate_write(const struct generate_parameters *parameters,
                                    struct arena *arena, FILE *to, struct fault *fault);

#endif
