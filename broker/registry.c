#include "broker/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void registry_init(struct registry *registry, const struct clock *clock, int64_t live_ms)
{
    *registry = (struct registry){.clock = clock, .live_ms = live_ms};
}

static void entry_free(struct registry *registry, struct registry_entry *entry)
{
    HASH_DEL(registry->entries, entry);
    arena_fini(&entry->arena);
    free(entry);
}

void registry_fini(struct registry *registry)
{
    struct registry_entry *entry = NULL;
    struct registry_entry *next = NULL;
    HASH_ITER(hh, registry->entries, entry, next)
    entry_free(registry, entry);
}

static struct registry_entry *find(const struct registry *registry, const struct name *member)
{
    struct registry_entry *entry = NULL;
    HASH_FIND_STR(registry->entries, member->text, entry);
    return entry;
}

static bool copy_pools(struct arena *arena, const struct offer *offer, struct offer *copy)
{
    copy->pools = arena_copy(arena, offer->pools, offer->pool_count * sizeof *offer->pools);
    copy->affinities =
        arena_copy(arena, offer->affinities, offer->affinity_count * sizeof *offer->affinities);
    if (copy->pools == NULL || copy->affinities == NULL)
        return false;
    for (uint32_t p = 0; p < offer->pool_count; p++) {
        const struct pool_offer *pool = &offer->pools[p];
        copy->pools[p].nodes =
            arena_copy(arena, pool->nodes, pool->node_count * sizeof *pool->nodes);
        if (copy->pools[p].nodes == NULL)
            return false;
    }
    return true;
}

struct offer *offer_copy(struct arena *arena, const struct offer *offer)
{
    struct offer *copy = arena_copy(arena, offer, sizeof *offer);
    return copy != NULL && copy_pools(arena, offer, copy) ? copy : NULL;
}

struct pool_offer *offer_pool(const struct offer *offer, const struct name *gpu)
{
    for (uint32_t p = 0; p < offer->pool_count; p++)
        if (name_equal(&offer->pools[p].gpu, gpu))
            return &offer->pools[p];
    return NULL;
}

/* Does `now` offer GPUs, or terms, that `before` did not? */
static bool pool_has_news(const struct pool_offer *before, const struct pool_offer *now)
{
    if (before == NULL || before->node_count != now->node_count ||
        before->cost.nanos != now->cost.nanos || before->reserve.nanos != now->reserve.nanos ||
        before->foreign_gpus_max != now->foreign_gpus_max ||
        before->enforces_limits != now->enforces_limits ||
        before->accepts_unenforced != now->accepts_unenforced)
        return true;
    for (uint32_t n = 0; n < now->node_count; n++)
        if ((now->nodes[n].free_gpus & ~before->nodes[n].free_gpus) != 0)
            return true;
    return false;
}

static bool offer_has_news(const struct offer *before, const struct offer *now)
{
    if (before == NULL || before->incarnation != now->incarnation ||
        before->default_affinity_ppm != now->default_affinity_ppm ||
        before->budget_per_round.micros != now->budget_per_round.micros ||
        before->affinity_count != now->affinity_count)
        return true;
    for (uint32_t a = 0; a < now->affinity_count; a++)
        if (!name_equal(&before->affinities[a].host, &now->affinities[a].host) ||
            before->affinities[a].value_ppm != now->affinities[a].value_ppm)
            return true;
    for (uint32_t p = 0; p < now->pool_count; p++)
        if (pool_has_news(offer_pool(before, &now->pools[p].gpu), &now->pools[p]))
            return true;
    return false;
}

/* A new, empty entry for a member heard for the first time. */
static struct registry_entry *entry_make(struct registry *registry, const struct name *member)
{
    struct registry_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->member = *member;
    arena_init(&entry->arena, REGISTRY_OFFER_BYTES_MAX);
    HASH_ADD_STR(registry->entries, member.text, entry);
    if (HASH_TOOK(entry))
        return entry;
    free(entry);
    return NULL;
}

enum status registry_hear(struct registry *registry, const struct heartbeat_request *heartbeat,
                          bool *news, struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, REGISTRY_OFFER_BYTES_MAX);
    const struct offer *offer = offer_copy(&arena, &heartbeat->offer);
    const struct lease_id *held =
        arena_copy(&arena, heartbeat->held, heartbeat->held_count * sizeof *heartbeat->held);
    struct registry_entry *entry = find(registry, &heartbeat->offer.member);
    if (entry == NULL && offer != NULL && held != NULL)
        entry = entry_make(registry, &heartbeat->offer.member);
    if (entry == NULL || offer == NULL || held == NULL) {
        arena_fini(&arena);
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the offer of %s",
                         heartbeat->offer.member.text);
    }
    *news = !registry_live(registry, entry) || offer_has_news(entry->offer, offer);
    arena_fini(&entry->arena);
    entry->arena = arena;
    entry->offer = offer;
    entry->held = held;
    entry->held_count = heartbeat->held_count;
    entry->heard_boot_ms = clock_boot_ms(registry->clock);
    entry->heard_wall_ms = clock_wall_ms(registry->clock);
    entry->sent_wall_ms = heartbeat->sent_wall_ms;
    snprintf(entry->version, sizeof entry->version, "%.*s", REGISTRY_VERSION_BYTES - 1,
             heartbeat->version);
    return STATUS_OK;
}

const struct registry_entry *registry_find(const struct registry *registry,
                                           const struct name *member)
{
    return find(registry, member);
}

bool registry_head_due(struct registry *registry, const struct name *member, uint64_t sequence,
                       int64_t every_ms)
{
    struct registry_entry *entry = find(registry, member);
    int64_t now_ms = clock_boot_ms(registry->clock);
    if (entry == NULL || sequence == entry->head_sequence)
        return false;
    if (entry->head_sequence != 0 && now_ms - entry->head_boot_ms < every_ms)
        return false;
    entry->head_boot_ms = now_ms;
    entry->head_sequence = sequence;
    return true;
}

bool registry_heard_within(const struct registry *registry, const struct registry_entry *entry,
                           int64_t extra_ms)
{
    return entry != NULL && entry->offer != NULL &&
           clock_boot_ms(registry->clock) - entry->heard_boot_ms <= registry->live_ms + extra_ms;
}

bool registry_live(const struct registry *registry, const struct registry_entry *entry)
{
    return registry_heard_within(registry, entry, 0);
}

void registry_release(struct registry *registry, const struct name *host, const struct name *gpu,
                      const struct lease_node *nodes, uint32_t node_count)
{
    struct registry_entry *entry = find(registry, host);
    struct pool_offer *pool =
        entry == NULL || entry->offer == NULL ? NULL : offer_pool(entry->offer, gpu);
    for (uint32_t i = 0; pool != NULL && i < node_count; i++) {
        if (nodes[i].node >= pool->node_count)
            continue;
        struct offer_node *node = &pool->nodes[nodes[i].node];
        node->free_gpus |= node->leased_gpus & nodes[i].gpus;
        node->leased_gpus &= ~nodes[i].gpus;
    }
}

void registry_forget(struct registry *registry, const struct name *member)
{
    struct registry_entry *entry = find(registry, member);
    if (entry != NULL)
        entry_free(registry, entry);
}
