#include "peer/inventory.h"

#include <assert.h>
#include <stdio.h>

static uint64_t whole_node(const struct inventory_pool *pool)
{
    uint32_t gpus = pool->config->gpus_per_node;
    return gpus >= GPUS_PER_NODE_MAX ? UINT64_MAX : (UINT64_C(1) << gpus) - 1;
}

static uint64_t free_gpus(const struct inventory_pool *pool, uint32_t node)
{
    return whole_node(pool) & ~pool->local[node] & ~pool->leased[node];
}

static uint32_t bits(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

enum status inventory_init(struct inventory *inventory, const struct peer_config *config,
                           const struct executor_abilities *abilities, struct arena *arena,
                           struct fault *fault)
{
    *inventory = (struct inventory){
        .enforces_limits = abilities->sandbox && abilities->memory_limit &&
                           abilities->process_limit && abilities->cpu_limit,
        .pools = arena_alloc(arena, config->pool_count, sizeof(struct inventory_pool)),
        .pool_count = config->pool_count,
    };
    bool complete = inventory->pools != NULL;
    for (uint32_t p = 0; complete && p < config->pool_count; p++) {
        struct inventory_pool *pool = &inventory->pools[p];
        pool->config = &config->pools[p];
        pool->local = arena_alloc(arena, pool->config->nodes, sizeof *pool->local);
        pool->leased = arena_alloc(arena, pool->config->nodes, sizeof *pool->leased);
        complete = pool->local != NULL && pool->leased != NULL;
    }
    return complete ? STATUS_OK : fault_set(fault, STATUS_NO_MEMORY, "no memory for the inventory");
}

static struct inventory_pool *find_pool(const struct inventory *inventory, const struct name *gpu)
{
    for (uint32_t p = 0; p < inventory->pool_count; p++)
        if (name_equal(&inventory->pools[p].config->gpu, gpu))
            return &inventory->pools[p];
    return NULL;
}

enum status inventory_check(const struct inventory *inventory, const struct gpu_set *set,
                            struct fault *fault)
{
    const struct inventory_pool *pool = find_pool(inventory, set->gpu);
    if (pool == NULL)
        return fault_set(fault, STATUS_INVALID, "this peer has no %s GPUs", set->gpu->text);
    for (uint32_t n = 0; n < set->node_count; n++) {
        const struct lease_node *node = &set->nodes[n];
        if (node->node >= pool->config->nodes || (node->gpus & ~whole_node(pool)) != 0)
            return fault_set(fault, STATUS_INVALID,
                             "this peer has no GPUs %llx on node %u of its %s pool",
                             (unsigned long long)node->gpus, node->node, set->gpu->text);
    }
    return STATUS_OK;
}

enum status inventory_take(struct inventory *inventory, const struct gpu_set *set, enum gpu_use use,
                           struct fault *fault)
{
    struct inventory_pool *pool = find_pool(inventory, set->gpu);
    assert(pool != NULL);
    for (uint32_t n = 0; n < set->node_count; n++) {
        uint32_t node = set->nodes[n].node;
        assert(node < pool->config->nodes);
        if ((set->nodes[n].gpus & ~free_gpus(pool, node)) != 0)
            return fault_set(fault, STATUS_PRECONDITION,
                             "GPUs %llx on node %u of pool %s are in use",
                             (unsigned long long)set->nodes[n].gpus, node, set->gpu->text);
    }
    for (uint32_t n = 0; n < set->node_count; n++) {
        uint64_t *mask = use == GPU_LOCAL ? pool->local : pool->leased;
        mask[set->nodes[n].node] |= set->nodes[n].gpus;
    }
    return STATUS_OK;
}

void inventory_give(struct inventory *inventory, const struct gpu_set *set, enum gpu_use use)
{
    struct inventory_pool *pool = find_pool(inventory, set->gpu);
    for (uint32_t n = 0; pool != NULL && n < set->node_count; n++) {
        uint64_t *mask = use == GPU_LOCAL ? pool->local : pool->leased;
        if (set->nodes[n].node < pool->config->nodes)
            mask[set->nodes[n].node] &= ~set->nodes[n].gpus;
    }
}

/* The lowest `count` bits of a mask. */
static uint64_t lowest(uint64_t mask, uint32_t count)
{
    uint64_t taken = 0;
    for (; count > 0 && mask != 0; count--) {
        taken |= mask & -mask;
        mask &= mask - 1;
    }
    return taken;
}

static uint32_t find_on_one_node(const struct inventory_pool *pool, const struct demand *demand,
                                 struct lease_node *node)
{
    uint32_t best = 0, fitting = 0;
    for (uint32_t n = 0; n < pool->config->nodes; n++) {
        uint32_t there = bits(free_gpus(pool, n));
        uint32_t usable = there < demand->gpus_max ? there : demand->gpus_max;
        /* most GPUs; among those the node with least to spare */
        if (usable < demand->gpus_min || usable < best || (usable == best && there >= fitting))
            continue;
        best = usable;
        fitting = there;
        *node = (struct lease_node){n, lowest(free_gpus(pool, n), usable)};
    }
    return best;
}

static uint32_t find_on_nodes(const struct inventory_pool *pool, const struct demand *demand,
                              struct lease_node *nodes, uint32_t *node_count)
{
    uint32_t found = 0;
    *node_count = 0;
    for (uint32_t n = 0; n < pool->config->nodes && *node_count < NODES_PER_LEASE_MAX; n++) {
        uint64_t mask = lowest(free_gpus(pool, n), demand->gpus_max - found);
        if (mask == 0)
            continue;
        nodes[(*node_count)++] = (struct lease_node){n, mask};
        found += bits(mask);
    }
    return found >= demand->gpus_min ? found : 0;
}

static bool kind_allowed(const struct demand *demand, const struct name *gpu)
{
    for (uint32_t k = 0; k < demand->gpu_kind_count; k++)
        if (name_equal(&demand->gpu_kinds[k], gpu))
            return true;
    return demand->gpu_kind_count == 0;
}

uint32_t inventory_find(const struct inventory *inventory, const struct demand *demand,
                        struct name *gpu, struct lease_node nodes[static NODES_PER_LEASE_MAX],
                        uint32_t *node_count)
{
    for (uint32_t p = 0; p < inventory->pool_count; p++) {
        const struct inventory_pool *pool = &inventory->pools[p];
        if (!kind_allowed(demand, &pool->config->gpu))
            continue;
        *gpu = pool->config->gpu;
        *node_count = 1;
        uint32_t found = find_on_one_node(pool, demand, nodes);
        if (found == 0 && !demand->one_node)
            found = find_on_nodes(pool, demand, nodes, node_count);
        if (found > 0)
            return found;
    }
    return 0;
}

static enum status offer_pool(const struct inventory *inventory, const struct inventory_pool *pool,
                              struct arena *arena, struct pool_offer *offer, struct fault *fault)
{
    *offer = (struct pool_offer){
        .gpu = pool->config->gpu,
        .gpus_per_node = pool->config->gpus_per_node,
        .node_count = pool->config->nodes,
        .nodes = arena_alloc(arena, pool->config->nodes, sizeof(struct offer_node)),
        .cost = pool->config->cost,
        .reserve = pool->config->reserve,
        .foreign_gpus_max = pool->config->foreign_gpus_max,
        .enforces_limits = inventory->enforces_limits,
        .accepts_unenforced = pool->config->accept_unenforced,
    };
    if (offer->nodes == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the offer");
    for (uint32_t n = 0; n < pool->config->nodes; n++)
        offer->nodes[n] = (struct offer_node){
            .free_gpus = inventory->draining ? 0 : free_gpus(pool, n),
            .leased_gpus = inventory->draining ? 0 : pool->leased[n], /* not for renewal */
        };
    return STATUS_OK;
}

enum status inventory_offer(const struct inventory *inventory, struct arena *arena,
                            struct pool_offer **pools, uint32_t *pool_count, struct fault *fault)
{
    *pool_count = inventory->pool_count;
    *pools = arena_alloc(arena, inventory->pool_count, sizeof **pools);
    if (*pools == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the offer");
    for (uint32_t p = 0; p < inventory->pool_count; p++) {
        enum status status =
            offer_pool(inventory, &inventory->pools[p], arena, &(*pools)[p], fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

struct pool_count inventory_count(const struct inventory_pool *pool)
{
    struct pool_count count = {.gpus = pool->config->nodes * pool->config->gpus_per_node};
    for (uint32_t n = 0; n < pool->config->nodes; n++) {
        count.local += bits(pool->local[n]);
        count.leased += bits(pool->leased[n]);
    }
    return count;
}
