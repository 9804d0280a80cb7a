#include "peer/host/lease_check.h"

#include <inttypes.h>

#include "proto/identity/identity.h"
#include "proto/wire/methods.h"

static const struct signing_key *find_key(const struct lease_keys *keys, const struct name *id,
                                          int64_t now_wall_ms)
{
    for (uint32_t k = 0; k < keys->count; k++)
        if (name_equal(&keys->keys[k].key_id, id))
            return keys->keys[k].until_wall_ms == 0 || keys->keys[k].until_wall_ms > now_wall_ms
                       ? &keys->keys[k].key
                       : NULL;
    return NULL;
}

/* Of everything that a verification takes: key, bytes and signature. */
static void identify(const struct signing_key *key, const struct signed_bytes *signed_lease,
                     struct digest *digest)
{
    struct {
        struct signing_key key;
        struct signature signature;
        struct digest body;
    } parts = {.key = *key, .signature = signed_lease->signature};
    digest_bytes(signed_lease->body.data, signed_lease->body.size, &parts.body);
    digest_bytes((const uint8_t *)&parts, sizeof parts, digest);
}

static enum status verify(struct lease_keys *keys, const struct signing_key *key,
                          const struct signed_bytes *signed_lease, struct fault *fault)
{
    struct digest digest;
    identify(key, signed_lease, &digest);
    for (uint32_t g = 0; g < LEASE_CHECKS_KEPT; g++)
        if (digest_equal(&keys->good[g], &digest))
            return STATUS_OK;
    enum status status =
        signing_verify(key, SIGN_LEASE, signed_lease->body, &signed_lease->signature, fault);
    if (status == STATUS_OK)
        keys->good[keys->good_next++ % LEASE_CHECKS_KEPT] = digest;
    return status;
}

enum status lease_check_signature(struct lease_keys *keys, const struct signed_bytes *signed_lease,
                                  int64_t now_wall_ms, struct arena *arena, struct lease **lease,
                                  bool *own, struct fault *fault)
{
    *own = name_equal(&signed_lease->key_id, &keys->own_id);
    const struct signing_key *key =
        *own ? &keys->own : find_key(keys, &signed_lease->key_id, now_wall_ms);
    if (key == NULL)
        return fault_set(fault, STATUS_CORRUPT,
                         "lease key %s is not one of the broker's that this peer knows, or it has "
                         "expired; the next heartbeat brings the present ones",
                         signed_lease->key_id.text);
    enum status status = verify(keys, key, signed_lease, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "the lease");
    void *decoded = NULL;
    status = wire_decode(&message_lease, signed_lease->body, arena, &decoded, fault);
    if (status == STATUS_EXHAUSTED) /* its signer made no lease that is too large for a message */
        return fault_prefix(fault, STATUS_NO_MEMORY, "no memory");
    if (status != STATUS_OK)
        return status;
    *lease = decoded;
    if (*own != ((*lease)->id.incarnation == LEASE_OWN_INCARNATION))
        return fault_set(fault, STATUS_DENIED, "the lease is signed by the wrong party");
    return STATUS_OK;
}

static enum status check_parties(const struct lease *lease, const struct lease_visit *visit,
                                 struct fault *fault)
{
    if (!name_equal(&lease->home, visit->caller))
        return fault_set(fault, STATUS_DENIED,
                         "the lease is for home %s; it is honoured over that member's own identity "
                         "only, not over %s's",
                         lease->home.text, visit->caller->text);
    if (!name_equal(&lease->host, visit->host))
        return fault_set(fault, STATUS_DENIED, "the lease is for host %s, this is %s",
                         lease->host.text, visit->host->text);
    if (lease->host_incarnation != visit->host_incarnation)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the lease was made with incarnation %" PRIu64
                         " of this host, it is %" PRIu64 " now: the next round makes a new one",
                         lease->host_incarnation, visit->host_incarnation);
    if (lease->home_incarnation < visit->home_incarnation_seen)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the lease is of incarnation %" PRIu64 " of its home; %" PRIu64
                         " was seen here",
                         lease->home_incarnation, visit->home_incarnation_seen);
    return STATUS_OK;
}

static enum status check_window(const struct lease *lease, int64_t now_wall_ms, struct fault *fault)
{
    if (now_wall_ms < lease->accept_from_wall_ms)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the lease may be accepted only in %" PRId64
                         " ms by this host's clock: compare the clocks of host and broker",
                         lease->accept_from_wall_ms - now_wall_ms);
    if (now_wall_ms > lease->accept_until_wall_ms)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the lease had to be accepted %" PRId64
                         " ms ago by this host's clock: it came late, or the clocks differ",
                         now_wall_ms - lease->accept_until_wall_ms);
    return STATUS_OK;
}

enum status lease_check_visit(const struct lease *lease, const struct lease_visit *visit,
                              struct fault *fault)
{
    enum status status = check_parties(lease, visit, fault);
    if (status != STATUS_OK)
        return status;
    if (!digest_equal(&lease->bundle_digest, visit->bundle))
        return fault_set(fault, STATUS_DENIED,
                         "the lease is for another bundle than the one sent: the job's files or "
                         "specification changed after it was submitted");
    return check_window(lease, visit->now_wall_ms, fault);
}
