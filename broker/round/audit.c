#include "broker/round/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/money/settle.h"
#include "broker/round/audit_internal.h"
#include "broker/round/snapshot.h"
#include "broker/store/disputes.h"
#include "broker/store/leases.h"
#include "broker/store/rounds.h"
#include "economics/market/epsilon.h"
#include "proto/wire/methods.h"

__extension__ typedef __int128 wide;

enum { PAGE_ROWS = ROWS_PER_PAGE_MAX };

static enum status take_entry(struct audit *audit, const struct ledger_entry *entry,
                              struct fault *fault);
static enum status load(struct checking *checking, uint64_t round);
static enum status take_lease(struct checking *checking, uint32_t index);
static enum status judge(struct checking *checking);

/* --- the ledger, once */

enum status audit_open(struct store *store, struct audit **audit, struct fault *fault)
{
    struct arena arena;
    struct ledger_page_response page = {0};
    enum status status = STATUS_OK;
    uint64_t after = 0;
    struct audit *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "audit: no memory");
    opened->store = store;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    do {
        arena_reset(&arena);
        status = ledger_page(store, after, PAGE_ROWS, &arena, &page, fault);
        for (uint32_t i = 0; status == STATUS_OK && i < page.entry_count; i++)
            status = take_entry(opened, &page.entries[i], fault);
        after = page.next_after;
    } while (status == STATUS_OK && after != 0);
    arena_fini(&arena);
    if (status != STATUS_OK)
        audit_close(opened);
    else
        *audit = opened;
    return status;
}

void audit_close(struct audit *audit)
{
    struct paid *paid;
    struct paid *next;
    if (audit == NULL)
        return;
    HASH_ITER(hh, audit->paid, paid, next)
    {
        HASH_DEL(audit->paid, paid);
        free(paid);
    }
    free(audit);
}

/* False where the lease's text (of `length` bytes) or the name is too long to be one. */
static bool make_key(const char *lease, size_t length, const char *member, struct paid_key *key)
{
    memset(key, 0, sizeof *key);
    if (length >= sizeof key->lease || strlen(member) >= sizeof key->member)
        return false;
    memcpy(key->lease, lease, length);
    memcpy(key->member, member, strlen(member));
    return true;
}

static enum status add_paid(struct audit *audit, const struct paid_key *key, int64_t micros,
                            struct fault *fault)
{
    struct paid *paid;
    HASH_FIND(hh, audit->paid, key, sizeof *key, paid);
    if (paid == NULL) {
        paid = calloc(1, sizeof *paid);
        if (paid != NULL) {
            paid->key = *key;
            HASH_ADD(hh, audit->paid, key, sizeof paid->key, paid);
        }
        if (paid == NULL || !HASH_TOOK(paid)) {
            free(paid);
            return fault_set(fault, STATUS_NO_MEMORY, "audit: no memory for a ledger of this size");
        }
    }
    paid->micros += micros;
    return STATUS_OK;
}

/* Whose account it is; NULL: not a member's, or only what is held. */
static const char *owner(const char *account, bool of_escrow_too)
{
    static const char member[] = "member/";
    static const char escrow[] = "escrow/";
    if (strncmp(account, member, sizeof member - 1) == 0)
        return account + sizeof member - 1;
    if (of_escrow_too && strncmp(account, escrow, sizeof escrow - 1) == 0)
        return account + sizeof escrow - 1;
    return NULL;
}

/* Settlements: credits to members' accounts are what beneficiaries got; debits are the home's side
 * of the same; reversals of settlements the other way round. Side payments: both. Keyed by the
 * lease, or "round N". */
static enum status take_entry(struct audit *audit, const struct ledger_entry *entry,
                              struct fault *fault)
{
    static const char side_text[] = " side payments";
    struct paid_key key;
    bool const side = strcmp(entry->kind, ledger_kind_name(LEDGER_SIDE)) == 0;
    bool const settled = strcmp(entry->kind, ledger_kind_name(LEDGER_SETTLE)) == 0;
    size_t length = strcspn(entry->reference, " "); /* "LEASE receipt N" */
    bool const reversed = strcmp(entry->kind, ledger_kind_name(LEDGER_REVERSAL)) == 0 &&
                          strstr(entry->reference, " receipt ") != NULL;
    const char *member = owner(entry->account, side);
    bool const theirs =
        (settled && entry->amount.micros > 0) || (reversed && entry->amount.micros < 0);
    if (member == NULL || (!side && !theirs))
        return STATUS_OK;
    if (side) {
        const char *tail = strstr(entry->reference, side_text);
        length = tail == NULL ? 0 : (size_t)(tail - entry->reference);
    }
    if (!make_key(entry->reference, length, member, &key))
        return STATUS_OK;
    return add_paid(audit, &key, entry->amount.micros, fault);
}

int64_t audit_paid(const struct audit *audit, const char *reference, const char *member)
{
    struct paid_key key;
    struct paid *paid;
    if (!make_key(reference, strlen(reference), member, &key))
        return 0;
    HASH_FIND(hh, audit->paid, &key, sizeof key, paid);
    return paid != NULL ? paid->micros : 0;
}

static int64_t paid_to(const struct audit *audit, struct lease_id lease, const struct name *member)
{
    char text[LEASE_ID_TEXT_MAX];
    return audit_paid(audit, lease_id_format(lease, text), member->text);
}

/* --- one round */

enum status audit_check(struct audit *audit, uint64_t round, struct audit_round *result,
                        struct fault *fault)
{
    struct arena arena;
    struct checking checking = {.audit = audit, .arena = &arena, .fault = fault, .result = result};
    arena_init(&arena, ARENA_ROUND_BYTES);
    *result = (struct audit_round){.round = round};
    enum status status = load(&checking, round);
    for (uint32_t index = 1; status == STATUS_OK && index <= checking.market.job_count; index++)
        status = take_lease(&checking, index);
    if (status == STATUS_OK)
        status = audit_sides(&checking);
    if (status == STATUS_OK)
        status = judge(&checking);
    arena_fini(&arena);
    return status;
}

void audit_note(struct checking *checking, const char *format, ...)
{
    va_list arguments;
    if (checking->result->problem[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(checking->result->problem, AUDIT_PROBLEM_MAX, format, arguments);
    va_end(arguments);
}

static void note(struct checking *checking, const char *text, struct lease_id lease)
{
    char id[LEASE_ID_TEXT_MAX];
    audit_note(checking, "lease %s: %s", lease_id_format(lease, id), text);
}

static enum status load(struct checking *checking, uint64_t round)
{
    struct split_terms terms;
    struct bytes state;
    enum status status = store_round_find(checking->audit->store, round, checking->arena,
                                          &checking->record, checking->fault);
    if (status == STATUS_OK)
        status = snapshot_decode(checking->record.snapshot, checking->arena, &checking->market,
                                 &terms, &state, checking->fault);
    if (status == STATUS_OK)
        status = audit_load_sides(checking);
    if (status != STATUS_OK)
        return status;
    checking->result->stated = checking->record.row.epsilon;
    checking->result->dropped = checking->record.dropped;
    checking->result->planned = checking->record.row.placed + checking->record.dropped;
    checking->payoffs =
        arena_alloc(checking->arena, checking->market.member_count, sizeof *checking->payoffs);
    if (checking->payoffs == NULL)
        return fault_set(checking->fault, STATUS_EXHAUSTED, "audit: the round's memory is used up");
    return STATUS_OK;
}

int32_t audit_member(const struct market *market, const struct name *member)
{
    for (uint32_t i = 0; i < market->member_count; i++)
        if (name_equal(&market->members[i].name, member))
            return (int32_t)i;
    return MARKET_NONE;
}

/* The configuration that the lease is of. */
static const struct market_column *column_of(const struct market *market, const struct lease *lease)
{
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        const struct market_pool *pool = &market->pools[column->pool];
        if (column->gpus == lease->gpu_count &&
            name_equal(&market->jobs[column->job].job, &lease->job) &&
            name_equal(&pool->gpu, &lease->gpu) &&
            name_equal(&market->members[pool->owner].name, &lease->host))
            return column;
    }
    return NULL;
}

/* A dispute over the receipt may have ended with another time. */
static enum status apply_outcome(struct checking *checking, uint64_t lease_row, uint32_t sequence,
                                 int64_t *payable_ms)
{
    struct store_dispute dispute;
    struct fault missing;
    enum status status =
        store_dispute_find(checking->audit->store, lease_row, sequence, &dispute, &missing);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return fault_set(checking->fault, status, "%s", missing.text);
    if (dispute.payable_ms >= 0 && dispute.payable_ms < *payable_ms)
        *payable_ms = dispute.payable_ms;
    return STATUS_OK;
}

/* Time that its receipts were paid for, at home 0 since nobody pays; what is posted must be its
 * price. */
static enum status payable_time(struct checking *checking, const struct store_lease *lease,
                                int64_t *receipts_ms, int64_t *payable_ms)
{
    wide due_micros = 0;
    *payable_ms = 0;
    for (uint32_t sequence = 1; sequence <= lease->receipts; sequence++) {
        struct store_receipt stored;
        void *decoded;
        enum status status = store_receipt_find(checking->audit->store, lease->row, sequence,
                                                checking->arena, &stored, checking->fault);
        if (status == STATUS_OK)
            status = wire_decode(&message_receipt, stored.receipt.body, checking->arena, &decoded,
                                 checking->fault);
        if (status != STATUS_OK)
            return status;
        const struct receipt *receipt = decoded;
        struct credits amount;
        int64_t ms = receipt->held_ms - receipt->unpayable_ms;
        status = apply_outcome(checking, lease->row, sequence, &ms);
        if (status != STATUS_OK)
            return status;
        if (!price_amount(lease->lease->price, lease->lease->gpu_count, ms, &amount))
            amount.micros = INT64_MAX;
        due_micros += amount.micros;
        *payable_ms += ms;
        checking->result->slack.micros++;
    }
    *receipts_ms = *payable_ms;
    if (name_equal(&lease->lease->home, &lease->lease->host))
        *payable_ms = 0;
    else if (due_micros != lease->paid.micros && lease->paid.micros < lease->lease->cap.micros)
        note(checking, "what was paid is neither price × GPUs × time nor the cap",
             lease->lease->id);
    return STATUS_OK;
}

/* What this beneficiary gets for the time that the plan counted. */
static int64_t scaled_payment(struct checking *checking, const struct store_lease *lease,
                              uint32_t share, int64_t plan_ms, int64_t payable_ms)
{
    const struct lease_share *beneficiary = &lease->shares[share];
    struct credits amount;
    if (payable_ms > 0) {
        wide const posted = paid_to(checking->audit, lease->lease->id, &beneficiary->member);
        checking->result->slack.micros += 1 + plan_ms / payable_ms;
        return (int64_t)((posted * plan_ms + payable_ms / 2) / payable_ms);
    }
    checking->result->slack.micros++;
    if (!price_amount(beneficiary->price, lease->lease->gpu_count, plan_ms, &amount))
        amount.micros = 0;
    return amount.micros;
}

/* Home gets the worth and pays; beneficiaries are paid; the host bears the cost. */
static enum status post_lease(struct checking *checking, const struct store_lease *lease)
{
    const struct market *market = &checking->market;
    const struct market_column *column = column_of(market, lease->lease);
    struct credits cost;
    int64_t payable_ms;
    int64_t receipts_ms;
    if (column == NULL) {
        note(checking, "the stored bids have no such configuration", lease->lease->id);
        return STATUS_OK;
    }
    int64_t const plan_ms = market_column_ms(market, column);
    int32_t const home = audit_member(market, &lease->lease->home);
    int32_t const host = market->pools[column->pool].owner;
    enum status status = payable_time(checking, lease, &receipts_ms, &payable_ms);
    if (status != STATUS_OK)
        return status;
    if (!price_amount(market->pools[column->pool].cost, column->gpus, plan_ms, &cost))
        cost.micros = 0;
    checking->payoffs[home].micros += column->worth.micros + cost.micros;
    checking->payoffs[host].micros -= cost.micros;
    for (uint32_t s = 0; s < lease->share_count; s++) {
        int32_t const member = audit_member(market, &lease->shares[s].member);
        if (member == MARKET_NONE) {
            note(checking, "pays somebody who took no part in the round", lease->lease->id);
            continue;
        }
        int64_t const amount = scaled_payment(checking, lease, s, plan_ms, payable_ms);
        checking->payoffs[home].micros -= amount;
        checking->payoffs[member].micros += amount;
    }
    audit_delivered(checking, lease->lease->id.index, receipts_ms);
    checking->result->paid += payable_ms > 0;
    checking->result->posted.micros += lease->paid.micros;
    return STATUS_OK;
}

/* NOT_FOUND is no failure here: judge() counts. */
static enum status take_lease(struct checking *checking, uint32_t index)
{
    struct store_lease lease;
    struct lease_id id = {.incarnation = checking->record.incarnation,
                          .round = checking->result->round,
                          .index = index};
    struct fault missing;
    enum status status =
        store_lease_find(checking->audit->store, id, checking->arena, &lease, &missing);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return fault_set(checking->fault, status, "%s", missing.text);
    checking->result->leases++;
    return post_lease(checking, &lease);
}

static enum status judge(struct checking *checking)
{
    struct audit_round *result = checking->result;
    struct market_excess excess;
    enum status status =
        market_greatest_excess(&checking->market, checking->payoffs, &excess, checking->fault);
    if (status != STATUS_OK)
        return status;
    result->found = excess.by;
    int64_t const apart = result->found.micros - result->stated.micros;
    bool const near = apart <= result->slack.micros && -apart <= result->slack.micros;
    if (result->leases + result->dropped != result->planned)
        audit_note(checking, "%u leases are there, %u were planned and %u of them dropped",
                   result->leases, result->planned, result->dropped);
    else if (!near && result->dropped == 0)
        audit_note(checking, "the posted entries give another ε than the round stated");
    result->agrees = near && result->problem[0] == '\0';
    result->judged = near || result->problem[0] != '\0';
    return STATUS_OK;
}
