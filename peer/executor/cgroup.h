/*
 * Cgroups: what holds a run to its memory, its processes and its share of the CPUs; v1 or v2, each
 * controller wherever this machine has it.
 *
 * A run's groups lie below the group that the daemon is in, so what the operator set for the daemon
 * holds for its jobs in sum. cgroup_find really makes a group and sets limits before it says that
 * one works. Errors: never fatal; what doesn't work is said in words. Ownership: plain structs.
 * Thread rule: the caller's thread. Complexity: a few file operations each.
 */
#ifndef ENTENTE_PEER_EXECUTOR_CGROUP_H
#define ENTENTE_PEER_EXECUTOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PROCESSES, CGROUP_CPU, CGROUP_CONTROLLERS };

enum { CGROUP_PATH_MAX = 512, CGROUP_NAME_MAX = 64 };

struct cgroup_place {
    char parent[CGROUP_PATH_MAX]; /* "" where the controller isn't usable */
    bool unified;                 /* v2 */
};

struct cgroup_tree {
    struct cgroup_place places[CGROUP_CONTROLLERS];
};

struct cgroup_limits {
    uint64_t memory_bytes; /* 0: no limit of its own */
    uint64_t processes;
    uint64_t cpu_shares; /* v1's unit: others have 1024 */
};

/* Looks where each controller can be used, by trying; adds "name: why not; " to missing. */
void cgroup_find(struct cgroup_tree *tree, char *missing, size_t missing_size);

/* The directories of one run's groups; "" where a controller isn't used. */
struct cgroup_set {
    char directories[CGROUP_CONTROLLERS][CGROUP_PATH_MAX + CGROUP_NAME_MAX];
};

void cgroup_name_set(const struct cgroup_tree *tree, const char *name, struct cgroup_set *set);

/* Makes the groups where they lack, and sets their limits. Repeatable. */
MUST_USE enum status cgroup_make(const struct cgroup_tree *tree, const struct cgroup_set *set,
                                 const struct cgroup_limits *limits, struct fault *fault);

/* The calling process enters all of them. Only async-signal-safe calls: for between fork and exec.
 */
bool cgroup_enter(const struct cgroup_set *set);

/* How often the kernel killed in the memory group for want of memory. */
uint64_t cgroup_memory_kills(const struct cgroup_set *set);

/* SIGKILL to everything in the groups, again each millisecond until nothing is there or rounds are
 * over; false where something stayed. */
bool cgroup_kill(const struct cgroup_set *set, unsigned rounds);

/* Removes the groups that are empty. */
void cgroup_remove(const struct cgroup_set *set);

#endif
