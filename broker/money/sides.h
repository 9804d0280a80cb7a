/*
 * Sides: the side payments of a round, from commit to settlement (DESIGN §3).
 *
 * A round whose mechanism is not Owen's fixes with its plan what each member pays or receives
 * beside the prices, zero in sum. Commit reserves what payers owe. Each lease carries of it the
 * part that its worth is of the plan's surplus, and delivers as much as its payable time is of the
 * time that the plan counted (at most all):
 *
 *   delivered = Σ_lease worth × min(payable, planned) / planned       of the plan's surplus
 *
 * When the last lease of the round is final, payers pay amount × delivered / surplus, rounded down,
 * and receivers share what came together (largest remainder); the rest of the escrow goes back. So
 * a lease that was dropped, voided or failed takes its part of the side payments with it. One
 * posting of kind `side` a round; a settlement reversed later does not move it.
 *
 * All functions want an open transaction; after a failure the caller rolls back. Thread rule: the
 * store's. Complexity: O(members + leases) a round, O(log n) a receipt.
 */
#ifndef ENTENTE_BROKER_MONEY_SIDES_H
#define ENTENTE_BROKER_MONEY_SIDES_H

#include "base/domain/lease.h"
#include "broker/store/sides.h"

/* Parts come with escrowed = 0; what members pay is reserved here and noted. EXHAUSTED where a
 * payer's funds don't reach; INTERNAL where the parts do not sum to zero. Without leases nothing is
 * posted. */
MUST_USE enum status sides_commit(struct store *store, struct store_sides *sides,
                                  int64_t now_wall_ms, struct fault *fault);

/* A receipt of a lease was paid for so long. Nothing where its round has no side payments. */
MUST_USE enum status sides_deliver(struct store *store, struct lease_id lease, int64_t payable_ms,
                                   struct fault *fault);

/* A lease is final; settles its round where it was the last. */
MUST_USE enum status sides_close(struct store *store, struct lease_id lease, int64_t now_wall_ms,
                                 struct fault *fault);

/* Σ worth × min(delivered, planned) / planned, each term rounded down. Pure. */
struct credits sides_delivered(const struct store_sides *sides);

/* What each part comes to when so much was delivered: payers' rounded down, receivers' by largest
 * remainder; amounts[part_count] sum to zero. Pure. */
MUST_USE enum status sides_scale(const struct store_sides *sides, struct credits delivered,
                                 struct arena *arena, struct credits **amounts,
                                 struct fault *fault);

#endif
