/*
 * Runner: many seeds, each in a process of its own, several at once.
 *
 * A seed that fails (exit, signal, or too much processor time) is told with the end of its trace
 * and the command that replays it; progress is told now and then. Thread rule: the caller's, which
 * must be the only one, as it forks.
 */
#ifndef ENTENTE_TESTS_SIM_RUNNER_H
#define ENTENTE_TESTS_SIM_RUNNER_H

#include <stdint.h>

enum { RUNNER_AT_ONCE_MAX = 256 };

struct runner {
    uint64_t from, to;
    unsigned at_once; /* 1..RUNNER_AT_ONCE_MAX */
    void (*live)(void *context, uint64_t seed, int trace_fd);
    void *context;
    const char *replay; /* options that a replay needs besides the seed; "" */
};

/* How many failed. */
uint64_t runner_run(const struct runner *runner);

#endif
