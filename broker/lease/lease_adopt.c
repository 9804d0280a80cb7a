#include "broker/lease/lease_adopt.h"

#include "broker/money/ledger.h"
#include "broker/store/members.h"

static bool holds(const struct lease_holding *holding, struct lease_id id)
{
    for (uint32_t i = 0; i < holding->held_count; i++)
        if (lease_id_equal(holding->held[i], id))
            return true;
    return false;
}

static bool in_question(const struct lease_holding *holding, const struct lease *lease)
{
    return lease->id.incarnation < holding->below_incarnation &&
           (holding->below_host_incarnation == 0 ||
            lease->host_incarnation < holding->below_host_incarnation) &&
           name_equal(&lease->host, &holding->host);
}

/* --- what the broker believes and the host does not hold */

enum status lease_release_unheld(struct store *store, const struct lease_holding *holding,
                                 int64_t now_wall_ms, uint32_t *released, struct fault *fault)
{
    struct arena arena;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    *released = 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        store_lease_list_open(store, LEASE_STATES_HOLDING, &arena, &leases, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        if (!in_question(holding, leases[i].lease) || holds(holding, leases[i].lease->id))
            continue;
        status = lease_move(store, &leases[i], LEASE_MOVE_EXPIRE, now_wall_ms, fault);
        *released += 1;
    }
    arena_fini(&arena);
    return status;
}

enum status lease_stop_forgotten(struct store *store, const struct name *home,
                                 uint64_t below_home_incarnation, int64_t grace_ms,
                                 struct fault *fault)
{
    struct arena arena;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        store_lease_list_open(store, LEASE_STATES_HOLDING, &arena, &leases, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct lease *lease = leases[i].lease;
        if (name_equal(&lease->home, home) && lease->home_incarnation < below_home_incarnation &&
            !name_equal(&lease->host, home))
            status = lease_end(store, lease->id, LEASE_EVENT_STOP, grace_ms,
                               "its home was restored from a backup", fault);
    }
    arena_fini(&arena);
    return status;
}

static enum status void_where_unused(struct store *store, const struct store_lease *lease,
                                     int64_t now_wall_ms, struct arena *arena, struct fault *fault)
{
    struct store_receipt receipt;
    enum status status =
        store_receipt_find(store, lease->row, lease->receipts + 1, arena, &receipt, NULL);
    if (status != STATUS_NOT_FOUND || lease->receipts > 0)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return lease_void(store, lease->lease->id, "its host has no receipt of it", now_wall_ms, fault);
}

enum status lease_void_unreceipted(struct store *store, const struct lease_holding *holding,
                                   int64_t now_wall_ms, struct fault *fault)
{
    struct arena arena;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = store_lease_list_open(store, LEASE_STATE_BIT(LEASE_STATE_RELEASED), &arena,
                                               &leases, &count, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        if (in_question(holding, leases[i].lease))
            status = void_where_unused(store, &leases[i], now_wall_ms, &arena, fault);
    arena_fini(&arena);
    return status;
}

/* --- what the host holds and the broker does not know */

static enum status escrow_take(struct store *store, struct store_lease *row, int64_t now_wall_ms,
                               struct fault *fault)
{
    bool foreign = !name_equal(&row->lease->home, &row->lease->host);
    struct store_member home;
    enum status status = store_member_find(store, &row->lease->home, &home, fault);
    if (status != STATUS_OK || !foreign)
        return status;
    return lease_reserve_up_to(store, row, row->lease->cap, now_wall_ms, fault);
}

/* Granted as far as we knew: planned, and its grant came after the backup. */
static enum status grant_known(struct store *store, struct store_lease *row,
                               const struct lease *lease, const struct signed_bytes *signed_lease,
                               int64_t now_wall_ms, struct fault *fault)
{
    enum status status = lease_move(store, row, LEASE_MOVE_GRANT, now_wall_ms, fault);
    if (status != STATUS_OK)
        return status;
    row->lease = lease;
    row->signed_lease = *signed_lease;
    row->granted_wall_ms = lease->accept_from_wall_ms;
    status = store_lease_rewrite(store, row, fault);
    return status == STATUS_OK ? store_lease_update(store, row, fault) : status;
}

/* Its forerunner may be lost for good; then it starts a chain of its own. */
static enum status begin_chain(struct store *store, struct lease *lease, struct arena *arena,
                               struct fault *fault)
{
    struct store_lease before;
    if (lease_id_none(lease->continues))
        return STATUS_OK;
    enum status status = store_lease_find(store, lease->continues, arena, &before, fault);
    if (status == STATUS_NOT_FOUND)
        lease->continues = (struct lease_id){0};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status adopt_new(struct store *store, const struct lease *lease,
                             const struct signed_bytes *signed_lease, bool held,
                             int64_t now_wall_ms, struct arena *arena, struct fault *fault)
{
    struct lease chained = *lease;
    struct lease_share all = {.member = lease->host, .price = lease->price};
    int64_t ends_wall_ms = lease->accept_from_wall_ms + lease->starts_in_ms + lease->duration_ms;
    struct store_lease row = {
        .lease = &chained,
        .state = held ? LEASE_STATE_GRANTED : LEASE_STATE_RELEASED,
        .signed_lease = *signed_lease,
        .shares = &all,
        .share_count = 1,
        .committed_wall_ms = now_wall_ms,
        .granted_wall_ms = lease->accept_from_wall_ms,
        .released_wall_ms = held ? 0 : now_wall_ms,
        .ends_wall_ms = ends_wall_ms,
    };
    enum status status = begin_chain(store, &chained, arena, fault);
    if (status == STATUS_OK)
        status = escrow_take(store, &row, now_wall_ms, fault);
    return status == STATUS_OK ? store_lease_add(store, &row, fault) : status;
}

enum status lease_adopt(struct store *store, const struct lease *lease,
                        const struct signed_bytes *signed_lease,
                        const struct lease_holding *holding, int64_t now_wall_ms, bool *adopted,
                        struct fault *fault)
{
    struct arena arena;
    struct store_lease known;
    *adopted = false;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_lease_find(store, lease->id, &arena, &known, fault);
    if (status == STATUS_NOT_FOUND) {
        *adopted = true;
        status = adopt_new(store, lease, signed_lease, holds(holding, lease->id), now_wall_ms,
                           &arena, fault);
    } else if (status == STATUS_OK && known.state == LEASE_STATE_PLANNED) {
        *adopted = true;
        status = grant_known(store, &known, lease, signed_lease, now_wall_ms, fault);
    }
    arena_fini(&arena);
    return status;
}
