/*
 * Ledger: the hash of an entry, and the proof that a stored ledger is what was posted.
 *
 * Verification trusts nothing that is kept beside the entries: it walks them once, recomputes the
 * chain, adds up transactions and accounts, and compares with what is kept. [DESIGN §8.2]
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "broker/money/ledger.h"
#include "broker/money/ledger_heads.h"
#include "proto/identity/identity.h"

enum { VERIFY_PAGE = 1000, VERIFY_PAGE_BYTES = 8 * 1024 * 1024, PROBLEM_BYTES_MAX = 512 };

/* --- the hash */

static void add_number(struct digest_state *state, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    digest_add(state, bytes, sizeof bytes);
}

static void add_text(struct digest_state *state, const char *text)
{
    size_t length = strlen(text);
    add_number(state, length);
    digest_add(state, text, length);
}

void ledger_entry_hash(const struct digest *before, const struct ledger_entry *entry,
                       struct digest *hash)
{
    struct digest_state state;
    digest_begin(&state);
    add_text(&state, "entente ledger entry 1");
    digest_add(&state, before->bytes, sizeof before->bytes);
    add_number(&state, entry->sequence);
    add_number(&state, entry->transaction);
    add_number(&state, (uint64_t)entry->posted_wall_ms);
    add_text(&state, entry->account);
    add_number(&state, (uint64_t)entry->amount.micros);
    add_text(&state, entry->kind);
    add_text(&state, entry->reference);
    digest_end(&state, hash);
}

/* --- verification */

/* An account as its entries make it. */
struct running {
    char account[ACCOUNT_TEXT_MAX]; /* the hash key */
    struct credits balance;
    bool kept; /* the store has a balance of it too */
    UT_hash_handle hh;
};

/* What the walk over the entries carries along. */
struct walk {
    struct arena *arena;
    struct running *accounts;
    uint64_t sequence;
    uint64_t transaction;
    int64_t posted_wall_ms;
    struct digest hash;
    uint32_t left;      /* entries the present transaction still wants */
    struct credits sum; /* of its entries so far */
    char problem[PROBLEM_BYTES_MAX];
};

static void problem_set(struct walk *walk, const char *what, uint64_t number, const char *why)
{
    if (walk->problem[0] == '\0')
        snprintf(walk->problem, sizeof walk->problem, "%s %llu: %s", what,
                 (unsigned long long)number, why);
}

static void transaction_close(struct walk *walk)
{
    if (walk->left != 0)
        problem_set(walk, "transaction", walk->transaction, "entries of it are missing");
    if (walk->sum.micros != 0)
        problem_set(walk, "transaction", walk->transaction, "its entries do not sum to zero");
}

static void transaction_open(struct walk *walk, const struct store_listed_entry *listed)
{
    const struct ledger_entry *entry = &listed->entry;
    transaction_close(walk);
    if (entry->transaction != walk->transaction + 1 || listed->transaction_first == 0)
        problem_set(walk, "transaction", walk->transaction + 1, "it is missing");
    if (entry->posted_wall_ms < walk->posted_wall_ms)
        problem_set(walk, "transaction", entry->transaction, "it is dated before its forerunner");
    if (listed->transaction_first != entry->sequence)
        problem_set(walk, "transaction", entry->transaction, "its first entry is another");
    walk->transaction = entry->transaction;
    walk->posted_wall_ms = entry->posted_wall_ms;
    walk->left = listed->transaction_entries;
    walk->sum = (struct credits){0};
}

static struct running *running_find(struct walk *walk, const char *account)
{
    struct running *found = NULL;
    HASH_FIND_STR(walk->accounts, account, found);
    return found;
}

static enum status balance_check(struct walk *walk, const struct store_listed_entry *listed,
                                 struct fault *fault)
{
    const struct ledger_entry *entry = &listed->entry;
    struct running *running = running_find(walk, entry->account);
    if (running == NULL) {
        running = arena_alloc(walk->arena, 1, sizeof *running);
        if (running != NULL) {
            snprintf(running->account, sizeof running->account, "%s", entry->account);
            HASH_ADD_STR(walk->accounts, account, running);
        }
        if (running == NULL || !HASH_TOOK(running))
            return fault_set(fault, STATUS_EXHAUSTED, "no memory for so many accounts");
    }
    if (!credits_add(running->balance, entry->amount, &running->balance) ||
        running->balance.micros != listed->balance.micros)
        problem_set(walk, "entry", entry->sequence,
                    "the balance kept with it is not the sum of the account's entries");
    return STATUS_OK;
}

static void entry_check(struct walk *walk, const struct store_listed_entry *listed)
{
    const struct ledger_entry *entry = &listed->entry;
    struct digest hash;
    if (entry->sequence != walk->sequence + 1)
        problem_set(walk, "entry", walk->sequence + 1, "it is missing");
    if (entry->transaction != walk->transaction)
        transaction_open(walk, listed);
    ledger_entry_hash(&walk->hash, entry, &hash);
    if (!digest_equal(&hash, &entry->hash))
        problem_set(walk, "entry", entry->sequence,
                    "its hash does not follow from it and the entry before: one of them was "
                    "changed after it was posted");
    if (walk->left == 0)
        problem_set(walk, "entry", entry->sequence, "its transaction has fewer entries");
    else
        walk->left--;
    if (!credits_add(walk->sum, entry->amount, &walk->sum))
        problem_set(walk, "entry", entry->sequence, "its transaction overflows");
    walk->sequence = entry->sequence;
    walk->hash = entry->hash;
}

static enum status entries_walk(struct store *store, struct walk *walk, struct fault *fault)
{
    enum status status = STATUS_OK;
    uint32_t count = VERIFY_PAGE;
    struct arena arena;
    arena_init(&arena, VERIFY_PAGE_BYTES);
    while (status == STATUS_OK && count == VERIFY_PAGE && walk->problem[0] == '\0') {
        struct store_listed_entry *listed = NULL;
        const struct store_entry_filter filter = {
            .account = "", .after = walk->sequence, .rows = VERIFY_PAGE};
        status = store_entry_list(store, &filter, &arena, &listed, &count, fault);
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
            entry_check(walk, &listed[i]);
            status = balance_check(walk, &listed[i], fault);
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    transaction_close(walk);
    return status;
}

static enum status head_check(struct store *store, struct walk *walk, struct fault *fault)
{
    struct store_ledger_head head;
    enum status status = store_ledger_head(store, &head, fault);
    if (status != STATUS_OK)
        return status;
    if (head.sequence != walk->sequence || head.transaction != walk->transaction ||
        !digest_equal(&head.hash, &walk->hash))
        problem_set(walk, "entry", head.sequence,
                    "the ledger's head says that this is the newest entry, and it is not: entries "
                    "were removed or added");
    return STATUS_OK;
}

static void account_check(struct walk *walk, const struct store_account *account)
{
    const char *why = "";
    struct ledger_account parsed;
    struct running *running = running_find(walk, account->account);
    if (running != NULL)
        running->kept = true;
    if (!ledger_account_parse(account->account, &parsed))
        why = "there is no such account";
    else if (account->balance.micros != (running == NULL ? 0 : running->balance.micros))
        why = "its balance is not the sum of its entries";
    else if (parsed.kind == ACCOUNT_ESCROW &&
             account->balance.micros != account->lease_escrow.micros)
        why = "it does not hold what its leases reserved";
    if (why[0] != '\0' && walk->problem[0] == '\0')
        snprintf(walk->problem, sizeof walk->problem, "account %s: %s", account->account, why);
}

static enum status accounts_check(struct store *store, struct arena *arena, struct walk *walk,
                                  struct credits *sum, struct fault *fault)
{
    struct store_account *accounts = NULL;
    uint32_t count = 0;
    enum status status = store_account_list(store, arena, &accounts, &count, fault);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        account_check(walk, &accounts[i]);
        if (!credits_add(*sum, accounts[i].balance, sum) && walk->problem[0] == '\0')
            snprintf(walk->problem, sizeof walk->problem, "the balances overflow");
    }
    for (struct running *it = walk->accounts; it != NULL; it = it->hh.next)
        if (!it->kept && walk->problem[0] == '\0')
            snprintf(walk->problem, sizeof walk->problem, "account %s: its balance is missing",
                     it->account);
    if (sum->micros != 0 && walk->problem[0] == '\0')
        snprintf(walk->problem, sizeof walk->problem, "the balances do not sum to zero");
    return status;
}

static enum status check_all(struct store *store, struct arena *arena, struct walk *walk,
                             struct credits *sum, struct fault *fault)
{
    enum status status = entries_walk(store, walk, fault);
    if (status == STATUS_OK && walk->problem[0] == '\0')
        status = head_check(store, walk, fault);
    if (status == STATUS_OK)
        status = accounts_check(store, arena, walk, sum, fault);
    HASH_CLEAR(hh, walk->accounts);
    return status;
}

static enum status heads_check(struct store *store, struct arena *arena,
                               struct ledger_verify_response *result, struct fault *fault)
{
    struct store_head *heads = NULL;
    uint32_t count = 0;
    enum status status = store_head_list(store, arena, &heads, &count, fault);
    return status == STATUS_OK ? ledger_heads_compare(store, heads, count, arena, result, fault)
                               : status;
}

static enum status verify(struct store *store, struct arena *arena,
                          struct ledger_verify_response *result, struct fault *fault)
{
    struct walk walk = {.arena = arena};
    enum status status = check_all(store, arena, &walk, &result->sum, fault);
    if (status != STATUS_OK)
        return status;
    result->entries = walk.sequence;
    result->transactions = walk.transaction;
    result->head = walk.hash;
    result->verified = walk.problem[0] == '\0';
    result->problem = arena_copy_text(arena, walk.problem, strlen(walk.problem));
    if (result->problem == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the answer");
    return heads_check(store, arena, result, fault);
}

enum status ledger_verify(struct store *store, struct arena *arena,
                          struct ledger_verify_response *result, struct fault *fault)
{
    *result = (struct ledger_verify_response){.problem = ""};
    enum status status = store_read_begin(store, fault);
    if (status != STATUS_OK)
        return status;
    status = verify(store, arena, result, fault);
    store_read_end(store);
    return status;
}
