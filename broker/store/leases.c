/*
 * Leases in the store: reading. A lease is one row (its encoded body, the very bytes signed), its
 * shares, and its GPUs while it waits for them or holds them. Writing is in lease_writes.c.
 */
#include "broker/store/leases.h"

#include <assert.h>

#include "broker/store/query.h"
#include "proto/wire/methods.h"

#define LEASE_COLUMNS                                                                              \
    "row, chain, state, ending, escrowed, paid, held, receipts, committed, granted, running,"      \
    " released, ends, key_id, signature, body"

static void row_read(struct query *query, struct arena *arena, struct store_lease *lease)
{
    *lease = (struct store_lease){0};
    lease->row = (uint64_t)query_number(query);
    lease->chain = (uint64_t)query_number(query);
    lease->state = (enum lease_state)query_choice(query, LEASE_STATE_COUNT);
    lease->ending = (enum lease_ending)query_choice(query, LEASE_STOPPING + 1);
    lease->escrowed.micros = query_number(query);
    lease->paid.micros = query_number(query);
    lease->held_ms = query_number(query);
    lease->receipts = (uint32_t)query_number(query);
    lease->committed_wall_ms = query_number(query);
    lease->granted_wall_ms = query_number(query);
    lease->running_wall_ms = query_number(query);
    lease->released_wall_ms = query_number(query);
    lease->ends_wall_ms = query_number(query);
    query_name(query, &lease->signed_lease.key_id);
    bool is_signed = query_fixed(query, &lease->signed_lease.signature, SIGNATURE_BYTES);
    struct bytes body = query_bytes(query, arena);
    if (is_signed)
        lease->signed_lease.body = body;
    void *domain = NULL;
    if (query->status == STATUS_OK)
        query->status = wire_decode(&message_lease, body, arena, &domain, query->fault);
    lease->lease = domain;
}

static enum status shares_read(struct store *store, struct arena *arena, struct store_lease *lease,
                               struct fault *fault)
{
    static const char sql[] =
        "SELECT member, price FROM lease_shares WHERE lease = ? ORDER BY position";
    struct query query;
    struct grown grown = {0};
    int64_t left = lease->lease->price.nanos;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->row);
    while (query_row(&query)) {
        struct lease_share *share = grown_push(&grown, arena, sizeof *share);
        if (share == NULL) {
            query.status = query_arena_full(fault);
            break;
        }
        query_name(&query, &share->member);
        share->price.nanos = query_number(&query);
        left -= share->price.nanos <= left ? share->price.nanos : INT64_MAX;
        if (left < 0)
            break;
    }
    if (left != 0 || grown.count > SHARES_PER_LEASE_MAX)
        query_fail(&query, STATUS_CORRUPT,
                   "the stored shares of a lease do not sum to its price: restore the store");
    lease->shares = grown.items;
    lease->share_count = grown.count;
    return query_end(&query);
}

/* Runs a query of LEASE_COLUMNS to its end, then reads the shares of what it found. */
static enum status list_read(struct query *query, struct arena *arena, struct store_lease **leases,
                             uint32_t *count)
{
    struct grown grown = {0};
    while (query_row(query)) {
        struct store_lease *lease = grown_push(&grown, arena, sizeof *lease);
        if (lease == NULL)
            query->status = query_arena_full(query->fault);
        else
            row_read(query, arena, lease);
    }
    *leases = grown.items;
    *count = grown.count;
    enum status status = query_end(query);
    for (uint32_t i = 0; i < grown.count && status == STATUS_OK; i++)
        status = shares_read(query->store, arena, &(*leases)[i], query->fault);
    return status;
}

/* The same for a query that finds one or none. */
static enum status one_read(struct query *query, struct arena *arena, const char *what,
                            struct store_lease *lease)
{
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    enum status status = list_read(query, arena, &leases, &count);
    if (status != STATUS_OK)
        return status;
    if (count == 0)
        return fault_set(query->fault, STATUS_NOT_FOUND, "there is no lease %s", what);
    *lease = leases[0];
    return STATUS_OK;
}

enum status store_lease_find(struct store *store, struct lease_id id, struct arena *arena,
                             struct store_lease *lease, struct fault *fault)
{
    static const char sql[] =
        "SELECT " LEASE_COLUMNS " FROM leases WHERE incarnation = ? AND round = ? AND number = ?";
    char text[LEASE_ID_TEXT_MAX];
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)id.incarnation);
    query_put_number(&query, (int64_t)id.round);
    query_put_number(&query, id.index);
    return one_read(&query, arena, lease_id_format(id, text), lease);
}

enum status store_lease_newest(struct store *store, const struct name *job, struct arena *arena,
                               struct store_lease *lease, struct fault *fault)
{
    static const char sql[] =
        "SELECT " LEASE_COLUMNS " FROM leases WHERE job = ? ORDER BY row DESC LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, job);
    return one_read(&query, arena, "of this job", lease);
}

enum status store_lease_list_open(struct store *store, unsigned states, struct arena *arena,
                                  struct store_lease **leases, uint32_t *count, struct fault *fault)
{
    static const char sql[] = "SELECT " LEASE_COLUMNS " FROM leases INDEXED BY leases_open"
                              " WHERE state < 5 AND (1 << state & ?) <> 0 ORDER BY row LIMIT ?";
    assert((states & ~LEASE_STATES_OPEN) == 0);
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, states);
    query_put_number(&query, LEASES_OPEN_MAX);
    return list_read(&query, arena, leases, count);
}

enum status store_lease_list_past(struct store *store, int64_t wall_ms, struct arena *arena,
                                  struct store_lease **leases, uint32_t *count, struct fault *fault)
{
    static const char sql[] =
        "SELECT " LEASE_COLUMNS
        " FROM leases INDEXED BY leases_past WHERE state < 5 AND ends < ? ORDER BY row LIMIT ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, wall_ms);
    query_put_number(&query, LEASES_OPEN_MAX);
    return list_read(&query, arena, leases, count);
}

enum status store_lease_list_job(struct store *store, const struct name *job, unsigned states,
                                 struct arena *arena, struct store_lease **leases, uint32_t *count,
                                 struct fault *fault)
{
    static const char sql[] =
        "SELECT " LEASE_COLUMNS " FROM leases WHERE job = ? AND (1 << state & ?) <> 0 ORDER BY row";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, job);
    query_put_number(&query, states);
    return list_read(&query, arena, leases, count);
}

enum status store_lease_page(struct store *store, const struct name *member, unsigned states,
                             uint64_t after, uint32_t rows, struct arena *arena,
                             struct store_lease **leases, uint32_t *count, uint64_t *next_after,
                             struct fault *fault)
{
    static const char sql_all[] = "SELECT " LEASE_COLUMNS " FROM leases"
                                  " WHERE row > ? AND (1 << state & ?) <> 0 ORDER BY row LIMIT ?";
    static const char sql_member[] =
        "SELECT " LEASE_COLUMNS " FROM leases WHERE (home = ?1 OR host = ?1)"
        " AND row > ?2 AND (1 << state & ?3) <> 0 ORDER BY row LIMIT ?4";
    struct query query;
    query_begin(&query, store, name_empty(member) ? sql_all : sql_member, fault);
    if (!name_empty(member))
        query_put_name(&query, member);
    query_put_number(&query, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    query_put_number(&query, states);
    query_put_number(&query, rows);
    enum status status = list_read(&query, arena, leases, count);
    *next_after = status == STATUS_OK && *count == rows && rows > 0 ? (*leases)[rows - 1].row : 0;
    return status;
}

enum status store_lease_blocked(struct store *store, uint64_t row, bool *blocked,
                                struct fault *fault)
{
    static const char sql[] =
        "SELECT 1 FROM lease_gpus a JOIN lease_gpus b"
        " ON b.host = a.host AND b.gpu = a.gpu AND b.node = a.node"
        " WHERE a.lease = ? AND b.held = 1 AND b.chain <> a.chain AND (a.mask & b.mask) <> 0"
        " LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)row);
    *blocked = query_row(&query);
    return query_end(&query);
}

enum status store_lease_renewed(struct store *store, const struct store_lease *lease, bool *renewed,
                                struct fault *fault)
{
    static const char sql[] =
        "SELECT 1 FROM leases WHERE chain = ? AND row > ? AND state < 5 LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease->chain);
    query_put_number(&query, (int64_t)lease->row);
    *renewed = query_row(&query);
    return query_end(&query);
}

/* Masks of several leases of one chain lie on one node: joined here, as SQLite has no bitwise sum.
 */
enum status store_lease_held(struct store *store, struct arena *arena,
                             struct store_held_node **nodes, uint32_t *count, struct fault *fault)
{
    static const char sql[] =
        "SELECT host, gpu, node, mask FROM lease_gpus WHERE held = 1 ORDER BY host, gpu, node";
    struct query query;
    struct grown grown = {0};
    struct store_held_node *newest = NULL;
    query_begin(&query, store, sql, fault);
    while (query_row(&query)) {
        struct store_held_node node;
        query_name(&query, &node.host);
        query_name(&query, &node.gpu);
        node.node = (uint32_t)query_number(&query);
        node.gpus = (uint64_t)query_number(&query);
        if (newest != NULL && newest->node == node.node && name_equal(&newest->gpu, &node.gpu) &&
            name_equal(&newest->host, &node.host)) {
            newest->gpus |= node.gpus;
            continue;
        }
        newest = grown_push(&grown, arena, sizeof *newest);
        if (newest == NULL) {
            query.status = query_arena_full(fault);
            break;
        }
        *newest = node;
    }
    *nodes = grown.items;
    *count = grown.count;
    return query_end(&query);
}
