/*
 * Audit, side payments: what was posted beside the prices must be what the round fixed, scaled by
 * what its leases' receipts say was delivered. Then the amounts fixed are those of the plan.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/money/sides.h"
#include "broker/round/audit_internal.h"

enum status audit_load_sides(struct checking *checking)
{
    struct fault missing;
    enum status status = store_sides_find(checking->audit->store, checking->record.row.round,
                                          checking->arena, &checking->sides, &missing);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return fault_set(checking->fault, status, "%s", missing.text);
}

void audit_delivered(struct checking *checking, uint32_t number, int64_t receipts_ms)
{
    for (uint32_t i = 0; i < checking->sides.lease_count; i++) {
        const struct store_side_lease *lease = &checking->sides.leases[i];
        if (lease->number == number && lease->delivered_ms != receipts_ms)
            audit_note(checking,
                       "side payments count %" PRId64 " ms of lease %u, its receipts %" PRId64,
                       lease->delivered_ms, number, receipts_ms);
    }
}

/* What the ledger posted to each account, against the parts scaled. */
static enum status check_posted(struct checking *checking)
{
    const struct store_sides *sides = &checking->sides;
    struct credits const delivered = sides_delivered(sides);
    struct credits *amounts = NULL;
    char reference[32];
    enum status status = sides_scale(sides, delivered, checking->arena, &amounts, checking->fault);
    if (status != STATUS_OK)
        return status;
    if (delivered.micros != sides->delivered.micros)
        audit_note(checking, "side payments were scaled by another use than its leases'");
    snprintf(reference, sizeof reference, "round %" PRIu64, sides->round);
    for (uint32_t i = 0; i < sides->part_count; i++) {
        struct ledger_account account;
        if (ledger_account_parse(sides->parts[i].account, &account) &&
            account.kind == ACCOUNT_MEMBER &&
            audit_paid(checking->audit, reference, account.member.text) != amounts[i].micros)
            audit_note(checking, "the side payment of %s is not what its round fixed",
                       account.member.text);
    }
    return STATUS_OK;
}

enum status audit_sides(struct checking *checking)
{
    const struct store_sides *sides = &checking->sides;
    for (uint32_t i = 0; i < sides->part_count; i++) {
        struct ledger_account account;
        int32_t member = MARKET_NONE;
        if (ledger_account_parse(sides->parts[i].account, &account))
            member = audit_member(&checking->market, &account.member);
        if (member != MARKET_NONE && account.kind == ACCOUNT_MEMBER)
            checking->payoffs[member].micros += sides->parts[i].amount.micros;
    }
    return sides->settled ? check_posted(checking) : STATUS_OK;
}
