/*
 * Leases in the store: writing, and the GPUs that go with the states. For broker/lease and
 * broker/settle.
 */
#include <assert.h>

#include "broker/store/leases.h"
#include "broker/store/query.h"
#include "proto/wire/methods.h"

enum { LEASE_BYTES_MAX = 256 * 1024 };

static enum status place_find(struct store *store, struct store_lease *lease, struct fault *fault);
static enum status row_insert(struct store *store, const struct store_lease *lease,
                              struct fault *fault);
static enum status body_write(struct store *store, const struct store_lease *lease,
                              struct fault *fault);
static enum status shares_insert(struct store *store, const struct store_lease *lease,
                                 struct fault *fault);
static enum status gpus_insert(struct store *store, const struct store_lease *lease,
                               struct fault *fault);
static enum status gpus_move(struct store *store, const struct store_lease *lease,
                             struct fault *fault);

enum status store_lease_add(struct store *store, struct store_lease *lease, struct fault *fault)
{
    assert(lease->share_count <= SHARES_PER_LEASE_MAX);
    enum status status = place_find(store, lease, fault);
    if (status == STATUS_OK)
        status = row_insert(store, lease, fault);
    if (status == STATUS_OK)
        status = body_write(store, lease, fault);
    if (status == STATUS_OK)
        status = shares_insert(store, lease, fault);
    if (status == STATUS_OK)
        status = gpus_insert(store, lease, fault);
    if (status == STATUS_OK)
        status = gpus_move(store, lease, fault);
    return status;
}

/* Rows are never deleted, so the newest plus one is new; the chain is that of the forerunner. */
static enum status place_find(struct store *store, struct store_lease *lease, struct fault *fault)
{
    static const char sql_row[] = "SELECT coalesce(max(row), 0) + 1 FROM leases";
    static const char sql_chain[] =
        "SELECT chain FROM leases WHERE incarnation = ? AND round = ? AND number = ?";
    struct query query;
    query_begin(&query, store, sql_row, fault);
    if (query_row(&query))
        lease->row = (uint64_t)query_number(&query);
    enum status status = query_end(&query);
    lease->chain = lease->row;
    if (status != STATUS_OK || lease_id_none(lease->lease->continues))
        return status;
    query_begin(&query, store, sql_chain, fault);
    query_put_number(&query, (int64_t)lease->lease->continues.incarnation);
    query_put_number(&query, (int64_t)lease->lease->continues.round);
    query_put_number(&query, lease->lease->continues.index);
    if (query_row(&query))
        lease->chain = (uint64_t)query_number(&query);
    else
        query_fail(&query, STATUS_NOT_FOUND, "there is no such lease to continue");
    return query_end(&query);
}

static enum status row_insert(struct store *store, const struct store_lease *lease,
                              struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " '', NULL, x'')";
    const struct lease *it = lease->lease;
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->row);
    query_put_number(&query, (int64_t)it->id.incarnation);
    query_put_number(&query, (int64_t)it->id.round);
    query_put_number(&query, it->id.index);
    query_put_number(&query, (int64_t)lease->chain);
    query_put_name(&query, &it->job);
    query_put_name(&query, &it->home);
    query_put_name(&query, &it->host);
    query_put_name(&query, &it->gpu);
    query_put_number(&query, (int64_t)lease->state);
    query_put_number(&query, (int64_t)lease->ending);
    query_put_number(&query, lease->escrowed.micros);
    query_put_number(&query, lease->paid.micros);
    query_put_number(&query, lease->held_ms);
    query_put_number(&query, lease->receipts);
    query_put_number(&query, lease->committed_wall_ms);
    query_put_number(&query, lease->granted_wall_ms);
    query_put_number(&query, lease->running_wall_ms);
    query_put_number(&query, lease->released_wall_ms);
    query_put_number(&query, lease->ends_wall_ms);
    enum status status = query_end(&query);
    char text[LEASE_ID_TEXT_MAX];
    if (status == STATUS_EXISTS)
        return fault_set(fault, STATUS_EXISTS, "there is a lease %s already",
                         lease_id_format(it->id, text));
    return status;
}

/* The signed bytes exactly as they are sent; a planned lease, not yet signed, encoded here. */
static enum status body_write(struct store *store, const struct store_lease *lease,
                              struct fault *fault)
{
    static const char sql[] =
        "UPDATE leases SET key_id = ?, signature = ?, body = ?, ends = ? WHERE row = ?";
    bool is_signed = lease->signed_lease.body.size > 0;
    struct bytes body = lease->signed_lease.body;
    struct arena arena;
    arena_init(&arena, LEASE_BYTES_MAX);
    enum status status = STATUS_OK;
    if (!is_signed)
        status = wire_encode(&message_lease, lease->lease, &arena, &body, fault);
    if (status == STATUS_OK) {
        struct query query;
        query_begin_write(&query, store, sql, fault);
        query_put_text(&query, is_signed ? lease->signed_lease.key_id.text : "");
        if (is_signed)
            query_put_bytes(&query,
                            (struct bytes){lease->signed_lease.signature.bytes, SIGNATURE_BYTES});
        else
            query_put_null(&query);
        query_put_bytes(&query, body);
        query_put_number(&query, lease->ends_wall_ms);
        query_put_number(&query, (int64_t)lease->row);
        status = query_end_found(&query, "lease", "of this row");
    }
    arena_fini(&arena);
    return status;
}

static enum status shares_insert(struct store *store, const struct store_lease *lease,
                                 struct fault *fault)
{
    static const char sql[] = "INSERT INTO lease_shares VALUES (?, ?, ?, ?)";
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < lease->share_count && status == STATUS_OK; i++) {
        struct query query;
        query_begin_write(&query, store, sql, fault);
        query_put_number(&query, (int64_t)lease->row);
        query_put_number(&query, i);
        query_put_name(&query, &lease->shares[i].member);
        query_put_number(&query, lease->shares[i].price.nanos);
        status = query_end(&query);
    }
    return status;
}

static enum status gpus_insert(struct store *store, const struct store_lease *lease,
                               struct fault *fault)
{
    static const char sql[] = "INSERT INTO lease_gpus VALUES (?, ?, ?, ?, ?, ?, 0)";
    const struct lease *it = lease->lease;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < it->node_count && status == STATUS_OK; i++) {
        struct query query;
        query_begin_write(&query, store, sql, fault);
        query_put_number(&query, (int64_t)lease->row);
        query_put_name(&query, &it->host);
        query_put_name(&query, &it->gpu);
        query_put_number(&query, it->nodes[i].node);
        query_put_number(&query, (int64_t)it->nodes[i].gpus);
        query_put_number(&query, (int64_t)lease->chain);
        status = query_end(&query);
    }
    return status;
}

/* --- GPUs move with the state */

static enum status gpus_hold(struct store *store, const struct store_lease *lease,
                             struct fault *fault)
{
    static const char sql[] = "UPDATE lease_gpus SET held = 1 WHERE lease = ?";
    bool blocked = false;
    char text[LEASE_ID_TEXT_MAX];
    enum status status = store_lease_blocked(store, lease->row, &blocked, fault);
    if (status != STATUS_OK)
        return status;
    if (blocked)
        return fault_set(fault, STATUS_PRECONDITION,
                         "a GPU of lease %s is held by another lease: wait until it is released",
                         lease_id_format(lease->lease->id, text));
    invariants_touch(store, lease->row);
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->row);
    return query_end(&query);
}

static enum status gpus_free(struct store *store, const struct store_lease *lease,
                             struct fault *fault)
{
    static const char sql[] = "DELETE FROM lease_gpus WHERE lease = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->row);
    return query_end(&query);
}

static enum status gpus_move(struct store *store, const struct store_lease *lease,
                             struct fault *fault)
{
    if (lease->state == LEASE_STATE_PLANNED)
        return STATUS_OK;
    if ((LEASE_STATE_BIT(lease->state) & LEASE_STATES_HOLDING) != 0)
        return gpus_hold(store, lease, fault);
    return gpus_free(store, lease, fault);
}

enum status store_lease_update(struct store *store, const struct store_lease *lease,
                               struct fault *fault)
{
    static const char sql[] =
        "UPDATE leases SET state = ?, ending = ?, escrowed = ?, paid = ?, held = ?, receipts = ?,"
        " granted = ?, running = ?, released = ? WHERE row = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->state);
    query_put_number(&query, (int64_t)lease->ending);
    query_put_number(&query, lease->escrowed.micros);
    query_put_number(&query, lease->paid.micros);
    query_put_number(&query, lease->held_ms);
    query_put_number(&query, lease->receipts);
    query_put_number(&query, lease->granted_wall_ms);
    query_put_number(&query, lease->running_wall_ms);
    query_put_number(&query, lease->released_wall_ms);
    query_put_number(&query, (int64_t)lease->row);
    enum status status = query_end_found(&query, "lease", "of this row");
    return status == STATUS_OK ? gpus_move(store, lease, fault) : status;
}

enum status store_lease_rewrite(struct store *store, const struct store_lease *lease,
                                struct fault *fault)
{
    return body_write(store, lease, fault);
}
