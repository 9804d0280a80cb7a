/* Members, pools, affinity and links of an instance. */
#include <stdlib.h>
#include <string.h>

#include "economics/market/instance/instance_internal.h"

/* -- Members ----------------------------------------------------------------------------------- */

static int compare_members(const void *left, const void *right)
{
    return strcmp((*(const struct draft_member *const *)left)->id,
                  (*(const struct draft_member *const *)right)->id);
}

enum status building_members(struct building *building, struct fault *fault)
{
    struct draft *draft = building->draft;
    struct instance *instance = building->instance;
    struct market *market = &instance->market;
    uint32_t const count = draft->members.count;
    const struct draft_member **sorted = arena_alloc(&building->scratch, count, sizeof(void *));
    building->member_of = arena_alloc(&building->scratch, count, sizeof(uint32_t));
    market->members = arena_alloc(building->arena, count, sizeof *market->members);
    instance->member_ids = arena_alloc(building->arena, count, sizeof(char *));
    if (sorted == NULL || building->member_of == NULL || market->members == NULL ||
        instance->member_ids == NULL)
        return draft_no_room(fault);
    market->member_count = count;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = &draft->members.items[i];
    if (count > 0)
        qsort(sorted, count, sizeof *sorted, compare_members);
    for (uint32_t i = 0; i < count; i++) {
        const char *id = sorted[i]->id;
        building->member_of[sorted[i] - draft->members.items] = i;
        snprintf(market->members[i].name.text, sizeof market->members[i].name.text, "%s", id);
        instance->member_ids[i] = arena_copy_text(building->arena, id, strlen(id));
        if (instance->member_ids[i] == NULL)
            return draft_no_room(fault);
    }
    return STATUS_OK;
}

/* -- Pools ------------------------------------------------------------------------------------- */

struct sorted_pool {
    const struct draft_pool *pool;
    uint32_t owner;
};

static int compare_pools(const void *left, const void *right)
{
    const struct sorted_pool *a = left;
    const struct sorted_pool *b = right;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    int const by_gpu = strcmp(a->pool->gpu, b->pool->gpu);
    return by_gpu != 0 ? by_gpu : (a->pool->at > b->pool->at) - (a->pool->at < b->pool->at);
}

static enum status make_nodes(struct building *building, struct market_pool *pool,
                              struct fault *fault)
{
    uint32_t const nodes = (pool->gpu_count + pool->gpus_per_node - 1) / pool->gpus_per_node;
    pool->nodes = arena_alloc(building->arena, nodes, sizeof *pool->nodes);
    if (pool->nodes == NULL)
        return draft_no_room(fault);
    pool->node_count = nodes;
    uint32_t left = pool->gpu_count;
    for (uint32_t n = 0; n < nodes; n++) {
        uint32_t const here = left < pool->gpus_per_node ? left : pool->gpus_per_node;
        pool->nodes[n].gpus = here == 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1;
        left -= here;
    }
    return STATUS_OK;
}

static enum status take_pool(struct building *building, uint32_t index,
                             const struct sorted_pool *sorted, struct fault *fault)
{
    const struct draft_pool *from = sorted->pool;
    struct market_pool *pool = &building->instance->market.pools[index];
    *pool = (struct market_pool){.owner = (int32_t)sorted->owner,
                                 .gpu_count = from->gpus,
                                 .gpus_per_node = from->gpus_per_node};
    snprintf(pool->gpu.text, sizeof pool->gpu.text, "%s", from->gpu);
    if (!price_from_double(from->cost, &pool->cost))
        return draft_fault(building->draft, "pools", from->at, ".cost", fault, "is too high");
    building->pool_of[from - building->draft->pools.items] = index;
    building->instance->pool_ids[index] =
        arena_copy_text(building->arena, from->id, strlen(from->id));
    if (building->instance->pool_ids[index] == NULL)
        return draft_no_room(fault);
    return make_nodes(building, pool, fault);
}

static enum status refuse_second_pool(struct building *building, const struct draft_pool *pool,
                                      struct fault *fault)
{
    char text[NAME_BYTES_MAX + 64];
    snprintf(text, sizeof text, "the member has a pool of '%s' already", pool->gpu);
    return draft_fault(building->draft, "pools", pool->at, ".gpu", fault, text);
}

enum status building_pools(struct building *building, struct fault *fault)
{
    struct draft *draft = building->draft;
    struct market *market = &building->instance->market;
    uint32_t const count = draft->pools.count;
    struct sorted_pool *sorted = arena_alloc(&building->scratch, count, sizeof *sorted);
    building->pool_of = arena_alloc(&building->scratch, count, sizeof(uint32_t));
    market->pools = arena_alloc(building->arena, count, sizeof *market->pools);
    building->instance->pool_ids = arena_alloc(building->arena, count, sizeof(char *));
    if (sorted == NULL || building->pool_of == NULL || market->pools == NULL ||
        building->instance->pool_ids == NULL)
        return draft_no_room(fault);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] =
            (struct sorted_pool){.pool = &draft->pools.items[i],
                                 .owner = building->member_of[draft->pools.items[i].member]};
    if (count > 0)
        qsort(sorted, count, sizeof *sorted, compare_pools);
    market->pool_count = count;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i > 0 && sorted[i - 1].owner == sorted[i].owner &&
            strcmp(sorted[i - 1].pool->gpu, sorted[i].pool->gpu) == 0)
            return refuse_second_pool(building, sorted[i].pool, fault);
        status = take_pool(building, i, &sorted[i], fault);
    }
    return status;
}

/* -- Affinity and links ------------------------------------------------------------------------ */

static int compare_pairs(const void *left, const void *right)
{
    const struct instance_pair *a = left;
    const struct instance_pair *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

static uint64_t key_of(const struct building *building, uint32_t home, uint32_t host)
{
    return (uint64_t)home * building->instance->market.member_count + host;
}

/* What is stated twice would count twice: refused. The two statements of a pair become one. */
static enum status merge_pairs(struct building *building, size_t count, struct fault *fault)
{
    if (count > 0)
        qsort(building->pairs, count, sizeof *building->pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        struct instance_pair *last =
            building->pair_count > 0 ? &building->pairs[building->pair_count - 1] : NULL;
        struct instance_pair const pair = building->pairs[i];
        if (last == NULL || last->key != pair.key) {
            building->pairs[building->pair_count++] = pair;
            continue;
        }
        if ((last->has_affinity && pair.has_affinity) || (last->has_link && pair.has_link)) {
            uint64_t const members = building->instance->market.member_count;
            return fault_set(fault, STATUS_INVALID, "%s: %s to %s is stated twice",
                             pair.has_link ? "links" : "affinity",
                             building->instance->member_ids[pair.key / members],
                             building->instance->member_ids[pair.key % members]);
        }
        if (pair.has_affinity)
            last->affinity = pair.affinity;
        if (pair.has_link) {
            last->link_bytes = pair.link_bytes;
            last->cost_per_gigabyte = pair.cost_per_gigabyte;
            last->has_limit = pair.has_limit;
        }
        last->has_affinity |= pair.has_affinity;
        last->has_link |= pair.has_link;
    }
    return STATUS_OK;
}

enum status building_pairs(struct building *building, struct fault *fault)
{
    const struct draft *draft = building->draft;
    size_t const count = (size_t)draft->affinities.count + draft->links.count;
    const uint32_t *member = building->member_of;
    building->pairs = arena_alloc(&building->scratch, count, sizeof *building->pairs);
    if (building->pairs == NULL)
        return draft_no_room(fault);
    struct instance_pair *next = building->pairs;
    for (uint32_t i = 0; i < draft->affinities.count; i++, next++) {
        const struct draft_affinity *affinity = &draft->affinities.items[i];
        *next = (struct instance_pair){
            .key = key_of(building, member[affinity->home], member[affinity->host]),
            .affinity = affinity->value,
            .has_affinity = true};
    }
    for (uint32_t i = 0; i < draft->links.count; i++, next++) {
        const struct draft_link *link = &draft->links.items[i];
        *next =
            (struct instance_pair){.key = key_of(building, member[link->home], member[link->host]),
                                   .link_bytes = link->gigabytes * 1e9,
                                   .cost_per_gigabyte = link->cost_per_gigabyte,
                                   .has_link = true,
                                   .has_limit = link->gigabytes >= 0};
    }
    return merge_pairs(building, count, fault);
}

static int compare_key(const void *key, const void *pair)
{
    uint64_t const wanted = *(const uint64_t *)key;
    uint64_t const has = ((const struct instance_pair *)pair)->key;
    return (wanted > has) - (wanted < has);
}

const struct instance_pair *building_pair(const struct building *building, uint32_t home,
                                          uint32_t host)
{
    uint64_t const key = key_of(building, home, host);
    if (building->pair_count == 0)
        return NULL;
    return bsearch(&key, building->pairs, building->pair_count, sizeof *building->pairs,
                   compare_key);
}
