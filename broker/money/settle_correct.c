/*
 * Settle, correct: what was posted for a receipt, made undone and posted anew for another payable
 * time. The ledger keeps all three postings; the receipt keeps the new amount.
 */
#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/money/settle.h"

/* Nothing was posted for an amount of zero. */
static enum status undo(struct store *store, const char *reference, int64_t now_wall_ms,
                        struct fault *fault)
{
    char text[REFERENCE_BYTES_MAX];
    uint64_t number = 0;
    enum status status = store_transaction_by_reference(store, ledger_kind_name(LEDGER_SETTLE),
                                                        reference, &number, fault);
    if (status != STATUS_OK)
        return status;
    snprintf(text, sizeof text, "%s reversed", reference);
    return ledger_reverse(store, number, text, now_wall_ms, fault);
}

static enum status post_anew(struct store *store, const struct store_lease *lease,
                             const char *reference, struct credits amount, int64_t now_wall_ms,
                             struct fault *fault)
{
    struct ledger_part parts[SHARES_PER_LEASE_MAX];
    struct credits amounts[SHARES_PER_LEASE_MAX];
    struct credits used = {0};
    char text[REFERENCE_BYTES_MAX];
    snprintf(text, sizeof text, "%s corrected", reference);
    settle_split(amount, lease->shares, lease->share_count, amounts);
    for (uint32_t i = 0; i < lease->share_count; i++)
        parts[i] = (struct ledger_part){lease->shares[i].member, amounts[i]};
    return ledger_settle(store, &lease->lease->home, (struct credits){0}, parts, lease->share_count,
                         text, now_wall_ms, &used, fault);
}

enum status settle_correct(struct store *store, struct store_lease *lease,
                           const struct store_receipt *receipt, int64_t payable_ms,
                           int64_t now_wall_ms, struct fault *fault)
{
    char id[LEASE_ID_TEXT_MAX];
    char reference[SETTLE_REFERENCE_MAX];
    struct credits amount;
    settle_reference(lease_id_format(lease->lease->id, id), receipt->sequence, reference);
    if (!price_amount(lease->lease->price, lease->lease->gpu_count, payable_ms, &amount) ||
        amount.micros > receipt->amount.micros)
        amount = receipt->amount;
    if (amount.micros == receipt->amount.micros)
        return STATUS_OK;
    enum status status = undo(store, reference, now_wall_ms, fault);
    if (status == STATUS_OK)
        status = post_anew(store, lease, reference, amount, now_wall_ms, fault);
    lease->paid.micros += amount.micros - receipt->amount.micros;
    if (status == STATUS_OK)
        status = store_lease_update(store, lease, fault);
    if (status == STATUS_OK)
        status = store_receipt_correct(store, receipt->lease_row, receipt->sequence, amount,
                                       "corrected by the outcome of a dispute", fault);
    return status;
}
