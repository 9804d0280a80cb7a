/*
 * Sandbox: which command line holds a job to what it may see: bubblewrap's options, the job's
 * environment, its leased devices.
 *
 * Pure but for looking at what this machine has (symbolic links at the root, devices). As root each
 * lease gets a uid of its own, taken on inside by setpriv; else bubblewrap makes a user namespace.
 * The job's own variables are read by a shell inside, as the job's user, so that they never reach a
 * program of the host (LD_PRELOAD) or a command line that everybody can read.
 * Ownership: results live in the arena. Thread rule: any thread. Complexity: O(arguments).
 */
#ifndef ENTENTE_PEER_EXECUTOR_EXECUTOR_SANDBOX_H
#define ENTENTE_PEER_EXECUTOR_EXECUTOR_SANDBOX_H

#include "base/arena.h"
#include "peer/executor/executor.h"
#include "peer/executor/executor_state.h"

enum {
    SANDBOX_INFO_FD = 3,   /* where bwrap tells the shim the pid of the sandbox */
    SANDBOX_FILTER_FD = 4, /* where bwrap reads the filter of system calls */
    SANDBOX_DEVICES_MAX = 1024
};

#define SANDBOX_INFO_TEXT   "3"
#define SANDBOX_FILTER_TEXT "4"

struct sandbox_request {
    const char *directory; /* of the run */
    const struct executor_run *run;
    const char *bwrap;            /* NULL: no sandbox, a plain process */
    const char *device_directory; /* "/dev" */
    uid_t uid;                    /* 0: as ourselves; else only with root and bwrap */
    bool root;                    /* we are root */
    uint64_t scratch_bytes;
    bool network;
};

/* launch's arguments, argument_count and sandboxed. INVALID where the specification asks what can't
 * be. */
MUST_USE enum status sandbox_command(const struct sandbox_request *request, struct arena *arena,
                                     struct launch *launch, struct fault *fault);

/* What the shell inside reads: state/environment. */
MUST_USE enum status sandbox_environment(const struct sandbox_request *request, struct arena *arena,
                                         struct bytes *text, struct fault *fault);

/* A command that succeeds exactly where sandboxes work here; NULL-terminated. */
MUST_USE enum status sandbox_trial(const struct sandbox_request *request, struct arena *arena,
                                   const char ***arguments, struct fault *fault);

/* The leased GPUs as device numbers, ascending as leased; returns how many. */
uint32_t sandbox_devices(const struct executor_run *run,
                         uint32_t devices[static SANDBOX_DEVICES_MAX]);

#endif
