/*
 * Lease check: is this the broker's word, for this host, from this home, now? Offline and pure: the
 * caller says what it knows. What only the host can know besides (GPUs, honoured before) is checked
 * by peer/host.
 *
 * Errors, each naming the mend: CORRUPT (signature), DENIED (another home, host or bundle),
 * PRECONDITION (incarnation, acceptance window), INVALID (undecodable).
 */
#ifndef ENTENTE_PEER_HOST_LEASE_CHECK_H
#define ENTENTE_PEER_HOST_LEASE_CHECK_H

#include "base/arena.h"
#include "proto/wire/messages.h"

/* The round's place of leases that a peer grants to itself, for local work: never the broker's. */
#define LEASE_OWN_INCARNATION ((uint64_t)INT64_MAX)

enum { LEASE_CHECKS_KEPT = 512 };

struct lease_keys {
    const struct lease_key *keys; /* [count] the broker's, as known */
    uint32_t count;
    struct signing_key own; /* this peer's: signs leases it grants to itself */
    struct name own_id;
    /* Signatures that were found good: a lease comes more than once (by the broker to host and to
     * home, by home to host), and to verify one costs 90 µs. */
    struct digest good[LEASE_CHECKS_KEPT];
    uint32_t good_next;
};

/* Signature and form only; *lease lies in the arena, *own: granted by this peer to itself.
 * NO_MEMORY, never EXHAUSTED, where it can't be read now: an event with it is not to be counted. */
MUST_USE enum status lease_check_signature(struct lease_keys *keys,
                                           const struct signed_bytes *signed_lease,
                                           int64_t now_wall_ms, struct arena *arena,
                                           struct lease **lease, bool *own, struct fault *fault);

struct lease_visit {
    const struct name *caller; /* proved by TLS */
    const struct name *host;   /* this peer */
    uint64_t host_incarnation;
    uint64_t home_incarnation_seen; /* the highest this host saw of that home; 0: none */
    const struct digest *bundle;    /* of the specification sent along */
    int64_t now_wall_ms;
};

MUST_USE enum status lease_check_visit(const struct lease *lease, const struct lease_visit *visit,
                                       struct fault *fault);

#endif
