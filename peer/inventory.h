/*
 * Inventory: a peer's pools, GPU by GPU: free, used by own local work, or held under a lease.
 *
 * The numbers of nodes and GPUs are the configuration's and never change. Guarantee: a GPU has one
 * user; taking one that is not free is refused whole. What local work uses is not offered; while
 * draining nothing is offered, for renewal neither. Ownership: memory from the arena given to
 * inventory_init. Thread rule: the loop's thread. Complexity: O(GPUs) for offers and searches.
 */
#ifndef ENTENTE_PEER_INVENTORY_H
#define ENTENTE_PEER_INVENTORY_H

#include "peer/config.h"
#include "peer/executor/executor.h"

enum gpu_use { GPU_LOCAL, GPU_LEASED };

struct inventory_pool {
    const struct config_pool *config;
    uint64_t *local;  /* [config->nodes] masks */
    uint64_t *leased; /* likewise; disjoint from local */
};

struct inventory {
    struct inventory_pool *pools; /* [pool_count], as configured */
    uint32_t pool_count;
    bool draining;
    bool enforces_limits;
};

MUST_USE enum status inventory_init(struct inventory *inventory, const struct peer_config *config,
                                    const struct executor_abilities *abilities, struct arena *arena,
                                    struct fault *fault);

/* GPUs of one pool, by node. */
struct gpu_set {
    const struct name *gpu;
    const struct lease_node *nodes;
    uint32_t node_count;
};

/* Does this peer have these GPUs at all? INVALID names the one it hasn't. */
MUST_USE enum status inventory_check(const struct inventory *inventory, const struct gpu_set *set,
                                     struct fault *fault);
/* All of them or none; PRECONDITION where one is in use. The set must pass inventory_check. */
MUST_USE enum status inventory_take(struct inventory *inventory, const struct gpu_set *set,
                                    enum gpu_use use, struct fault *fault);
/* What isn't held in this use is left alone. */
void inventory_give(struct inventory *inventory, const struct gpu_set *set, enum gpu_use use);

/* Free GPUs for own work: the first allowed kind and the fullest fitting node first. nodes has room
 * for NODES_PER_LEASE_MAX. Returns the number of GPUs found, 0 or gpus_min..gpus_max. */
uint32_t inventory_find(const struct inventory *inventory, const struct demand *demand,
                        struct name *gpu, struct lease_node nodes[static NODES_PER_LEASE_MAX],
                        uint32_t *node_count);

/* The pools as offered, in the arena. */
MUST_USE enum status inventory_offer(const struct inventory *inventory, struct arena *arena,
                                     struct pool_offer **pools, uint32_t *pool_count,
                                     struct fault *fault);

struct pool_count {
    uint32_t gpus;
    uint32_t local;
    uint32_t leased;
};
struct pool_count inventory_count(const struct inventory_pool *pool);

#endif
