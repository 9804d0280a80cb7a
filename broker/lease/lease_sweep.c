/*
 * Lease: what time moves. Decides for each lease past its firm end, then does. [DESIGN §6]
 *
 *   planned   end                                   -> void: its GPUs never came free
 *   running   end + grace, no renewal               -> holdover, escrowed so far as funds reach
 *   holding   end + holdover + grace + skew         -> released: the host has stopped it by itself
 *   released  released + receipt wait               -> void, or settled with the receipts it has
 */
#include "broker/lease/lease.h"
#include "broker/store/disputes.h"

enum due { DUE_NOT, DUE_OVERRUN, DUE_EXPIRE, DUE_VOID, DUE_CLOSE };

static enum due decide(const struct store_lease *lease, const struct lease_limits *limits,
                       int64_t now_wall_ms)
{
    int64_t past_ms = now_wall_ms - lease->ends_wall_ms;
    if (lease->state == LEASE_STATE_PLANNED)
        return DUE_VOID;
    if (lease->state == LEASE_STATE_RELEASED) {
        if (now_wall_ms - lease->released_wall_ms <= limits->receipt_wait_ms)
            return DUE_NOT;
        return lease->receipts > 0 ? DUE_CLOSE : DUE_VOID;
    }
    if (past_ms > lease->lease->holdover_ms + limits->grace_ms + limits->skew_ms)
        return DUE_EXPIRE;
    if (lease->state == LEASE_STATE_RUNNING && past_ms > limits->grace_ms)
        return DUE_OVERRUN;
    return DUE_NOT;
}

/* What the holdover costs at most, or what funds there are. Told to end, it holds over for no
 * longer than its grace, which its cap covers. */
static enum status holdover_escrow(struct store *store, struct store_lease *lease,
                                   int64_t now_wall_ms, struct fault *fault)
{
    struct credits amount;
    const struct lease *it = lease->lease;
    if (lease->ending != LEASE_NOT_ENDING || name_equal(&it->home, &it->host))
        return STATUS_OK;
    if (!price_amount(it->price, it->gpu_count, it->holdover_ms, &amount))
        amount.micros = INT64_MAX;
    return lease_reserve_up_to(store, lease, amount, now_wall_ms, fault);
}

static enum status overrun(struct store *store, struct store_lease *lease, int64_t now_wall_ms,
                           struct lease_sweep *swept, struct fault *fault)
{
    bool renewed = false;
    enum status status = store_lease_renewed(store, lease, &renewed, fault);
    if (status != STATUS_OK || renewed)
        return status;
    swept->overrun++;
    status = holdover_escrow(store, lease, now_wall_ms, fault);
    if (status != STATUS_OK)
        return status;
    return lease_move(store, lease, LEASE_MOVE_OVERRUN, now_wall_ms, fault);
}

static enum status apply(struct store *store, struct store_lease *lease, enum due due,
                         int64_t now_wall_ms, struct lease_sweep *swept, struct fault *fault)
{
    switch (due) {
    case DUE_NOT: return STATUS_OK;
    case DUE_OVERRUN: return overrun(store, lease, now_wall_ms, swept, fault);
    case DUE_EXPIRE:
        swept->expired++;
        return lease_move(store, lease, LEASE_MOVE_EXPIRE, now_wall_ms, fault);
    case DUE_VOID:
        swept->voided++;
        return lease_void(store, lease->lease->id, "its time passed unused", now_wall_ms, fault);
    case DUE_CLOSE:
        swept->voided++;
        return lease_move(store, lease, LEASE_MOVE_SETTLE, now_wall_ms, fault);
    }
    return STATUS_INTERNAL;
}

/* Read again: voiding a lease voids its renewals, which may be further down the list. */
static enum status sweep_one(struct store *store, struct lease_id id,
                             const struct lease_limits *limits, int64_t now_wall_ms,
                             struct arena *arena, struct lease_sweep *swept, struct fault *fault)
{
    struct store_lease lease;
    uint32_t disputes = 0;
    enum status status = store_lease_find(store, id, arena, &lease, fault);
    if (status != STATUS_OK || lease_state_final(lease.state))
        return status;
    enum due due = decide(&lease, limits, now_wall_ms);
    if (due == DUE_VOID || due == DUE_CLOSE) /* its escrow stays held while it is disputed */
        status = store_dispute_count_open(store, lease.row, "", &disputes, fault);
    if (status != STATUS_OK || disputes > 0)
        return status;
    return apply(store, &lease, due, now_wall_ms, swept, fault);
}

enum status lease_sweep(struct store *store, const struct lease_limits *limits, int64_t now_wall_ms,
                        struct arena *arena, struct lease_sweep *swept, struct fault *fault)
{
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    *swept = (struct lease_sweep){0};
    enum status status = store_lease_list_past(store, now_wall_ms, arena, &leases, &count, fault);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = sweep_one(store, leases[i].lease->id, limits, now_wall_ms, arena, swept, fault);
    return status;
}
