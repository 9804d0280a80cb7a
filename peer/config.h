/*
 * Config: what an operator decides about a peer, read from one YAML file.
 *
 * Every field is documented in configs/peer.yaml. Guarantee: a loaded configuration keeps every
 * bound stated here; what is wrong is refused with file, line, key and the mend. Paths are absolute
 * or relative to the file's directory. Ownership: arrays and texts live in the arena given. Thread
 * rule: immutable once loaded. Complexity: O(file).
 */
#ifndef ENTENTE_PEER_CONFIG_H
#define ENTENTE_PEER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/offer.h"
#include "base/file.h"

struct config_pool {
    struct name gpu;
    uint32_t nodes;
    uint32_t gpus_per_node;
    uint32_t first_device; /* GPU 0 of node 0 is this machine's device of that number */
    struct price cost;
    struct price reserve;
    uint32_t foreign_gpus_max; /* UINT32_MAX: no limit */
    bool accept_unenforced;
    const char **variables; /* [variable_count] "NAME=value" for every job on this pool */
    uint32_t variable_count;
};

struct config_data_set {
    struct name name;
    const char *path; /* absolute */
};

struct config_executor {
    bool sandbox;
    const char *bwrap; /* NULL: found in PATH */
    uint64_t memory_bytes;
    uint64_t scratch_bytes;
    uint64_t staging_bytes; /* of files that one foreign job may bring; 0: no limit */
    uint32_t processes;
    bool network;
    uint32_t first_uid;
};

struct peer_config {
    struct name member;
    char state_directory[FILE_PATH_MAX];
    char listen[ADDRESS_BYTES_MAX + 1];     /* for other peers */
    char advertised[ADDRESS_BYTES_MAX + 1]; /* "": the listening address */
    char broker[ADDRESS_BYTES_MAX + 1];     /* the members' port */
    char socket[FILE_PATH_MAX];
    int64_t socket_gid;        /* -1: only our own user and root */
    struct config_pool *pools; /* [pool_count], by GPU kind ascending */
    uint32_t pool_count;
    struct affinity *affinities; /* [affinity_count], by host ascending */
    uint32_t affinity_count;
    uint32_t default_affinity_ppm;
    struct credits budget_per_round; /* negative: none */
    struct config_data_set *data_sets;
    uint32_t data_set_count;
    struct config_executor executor;
    bool stop_jobs_on_exit;    /* else they run on and are adopted by the next start */
    int64_t stop_grace_ms;     /* from SIGTERM to SIGKILL where the broker says nothing */
    int64_t broker_away_ms;    /* without a heartbeat for so long, own jobs may run at home */
    int64_t profile_ms;        /* how long an unknown job is measured at home; 0: never */
    int64_t start_patience_ms; /* how long a start is tried before the lease is given up */
};

/* CONFIG with "FILE:LINE: KEY: what to mend". */
MUST_USE enum status peer_config_load(const char *file, struct arena *arena,
                                      struct peer_config *config, struct fault *fault);

/* The pool of that kind; NULL where there is none. */
const struct config_pool *config_pool_find(const struct peer_config *config,
                                           const struct name *gpu);
const struct config_data_set *config_data_set_find(const struct peer_config *config,
                                                   const struct name *name);

#endif
