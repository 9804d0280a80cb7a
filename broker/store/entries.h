/*
 * Store, entries: the raw rows of the ledger. Accounts with balances, transactions, entries with
 * their hashes. Append-only: the database itself refuses to change or delete a transaction or
 * entry.
 *
 * For broker/ledger alone, which makes the hashes and keeps the rules. Contract as in store.h.
 */
#ifndef ENTENTE_BROKER_STORE_ENTRIES_H
#define ENTENTE_BROKER_STORE_ENTRIES_H

#include "broker/store/store.h"
#include "proto/wire/messages.h"

enum { ACCOUNT_TEXT_MAX = 16 + NAME_BYTES_MAX + 1, REFERENCE_BYTES_MAX = 255 };

/* A ledger transaction's head row. */
struct store_transaction {
    uint64_t transaction; /* 1, 2, ... without gaps */
    int64_t posted_wall_ms;
    const char *kind;
    const char *reference;
    uint64_t first; /* sequence of its first entry; the others follow */
    uint32_t entries;
    uint64_t reverses; /* 0: none */
};

struct store_entry {
    uint64_t sequence; /* 1, 2, ... without gaps */
    uint64_t transaction;
    char account[ACCOUNT_TEXT_MAX];
    struct credits amount;
    struct credits balance; /* of the account after it */
    struct digest hash;
};

/* The newest entry: sequence 0 and a zero hash where there is none. */
struct store_ledger_head {
    uint64_t sequence;
    uint64_t transaction;
    int64_t posted_wall_ms;
    struct digest hash;
};

MUST_USE enum status store_ledger_head(struct store *store, struct store_ledger_head *head,
                                       struct fault *fault);
MUST_USE enum status store_ledger_head_put(struct store *store,
                                           const struct store_ledger_head *head,
                                           struct fault *fault);
/* 0 where the account has no entry. */
MUST_USE enum status store_balance(struct store *store, const char *account,
                                   struct credits *balance, struct fault *fault);
/* EXISTS where it reverses a transaction that was reversed before. */
MUST_USE enum status store_transaction_add(struct store *store,
                                           const struct store_transaction *transaction,
                                           struct fault *fault);
MUST_USE enum status store_transaction_find(struct store *store, uint64_t number,
                                            struct arena *arena, struct store_transaction *found,
                                            struct fault *fault);
/* The newest of that kind with exactly that reference; NOT_FOUND. */
MUST_USE enum status store_transaction_by_reference(struct store *store, const char *kind,
                                                    const char *reference, uint64_t *number,
                                                    struct fault *fault);
/* Appends, and sets the account's balance. */
MUST_USE enum status store_entry_add(struct store *store, const struct store_entry *entry,
                                     struct fault *fault);

/* Entries ascending by sequence: account "" for all; posted in [from, until), until 0: no end. */
struct store_entry_filter {
    const char *account;
    int64_t from_wall_ms;
    int64_t until_wall_ms;
    uint64_t after; /* sequence */
    uint32_t rows;
};

/* An entry with its transaction, and what verification wants to know. */
struct store_listed_entry {
    struct ledger_entry entry;
    struct credits balance; /* of the account after it, as kept */
    uint64_t transaction_first;
    uint32_t transaction_entries;
};

MUST_USE enum status store_entry_list(struct store *store, const struct store_entry_filter *filter,
                                      struct arena *arena, struct store_listed_entry **entries,
                                      uint32_t *count, struct fault *fault);
/* The account's balance by the entries posted before that time. */
MUST_USE enum status store_balance_before(struct store *store, const char *account,
                                          int64_t before_wall_ms, struct credits *balance,
                                          struct fault *fault);

struct store_account {
    char account[ACCOUNT_TEXT_MAX];
    struct credits balance;      /* as kept */
    struct credits lease_escrow; /* escrow accounts: what the open leases of the home hold */
};

/* By account. O(accounts + open leases). */
MUST_USE enum status store_account_list(struct store *store, struct arena *arena,
                                        struct store_account **accounts, uint32_t *count,
                                        struct fault *fault);

#endif
