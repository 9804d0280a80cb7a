/*
 * Lease, adopt: leases that this broker signed and then forgot, because it was restored from a
 * backup older than they are. Their hosts kept the signed bytes and tell.
 *
 * An adopted lease is as if it had been committed here: it holds its GPUs where its host still
 * holds them, is escrowed so far as its home's funds reach, and its receipts settle. Who shared in
 * its price beside the host is lost with the round that made it: the host gets all of it. Every
 * function wants an open transaction. Thread rule: the store's.
 */
#ifndef ENTENTE_BROKER_LEASE_LEASE_ADOPT_H
#define ENTENTE_BROKER_LEASE_LEASE_ADOPT_H

#include "broker/lease/lease.h"

/* What a host said it holds now. */
struct lease_holding {
    struct name host;
    const struct lease_id *held;
    uint32_t held_count;
    uint64_t below_incarnation;      /* only leases of older brokers are in question */
    uint64_t below_host_incarnation; /* not 0: only those of earlier incarnations of the host */
};

/* Frees the GPUs of leases that the broker believes to be held by this host and that are not: their
 * receipts are awaited. *released is how many. O(open leases). */
MUST_USE enum status lease_release_unheld(struct store *store, const struct lease_holding *holding,
                                          int64_t now_wall_ms, uint32_t *released,
                                          struct fault *fault);

/* Stops the running jobs of a home that began anew and does not know of their leases any more: they
 * would run unwatched and deliver to nobody. They go back to the market by their home's word. */
MUST_USE enum status lease_stop_forgotten(struct store *store, const struct name *home,
                                          uint64_t below_home_incarnation, int64_t grace_ms,
                                          struct fault *fault);

/* Takes the lease in (signature and host were checked by the caller). *adopted false: it is known
 * and nothing changed. PRECONDITION where another lease holds its GPUs, NOT_FOUND where its home is
 * no member. */
MUST_USE enum status lease_adopt(struct store *store, const struct lease *lease,
                                 const struct signed_bytes *signed_lease,
                                 const struct lease_holding *holding, int64_t now_wall_ms,
                                 bool *adopted, struct fault *fault);

/* The host has told everything: what is released and has no receipt never will have one. Voids it,
 * so that its escrow goes back. */
MUST_USE enum status lease_void_unreceipted(struct store *store,
                                            const struct lease_holding *holding,
                                            int64_t now_wall_ms, struct fault *fault);

#endif
