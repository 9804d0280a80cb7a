/*
 * Executor state: what is known of a run, as files in its directory, so that a restarted peer knows
 * as much as the one before it.
 *
 *     work/        the job's files; its working directory
 *     report/      what the job says of itself: progress
 *     scratch/     where there is no sandbox; else a sized tmpfs
 *     log          stdout and stderr, capped
 *     state/lock   held (flock) by the shim for all its life
 *     state/launch what the shim starts (peer -> shim)
 *     state/shim, state/sandbox   process identities
 *     state/stop   grace in ms (peer -> shim)
 *     state/exit   how it ended (shim -> peer); the run is over once it is there
 *     state/slot   which of the executor's uids it has
 *     state/environment, state/passwd   what the job's shell reads
 *     state/checkpoint   number and identity of the newest checkpoint seen
 *
 * work/ and report/ belong to the job: what is read from them is bounded and never followed through
 * links. Each file is replaced by rename; only state/exit is synced, since after a power cut there
 * is nothing that the others could be about. Thread rule: one thread a directory. Complexity: a few
 * file operations each.
 */
#ifndef ENTENTE_PEER_EXECUTOR_EXECUTOR_STATE_H
#define ENTENTE_PEER_EXECUTOR_EXECUTOR_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/file.h"
#include "peer/executor/cgroup.h"
#include "peer/executor/executor.h"
#include "peer/executor/process.h"

enum {
    SHIM_LOCK_FD = 3, /* where the shim inherits the lock */
    STATE_FILE_MAX = 4096,
    LAUNCH_ARGUMENTS_MAX = 2048,
    LAUNCH_BYTES_MAX = 4 * 1024 * 1024
};

/* --- what the peer hands the shim */

struct launch {
    struct cgroup_set cgroups;
    bool sandboxed;         /* bwrap comes first in arguments */
    const char **arguments; /* [argument_count], of LAUNCH_ARGUMENTS_MAX */
    uint32_t argument_count;
};

MUST_USE enum status launch_write(const char *directory, const struct launch *launch,
                                  struct fault *fault);
/* arguments live in the arena, with a NULL behind them. */
MUST_USE enum status launch_read(const char *directory, struct arena *arena, struct launch *launch,
                                 struct fault *fault);

/* --- the other state files; reading gives false where the file lacks or isn't whole */

struct exit_record {
    int32_t code; /* 0..255; 128 + signal */
    bool stopped; /* we had asked */
    bool out_of_memory;
};

/* Any of them, by rename. */
MUST_USE enum status state_write_text(const char *directory, const char *name, struct bytes bytes,
                                      mode_t mode, struct fault *fault);
MUST_USE enum status state_write_identity(const char *directory, const char *name,
                                          const struct process_identity *identity,
                                          struct fault *fault);
bool state_read_identity(const char *directory, const char *name,
                         struct process_identity *identity);
MUST_USE enum status state_write_exit(const char *directory, const struct exit_record *record,
                                      struct fault *fault);
bool state_read_exit(const char *directory, struct exit_record *record);
MUST_USE enum status state_write_stop(const char *directory, int64_t grace_ms, struct fault *fault);
bool state_read_stop(const char *directory, int64_t *grace_ms);

MUST_USE enum status state_write_slot(const char *directory, uint32_t slot, struct fault *fault);
bool state_read_slot(const char *directory, uint32_t *slot);

/* The lock that a living shim holds. -1: errno, EWOULDBLOCK where another holds it; the
 * descriptor is close-on-exec. */
int state_lock(const char *directory);

/* --- what the job says */

void state_read_progress(const char *directory, struct executor_status *status);

/* Before the start: what an earlier run here reported is forgotten, and the checkpoint there is not
 * one of this run's. path "": the job makes none. */
MUST_USE enum status state_begin_reports(const char *directory, const char *path,
                                         struct fault *fault);
/* The number of the newest checkpoint; counts a new one when the file was replaced. */
uint64_t state_count_checkpoint(const char *directory);

#endif
