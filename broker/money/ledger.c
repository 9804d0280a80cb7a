/*
 * Ledger: posting. Reading is in ledger_read.c, verification in ledger_verify.c.
 *
 * A posting reads the head, checks, and appends: transaction row, entries (hash of the one before,
 * running balance), new head. All of it is in the caller's transaction of the store.
 */
#include "broker/money/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "broker/store/members.h"

static const char account_member[] = "member/";
static const char account_escrow[] = "escrow/";
static const char account_endowment[] = "federation/endowment";
static const char account_losses[] = "federation/losses";

const char *ledger_account_format(const struct ledger_account *account,
                                  char text[static ACCOUNT_TEXT_MAX])
{
    switch (account->kind) {
    case ACCOUNT_MEMBER:
        snprintf(text, ACCOUNT_TEXT_MAX, "%s%s", account_member, account->member.text);
        break;
    case ACCOUNT_ESCROW:
        snprintf(text, ACCOUNT_TEXT_MAX, "%s%s", account_escrow, account->member.text);
        break;
    case ACCOUNT_ENDOWMENT: snprintf(text, ACCOUNT_TEXT_MAX, "%s", account_endowment); break;
    case ACCOUNT_LOSSES: snprintf(text, ACCOUNT_TEXT_MAX, "%s", account_losses); break;
    }
    return text;
}

static bool account_after(const char *text, const char *prefix, enum ledger_account_kind kind,
                          struct ledger_account *account)
{
    size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0)
        return false;
    account->kind = kind;
    return member_name_parse(&account->member, text + length, NULL) == STATUS_OK;
}

bool ledger_account_parse(const char *text, struct ledger_account *account)
{
    *account = (struct ledger_account){.kind = ACCOUNT_ENDOWMENT};
    if (strcmp(text, account_losses) == 0)
        account->kind = ACCOUNT_LOSSES;
    return strcmp(text, account_endowment) == 0 || account->kind == ACCOUNT_LOSSES ||
           account_after(text, account_member, ACCOUNT_MEMBER, account) ||
           account_after(text, account_escrow, ACCOUNT_ESCROW, account);
}

const char *ledger_kind_name(enum ledger_kind kind)
{
    static const char *const names[LEDGER_KIND_COUNT] = {
        "deposit", "withdrawal", "escrow", "settle", "release", "reversal", "side", "write-off",
    };
    assert((unsigned)kind < LEDGER_KIND_COUNT);
    return names[kind];
}

/* --- posting */

static enum status postings_check(const struct ledger_transaction *transaction,
                                  struct fault *fault);
static enum status transaction_append(struct store *store,
                                      const struct ledger_transaction *transaction,
                                      uint64_t reverses, struct store_ledger_head *head,
                                      struct fault *fault);
static enum status entry_append(struct store *store, const struct ledger_transaction *transaction,
                                const struct ledger_posting *posting,
                                struct store_ledger_head *head, struct fault *fault);

static enum status post(struct store *store, const struct ledger_transaction *transaction,
                        uint64_t reverses, uint64_t *number, struct fault *fault)
{
    struct store_ledger_head head;
    enum status status = postings_check(transaction, fault);
    if (status == STATUS_OK)
        status = store_ledger_head(store, &head, fault);
    if (status == STATUS_OK)
        status = transaction_append(store, transaction, reverses, &head, fault);
    for (uint32_t i = 0; i < transaction->posting_count && status == STATUS_OK; i++)
        status = entry_append(store, transaction, &transaction->postings[i], &head, fault);
    if (status == STATUS_OK)
        status = store_ledger_head_put(store, &head, fault);
    if (status == STATUS_OK && number != NULL)
        *number = head.transaction;
    return status;
}

static enum status postings_check(const struct ledger_transaction *transaction, struct fault *fault)
{
    struct credits sum = {0};
    if (strnlen(transaction->reference, REFERENCE_BYTES_MAX + 1) > REFERENCE_BYTES_MAX)
        return fault_set(fault, STATUS_INVALID, "the reference is longer than %d bytes",
                         REFERENCE_BYTES_MAX);
    if (transaction->posting_count < 2 || transaction->posting_count > LEDGER_POSTINGS_MAX)
        return fault_set(fault, STATUS_INTERNAL,
                         "a ledger transaction has 2 to %d postings, this one has %u",
                         LEDGER_POSTINGS_MAX, (unsigned)transaction->posting_count);
    for (uint32_t i = 0; i < transaction->posting_count; i++) {
        struct credits amount = transaction->postings[i].amount;
        if (amount.micros == 0 || !credits_add(sum, amount, &sum))
            return fault_set(fault, STATUS_INTERNAL,
                             "posting %u of '%s' is zero or overflows the sum", (unsigned)i,
                             transaction->reference);
    }
    char text[CREDITS_TEXT_MAX];
    if (sum.micros != 0)
        return fault_set(fault, STATUS_INTERNAL,
                         "the postings of '%s' sum to %s instead of zero; nothing is posted",
                         transaction->reference, credits_format(sum, text));
    return STATUS_OK;
}

static enum status transaction_append(struct store *store,
                                      const struct ledger_transaction *transaction,
                                      uint64_t reverses, struct store_ledger_head *head,
                                      struct fault *fault)
{
    head->transaction++;
    /* a wall clock set back must not put an entry before its forerunner */
    if (transaction->now_wall_ms > head->posted_wall_ms)
        head->posted_wall_ms = transaction->now_wall_ms;
    const struct store_transaction row = {
        .transaction = head->transaction,
        .posted_wall_ms = head->posted_wall_ms,
        .kind = ledger_kind_name(transaction->kind),
        .reference = transaction->reference,
        .first = head->sequence + 1,
        .entries = transaction->posting_count,
        .reverses = reverses,
    };
    return store_transaction_add(store, &row, fault);
}

static enum status entry_append(struct store *store, const struct ledger_transaction *transaction,
                                const struct ledger_posting *posting,
                                struct store_ledger_head *head, struct fault *fault)
{
    struct store_entry row = {.sequence = head->sequence + 1,
                              .transaction = head->transaction,
                              .amount = posting->amount};
    struct credits before;
    ledger_account_format(&posting->account, row.account);
    enum status status = store_balance(store, row.account, &before, fault);
    if (status != STATUS_OK)
        return status;
    if (!credits_add(before, posting->amount, &row.balance))
        return fault_set(fault, STATUS_INTERNAL, "the balance of %s would overflow", row.account);
    const struct ledger_entry entry = {
        .sequence = row.sequence,
        .transaction = row.transaction,
        .posted_wall_ms = head->posted_wall_ms,
        .account = row.account,
        .amount = row.amount,
        .kind = ledger_kind_name(transaction->kind),
        .reference = transaction->reference,
    };
    ledger_entry_hash(&head->hash, &entry, &row.hash);
    head->hash = row.hash;
    head->sequence = row.sequence;
    return store_entry_add(store, &row, fault);
}

/* An escrow account that ends below zero has given out what it didn't hold. */
static enum status escrow_covered(struct store *store, const struct ledger_transaction *posted,
                                  struct fault *fault)
{
    for (uint32_t i = 0; i < posted->posting_count; i++) {
        struct credits balance;
        if (posted->postings[i].account.kind != ACCOUNT_ESCROW)
            continue;
        enum status status = ledger_balance(store, &posted->postings[i].account, &balance, fault);
        if (status != STATUS_OK)
            return status;
        if (balance.micros < 0)
            return fault_set(fault, STATUS_PRECONDITION,
                             "the escrow of '%s' does not hold what '%s' takes from it",
                             posted->postings[i].account.member.text, posted->reference);
    }
    return STATUS_OK;
}

enum status ledger_post(struct store *store, const struct ledger_transaction *transaction,
                        uint64_t *number, struct fault *fault)
{
    enum status status = post(store, transaction, 0, number, fault);
    return status == STATUS_OK ? escrow_covered(store, transaction, fault) : status;
}

/* --- the verbs */

/* amount (> 0) from one account to another. */
static enum status transfer(struct store *store, enum ledger_kind kind, struct ledger_account from,
                            struct ledger_account to, struct credits amount, const char *reference,
                            int64_t now_wall_ms, struct fault *fault)
{
    const struct ledger_posting postings[] = {{from, {-amount.micros}}, {to, amount}};
    const struct ledger_transaction transaction = {.kind = kind,
                                                   .reference = reference,
                                                   .now_wall_ms = now_wall_ms,
                                                   .postings = postings,
                                                   .posting_count = 2};
    return ledger_post(store, &transaction, NULL, fault);
}

static enum status funds_check(struct store *store, const struct name *member,
                               struct credits amount, struct fault *fault)
{
    struct ledger_position position;
    char wanted[CREDITS_TEXT_MAX];
    char there[CREDITS_TEXT_MAX];
    enum status status = ledger_position(store, member, &position, fault);
    if (status != STATUS_OK || amount.micros <= position.funds.micros)
        return status;
    return fault_set(fault, STATUS_EXHAUSTED,
                     "member '%s' has funds of %s, %s are wanted: deposit or raise its limit",
                     member->text, credits_format(position.funds, there),
                     credits_format(amount, wanted));
}

enum status ledger_deposit(struct store *store, const struct name *member, struct credits amount,
                           const char *reference, int64_t now_wall_ms, struct fault *fault)
{
    const struct ledger_account own = {ACCOUNT_MEMBER, *member};
    const struct ledger_account endowment = {.kind = ACCOUNT_ENDOWMENT};
    struct store_member found;
    if (amount.micros == 0 || amount.micros == INT64_MIN)
        return fault_set(fault, STATUS_INVALID, "an amount of zero or out of range is not posted");
    enum status status = store_member_find(store, member, &found, fault);
    if (status != STATUS_OK)
        return status;
    if (amount.micros > 0)
        return transfer(store, LEDGER_DEPOSIT, endowment, own, amount, reference, now_wall_ms,
                        fault);
    amount.micros = -amount.micros;
    status = funds_check(store, member, amount, fault);
    if (status != STATUS_OK)
        return status;
    return transfer(store, LEDGER_WITHDRAWAL, own, endowment, amount, reference, now_wall_ms,
                    fault);
}

enum status ledger_write_off(struct store *store, const struct name *member, struct credits amount,
                             const char *reference, int64_t now_wall_ms, struct fault *fault)
{
    assert(amount.micros >= 0);
    if (amount.micros == 0)
        return STATUS_OK;
    return transfer(store, LEDGER_WRITE_OFF, (struct ledger_account){.kind = ACCOUNT_LOSSES},
                    (struct ledger_account){ACCOUNT_MEMBER, *member}, amount, reference,
                    now_wall_ms, fault);
}

enum status ledger_reserve(struct store *store, const struct name *home, struct credits amount,
                           const char *reference, int64_t now_wall_ms, struct fault *fault)
{
    assert(amount.micros >= 0);
    if (amount.micros == 0)
        return STATUS_OK;
    enum status status = funds_check(store, home, amount, fault);
    if (status != STATUS_OK)
        return status;
    return transfer(store, LEDGER_ESCROW, (struct ledger_account){ACCOUNT_MEMBER, *home},
                    (struct ledger_account){ACCOUNT_ESCROW, *home}, amount, reference, now_wall_ms,
                    fault);
}

enum status ledger_release(struct store *store, const struct name *home, struct credits amount,
                           const char *reference, int64_t now_wall_ms, struct fault *fault)
{
    assert(amount.micros >= 0);
    if (amount.micros == 0)
        return STATUS_OK;
    return transfer(store, LEDGER_RELEASE, (struct ledger_account){ACCOUNT_ESCROW, *home},
                    (struct ledger_account){ACCOUNT_MEMBER, *home}, amount, reference, now_wall_ms,
                    fault);
}

/* Adds a posting of amount, unless it is zero. */
static void posting_add(struct ledger_posting *postings, uint32_t *count,
                        enum ledger_account_kind kind, const struct name *member, int64_t micros)
{
    if (micros != 0)
        postings[(*count)++] = (struct ledger_posting){{kind, *member}, {micros}};
}

enum status ledger_settle(struct store *store, const struct name *home, struct credits escrowed,
                          const struct ledger_part *parts, uint32_t part_count,
                          const char *reference, int64_t now_wall_ms, struct credits *used,
                          struct fault *fault)
{
    struct ledger_posting postings[LEDGER_PARTS_MAX + 2];
    struct credits total = {0};
    uint32_t count = 0;
    assert(part_count <= LEDGER_PARTS_MAX && escrowed.micros >= 0);
    for (uint32_t i = 0; i < part_count; i++) {
        assert(parts[i].amount.micros >= 0);
        if (!credits_add(total, parts[i].amount, &total))
            return fault_set(fault, STATUS_INTERNAL, "the parts of '%s' overflow", reference);
    }
    used->micros = total.micros < escrowed.micros ? total.micros : escrowed.micros;
    if (total.micros == 0)
        return STATUS_OK;
    posting_add(postings, &count, ACCOUNT_ESCROW, home, -used->micros);
    posting_add(postings, &count, ACCOUNT_MEMBER, home, -(total.micros - used->micros));
    for (uint32_t i = 0; i < part_count; i++)
        posting_add(postings, &count, ACCOUNT_MEMBER, &parts[i].member, parts[i].amount.micros);
    const struct ledger_transaction transaction = {.kind = LEDGER_SETTLE,
                                                   .reference = reference,
                                                   .now_wall_ms = now_wall_ms,
                                                   .postings = postings,
                                                   .posting_count = count};
    return ledger_post(store, &transaction, NULL, fault);
}

/* --- reversal */

static bool reversible(const char *kind)
{
    return strcmp(kind, ledger_kind_name(LEDGER_DEPOSIT)) == 0 ||
           strcmp(kind, ledger_kind_name(LEDGER_WITHDRAWAL)) == 0 ||
           strcmp(kind, ledger_kind_name(LEDGER_SETTLE)) == 0;
}

/* What came out of escrow goes back to the home's own account: the lease it was held for is over.
 */
static enum status postings_negate(const struct store_listed_entry *entries, uint32_t count,
                                   struct ledger_posting *postings, struct fault *fault)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!ledger_account_parse(entries[i].entry.account, &postings[i].account))
            return fault_set(fault, STATUS_CORRUPT, "ledger entry %llu has no account: verify",
                             (unsigned long long)entries[i].entry.sequence);
        if (postings[i].account.kind == ACCOUNT_ESCROW)
            postings[i].account.kind = ACCOUNT_MEMBER;
        postings[i].amount.micros = -entries[i].entry.amount.micros;
    }
    return STATUS_OK;
}

static enum status reverse(struct store *store, uint64_t number, const char *reference,
                           int64_t now_wall_ms, struct arena *arena, struct fault *fault)
{
    struct store_transaction found;
    struct store_listed_entry *entries = NULL;
    uint32_t count = 0;
    enum status status = store_transaction_find(store, number, arena, &found, fault);
    if (status != STATUS_OK)
        return status;
    if (!reversible(found.kind))
        return fault_set(fault, STATUS_PRECONDITION,
                         "transaction %llu is of kind '%s': only deposits, withdrawals and "
                         "settlements are reversed; void the lease to undo its escrow",
                         (unsigned long long)number, found.kind);
    const struct store_entry_filter filter = {
        .account = "", .after = found.first - 1, .rows = found.entries};
    status = store_entry_list(store, &filter, arena, &entries, &count, fault);
    if (status != STATUS_OK)
        return status;
    struct ledger_posting *postings = arena_alloc(arena, count, sizeof *postings);
    if (postings == NULL || count != found.entries)
        return fault_set(fault, STATUS_CORRUPT, "transaction %llu lacks entries: verify the ledger",
                         (unsigned long long)number);
    status = postings_negate(entries, count, postings, fault);
    const struct ledger_transaction transaction = {.kind = LEDGER_REVERSAL,
                                                   .reference = reference,
                                                   .now_wall_ms = now_wall_ms,
                                                   .postings = postings,
                                                   .posting_count = count};
    return status == STATUS_OK ? post(store, &transaction, number, NULL, fault) : status;
}

enum status ledger_reverse(struct store *store, uint64_t transaction, const char *reference,
                           int64_t now_wall_ms, struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = reverse(store, transaction, reference, now_wall_ms, &arena, fault);
    arena_fini(&arena);
    return status;
}
