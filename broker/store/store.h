/*
 * Store: the broker's durable state behind typed functions; nothing of its database shows.
 *
 * This header has the life of a store, its transactions, its settings and request keys; members.h,
 * demands.h, rounds.h, leases.h, events.h and entries.h have the tables. The rules over the tables
 * are in broker/ledger, broker/lease, broker/settle, broker/token: call those, and the store's
 * writing functions only where no rule stands in front (each header says so).
 *
 * Guarantees. What store_commit() acknowledged survives kill -9 and power loss at any instant
 * (SQLite: WAL, synchronous=FULL; or store_defer_sync() and store_sync()). Every change is inside
 * store_begin() .. store_commit(); a writing function outside asserts. store_commit() checks again
 * what was asserted where it was made, and refuses the whole transaction with INTERNAL (rolled
 * back) where: a ledger transaction's entries do not sum to zero or are not as many as it says; an
 * escrow account is below zero; a GPU is held by two leases that are not renewals of each other.
 * After any failed call inside a transaction the caller rolls back. One writer: a second process
 * that opens the same path for writing is refused.
 *
 * Results: arrays and texts lie in the arena given. NOT_FOUND is an answer with a fault text.
 * Errors otherwise: IO (disk), CORRUPT (not ours, or made by a newer release), EXHAUSTED (arena).
 * Thread rule: one thread per store; several stores on one path (one writing) are fine. Complexity:
 * O(log n) per row unless said.
 */
#ifndef ENTENTE_BROKER_STORE_STORE_H
#define ENTENTE_BROKER_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/bytes.h"
#include "base/domain/name.h"
#include "base/fault.h"

struct store; /* opaque */

enum store_mode {
    STORE_CREATE, /* makes a new one (EXISTS where the file is there), then writes */
    STORE_WRITE,  /* NOT_FOUND where there is none; migrates an older schema forward */
    STORE_READ,   /* sees committed state only, also while another process writes; path as above */
    STORE_MEMORY  /* for tests; path is ignored */
};

enum {
    STORE_SCHEMA_VERSION = 7, /* the newest migration */
    STORE_SETTING_BYTES_MAX = 1024 * 1024,
    REQUEST_KEPT_MS = 7 * 24 * 3600 * 1000 /* how long a request key is remembered */
};

/* Opens with files readable by their owner only. *store is set exactly on OK. */
MUST_USE enum status store_open(const char *path, enum store_mode mode, struct store **store,
                                struct fault *fault);

/* Rolls back what is open; NULL is fine. */
void store_close(struct store *store);

/* One at a time, no nesting (asserts). */
MUST_USE enum status store_begin(struct store *store, struct fault *fault);
MUST_USE enum status store_commit(struct store *store, struct fault *fault);
/* Nothing happens where none is open, so an error path may always call it. */
void store_rollback(struct store *store);
bool store_in_transaction(const struct store *store);

/*
 * From here on a commit is whole on disk or not there at all, and survives kill -9; what makes it
 * survive power loss is the next store_sync(), for all commits before it at once. So nothing that
 * rests on a commit may leave the process while store_unsynced(): the daemon's loop sees to that
 * (rpc_loop_set_barrier()). A failed sync has no second try: what it failed to write may be
 * forgotten by the system, so the process must end without another word.
 */
MUST_USE enum status store_defer_sync(struct store *store, struct fault *fault);
bool store_unsynced(const struct store *store);
MUST_USE enum status store_sync(struct store *store, struct fault *fault);

/* Until store_read_end() everything is read from one committed state, whatever another process
 * commits meanwhile. Not inside store_begin(), nor nested (asserts). */
MUST_USE enum status store_read_begin(struct store *store, struct fault *fault);
void store_read_end(struct store *store);

/* --- settings: small named values of the federation (its name, lease key ids, revocation number)
 */

MUST_USE enum status store_setting_put(struct store *store, const char *name, struct bytes value,
                                       struct fault *fault);
/* NOT_FOUND where never put. */
MUST_USE enum status store_setting_get(struct store *store, const char *name, struct arena *arena,
                                       struct bytes *value, struct fault *fault);
MUST_USE enum status store_number_put(struct store *store, const char *name, int64_t value,
                                      struct fault *fault);
/* `fallback` where never put. */
MUST_USE enum status store_number_get(struct store *store, const char *name, int64_t fallback,
                                      int64_t *value, struct fault *fault);

/* The broker's incarnation, part of every lease id: 1 in a new store; `restore` raises it to what
 * none before it had: at least one more, and at least `least`. */
MUST_USE enum status store_incarnation(struct store *store, uint64_t *incarnation,
                                       struct fault *fault);
MUST_USE enum status store_incarnation_raise(struct store *store, uint64_t least,
                                             uint64_t *incarnation, struct fault *fault);

/* --- request keys: the same request has its effect once. The rule is in broker/request.h */

struct store_request {
    struct name caller; /* "" for the operator */
    struct digest key;
    struct digest content; /* of the request: the same key with other content is a mistake */
    int64_t issued_wall_ms;
};

/* EXISTS where caller and key are there. */
MUST_USE enum status store_request_add(struct store *store, const struct store_request *request,
                                       struct fault *fault);
/* NOT_FOUND where it is not. */
MUST_USE enum status store_request_find(struct store *store, const struct name *caller,
                                        const struct digest *key, struct store_request *request,
                                        struct fault *fault);
/* Forgets keys issued before that time. O(forgotten). */
MUST_USE enum status store_requests_forget(struct store *store, int64_t before_wall_ms,
                                           struct fault *fault);

#endif
