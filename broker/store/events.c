#include "broker/store/events.h"

#include <stdio.h>

#include "broker/store/query.h"

enum status store_event_head(struct store *store, const struct name *member, uint64_t *newest,
                             uint64_t *acknowledged, struct fault *fault)
{
    static const char sql[] = "SELECT newest, acknowledged FROM event_heads WHERE member = ?";
    struct query query;
    *newest = 0;
    *acknowledged = 0;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, member);
    if (query_row(&query)) {
        *newest = (uint64_t)query_number(&query);
        *acknowledged = (uint64_t)query_number(&query);
    }
    return query_end(&query);
}

static enum status head_raise(struct store *store, const struct name *member, uint64_t *newest,
                              struct fault *fault)
{
    static const char sql[] = "INSERT INTO event_heads VALUES (?, 1, 0)"
                              " ON CONFLICT (member) DO UPDATE SET newest = newest + 1"
                              " RETURNING newest";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, member);
    if (query_row(&query))
        *newest = (uint64_t)query_number(&query);
    return query_end(&query);
}

enum status store_event_add(struct store *store, const struct name *member,
                            enum lease_event_kind kind, struct lease_id lease, int64_t grace_ms,
                            const char *reason, uint64_t *sequence, struct fault *fault)
{
    static const char sql[] = "INSERT INTO events SELECT ?, ?, ?, row, ?, ? FROM leases"
                              " WHERE incarnation = ? AND round = ? AND number = ?";
    uint64_t newest = 0;
    enum status status = head_raise(store, member, &newest, fault);
    if (status != STATUS_OK)
        return status;
    char text[LEASE_ID_TEXT_MAX];
    char kept[EVENT_REASON_BYTES_MAX + 1];
    snprintf(kept, sizeof kept, "%s", reason);
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, member);
    query_put_number(&query, (int64_t)newest);
    query_put_number(&query, (int64_t)kind);
    query_put_number(&query, grace_ms);
    query_put_text(&query, kept);
    query_put_number(&query, (int64_t)lease.incarnation);
    query_put_number(&query, (int64_t)lease.round);
    query_put_number(&query, lease.index);
    status = query_end_found(&query, "lease", lease_id_format(lease, text));
    if (status == STATUS_OK && sequence != NULL)
        *sequence = newest;
    return status;
}

static void event_read(struct query *query, struct arena *arena, struct lease_event *event)
{
    *event = (struct lease_event){0};
    event->sequence = (uint64_t)query_number(query);
    event->kind = (enum lease_event_kind)query_choice(query, LEASE_EVENT_KIND_COUNT);
    event->grace_ms = query_number(query);
    event->reason = query_arena_text(query, arena);
    event->lease.incarnation = (uint64_t)query_number(query);
    event->lease.round = (uint64_t)query_number(query);
    event->lease.index = (uint32_t)query_number(query);
    if (event->kind != LEASE_EVENT_GRANT)
        return;
    query_name(query, &event->signed_lease.key_id);
    (void)query_fixed(query, &event->signed_lease.signature, sizeof event->signed_lease.signature);
    event->signed_lease.body = query_bytes(query, arena);
}

enum status store_event_list(struct store *store, const struct name *member, uint64_t after,
                             uint32_t rows, struct arena *arena, struct lease_event **events,
                             uint32_t *count, struct fault *fault)
{
    static const char sql[] =
        "SELECT e.sequence, e.kind, e.grace, e.reason, l.incarnation, l.round, l.number, l.key_id,"
        " l.signature, l.body FROM events e JOIN leases l ON l.row = e.lease"
        " WHERE e.member = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_name(&query, member);
    query_put_number(&query, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    query_put_number(&query, rows);
    while (query_row(&query)) {
        struct lease_event *event = grown_push(&grown, arena, sizeof *event);
        if (event == NULL)
            query.status = query_arena_full(fault);
        else
            event_read(&query, arena, event);
    }
    *events = grown.items;
    *count = grown.count;
    return query_end(&query);
}

static enum status forget(struct store *store, const struct name *member, uint64_t seen,
                          struct fault *fault)
{
    static const char sql_forget[] = "DELETE FROM events WHERE member = ? AND sequence <= ?";
    static const char sql_mark[] =
        "UPDATE event_heads SET acknowledged = max(acknowledged, ?) WHERE member = ?";
    struct query query;
    query_begin_write(&query, store, sql_forget, fault);
    query_put_name(&query, member);
    query_put_number(&query, (int64_t)seen);
    enum status status = query_end(&query);
    if (status != STATUS_OK)
        return status;
    query_begin_write(&query, store, sql_mark, fault);
    query_put_number(&query, (int64_t)seen);
    query_put_name(&query, member);
    return query_end(&query);
}

enum status store_event_acknowledge(struct store *store, const struct name *member, uint64_t seen,
                                    struct fault *fault)
{
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    enum status status = store_event_head(store, member, &newest, &acknowledged, fault);
    if (status != STATUS_OK || seen <= acknowledged)
        return status;
    if (seen > newest)
        return fault_set(
            fault, STATUS_PRECONDITION,
            "member '%s' has seen lease event %llu, this broker sent %llu at most: was "
            "the broker restored from a backup?",
            member->text, (unsigned long long)seen, (unsigned long long)newest);
    return forget(store, member, seen, fault);
}

enum status store_event_restart(struct store *store, const struct name *member, uint64_t seen,
                                struct fault *fault)
{
    static const char sql[] =
        "UPDATE event_heads SET acknowledged = min(acknowledged, ?) WHERE member = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)seen);
    query_put_name(&query, member);
    return query_end(&query);
}
