/*
 * Link, trust: the broker's lease keys and the revocation list: kept in the spool, so that a peer
 * that starts while the broker is away can check leases and refuses who is revoked.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

void link_take_keys(struct peer *peer, const struct lease_key *keys, uint32_t count)
{
    struct fault fault;
    if (count == 0)
        return; /* a broker without any key has nothing to teach */
    if (count > PEER_LEASE_KEYS_MAX)
        count = PEER_LEASE_KEYS_MAX;
    bool same = count == peer->keys.count;
    for (uint32_t k = 0; same && k < count; k++)
        same = name_equal(&keys[k].key_id, &peer->lease_keys[k].key_id) &&
               keys[k].until_wall_ms == peer->lease_keys[k].until_wall_ms &&
               memcmp(keys[k].key.bytes, peer->lease_keys[k].key.bytes, SIGNING_KEY_BYTES) == 0;
    if (same)
        return;
    memset(peer->lease_keys, 0, sizeof peer->lease_keys);
    for (uint32_t k = 0; k < count; k++)
        peer->lease_keys[k] = keys[k];
    peer->keys.count = count;
    struct bytes bytes = {(const uint8_t *)peer->lease_keys, count * sizeof peer->lease_keys[0]};
    if (spool_put(peer->spool, "lease-keys", bytes, &fault) != STATUS_OK)
        peer_trouble(peer, "keeping the lease keys", &fault);
}

static enum status apply(struct peer *peer, const struct revocation_list *list, struct fault *fault)
{
    struct name *names = calloc(list->revoked_count + 1, sizeof *names);
    if (names == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the revocation list");
    for (uint32_t r = 0; r < list->revoked_count; r++)
        names[r] = list->revoked[r].member;
    free(peer->revoked);
    peer->revoked = names;
    peer->revoked_count = list->revoked_count;
    return STATUS_OK;
}

enum status link_verify(const struct peer *peer, const struct signed_bytes *bytes,
                        enum signature_domain domain, struct fault *fault)
{
    const struct lease_key *key = NULL;
    for (uint32_t k = 0; k < peer->keys.count; k++)
        if (name_equal(&peer->lease_keys[k].key_id, &bytes->key_id))
            key = &peer->lease_keys[k];
    if (key == NULL)
        return fault_set(fault, STATUS_CORRUPT, "signed by key %s, which is none of the broker's",
                         bytes->key_id.text);
    return signing_verify(&key->key, domain, bytes->body, &bytes->signature, fault);
}

/* Verified by the broker's lease key. Lower numbers are old news. */
static enum status read_list(struct peer *peer, const struct signed_bytes *revocations,
                             struct arena *arena, struct revocation_list **list,
                             struct fault *fault)
{
    enum status status = link_verify(peer, revocations, SIGN_REVOCATIONS, fault);
    void *decoded = NULL;
    if (status == STATUS_OK)
        status = wire_decode(&message_revocation_list, revocations->body, arena, &decoded, fault);
    *list = decoded;
    return status;
}

static enum status keep_signature(struct peer *peer, const struct signed_bytes *revocations,
                                  struct fault *fault)
{
    const struct bytes signature = {revocations->signature.bytes, SIGNATURE_BYTES};
    const struct bytes key_id = {(const uint8_t *)&revocations->key_id, sizeof(struct name)};
    enum status status = spool_put(peer->spool, "revocation-signature", signature, fault);
    return status == STATUS_OK ? spool_put(peer->spool, "revocation-key", key_id, fault) : status;
}

static enum status get_exact(const struct peer *peer, const char *key, void *value, size_t size,
                             struct arena *arena, struct fault *fault)
{
    struct bytes bytes;
    enum status status = spool_get(peer->spool, key, arena, &bytes, fault);
    if (status == STATUS_OK && bytes.size != size)
        return fault_set(fault, STATUS_CORRUPT, "%s in the spool has another size", key);
    if (status == STATUS_OK)
        memcpy(value, bytes.data, size);
    return status;
}

enum status link_kept_revocations(const struct peer *peer, struct arena *arena,
                                  struct signed_bytes *revocations, struct fault *fault)
{
    *revocations = (struct signed_bytes){.body = {0}};
    struct signed_bytes kept = *revocations;
    enum status status = spool_get(peer->spool, "revocation-list", arena, &kept.body, fault);
    if (status == STATUS_OK)
        status = get_exact(peer, "revocation-signature", &kept.signature, sizeof kept.signature,
                           arena, fault);
    if (status == STATUS_OK)
        status = get_exact(peer, "revocation-key", &kept.key_id, sizeof kept.key_id, arena, fault);
    if (status == STATUS_OK)
        *revocations = kept;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

void link_take_revocations(struct link *link, const struct signed_bytes *revocations)
{
    struct peer *peer = link->peer;
    struct arena arena;
    struct fault fault;
    struct revocation_list *list = NULL;
    if (revocations->body.size == 0 || memcmp(&revocations->signature, &link->revocations_seen,
                                              sizeof link->revocations_seen) == 0)
        return; /* every heartbeat brings the same one again */
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = read_list(peer, revocations, &arena, &list, &fault);
    if (status == STATUS_OK && list->number > spool_get_number(peer->spool, "revocations", 0)) {
        status = apply(peer, list, &fault);
        if (status == STATUS_OK)
            status = spool_put(peer->spool, "revocation-list", revocations->body, &fault);
        if (status == STATUS_OK)
            status = keep_signature(peer, revocations, &fault);
        if (status == STATUS_OK)
            status = spool_put_number(peer->spool, "revocations", list->number, &fault);
        for (uint32_t r = 0; status == STATUS_OK && r < list->revoked_count; r++) {
            host_revoked(peer->host, &list->revoked[r].member);
            home_revoked(peer->home, &list->revoked[r].member);
            if (peer->settings.on_revoked != NULL)
                peer->settings.on_revoked(peer->settings.context, &list->revoked[r].member);
        }
    }
    if (status == STATUS_OK)
        link->revocations_seen = revocations->signature;
    else
        peer_trouble(peer, "the revocation list", &fault);
    arena_fini(&arena);
}

enum status link_restore_trust(struct peer *peer, struct fault *fault)
{
    struct arena arena;
    struct bytes bytes;
    void *decoded = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    peer->keys.keys = peer->lease_keys;
    if (spool_get(peer->spool, "lease-keys", &arena, &bytes, NULL) == STATUS_OK &&
        bytes.size <= sizeof peer->lease_keys && bytes.size % sizeof peer->lease_keys[0] == 0) {
        memcpy(peer->lease_keys, bytes.data, bytes.size);
        peer->keys.count = (uint32_t)(bytes.size / sizeof peer->lease_keys[0]);
    }
    enum status status = STATUS_OK;
    if (spool_get(peer->spool, "revocation-list", &arena, &bytes, NULL) == STATUS_OK) {
        status = wire_decode(&message_revocation_list, bytes, &arena, &decoded, fault);
        if (status == STATUS_OK)
            status = apply(peer, decoded, fault);
    }
    arena_fini(&arena);
    return status;
}
