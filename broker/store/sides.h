/*
 * Store, sides: the side payments of a round: who pays and receives how much if all is delivered,
 * what is held in escrow for it, and what each lease of the round has delivered.
 *
 * For broker/money/sides alone, which moves the money. Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_SIDES_H
#define ENTENTE_BROKER_STORE_SIDES_H

#include "broker/store/entries.h"

/* One account's side payment. */
struct store_side_part {
    char account[ACCOUNT_TEXT_MAX];
    struct credits amount;   /* > 0 received; not zero */
    struct credits escrowed; /* held now in the payer's escrow account */
};

/* A lease of the round, by its number in the round. */
struct store_side_lease {
    uint32_t number;
    struct credits worth; /* a round of it, by the plan */
    int64_t planned_ms;   /* > 0: the use that the plan counted */
    int64_t delivered_ms; /* payable time of its receipts */
    bool open;            /* more may come */
};

struct store_sides {
    uint64_t round;
    struct credits worth; /* > 0: the plan's surplus */
    bool settled;
    struct credits delivered; /* of the worth; where settled */
    struct store_side_part *parts;
    uint32_t part_count;
    struct store_side_lease *leases;
    uint32_t lease_count;
};

/* EXISTS where the round has some. */
MUST_USE enum status store_sides_add(struct store *store, const struct store_sides *sides,
                                     struct fault *fault);
/* NOT_FOUND where the round has none. */
MUST_USE enum status store_sides_find(struct store *store, uint64_t round, struct arena *arena,
                                      struct store_sides *sides, struct fault *fault);
/* Adds to what a lease has delivered; nothing where its round has no side payments. */
/* Is the stored round of that number another broker incarnation's than the lease? A restored broker
 * numbers its rounds on from the backup, and adopts leases of rounds that it forgot. */
MUST_USE enum status store_side_foreign(struct store *store, struct lease_id lease, bool *foreign,
                                        struct fault *fault);
MUST_USE enum status store_side_deliver(struct store *store, uint64_t round, uint32_t number,
                                        int64_t ms, struct fault *fault);
/* Nothing more comes of a lease. *last: it was the last open one of a round that is not settled. */
MUST_USE enum status store_side_close(struct store *store, uint64_t round, uint32_t number,
                                      bool *last, struct fault *fault);
/* The round is settled: nothing is in escrow any more. */
MUST_USE enum status store_sides_settle(struct store *store, uint64_t round,
                                        struct credits delivered, struct fault *fault);

#endif
