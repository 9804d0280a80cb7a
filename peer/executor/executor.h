/*
 * Executor: how a leased job becomes running processes, as one contract with several makers:
 * `process` (bubblewrap) here, a fake for tests, Slurm to come.
 *
 * A run is one job on its GPUs from start to release; it may outlive the peer: after a restart the
 * peer adopts it. The run's directory holds everything: work/ (the job's files, its working
 * directory), scratch/, log, and the executor's own state/. Life: probe once; then per run prepare
 * -> (files are staged into work/) -> start -> watch* -> stop -> watch* -> release. Each verb may
 * be repeated with the same effect. No verb blocks for longer than a few milliseconds: watch polls.
 * Ownership: the caller's structs, nothing to free but executor_close(). Thread rule: the loop's
 * thread.
 */
#ifndef ENTENTE_PEER_EXECUTOR_EXECUTOR_H
#define ENTENTE_PEER_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/job.h"
#include "base/domain/lease.h"
#include "base/log.h"

/* What this executor can hold a job to on this machine, and why not where it can't. */
struct executor_abilities {
    bool sandbox; /* file system view, no network, own pids */
    bool memory_limit;
    bool process_limit;
    bool cpu_limit;
    bool device_isolation; /* only the leased GPU devices are visible */
    char missing[512];     /* for people; "" where nothing is */
};

struct executor_run {
    const char *directory; /* absolute; exists after prepare */
    const struct job_specification *specification;
    const struct name *gpu;         /* kind */
    const struct lease_node *nodes; /* leased GPUs */
    uint32_t node_count;
    uint32_t gpu_count;
    const char *const *extra_variables; /* [extra_count] "NAME=value", e.g. the demo's speed factor
                                           of this GPU kind */
    uint32_t extra_count;
    const char *const
        *read_only_paths; /* [path_count] host paths shown read-only at the same place: data sets */
    uint32_t path_count;
    /* GPU g of node n is this machine's device first_device + n × gpus_per_node + g; 0, 0: g. */
    uint32_t first_device;
    uint32_t gpus_per_node;
};

enum executor_phase {
    EXECUTOR_ABSENT, /* never started, or released */
    EXECUTOR_RUNNING,
    EXECUTOR_EXITED,  /* by itself; see exit_code */
    EXECUTOR_STOPPED, /* we asked; gone */
    EXECUTOR_LOST     /* it was running and nothing of it is left (machine restart) */
};

/* What the job says of itself, read from the progress file (see below). */
struct executor_status {
    enum executor_phase phase;
    int32_t exit_code; /* EXITED and STOPPED: 0..255; 128 + signal where killed */
    bool out_of_memory;
    uint64_t steps;
    uint64_t examples; /* done in all, checkpoints included */
    double examples_per_second;
    uint64_t checkpoint_number; /* grows with each complete checkpoint; 0: none yet */
    uint64_t log_bytes;
};

struct executor;

struct executor_operations {
    void (*probe)(struct executor *executor, struct executor_abilities *abilities);
    enum status (*prepare)(struct executor *executor, const char *directory, struct fault *fault);
    enum status (*start)(struct executor *executor, const struct executor_run *run,
                         struct fault *fault);
    /* After a peer's restart: is the run of this directory alive? Then watch works again. */
    enum status (*adopt)(struct executor *executor, const char *directory, struct fault *fault);
    void (*watch)(struct executor *executor, const char *directory, struct executor_status *status);
    /* SIGTERM now (the job checkpoints), SIGKILL to everything after grace_ms. */
    enum status (*stop)(struct executor *executor, const char *directory, int64_t grace_ms,
                        struct fault *fault);
    /* Kills what is left, removes cgroups and state; files stay for the caller to remove. */
    void (*release)(struct executor *executor, const char *directory);
    void (*close)(struct executor *executor);
};

struct executor {
    const struct executor_operations *operations;
};

/*
 * The contract with a job, documented for job owners in README.md: it runs in work/, may write
 * there and in $ENTENTE_SCRATCH; environment: ENTENTE_JOB, ENTENTE_GPU (kind), ENTENTE_GPUS
 * (count), CUDA_VISIBLE_DEVICES, ENTENTE_PROGRESS (a file it may rewrite, atomically, with "steps
 * N\nexamples N\nexamples_per_second X\n"), ENTENTE_CHECKPOINT (path it writes checkpoints to, by
 * rename; where the file is there at start, it resumes from it), ENTENTE_SCRATCH. SIGTERM means:
 * write a checkpoint and exit within the grace period. Exit code 0 means that the job's work is
 * done, also after a SIGTERM; a job that leaves before that exits with another, by custom 75.
 * stdout and stderr go to the log, capped at EXECUTOR_LOG_BYTES_MAX.
 */
enum { EXECUTOR_LOG_BYTES_MAX = 16 * 1024 * 1024 };

struct process_executor_settings {
    const char *program; /* this very program: its hidden `run-shim` command is the process that
                            outlives the peer */
    const char *bwrap;   /* path, or NULL: found in PATH */
    bool sandbox;        /* false: plain processes (benchmarks, machines without user namespaces) */
    uint64_t memory_bytes_default;
    uint32_t processes_default;
    uint64_t scratch_bytes_default;
    bool allow_network;
    uint32_t first_uid; /* unprivileged uid per lease: first_uid + slot; 0: run as ourselves. Only
                           where we are root. Two peers on one machine take ranges of their own. */
    const char *device_directory; /* where GPU devices (nvidia0, ...) are; NULL: /dev */
    const struct log *log;
    const struct clock *clock;
};

MUST_USE enum status process_executor_open(const struct process_executor_settings *settings,
                                           struct executor **executor, struct fault *fault);

/* The entry of the hidden command; returns the exit code. argv is {"PROGRAM run-shim", DIRECTORY}
 * or {PROGRAM, "run-shim", DIRECTORY}. */
int process_shim_main(int argc, char **argv);

#endif
