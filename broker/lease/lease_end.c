/*
 * Lease: ending and voiding.
 */
#include "broker/lease/lease.h"

#include <assert.h>

static enum status end(struct store *store, struct store_lease *row, enum lease_event_kind kind,
                       int64_t grace_ms, const char *reason, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    enum lease_ending told = kind == LEASE_EVENT_STOP ? LEASE_STOPPING : LEASE_ENDING;
    if (row->state == LEASE_STATE_PLANNED)
        return fault_set(fault, STATUS_PRECONDITION, "lease %s has not begun: void it",
                         lease_id_format(row->lease->id, text));
    if ((LEASE_STATE_BIT(row->state) & LEASE_STATES_HOLDING) == 0 || row->ending >= told)
        return STATUS_OK;
    row->ending = told;
    enum status status = store_lease_update(store, row, fault);
    if (status != STATUS_OK)
        return status;
    return lease_announce(store, row->lease, kind, grace_ms, reason, fault);
}

enum status lease_end(struct store *store, struct lease_id id, enum lease_event_kind kind,
                      int64_t grace_ms, const char *reason, struct fault *fault)
{
    struct arena arena;
    struct store_lease row;
    assert(kind == LEASE_EVENT_END || kind == LEASE_EVENT_STOP);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_lease_find(store, id, &arena, &row, fault);
    if (status == STATUS_OK)
        status = end(store, &row, kind, grace_ms, reason, fault);
    arena_fini(&arena);
    return status;
}

/* Voids one lease by the move given, and tells its members where they know of it. */
static enum status call_off(struct store *store, struct store_lease *row, enum lease_move move,
                            const char *reason, int64_t now_wall_ms, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    if (row->receipts > 0 && row->state != LEASE_STATE_VOIDED)
        return fault_set(fault, STATUS_PRECONDITION, "lease %s was used: settle it, don't void it",
                         lease_id_format(row->lease->id, text));
    bool known = row->state == LEASE_STATE_GRANTED;
    enum status status = lease_move(store, row, move, now_wall_ms, fault);
    if (status != STATUS_OK || !known)
        return status;
    return lease_announce(store, row->lease, LEASE_EVENT_VOID, 0, reason, fault);
}

static enum status void_renewals(struct store *store, const struct store_lease *lease,
                                 const char *reason, int64_t now_wall_ms, struct arena *arena,
                                 struct fault *fault)
{
    struct store_lease *rows = NULL;
    uint32_t count = 0;
    enum status status =
        store_lease_list_job(store, &lease->lease->job, LEASE_STATE_BIT(LEASE_STATE_GRANTED), arena,
                             &rows, &count, fault);
    /* what comes after it in its chain and has not begun is a renewal of it, or of one of those */
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        if (rows[i].chain == lease->chain && rows[i].row > lease->row)
            status = call_off(store, &rows[i], LEASE_MOVE_VOID, reason, now_wall_ms, fault);
    return status;
}

enum status lease_void_renewals(struct store *store, const struct store_lease *lease,
                                const char *reason, int64_t now_wall_ms, struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = void_renewals(store, lease, reason, now_wall_ms, &arena, fault);
    arena_fini(&arena);
    return status;
}

enum status lease_void_chain(struct store *store, struct store_lease *row, enum lease_move move,
                             const char *reason, int64_t now_wall_ms, struct fault *fault)
{
    enum status status = call_off(store, row, move, reason, now_wall_ms, fault);
    if (status != STATUS_OK)
        return status;
    return lease_void_renewals(store, row, reason, now_wall_ms, fault);
}

enum status lease_void(struct store *store, struct lease_id id, const char *reason,
                       int64_t now_wall_ms, struct fault *fault)
{
    struct arena arena;
    struct store_lease row;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_lease_find(store, id, &arena, &row, fault);
    if (status == STATUS_OK)
        status = lease_void_chain(store, &row, LEASE_MOVE_VOID, reason, now_wall_ms, fault);
    arena_fini(&arena);
    return status;
}
