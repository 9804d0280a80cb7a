/*
 * Store, settlements: closed settlement periods and the members' net positions in them, and what
 * the ledger's entries between two of them come to.
 *
 * Written by broker/money/settlement alone. Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_SETTLEMENTS_H
#define ENTENTE_BROKER_STORE_SETTLEMENTS_H

#include "broker/store/entries.h"
#include "proto/wire/messages.h"

struct store_settlement {
    uint64_t period; /* 1, 2, ... */
    int64_t from_wall_ms;
    int64_t until_wall_ms;
    int64_t due_wall_ms;
    uint64_t sequence; /* newest ledger entry in it: the next period's begin after it */
};

MUST_USE enum status store_settlement_add(struct store *store,
                                          const struct store_settlement *settlement,
                                          struct fault *fault);
/* period 0: the newest. NOT_FOUND where there is none. */
MUST_USE enum status store_settlement_find(struct store *store, uint64_t period,
                                           struct store_settlement *settlement,
                                           struct fault *fault);
/* Newest first, those below `before` (0: all). */
MUST_USE enum status store_settlement_list(struct store *store, uint64_t before, uint32_t rows,
                                           struct arena *arena,
                                           struct store_settlement **settlements, uint32_t *count,
                                           struct fault *fault);

/* A member's row; open and overdue are not stored. */
MUST_USE enum status store_settlement_row_add(struct store *store, uint64_t period,
                                              const struct settlement_row *row,
                                              struct fault *fault);
/* By member. */
MUST_USE enum status store_settlement_rows(struct store *store, uint64_t period,
                                           struct arena *arena, struct settlement_row **rows,
                                           uint32_t *count, struct fault *fault);

/* What came to and went from the account, by the kind of posting, in entries after..until. */
struct store_flow {
    char account[ACCOUNT_TEXT_MAX];
    char kind[16];
    struct credits in;  /* >= 0 */
    struct credits out; /* <= 0 */
};

/* O(entries in between). */
MUST_USE enum status store_flow_list(struct store *store, uint64_t after, uint64_t until,
                                     struct arena *arena, struct store_flow **flows,
                                     uint32_t *count, struct fault *fault);
/* Deposits to an account in entries after that one. */
MUST_USE enum status store_deposits_after(struct store *store, const char *account, uint64_t after,
                                          struct credits *amount, struct fault *fault);

#endif
