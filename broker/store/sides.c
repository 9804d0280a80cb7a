#include "broker/store/sides.h"

#include "broker/store/query.h"

static enum status part_add(struct store *store, uint64_t round, const struct store_side_part *part,
                            struct fault *fault)
{
    static const char sql[] = "INSERT INTO side_parts VALUES (?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)round);
    query_put_text(&query, part->account);
    query_put_number(&query, part->amount.micros);
    query_put_number(&query, part->escrowed.micros);
    return query_end(&query);
}

static enum status lease_add(struct store *store, uint64_t round,
                             const struct store_side_lease *lease, struct fault *fault)
{
    static const char sql[] = "INSERT INTO side_leases VALUES (?, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)round);
    query_put_number(&query, lease->number);
    query_put_number(&query, lease->worth.micros);
    query_put_number(&query, lease->planned_ms);
    query_put_number(&query, lease->delivered_ms);
    query_put_number(&query, lease->open);
    return query_end(&query);
}

enum status store_sides_add(struct store *store, const struct store_sides *sides,
                            struct fault *fault)
{
    static const char sql[] = "INSERT INTO side_rounds VALUES (?, ?, NULL)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)sides->round);
    query_put_number(&query, sides->worth.micros);
    enum status status = query_end(&query);
    for (uint32_t i = 0; status == STATUS_OK && i < sides->part_count; i++)
        status = part_add(store, sides->round, &sides->parts[i], fault);
    for (uint32_t i = 0; status == STATUS_OK && i < sides->lease_count; i++)
        status = lease_add(store, sides->round, &sides->leases[i], fault);
    return status;
}

static enum status parts_read(struct store *store, struct arena *arena, struct store_sides *sides,
                              struct fault *fault)
{
    static const char sql[] =
        "SELECT account, amount, escrowed FROM side_parts WHERE round = ? ORDER BY account";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)sides->round);
    while (query_row(&query)) {
        struct store_side_part *part = grown_push(&grown, arena, sizeof *part);
        if (part == NULL) {
            query.status = query_arena_full(fault);
            break;
        }
        query_text(&query, part->account, sizeof part->account);
        part->amount.micros = query_number(&query);
        part->escrowed.micros = query_number(&query);
    }
    sides->parts = grown.items;
    sides->part_count = grown.count;
    return query_end(&query);
}

static enum status leases_read(struct store *store, struct arena *arena, struct store_sides *sides,
                               struct fault *fault)
{
    static const char sql[] = "SELECT number, worth, planned, delivered, open FROM side_leases"
                              " WHERE round = ? ORDER BY number";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)sides->round);
    while (query_row(&query)) {
        struct store_side_lease *lease = grown_push(&grown, arena, sizeof *lease);
        if (lease == NULL) {
            query.status = query_arena_full(fault);
            break;
        }
        lease->number = (uint32_t)query_number(&query);
        lease->worth.micros = query_number(&query);
        lease->planned_ms = query_number(&query);
        lease->delivered_ms = query_number(&query);
        lease->open = query_number(&query) != 0;
    }
    sides->leases = grown.items;
    sides->lease_count = grown.count;
    return query_end(&query);
}

enum status store_sides_find(struct store *store, uint64_t round, struct arena *arena,
                             struct store_sides *sides, struct fault *fault)
{
    static const char sql[] =
        "SELECT worth, delivered IS NOT NULL, coalesce(delivered, 0) FROM side_rounds"
        " WHERE round = ?";
    struct query query;
    *sides = (struct store_sides){.round = round};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)round);
    if (query_row(&query)) {
        sides->worth.micros = query_number(&query);
        sides->settled = query_number(&query) != 0;
        sides->delivered.micros = query_number(&query);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "the round has no side payments");
    }
    enum status status = query_end(&query);
    if (status == STATUS_OK)
        status = parts_read(store, arena, sides, fault);
    return status == STATUS_OK ? leases_read(store, arena, sides, fault) : status;
}

enum status store_side_foreign(struct store *store, struct lease_id lease, bool *foreign,
                               struct fault *fault)
{
    static const char sql[] = "SELECT 1 FROM rounds WHERE round = ? AND incarnation <> ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease.round);
    query_put_number(&query, (int64_t)lease.incarnation);
    *foreign = query_row(&query);
    return query_end(&query);
}

enum status store_side_deliver(struct store *store, uint64_t round, uint32_t number, int64_t ms,
                               struct fault *fault)
{
    static const char sql[] =
        "UPDATE side_leases SET delivered = delivered + ? WHERE round = ? AND number = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, ms);
    query_put_number(&query, (int64_t)round);
    query_put_number(&query, number);
    return query_end(&query);
}

enum status store_side_close(struct store *store, uint64_t round, uint32_t number, bool *last,
                             struct fault *fault)
{
    static const char sql[] = "UPDATE side_leases SET open = 0 WHERE round = ? AND number = ?";
    static const char sql_over[] =
        "SELECT 1 FROM side_rounds r WHERE r.round = ? AND r.delivered IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM side_leases l WHERE l.round = r.round AND l.open = 1)";
    struct query query;
    *last = false;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)round);
    query_put_number(&query, number);
    enum status status = query_end(&query);
    if (status != STATUS_OK)
        return status;
    query_begin(&query, store, sql_over, fault);
    query_put_number(&query, (int64_t)round);
    *last = query_row(&query);
    return query_end(&query);
}

enum status store_sides_settle(struct store *store, uint64_t round, struct credits delivered,
                               struct fault *fault)
{
    static const char sql[] = "UPDATE side_rounds SET delivered = ? WHERE round = ?";
    static const char sql_parts[] = "UPDATE side_parts SET escrowed = 0 WHERE round = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, delivered.micros);
    query_put_number(&query, (int64_t)round);
    enum status status = query_end_found(&query, "side payments", "of this round");
    if (status != STATUS_OK)
        return status;
    query_begin_write(&query, store, sql_parts, fault);
    query_put_number(&query, (int64_t)round);
    return query_end(&query);
}
