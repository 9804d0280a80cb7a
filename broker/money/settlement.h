/*
 * Settlement: periods of the ledger, at whose end each member's net position is written down.
 *
 * Within a period members run accounts up to their credit limits; at its end what is below zero
 * (escrow counted as theirs) is owed and due some time later, and is paid in by a deposit or earned
 * by lending. What is open after the due date is overdue: such a member gets no new lease as a home
 * (its funds count as 0; leases that run finish, and it may go on lending, which pays it back).
 * A revoked member's account closes at zero: by withdrawal or deposit, or by writing off what it
 * owes to the account federation/losses. Net positions only restate the ledger; writing them moves
 * nothing. Thread rule: the store's.
 */
#ifndef ENTENTE_BROKER_MONEY_SETTLEMENT_H
#define ENTENTE_BROKER_MONEY_SETTLEMENT_H

#include "broker/config.h"
#include "broker/store/settlements.h"

/* Closes the present period in the caller's transaction: rows of all members that were ever
 * admitted. */
MUST_USE enum status settlement_close(struct store *store, const struct broker_config *config,
                                      int64_t now_wall_ms, uint64_t *period, struct fault *fault);

/* The same where the period is over; *closed says so. Begins the first one where there is none. */
MUST_USE enum status settlement_sweep(struct store *store, const struct broker_config *config,
                                      int64_t now_wall_ms, bool *closed, struct fault *fault);

/* period 0: the newest. NOT_FOUND. With what is open and overdue now. */
MUST_USE enum status settlement_show(struct store *store, uint64_t period, int64_t now_wall_ms,
                                     struct arena *arena, struct settlement_response *response,
                                     struct fault *fault);

MUST_USE enum status settlement_list(struct store *store, const struct page_request *page,
                                     int64_t now_wall_ms, struct arena *arena,
                                     struct settlements_response *response, struct fault *fault);

/* What the member owes of closed periods whose due date is over. O(periods not paid). */
MUST_USE enum status settlement_overdue(struct store *store, const struct name *member,
                                        int64_t now_wall_ms, struct credits *overdue,
                                        struct fault *fault);

/* Writes a revoked member's debt off, in the caller's transaction. PRECONDITION where it is not
 * revoked or still has money in escrow, or money of its own (withdraw it). At zero: no change. */
MUST_USE enum status settlement_write_off(struct store *store, const struct name *member,
                                          const char *reference, int64_t now_wall_ms,
                                          struct fault *fault);

#endif
