/*
 * Registry: who is here now and what they offer; in memory, rebuilt from heartbeats after a
 * restart.
 *
 * A member's offer is that of its newest heartbeat and lives for a named time; a stale one takes
 * part in no round. Guarantee: what is handed out was deep-copied, so the message it came in may
 * go. Ownership: the registry owns entries; a pointer to one is good until the member's next
 * heartbeat or registry_forget(). Thread rule: the loop's thread. Complexity: O(1) a look-up,
 * O(offer) a heartbeat.
 */
#ifndef ENTENTE_BROKER_REGISTRY_H
#define ENTENTE_BROKER_REGISTRY_H

#include "base/hash.h"

#include "base/arena.h"
#include "base/clock.h"
#include "proto/wire/messages.h"

enum {
    REGISTRY_VERSION_BYTES = 64,
    REGISTRY_OFFER_BYTES_MAX = 64 * 1024 * 1024 /* of one member's offer and held leases */
};

struct registry_entry {
    struct name member; /* the hash key */
    struct arena arena; /* holds offer and held */
    const struct offer *offer;
    const struct lease_id *held; /* leases it says it hosts */
    uint32_t held_count;
    int64_t heard_boot_ms;
    int64_t heard_wall_ms;
    int64_t sent_wall_ms; /* on the member's clock: what it says here was so then */
    char version[REGISTRY_VERSION_BYTES];
    int64_t head_boot_ms; /* when its ledger head was last looked at, and which; 0: never */
    uint64_t head_sequence;
    UT_hash_handle hh;
};

struct registry {
    const struct clock *clock;
    int64_t live_ms; /* how long an offer lives */
    struct registry_entry *entries;
};

void registry_init(struct registry *registry, const struct clock *clock, int64_t live_ms);
void registry_fini(struct registry *registry);

/*
 * Takes the newest word of offer.member. *news: it offers something that its last word did not
 * (more free GPUs, other terms), so that an interim round may find more. NO_MEMORY or EXHAUSTED
 * leave the former entry as it was.
 */
MUST_USE enum status registry_hear(struct registry *registry,
                                   const struct heartbeat_request *heartbeat, bool *news,
                                   struct fault *fault);

/* NULL where the member was not heard since the start. */
const struct registry_entry *registry_find(const struct registry *registry,
                                           const struct name *member);

/* Heard within the last live_ms + extra_ms? false for NULL. */
bool registry_heard_within(const struct registry *registry, const struct registry_entry *entry,
                           int64_t extra_ms);
bool registry_live(const struct registry *registry, const struct registry_entry *entry);

/* The host reported these GPUs free: counted as free before its next heartbeat says so. */
void registry_release(struct registry *registry, const struct name *host, const struct name *gpu,
                      const struct lease_node *nodes, uint32_t node_count);

/* Should the member's ledger head, of that entry, be looked at more closely? Once for each entry,
 * and not within every_ms of the last time. A yes counts as done. */
bool registry_head_due(struct registry *registry, const struct name *member, uint64_t sequence,
                       int64_t every_ms);

/* Forgets a member (it was revoked). */
void registry_forget(struct registry *registry, const struct name *member);

/* A deep copy in the arena; NULL where it is full. */
struct offer *offer_copy(struct arena *arena, const struct offer *offer);

/* The pool of that kind, or NULL. */
struct pool_offer *offer_pool(const struct offer *offer, const struct name *gpu);

#endif
