#include "broker/money/sides.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/apportion.h"
#include "broker/money/ledger.h"

__extension__ typedef __int128 wide;

enum { SIDES_REFERENCE_MAX = 64 };

/* A ledger transaction in the making. */
struct drafting {
    struct ledger_posting *postings;
    uint32_t count;
};

static enum status draft_open(const struct store_sides *sides, struct arena *arena,
                              struct drafting *draft, struct fault *fault)
{
    *draft = (struct drafting){0};
    draft->postings =
        arena_alloc(arena, 2 * (size_t)sides->part_count + 1, sizeof *draft->postings);
    if (draft->postings == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the round's side payments");
    return STATUS_OK;
}

static void draft_add(struct drafting *draft, struct ledger_account account, int64_t micros)
{
    if (micros != 0)
        draft->postings[draft->count++] = (struct ledger_posting){account, {micros}};
}

static enum status draft_post(struct store *store, const struct drafting *draft,
                              enum ledger_kind kind, uint64_t round, int64_t now_wall_ms,
                              struct fault *fault)
{
    char reference[SIDES_REFERENCE_MAX];
    if (draft->count == 0)
        return STATUS_OK;
    snprintf(reference, sizeof reference, "round %" PRIu64 " side payments", round);
    const struct ledger_transaction transaction = {.kind = kind,
                                                   .reference = reference,
                                                   .now_wall_ms = now_wall_ms,
                                                   .postings = draft->postings,
                                                   .posting_count = draft->count};
    return ledger_post(store, &transaction, NULL, fault);
}

static enum status account_of(const struct store_side_part *part, struct ledger_account *account,
                              struct fault *fault)
{
    if (ledger_account_parse(part->account, account) && account->kind != ACCOUNT_ESCROW)
        return STATUS_OK;
    return fault_set(fault, STATUS_CORRUPT, "side payments name '%s', which is no account to pay",
                     part->account);
}

/* --- commit */

/* What a member pays is held; the endowment can't run out. */
static enum status reserve_part(struct store *store, struct store_side_part *part,
                                struct drafting *draft, struct fault *fault)
{
    struct ledger_account account;
    struct ledger_position position;
    enum status status = account_of(part, &account, fault);
    if (status != STATUS_OK || part->amount.micros >= 0 || account.kind != ACCOUNT_MEMBER)
        return status;
    status = ledger_position(store, &account.member, &position, fault);
    if (status != STATUS_OK)
        return status;
    part->escrowed.micros = -part->amount.micros;
    if (part->escrowed.micros > position.funds.micros)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "the funds of member '%s' do not reach for its side payment",
                         account.member.text);
    draft_add(draft, account, -part->escrowed.micros);
    account.kind = ACCOUNT_ESCROW;
    draft_add(draft, account, part->escrowed.micros);
    return STATUS_OK;
}

static enum status reserve(struct store *store, struct store_sides *sides, struct drafting *draft,
                           struct fault *fault)
{
    wide sum = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < sides->part_count && status == STATUS_OK; i++) {
        sum += sides->parts[i].amount.micros;
        status = reserve_part(store, &sides->parts[i], draft, fault);
    }
    if (status == STATUS_OK && sum != 0)
        return fault_set(fault, STATUS_INTERNAL, "side payments do not sum to zero");
    return status;
}

enum status sides_commit(struct store *store, struct store_sides *sides, int64_t now_wall_ms,
                         struct fault *fault)
{
    struct arena arena;
    struct drafting draft;
    if (sides->lease_count == 0 || sides->part_count == 0)
        return STATUS_OK;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = draft_open(sides, &arena, &draft, fault);
    if (status == STATUS_OK)
        status = reserve(store, sides, &draft, fault);
    if (status == STATUS_OK)
        status = draft_post(store, &draft, LEDGER_ESCROW, sides->round, now_wall_ms, fault);
    if (status == STATUS_OK)
        status = store_sides_add(store, sides, fault);
    arena_fini(&arena);
    return status;
}

/* --- what leases deliver */

enum status sides_deliver(struct store *store, struct lease_id lease, int64_t payable_ms,
                          struct fault *fault)
{
    bool foreign = false;
    enum status status = store_side_foreign(store, lease, &foreign, fault);
    if (status != STATUS_OK || foreign)
        return status;
    return store_side_deliver(store, lease.round, lease.index, payable_ms, fault);
}

struct credits sides_delivered(const struct store_sides *sides)
{
    wide micros = 0;
    for (uint32_t i = 0; i < sides->lease_count; i++) {
        const struct store_side_lease *lease = &sides->leases[i];
        int64_t const ms =
            lease->delivered_ms < lease->planned_ms ? lease->delivered_ms : lease->planned_ms;
        micros += (wide)lease->worth.micros * ms / lease->planned_ms;
    }
    return (struct credits){micros > sides->worth.micros ? sides->worth.micros : (int64_t)micros};
}

enum status sides_scale(const struct store_sides *sides, struct credits delivered,
                        struct arena *arena, struct credits **amounts, struct fault *fault)
{
    int64_t *weights = arena_alloc(arena, sides->part_count, sizeof *weights);
    int64_t *received = arena_alloc(arena, sides->part_count, sizeof *received);
    int64_t paid = 0;
    *amounts = arena_alloc(arena, sides->part_count, sizeof **amounts);
    if (weights == NULL || received == NULL || *amounts == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the round's side payments");
    assert(delivered.micros >= 0 && delivered.micros <= sides->worth.micros);
    for (uint32_t i = 0; i < sides->part_count; i++) {
        int64_t const amount = sides->parts[i].amount.micros;
        int64_t const pays =
            amount < 0 ? (int64_t)((wide)-amount * delivered.micros / sides->worth.micros) : 0;
        weights[i] = amount > 0 ? amount : 0;
        (*amounts)[i].micros = -pays;
        paid += pays;
    }
    apportion(paid, weights, sides->part_count, received);
    for (uint32_t i = 0; i < sides->part_count; i++)
        (*amounts)[i].micros += received[i];
    return STATUS_OK;
}

/* --- settlement */

/* Payers pay from escrow, and get back what is left of it. */
static enum status draft_settlement(const struct store_sides *sides, const struct credits *amounts,
                                    struct drafting *paid, struct drafting *released,
                                    struct fault *fault)
{
    for (uint32_t i = 0; i < sides->part_count; i++) {
        const struct store_side_part *part = &sides->parts[i];
        struct ledger_account account;
        enum status status = account_of(part, &account, fault);
        if (status != STATUS_OK)
            return status;
        int64_t const left = part->escrowed.micros + amounts[i].micros;
        if (part->escrowed.micros == 0) {
            draft_add(paid, account, amounts[i].micros);
            continue;
        }
        assert(amounts[i].micros <= 0 && left >= 0);
        draft_add(released, account, left);
        account.kind = ACCOUNT_ESCROW;
        draft_add(paid, account, amounts[i].micros);
        draft_add(released, account, -left);
    }
    return STATUS_OK;
}

static enum status settle(struct store *store, uint64_t round, int64_t now_wall_ms,
                          struct arena *arena, struct fault *fault)
{
    struct store_sides sides;
    struct drafting paid;
    struct drafting released;
    struct credits *amounts = NULL;
    struct credits delivered = {0};
    enum status status = store_sides_find(store, round, arena, &sides, fault);
    if (status == STATUS_OK) {
        delivered = sides_delivered(&sides);
        status = sides_scale(&sides, delivered, arena, &amounts, fault);
    }
    if (status == STATUS_OK)
        status = draft_open(&sides, arena, &paid, fault);
    if (status == STATUS_OK)
        status = draft_open(&sides, arena, &released, fault);
    if (status == STATUS_OK)
        status = draft_settlement(&sides, amounts, &paid, &released, fault);
    if (status == STATUS_OK)
        status = draft_post(store, &paid, LEDGER_SIDE, round, now_wall_ms, fault);
    if (status == STATUS_OK)
        status = draft_post(store, &released, LEDGER_RELEASE, round, now_wall_ms, fault);
    if (status == STATUS_OK)
        status = store_sides_settle(store, round, delivered, fault);
    return status;
}

enum status sides_close(struct store *store, struct lease_id lease, int64_t now_wall_ms,
                        struct fault *fault)
{
    struct arena arena;
    bool last = false;
    bool foreign = false;
    enum status status = store_side_foreign(store, lease, &foreign, fault);
    if (status != STATUS_OK || foreign)
        return status;
    status = store_side_close(store, lease.round, lease.index, &last, fault);
    if (status != STATUS_OK || !last)
        return status;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    status = settle(store, lease.round, now_wall_ms, &arena, fault);
    arena_fini(&arena);
    return status;
}
