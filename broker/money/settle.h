/*
 * Settle: a receipt -> ledger entries. Metered use, signed by host and home, is paid from the
 * home's escrow to the beneficiaries of the lease's price.
 *
 *   amount = min(price × GPUs × (held − unpayable), what the lease's cap still allows)
 *
 * split over the lease's shares by largest remainder (settle_split), to the micro-credit. With the
 * last receipt the rest of the escrow goes back, the lease is SETTLED, and a renewal of it that has
 * not begun is voided unless the outcome is RENEWED. Time held over beyond the lease's duration is
 * payable within its holdover limit where home signed. A lease at home (home = host) settles to 0.
 *
 * Natural key: (lease, sequence). The same receipt again gets the same verdict and no second
 * posting. Refused by name, for ever or for now, and nothing is posted: forged (a signature isn't
 * the lease's host's or home's over these exact bytes), of another lease's job or members,
 * conflicting with one settled, out of sequence, of a lease that never was or is void, impossible
 * in time (longer than since the grant, or than duration + holdover + grace; ended in the future).
 * Unsigned by home: kept, and taken without it when home stayed silent for silent_home_ms after it
 * was first seen. Disputed by home (dispute.h): kept until there is an outcome, which says for how
 * long it is paid.
 *
 * Thread rule: the store's. Complexity: O(shares) postings a receipt.
 */
#ifndef ENTENTE_BROKER_MONEY_SETTLE_H
#define ENTENTE_BROKER_MONEY_SETTLE_H

#include "broker/lease/lease.h"
#include "broker/store/leases.h"

/* The answer to one receipt. */
struct settle_verdict {
    struct lease_id lease;
    uint32_t sequence;
    bool accepted;                             /* or accepted before: the host may forget it */
    struct credits amount;                     /* paid for it, now or then */
    char reason[RECEIPT_REASON_BYTES_MAX + 1]; /* "" or why not, or "paid the lease's cap: ..." */
};

/*
 * Settles one receipt reported by `member` (DENIED as a verdict where it is not the lease's host),
 * in the caller's open transaction. A refusal is a verdict with accepted = false and status OK, and
 * nothing but a kept receipt has changed; a status says that the store failed (roll back). A body
 * that does not decode gives a verdict with a zero lease.
 */
MUST_USE enum status settle_receipt(struct store *store, const struct name *member,
                                    const struct signed_receipt *receipt,
                                    const struct lease_limits *limits, int64_t now_wall_ms,
                                    struct settle_verdict *verdict, struct fault *fault);

/* Reverses what was posted for a settled receipt and posts it anew for that payable time; never
 * more than it was. Paid from the home's own account, since the escrow is gone; side payments of
 * the round stay. For broker/money/dispute. */
MUST_USE enum status settle_correct(struct store *store, struct store_lease *lease,
                                    const struct store_receipt *receipt, int64_t payable_ms,
                                    int64_t now_wall_ms, struct fault *fault);

enum { SETTLE_REFERENCE_MAX = LEASE_ID_TEXT_MAX + 32 };

/* "LEASE receipt N": of what is posted for a receipt. */
void settle_reference(const char *lease, uint32_t sequence, char text[static SETTLE_REFERENCE_MAX]);

/* Splits amount over the shares in proportion to their prices: floor, then the largest remainders
 * (ties: the earlier share) get one micro-credit more. parts[share_count] sums to amount exactly.
 * amount >= 0; where all prices are 0 amount must be 0. Pure. */
void settle_split(struct credits amount, const struct lease_share *shares, uint32_t share_count,
                  struct credits *parts);

#endif
