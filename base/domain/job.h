/*
 * Job: what a job owner asks for, and the demand that the home peer makes of it towards the broker.
 *
 * The specification (command, files) travels from home to host only; the demand carries what the
 * market needs. Plain data; arrays and texts are borrowed from an arena.
 */
#ifndef ENTENTE_BASE_DOMAIN_JOB_H
#define ENTENTE_BASE_DOMAIN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/bytes.h"
#include "base/domain/name.h"
#include "base/domain/offer.h"
#include "base/units.h"

/* Where a job may run. */
enum job_placement {
    JOB_LOCAL,     /* at home, never offered to the market */
    JOB_FEDERATED, /* only under a lease, at home or elsewhere */
    JOB_ANY        /* under a lease; at home without one while the broker is away */
};

struct data_set {
    struct name name;
    uint64_t size_bytes;
    struct name *places; /* [place_count] members that hold a copy */
    uint32_t place_count;
};

/* A throughput stated with the job: examples/s on this many GPUs of this kind. */
struct throughput_hint {
    struct name gpu;
    uint32_t gpus;
    double examples_per_second; /* finite, > 0 */
};

/* Where a running job is; its present configuration costs nothing to keep. */
struct job_position {
    bool running;
    struct pool_id pool;
    uint32_t gpus;
};

struct demand {
    struct name job; /* unique at its home for ever: HOME-NUMBER */
    struct name home;
    struct name model; /* key into the throughput table; "" where only hints count */
    uint32_t gpus_min;
    uint32_t gpus_max;      /* >= gpus_min >= 1 */
    struct name *gpu_kinds; /* [gpu_kind_count] allowed; none: any */
    uint32_t gpu_kind_count;
    uint32_t batch;                  /* examples a step over all workers */
    uint32_t batch_per_gpu_max;      /* what a GPU's memory holds of it; 0: no limit */
    bool one_node;                   /* all GPUs on one node */
    int64_t value_nanos_per_example; /* nano-credits; >= 0 */
    struct price price_max;          /* 0: no limit */
    int64_t deadline_wall_ms;        /* 0: none */
    double work_left_examples;       /* finite, > 0 */
    uint64_t bundle_bytes;           /* files to stage */
    uint64_t checkpoint_bytes;       /* newest checkpoint at home; 0: none */
    struct digest bundle_digest;     /* of the specification and its files; leases bind it */
    struct data_set *data_sets;
    uint32_t data_set_count;
    struct throughput_hint *hints;
    uint32_t hint_count;
    struct job_position position;
    int64_t submitted_wall_ms;
};

/* One file of a bundle, as content-addressed chunks of CHUNK_BYTES_MAX (the last one shorter). */
struct bundle_file {
    const char *path; /* relative, no "..", no leading '/' */
    uint32_t mode;    /* permission bits, 0777 at most */
    uint64_t size_bytes;
    struct digest *chunks; /* [chunk_count] */
    uint32_t chunk_count;
};

struct job_limits {
    uint64_t memory_bytes;  /* 0: the host's default */
    uint64_t scratch_bytes; /* likewise */
    uint32_t processes;
    bool network; /* asks for a network; the host may refuse */
};

struct job_specification {
    struct name job;
    struct name home;
    const char *
        *arguments; /* [argument_count] argv; argv[0] in the bundle or on the host's search path */
    uint32_t argument_count;
    const char **variables; /* [variable_count] "NAME=value" */
    uint32_t variable_count;
    struct bundle_file *files;
    uint32_t file_count;
    const char *checkpoint_path; /* relative; "" where the job makes none */
    const char **results;        /* relative paths brought home at the end */
    uint32_t result_count;
    struct data_set *data_sets; /* places matter to the market only */
    uint32_t data_set_count;
    struct job_limits limits;
};

/* A job's life as its home sees it. */
enum job_state {
    JOB_STATE_QUEUED,  /* waits for a lease or for local GPUs */
    JOB_STATE_STAGING, /* leased; files on their way */
    JOB_STATE_RUNNING,
    JOB_STATE_STOPPING, /* lease over or cancelled; checkpoint on its way home */
    JOB_STATE_DONE,
    JOB_STATE_FAILED, /* retries used up */
    JOB_STATE_CANCELLED,
    JOB_STATE_COUNT
};

const char *job_state_name(enum job_state state);
bool job_state_final(enum job_state state);

#endif
