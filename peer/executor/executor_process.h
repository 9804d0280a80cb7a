/* The process executor's inside, shared by the files that implement it and by nobody else. */
#ifndef ENTENTE_PEER_EXECUTOR_EXECUTOR_PROCESS_H
#define ENTENTE_PEER_EXECUTOR_EXECUTOR_PROCESS_H

#include "base/file.h"
#include "peer/executor/cgroup.h"
#include "peer/executor/executor.h"

enum { SLOTS_MAX = 4096 /* runs at once that have a uid of their own */ };

struct process_executor {
    struct executor executor; /* must be first */
    struct process_executor_settings settings;
    char program[FILE_PATH_MAX];
    char bwrap[FILE_PATH_MAX]; /* "": no sandbox */
    char devices[FILE_PATH_MAX];
    struct executor_abilities abilities;
    struct cgroup_tree cgroups;
    bool root;
    bool slot_taken[SLOTS_MAX];
};

/* Fills bwrap, abilities and cgroups by trying each. May take a tenth of a second. */
void process_find_abilities(struct process_executor *self);

/* The verb start. */
MUST_USE enum status process_start(struct executor *executor, const struct executor_run *run,
                                   struct fault *fault);

/* The groups of the run in this directory: the name follows from the path, so that nothing need be
 * remembered. */
void process_cgroups(const struct process_executor *self, const char *directory,
                     struct cgroup_set *set);

#endif
