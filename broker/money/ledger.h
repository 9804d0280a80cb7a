/*
 * Ledger: who owes what. Double-entry, append-only, hash-chained, on the store.
 *
 * Accounts: member/NAME (available; may go below zero to the member's credit limit), escrow/NAME
 * (held for the leases of that home; never below zero), federation/endowment (the other side of
 * deposits). The entries of a transaction sum to zero: asserted here, checked again by
 * store_commit(). An entry carries SHA-256 over itself and the hash before (ledger_entry_hash), so
 * that the head stands for the whole history. Entries are never edited; corrections are reversals.
 * Posting times never go backwards, whatever the wall clock does.
 *
 * All writing functions want an open transaction of the store and change nothing by themselves
 * until its commit; after a failure the caller rolls back. Ownership: results lie in the arena
 * given or in the caller's storage. Thread rule: the store's. Complexity: O(log n) an entry.
 */
#ifndef ENTENTE_BROKER_MONEY_LEDGER_H
#define ENTENTE_BROKER_MONEY_LEDGER_H

#include "broker/store/entries.h"
#include "broker/store/store.h"

enum ledger_account_kind {
    ACCOUNT_MEMBER,
    ACCOUNT_ESCROW,
    ACCOUNT_ENDOWMENT,
    ACCOUNT_LOSSES /* what members that left still owed */
};

struct ledger_account {
    enum ledger_account_kind kind;
    struct name member; /* "" for the federation's own */
};

/* "member/usc", "escrow/usc", "federation/endowment". Returns text. */
const char *ledger_account_format(const struct ledger_account *account,
                                  char text[static ACCOUNT_TEXT_MAX]);
MUST_USE bool ledger_account_parse(const char *text, struct ledger_account *account);

enum ledger_kind {
    LEDGER_DEPOSIT,
    LEDGER_WITHDRAWAL,
    LEDGER_ESCROW,    /* member/HOME -> escrow/HOME */
    LEDGER_SETTLE,    /* escrow/HOME -> beneficiaries */
    LEDGER_RELEASE,   /* escrow/HOME -> member/HOME: what was not used */
    LEDGER_REVERSAL,  /* of a whole transaction, negated */
    LEDGER_SIDE,      /* a round's side payments: escrow/PAYER -> receivers (money/sides.h) */
    LEDGER_WRITE_OFF, /* federation/losses -> member/NAME: a debt that nobody will pay */
    LEDGER_KIND_COUNT
};

const char *ledger_kind_name(enum ledger_kind kind); /* "deposit", ... */

struct ledger_posting {
    struct ledger_account account;
    struct credits amount; /* not zero */
};

enum { LEDGER_POSTINGS_MAX = 4096, LEDGER_PARTS_MAX = 64 };

struct ledger_transaction {
    enum ledger_kind kind;
    const char *reference; /* lease id, receipt, operator's text; <= REFERENCE_BYTES_MAX */
    int64_t now_wall_ms;
    const struct ledger_posting *postings; /* [posting_count], 2..LEDGER_POSTINGS_MAX */
    uint32_t posting_count;
};

/* Posts as one transaction. INVALID where the reference is too long; INTERNAL where the postings do
 * not sum to zero, one is zero, or an account would overflow; PRECONDITION where an escrow account
 * would go below zero. *transaction (nullable) is its number. Checks no funds: the functions below
 * do. */
MUST_USE enum status ledger_post(struct store *store, const struct ledger_transaction *transaction,
                                 uint64_t *number, struct fault *fault);

/* --- the verbs */

/* Positive: a deposit from the endowment. Negative: a withdrawal, EXHAUSTED beyond balance plus
 * credit limit. NOT_FOUND where there is no such member; INVALID for zero. Make it repeatable with
 * request_admit(). */
MUST_USE enum status ledger_deposit(struct store *store, const struct name *member,
                                    struct credits amount, const char *reference,
                                    int64_t now_wall_ms, struct fault *fault);

/* Sets a debt of that amount to zero. amount 0: nothing is posted. The rule is
 * settlement_write_off(). */
MUST_USE enum status ledger_write_off(struct store *store, const struct name *member,
                                      struct credits amount, const char *reference,
                                      int64_t now_wall_ms, struct fault *fault);

/* Phase one: reserves. EXHAUSTED where the home's funds don't reach. amount 0: nothing is posted.
 */
MUST_USE enum status ledger_reserve(struct store *store, const struct name *home,
                                    struct credits amount, const char *reference,
                                    int64_t now_wall_ms, struct fault *fault);
/* Phase two, void: gives back. amount 0: nothing is posted. */
MUST_USE enum status ledger_release(struct store *store, const struct name *home,
                                    struct credits amount, const char *reference,
                                    int64_t now_wall_ms, struct fault *fault);

struct ledger_part {
    struct name member;
    struct credits amount; /* >= 0 */
};

/* Phase two, post: pays the parts, first from at most `escrowed` of the home's escrow, the rest
 * from its account (holdover is billed even where funds don't reach). *used = taken from escrow. */
MUST_USE enum status ledger_settle(struct store *store, const struct name *home,
                                   struct credits escrowed, const struct ledger_part *parts,
                                   uint32_t part_count, const char *reference, int64_t now_wall_ms,
                                   struct credits *used, struct fault *fault);

/* Posts the negation of a deposit, withdrawal or settlement; what came out of escrow goes to the
 * home's own account. NOT_FOUND; EXISTS where reversed before; PRECONDITION for other kinds (a
 * lease is voided to undo its escrow). */
MUST_USE enum status ledger_reverse(struct store *store, uint64_t transaction,
                                    const char *reference, int64_t now_wall_ms,
                                    struct fault *fault);

/* --- reading */

MUST_USE enum status ledger_balance(struct store *store, const struct ledger_account *account,
                                    struct credits *balance, struct fault *fault);

/* What a member's account shows. */
struct ledger_position {
    struct credits balance; /* member/NAME: escrow is already out of it */
    struct credits escrow;
    struct credits credit_limit;
    struct credits funds; /* balance + credit limit, 0 where that is below: its row of the LP */
};

MUST_USE enum status ledger_position(struct store *store, const struct name *member,
                                     struct ledger_position *position, struct fault *fault);

/* The newest entry's sequence and hash; 0 and zeros where there is none. */
MUST_USE enum status ledger_head(struct store *store, uint64_t *sequence, struct digest *hash,
                                 struct fault *fault);
/* The hash of the entry with that sequence (0: zeros), to compare with a head a peer saw.
 * NOT_FOUND: this ledger is shorter, so it was truncated or restored. */
MUST_USE enum status ledger_hash_at(struct store *store, uint64_t sequence, struct digest *hash,
                                    struct fault *fault);

/* All entries after `after`, a page of at most `rows`; *next_after 0: that was all. */
MUST_USE enum status ledger_page(struct store *store, uint64_t after, uint32_t rows,
                                 struct arena *arena, struct ledger_page_response *page,
                                 struct fault *fault);

/* The entries of member/NAME posted in [from, until); until 0: no end. opening and closing are the
 * account's balance at from and until, so opening + all pages' entries = closing; escrow is the
 * member's escrow now. */
MUST_USE enum status ledger_statement(struct store *store, const struct statement_request *request,
                                      struct arena *arena, struct statement_response *statement,
                                      struct fault *fault);

/* Recomputes everything from the entries: sequence without gaps, hash chain, running balances, sums
 * of transactions, kept balances, total zero, escrow accounts against the leases, the head, and the
 * heads that members reported (ledger_heads.h). The answer is in *result (verified, or the first
 * problem by entry, account or transaction); the status says only whether it could be read. Not
 * inside a transaction. O(entries), in pages, little memory. */
MUST_USE enum status ledger_verify(struct store *store, struct arena *arena,
                                   struct ledger_verify_response *result, struct fault *fault);

/* The hash of an entry: SHA-256 of the tag "entente ledger entry 1", the hash before, and each
 * field (numbers 8 bytes little-endian, texts with their length before them). entry->hash is not
 * read. */
void ledger_entry_hash(const struct digest *before, const struct ledger_entry *entry,
                       struct digest *hash);

#endif
