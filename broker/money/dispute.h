/*
 * Dispute: a receipt that its home does not accept, from its refusal to an outcome. [DESIGN §6]
 *
 *   state      | answer (host) | concede (host) | withdraw (home) | rule (operator) | deadline
 *   open       | answered      | conceded       | withdrawn       | ruled           | lapsed
 *   answered   | –             | conceded       | withdrawn       | ruled           | –
 *
 * Home opens one with what it saw (payable_ms) and why, for a lease of its own whose receipt it has
 * not signed: before the receipt is settled, or within DISPUTE_WINDOW_MS after it was taken without
 * home's word. A host that reports a disputed receipt again stands by it: that is its answer.
 * While a dispute is open nothing is paid for the receipt and the escrow stays held. The outcome
 * is a payable time: the receipt's own (withdrawn), home's (conceded; lapsed), the operator's
 * (ruled). What was posted before is reversed and posted anew; a lapse leaves it as it is, since a
 * host need not watch what was settled. Final states stay. Every writing function wants an open
 * transaction. Thread rule: the store's.
 */
#ifndef ENTENTE_BROKER_MONEY_DISPUTE_H
#define ENTENTE_BROKER_MONEY_DISPUTE_H

#include "broker/lease/lease.h"
#include "broker/store/disputes.h"

enum {
    DISPUTE_WINDOW_MS = 7 * 24 * 3600 * 1000,
    DISPUTES_OPEN_MAX = 1000, /* of one member as home */
    DISPUTES_PER_SWEEP = 256
};

enum dispute_party { DISPUTE_HOME, DISPUTE_HOST, DISPUTE_OPERATOR, DISPUTE_TIME };

/* The table; false for a pair that is not listed. `lapse` is the move of time. Pure. */
MUST_USE bool dispute_next(enum dispute_state state, enum dispute_action action, bool lapse,
                           enum dispute_state *next);

bool dispute_final(enum dispute_state state);
const char *dispute_state_name(enum dispute_state state);

/* What `member` ("" for the operator) does. NOT_FOUND, DENIED (not its to do), PRECONDITION (not in
 * this state; signed by home; too late), INVALID (payable beyond what was claimed), EXHAUSTED.
 * Repeated it changes nothing. */
MUST_USE enum status dispute_act(struct store *store, const struct name *member,
                                 const struct dispute_request *request,
                                 const struct lease_limits *limits, int64_t now_wall_ms,
                                 struct store_dispute *dispute, struct fault *fault);

/* Those whose deadline passed unanswered. *lapsed counts them. */
MUST_USE enum status dispute_sweep(struct store *store, const struct lease_limits *limits,
                                   int64_t now_wall_ms, struct arena *arena, uint32_t *lapsed,
                                   struct fault *fault);

/* As it is shown. Texts are the dispute's own. */
MUST_USE enum status dispute_show(struct store *store, const struct store_dispute *dispute,
                                  struct dispute_row *row, struct fault *fault);

#endif
