/*
 * Store, events: the outbox of lease events, one sequence per member. Contract as in store.h.
 *
 * An event is kept until the member acknowledged it, and read again as often as its stream breaks.
 * The signed lease of a GRANT is read from the lease's row, the very bytes that were signed.
 */
#ifndef ENTENTE_BROKER_STORE_EVENTS_H
#define ENTENTE_BROKER_STORE_EVENTS_H

#include "broker/store/store.h"
#include "proto/wire/messages.h"

enum { EVENT_REASON_BYTES_MAX = 255 };

/* Appends; *sequence (nullable) is the member's next number, from 1 on. The lease must be there. */
MUST_USE enum status store_event_add(struct store *store, const struct name *member,
                                     enum lease_event_kind kind, struct lease_id lease,
                                     int64_t grace_ms, const char *reason, uint64_t *sequence,
                                     struct fault *fault);
/* The first `rows` events after that sequence, ascending. */
MUST_USE enum status store_event_list(struct store *store, const struct name *member,
                                      uint64_t after, uint32_t rows, struct arena *arena,
                                      struct lease_event **events, uint32_t *count,
                                      struct fault *fault);
/* Forgets the member's events up to and with `seen`; never backwards. PRECONDITION where seen is
 * beyond what was ever sent (the broker was restored from a backup). O(forgotten). */
MUST_USE enum status store_event_acknowledge(struct store *store, const struct name *member,
                                             uint64_t seen, struct fault *fault);
/* The member was restored from a backup, and has seen so much: what was acknowledged beyond it is
 * gone for good. */
MUST_USE enum status store_event_restart(struct store *store, const struct name *member,
                                         uint64_t seen, struct fault *fault);
/* Newest sequence given out, and newest acknowledged; 0 for none. */
MUST_USE enum status store_event_head(struct store *store, const struct name *member,
                                      uint64_t *newest, uint64_t *acknowledged,
                                      struct fault *fault);

#endif
