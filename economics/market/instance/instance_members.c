/* Members, pools, affinity, links and limits of an instance. */
#include "economics/market/instance/instance_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRICE_MAX          1e6 /* credits per GPU-second */
#define LINK_GIGABYTES_MAX 1e9

static char *keep_text(struct reading *reading, const char *text)
{
    return arena_copy_text(reading->arena, text, strlen(text));
}

enum status reading_members(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    struct json_place array;
    size_t count;
    enum status status = json_get_array(&reading->root, "members", true, &array, &count, fault);
    if (status != STATUS_OK)
        return status;
    if (count > INSTANCE_MEMBERS_MAX)
        return json_fault(&array, fault, "more than 4096 members");
    reading->members = arena_alloc(reading->arena, count, sizeof *reading->members);
    market->members = arena_alloc(reading->arena, count, sizeof *market->members);
    reading->instance->member_ids = arena_alloc(reading->arena, count, sizeof(char *));
    if (reading->members == NULL || market->members == NULL ||
        reading->instance->member_ids == NULL)
        return reading_no_room(fault);
    market->member_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct json_place const element = json_element(&array, i);
        const char *text;
        status = json_text_of(&element, INSTANCE_NAME_BYTES_MAX, &text, fault);
        if (status != STATUS_OK)
            return status;
        reading->members[i] = (struct instance_name){.text = text, .file_index = i};
    }
    status = reading_sort(reading->members, count, "members", fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        reading->members[i].index = (uint32_t)i;
        snprintf(market->members[i].name.text, sizeof market->members[i].name.text, "%s",
                 reading->members[i].text);
        reading->instance->member_ids[i] = keep_text(reading, reading->members[i].text);
        if (reading->instance->member_ids[i] == NULL)
            return reading_no_room(fault);
    }
    return status;
}

/* -- Pools ------------------------------------------------------------------------------------- */

/* A pool as in the file, until all are sorted. */
struct raw_pool {
    struct market_pool pool;
    const char *id;
    const char *gpu;
    size_t file_index;
};

static enum status read_pool(struct reading *reading, const struct json_place *place,
                             struct raw_pool *raw, struct fault *fault)
{
    static const char *const keys[] = {"id",   "member",        "gpu", "gpus",
                                       "cost", "gpus_per_node", NULL};
    int64_t gpus = 0;
    int64_t per_node = GPUS_PER_NODE_MAX;
    double cost = 0;
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = json_get_text(place, "id", true, INSTANCE_NAME_BYTES_MAX * 2, &raw->id, fault);
    if (status == STATUS_OK)
        status = reading_member(reading, place, "member", &raw->pool.owner, fault);
    if (status == STATUS_OK)
        status = json_get_text(place, "gpu", true, INSTANCE_NAME_BYTES_MAX, &raw->gpu, fault);
    if (status == STATUS_OK)
        status = json_get_integer(place, "gpus", true, 0,
                                  (int64_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX, &gpus, fault);
    if (status == STATUS_OK)
        status =
            json_get_integer(place, "gpus_per_node", false, 1, GPUS_PER_NODE_MAX, &per_node, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "cost", false, 0, PRICE_MAX, &cost, fault);
    if (status != STATUS_OK)
        return status;
    raw->pool.gpu_count = (uint32_t)gpus;
    raw->pool.gpus_per_node = (uint32_t)per_node;
    return price_from_double(cost, &raw->pool.cost) ? STATUS_OK
                                                    : json_fault(place, fault, "cost is too high");
}

static enum status make_nodes(struct reading *reading, struct market_pool *pool,
                              struct fault *fault)
{
    uint32_t const nodes = (pool->gpu_count + pool->gpus_per_node - 1) / pool->gpus_per_node;
    pool->nodes = arena_alloc(reading->arena, nodes, sizeof *pool->nodes);
    if (pool->nodes == NULL)
        return reading_no_room(fault);
    pool->node_count = nodes;
    uint32_t left = pool->gpu_count;
    for (uint32_t n = 0; n < nodes; n++) {
        uint32_t const here = left < pool->gpus_per_node ? left : pool->gpus_per_node;
        pool->nodes[n].gpus = here == 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1;
        left -= here;
    }
    return STATUS_OK;
}

static int compare_raw(const void *left, const void *right)
{
    const struct raw_pool *a = left;
    const struct raw_pool *b = right;
    if (a->pool.owner != b->pool.owner)
        return a->pool.owner < b->pool.owner ? -1 : 1;
    int const by_gpu = strcmp(a->gpu, b->gpu);
    return by_gpu != 0 ? by_gpu : (a->file_index > b->file_index) - (a->file_index < b->file_index);
}

static enum status take_pool(struct reading *reading, uint32_t index, const struct raw_pool *raw,
                             struct fault *fault)
{
    struct market_pool *pool = &reading->instance->market.pools[index];
    *pool = raw->pool;
    snprintf(pool->gpu.text, sizeof pool->gpu.text, "%s", raw->gpu);
    reading->pools[index] =
        (struct instance_name){.text = raw->id, .index = index, .file_index = raw->file_index};
    reading->instance->pool_ids[index] = keep_text(reading, raw->id);
    if (reading->instance->pool_ids[index] == NULL)
        return reading_no_room(fault);
    return make_nodes(reading, pool, fault);
}

static enum status take_pools(struct reading *reading, struct raw_pool *raw, size_t count,
                              struct fault *fault)
{
    if (count > 0)
        qsort(raw, count, sizeof *raw, compare_raw);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && raw[i - 1].pool.owner == raw[i].pool.owner &&
            strcmp(raw[i - 1].gpu, raw[i].gpu) == 0)
            return fault_set(fault, STATUS_INVALID,
                             "pools[%zu].gpu: the member has a pool of '%s' already",
                             raw[i].file_index, raw[i].gpu);
        enum status const status = take_pool(reading, i, &raw[i], fault);
        if (status != STATUS_OK)
            return status;
    }
    return reading_sort(reading->pools, count, "pools", fault);
}

enum status reading_pools(struct reading *reading, struct fault *fault)
{
    struct market *market = &reading->instance->market;
    struct json_place array;
    size_t count;
    enum status status = json_get_array(&reading->root, "pools", false, &array, &count, fault);
    if (status != STATUS_OK)
        return status;
    if (count > MARKET_POOLS_MAX)
        return json_fault(&array, fault, "more than 65536 pools");
    struct raw_pool *raw = arena_alloc(reading->arena, count, sizeof *raw);
    reading->pools = arena_alloc(reading->arena, count, sizeof *reading->pools);
    market->pools = arena_alloc(reading->arena, count, sizeof *market->pools);
    reading->instance->pool_ids = arena_alloc(reading->arena, count, sizeof(char *));
    if (raw == NULL || reading->pools == NULL || market->pools == NULL ||
        reading->instance->pool_ids == NULL)
        return reading_no_room(fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&array, i);
        raw[i].file_index = i;
        status = read_pool(reading, &element, &raw[i], fault);
    }
    market->pool_count = (uint32_t)count;
    return status == STATUS_OK ? take_pools(reading, raw, count, fault) : status;
}

/* -- Affinity and links ------------------------------------------------------------------------ */

static enum status read_ends(const struct reading *reading, const struct json_place *place,
                             struct instance_pair *pair, struct fault *fault)
{
    int32_t home = 0;
    int32_t host = 0;
    enum status status = reading_member(reading, place, "home", &home, fault);
    if (status == STATUS_OK)
        status = reading_member(reading, place, "host", &host, fault);
    *pair = (struct instance_pair){.key = (uint64_t)home * reading->instance->market.member_count +
                                          (uint64_t)host};
    return status;
}

static enum status read_affinity(const struct reading *reading, const struct json_place *place,
                                 struct instance_pair *pair, struct fault *fault)
{
    static const char *const keys[] = {"home", "host", "value", NULL};
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = read_ends(reading, place, pair, fault);
    pair->has_affinity = true;
    return status == STATUS_OK ? json_get_number(place, "value", true, 0, 1, &pair->affinity, fault)
                               : status;
}

static enum status read_link(const struct reading *reading, const struct json_place *place,
                             struct instance_pair *pair, struct fault *fault)
{
    static const char *const keys[] = {"home", "host", "gigabytes_per_round", "cost_per_gigabyte",
                                       NULL};
    double gigabytes = -1;
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = read_ends(reading, place, pair, fault);
    pair->has_link = true;
    if (status == STATUS_OK)
        status = json_get_number(place, "gigabytes_per_round", false, 0, LINK_GIGABYTES_MAX,
                                 &gigabytes, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "cost_per_gigabyte", false, 0, PRICE_MAX,
                                 &pair->cost_per_gigabyte, fault);
    pair->has_limit = gigabytes >= 0;
    pair->link_bytes = gigabytes * 1e9;
    return status;
}

static int compare_pairs(const void *left, const void *right)
{
    const struct instance_pair *a = left;
    const struct instance_pair *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

/* What is stated twice would count twice: refused. The two statements of a pair become one. */
static enum status merge_pairs(struct reading *reading, size_t count, struct fault *fault)
{
    if (count > 0)
        qsort(reading->pairs, count, sizeof *reading->pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        struct instance_pair *last =
            reading->pair_count > 0 ? &reading->pairs[reading->pair_count - 1] : NULL;
        struct instance_pair const pair = reading->pairs[i];
        if (last == NULL || last->key != pair.key) {
            reading->pairs[reading->pair_count++] = pair;
            continue;
        }
        if ((last->has_affinity && pair.has_affinity) || (last->has_link && pair.has_link)) {
            uint64_t const members = reading->instance->market.member_count;
            return fault_set(fault, STATUS_INVALID, "%s: %s to %s is stated twice",
                             pair.has_link ? "links" : "affinity",
                             reading->instance->member_ids[pair.key / members],
                             reading->instance->member_ids[pair.key % members]);
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

enum status reading_pairs(struct reading *reading, struct fault *fault)
{
    struct json_place affinity;
    struct json_place links;
    size_t affinity_count;
    size_t link_count = 0;
    enum status status =
        json_get_array(&reading->root, "affinity", false, &affinity, &affinity_count, fault);
    if (status == STATUS_OK)
        status = json_get_array(&reading->root, "links", false, &links, &link_count, fault);
    if (status != STATUS_OK)
        return status;
    reading->pairs =
        arena_alloc(reading->arena, affinity_count + link_count, sizeof *reading->pairs);
    if (reading->pairs == NULL)
        return reading_no_room(fault);
    for (size_t i = 0; i < affinity_count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&affinity, i);
        status = read_affinity(reading, &element, &reading->pairs[i], fault);
    }
    for (size_t i = 0; i < link_count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&links, i);
        status = read_link(reading, &element, &reading->pairs[affinity_count + i], fault);
    }
    return status == STATUS_OK ? merge_pairs(reading, affinity_count + link_count, fault) : status;
}

/* -- Limits ------------------------------------------------------------------------------------ */

static enum status read_limit(struct reading *reading, const struct json_place *place,
                              struct instance_limit *limit, struct fault *fault)
{
    static const char *const keys[] = {"member", "gpu", "max_foreign_gpus", "max_credits", NULL};
    limit->foreign_gpus = -1;
    limit->credits = -1;
    enum status status = json_allow(place, keys, fault);
    if (status == STATUS_OK)
        status = reading_member(reading, place, "member", &limit->member, fault);
    if (status == STATUS_OK)
        status = json_get_text(place, "gpu", false, INSTANCE_NAME_BYTES_MAX, &limit->gpu, fault);
    if (status == STATUS_OK)
        status =
            json_get_number(place, "max_foreign_gpus", false, 0, 1e9, &limit->foreign_gpus, fault);
    if (status == STATUS_OK)
        status = json_get_number(place, "max_credits", false, 0, 1e9, &limit->credits, fault);
    limit->has_foreign = limit->foreign_gpus >= 0;
    limit->has_credits = limit->credits >= 0;
    if (status == STATUS_OK && limit->gpu != NULL && limit->has_credits)
        return json_fault(place, fault, "max_credits is the member's: leave out gpu");
    return status;
}

enum status reading_limits(struct reading *reading, struct fault *fault)
{
    struct json_place array;
    enum status status =
        json_get_array(&reading->root, "limits", false, &array, &reading->limit_count, fault);
    if (status != STATUS_OK)
        return status;
    reading->limits = arena_alloc(reading->arena, reading->limit_count, sizeof *reading->limits);
    if (reading->limits == NULL)
        return reading_no_room(fault);
    for (size_t i = 0; i < reading->limit_count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&array, i);
        status = read_limit(reading, &element, &reading->limits[i], fault);
    }
    return status;
}
