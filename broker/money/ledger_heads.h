/*
 * Ledger, heads: this ledger against what the broker once signed of it and members kept.
 *
 * A head says "entry S has hash H". An entry's hash covers all entries before it, so a head that
 * agrees vouches for the whole chain up to it. One that does not agree proves that entries were
 * taken away or changed, unless a restore from a backup (which is on record) began again before S:
 * then the entries after it are lost and known to be. Thread rule: the store's.
 */
#ifndef ENTENTE_BROKER_MONEY_LEDGER_HEADS_H
#define ENTENTE_BROKER_MONEY_LEDGER_HEADS_H

#include "broker/store/heads.h"

enum ledger_head_verdict {
    LEDGER_HEAD_AGREES,
    LEDGER_HEAD_LOST,        /* taken away by a restore on record */
    LEDGER_HEAD_MISSING,     /* the ledger is shorter: truncated, or put back without `restore` */
    LEDGER_HEAD_CONTRADICTED /* the entry is there, and is another one */
};

/* One head whose signature was verified before. *lost (nullable): entries up to the head that the
 * restore took away. O(restores + log entries). */
MUST_USE enum status ledger_head_judge(struct store *store, const struct ledger_head *head,
                                       enum ledger_head_verdict *verdict, uint64_t *lost,
                                       struct fault *fault);

/* Compares them all with the ledger: counts them in *result, and where one proves something wrong
 * makes it the result's problem (the first one keeps its place). O(heads). */
MUST_USE enum status ledger_heads_compare(struct store *store, const struct store_head *heads,
                                          uint32_t count, struct arena *arena,
                                          struct ledger_verify_response *result,
                                          struct fault *fault);

#endif
