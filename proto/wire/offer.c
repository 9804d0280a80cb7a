/*
 * Offer: the tables of what a member advertises (DESIGN §1): pools with their GPUs a node, costs,
 * affinities.
 */
#include <inttypes.h>

#include "entente/v1/common.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row pool_id_rows[] = {
    ROW_MEMBER(pool_id, member),
    ROW_NAME(pool_id, gpu),
};

const struct wire_message wire_message_pool_id = WIRE_MESSAGE(pool_id, NULL);

static const struct wire_row offer_node_rows[] = {
    ROW_MASK(offer_node, free_gpus),
    ROW_MASK(offer_node, leased_gpus),
};

static const struct wire_message message_offer_node = WIRE_MESSAGE(offer_node, NULL);

static const struct wire_row pool_offer_rows[] = {
    ROW_NAME(pool_offer, gpu),
    ROW_U32(pool_offer, gpus_per_node, 1, GPUS_PER_NODE_MAX),
    ROW_STRUCTS(pool_offer, nodes, node_count, offer_node, message_offer_node, 1,
                NODES_PER_POOL_MAX),
    ROW_PRICE(pool_offer, cost),
    ROW_PRICE(pool_offer, reserve),
    ROW_U32(pool_offer, foreign_gpus_max, 0, UINT32_MAX),
    ROW_BOOL(pool_offer, enforces_limits),
    ROW_BOOL(pool_offer, accepts_unenforced),
};

/* A GPU is free or leased, not both, and is one of its node's. */
static enum status check_pool(const void *domain, const struct wire_path *path, struct fault *fault)
{
    const struct pool_offer *pool = domain;
    uint64_t all = UINT64_MAX >> (GPUS_PER_NODE_MAX - pool->gpus_per_node);
    for (uint32_t i = 0; i < pool->node_count; i++) {
        struct wire_path node = {.up = path, .field = "nodes", .index = i};
        uint64_t free_gpus = pool->nodes[i].free_gpus;
        uint64_t leased_gpus = pool->nodes[i].leased_gpus;
        if (((free_gpus | leased_gpus) & ~all) != 0)
            return wire_refuse(&node, free_gpus & ~all ? "free_gpus" : "leased_gpus",
                               STATUS_INVALID, fault,
                               "names a GPU beyond the %" PRIu32 " of a node", pool->gpus_per_node);
        if ((free_gpus & leased_gpus) != 0)
            return wire_refuse(&node, "leased_gpus", STATUS_INVALID, fault,
                               "names a GPU that is also free");
    }
    return STATUS_OK;
}

static const struct wire_message message_pool_offer = WIRE_MESSAGE(pool_offer, check_pool);

static const struct wire_row affinity_rows[] = {
    ROW_MEMBER(affinity, host),
    ROW_U32(affinity, value_ppm, 0, PPM),
};

static const struct wire_message message_affinity = WIRE_MESSAGE(affinity, NULL);

static int by_gpu(const void *a, const void *b)
{
    return name_compare(&((const struct pool_offer *)a)->gpu, &((const struct pool_offer *)b)->gpu);
}

static int by_host(const void *a, const void *b)
{
    return name_compare(&((const struct affinity *)a)->host, &((const struct affinity *)b)->host);
}

static const struct wire_row offer_rows[] = {
    ROW_MEMBER(offer, member),
    ROW_U64(offer, incarnation, 1, WIRE_COUNTER_MAX),
    ROW_STRUCTS_ORDERED(offer, pools, pool_count, pool_offer, message_pool_offer, 0,
                        POOLS_PER_MEMBER_MAX, by_gpu),
    ROW_STRUCTS_ORDERED(offer, affinities, affinity_count, affinity, message_affinity, 0,
                        MEMBERS_MAX, by_host),
    ROW_U32(offer, default_affinity_ppm, 0, PPM),
    ROW_CREDITS(offer, budget_per_round),
    ROW_ADDRESS(offer, peer_address),
};

const struct wire_message message_offer = WIRE_MESSAGE(offer, NULL);
