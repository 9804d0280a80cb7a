/*
 * Devices: a host's GPUs and what runs on them, watched from outside the peer's code: an executor
 * around the fake one.
 *
 * The world's own view of invariant 1: a start on a GPU that another job still uses is a double
 * lease, whatever the books of peer and broker say. It also holds, per run, for how long it really
 * held its GPUs. Everything is kept over restarts of the peer. Ownership: the caller's struct.
 */
#ifndef ENTENTE_TESTS_SIM_DEVICES_H
#define ENTENTE_TESTS_SIM_DEVICES_H

#include "tests/peer/executor_fake.h"

struct device_use {
    char directory[FAKE_PATH_MAX]; /* the run; "": free slot */
    struct name job;
    struct lease_node nodes[NODES_PER_LEASE_MAX];
    uint32_t node_count;
};

struct devices {
    struct executor executor; /* must stay first; pass &devices.executor */
    struct executor_fake fake;
    struct device_use uses[FAKE_RUNS_MAX]; /* those that run */
    struct rng *rng;
    uint32_t start_fails_ppm; /* a start is refused so often */
    bool muted;               /* the peer's process is dead, though its code still runs */
    bool black_hole;          /* every job that starts here fails at once */
    uint32_t doubled;         /* starts on a GPU in use: a defect */
    char doubled_text[256];
};

/* Does anything run on them? */
bool devices_busy(const struct devices *devices);

void devices_init(struct devices *devices, const struct clock *clock, struct rng *rng);

#endif
