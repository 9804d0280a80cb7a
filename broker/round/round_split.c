/*
 * Round, split: how the federation's mechanism shares the round's gain: what each should have is
 * found with the plan, what can be paid is fitted to the purses at commit, and becomes the side
 * payments that the ledger escrows (broker/money/sides.h).
 */
#include "broker/money/ledger.h"
#include "broker/money/sides.h"
#include "broker/round/round.h"

enum status round_find_split(struct round *round, struct fault *fault)
{
    return split_find(round->terms.mechanism, &round->market, &round->plan, NULL, &round->arena,
                      &round->split, fault);
}

/* --- the purses */

static int32_t market_member(const struct market *market, const struct name *name)
{
    for (uint32_t i = 0; i < market->member_count; i++)
        if (name_equal(&market->members[i].name, name))
            return (int32_t)i;
    return MARKET_NONE;
}

/* What each member has left beside its leases' caps. */
static enum status fill_purses(struct round *round, struct fault *fault)
{
    const struct market *market = &round->market;
    struct credits *purses = arena_alloc(&round->arena, market->member_count, sizeof *purses);
    if (purses == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
    for (uint32_t i = 0; i < market->member_count; i++) {
        const struct book_member *member = book_member(&round->now, &market->members[i].name);
        if (member != NULL && member->here)
            purses[i] = round->decision.funds_left[member - round->now.members];
        if (purses[i].micros < 0)
            purses[i].micros = 0;
    }
    round->terms.purses.member = purses;
    return STATUS_OK;
}

/* Who funds what a mechanism gives beyond the surplus. */
static void find_funder(const struct core *core, struct round *round)
{
    struct split_purses *purses = &round->terms.purses;
    const struct name *funder = &core->config->funding_member;
    purses->funder = MARKET_NONE;
    purses->outside.micros = 0;
    if (!core->config->funded)
        return;
    if (name_empty(funder)) {
        purses->outside.micros = INT64_MAX;
        return;
    }
    const struct book_member *member = book_member(&round->now, funder);
    purses->funder = market_member(&round->market, funder);
    if (purses->funder == MARKET_NONE && member != NULL && member->active &&
        round->decision.funds_left[member - round->now.members].micros > 0)
        purses->outside = round->decision.funds_left[member - round->now.members];
}

enum status round_fit_split(const struct core *core, struct round *round, struct fault *fault)
{
    enum status status = fill_purses(round, fault);
    if (status != STATUS_OK)
        return status;
    find_funder(core, round);
    return split_fit(&round->market, &round->plan, &round->terms.purses, &round->arena,
                     &round->split, fault);
}

/* --- the side payments */

static void add_part(struct store_sides *sides, const struct ledger_account *account,
                     int64_t micros)
{
    if (micros == 0)
        return;
    struct store_side_part *part = &sides->parts[sides->part_count++];
    ledger_account_format(account, part->account);
    part->amount.micros = micros;
}

static void list_parts(const struct core *core, const struct round *round,
                       struct store_sides *sides)
{
    const struct name *funder = &core->config->funding_member;
    struct ledger_account account = {.kind = ACCOUNT_MEMBER};
    for (uint32_t i = 0; i < round->market.member_count; i++) {
        account.member = round->market.members[i].name;
        add_part(sides, &account, round->split.side[i].micros);
    }
    account.member = *funder;
    account.kind = name_empty(funder) ? ACCOUNT_ENDOWMENT : ACCOUNT_MEMBER;
    add_part(sides, &account, -round->split.funding.micros);
}

static void list_leases(const struct round *round, struct store_sides *sides)
{
    const struct round_decision *decision = &round->decision;
    for (uint32_t i = 0; i < decision->grant_count; i++) {
        const struct round_grant *grant = &decision->grants[i];
        const struct market_column *column =
            &round->market.columns[round->plan.placements[grant->placement].column];
        sides->leases[sides->lease_count++] = (struct store_side_lease){
            .number = grant->lease.id.index,
            .worth = column->worth,
            .planned_ms = market_column_ms(&round->market, column),
            .open = true,
        };
    }
}

enum status round_commit_split(struct core *core, struct round *round, struct fault *fault)
{
    struct store_sides sides = {.round = round->number, .worth = round->plan.objective};
    if (!round->split.paid)
        return STATUS_OK;
    sides.parts =
        arena_alloc(&round->arena, (size_t)round->market.member_count + 1, sizeof *sides.parts);
    sides.leases = arena_alloc(&round->arena, round->decision.grant_count, sizeof *sides.leases);
    if (sides.parts == NULL || sides.leases == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round exceeds its memory bound");
    list_parts(core, round, &sides);
    list_leases(round, &sides);
    return sides_commit(core->store, &sides, core_now_ms(core), fault);
}
