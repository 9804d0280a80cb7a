#include "broker/store/disputes.h"

#include "broker/store/query.h"

#define DISPUTE_COLUMNS                                                                            \
    "SELECT d.row, d.lease, l.incarnation, l.round, l.number, l.job, l.home, l.host, d.sequence,"  \
    " d.state, d.conceded, d.payable, d.reason, d.answer, d.ruling, d.opened, d.deadline,"         \
    " d.closed FROM disputes d JOIN leases l ON l.row = d.lease "

static void dispute_read(struct query *query, struct store_dispute *dispute)
{
    dispute->row = (uint64_t)query_number(query);
    dispute->lease_row = (uint64_t)query_number(query);
    dispute->lease.incarnation = (uint64_t)query_number(query);
    dispute->lease.round = (uint64_t)query_number(query);
    dispute->lease.index = (uint32_t)query_number(query);
    query_name(query, &dispute->job);
    query_name(query, &dispute->home);
    query_name(query, &dispute->host);
    dispute->sequence = (uint32_t)query_number(query);
    dispute->state = (enum dispute_state)query_choice(query, DISPUTE_STATE_COUNT);
    dispute->conceded_ms = query_number(query);
    dispute->payable_ms = query_number(query);
    query_text(query, dispute->reason, sizeof dispute->reason);
    query_text(query, dispute->answer, sizeof dispute->answer);
    query_text(query, dispute->ruling, sizeof dispute->ruling);
    dispute->opened_wall_ms = query_number(query);
    dispute->deadline_wall_ms = query_number(query);
    dispute->closed_wall_ms = query_number(query);
}

static enum status disputes_read(struct query *query, struct arena *arena,
                                 struct store_dispute **disputes, uint32_t *count)
{
    struct grown grown = {0};
    while (query_row(query)) {
        struct store_dispute *dispute = grown_push(&grown, arena, sizeof *dispute);
        if (dispute != NULL)
            dispute_read(query, dispute);
        else
            query_fail(query, STATUS_EXHAUSTED, "too many disputes for the memory allowed");
    }
    *disputes = grown.items;
    *count = grown.count;
    return query_end(query);
}

enum status store_dispute_find(struct store *store, uint64_t lease_row, uint32_t sequence,
                               struct store_dispute *dispute, struct fault *fault)
{
    static const char sql[] = DISPUTE_COLUMNS "WHERE d.lease = ? AND d.sequence = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease_row);
    query_put_number(&query, sequence);
    *dispute = (struct store_dispute){.row = 0};
    if (query_row(&query))
        dispute_read(&query, dispute);
    else
        query_fail(&query, STATUS_NOT_FOUND, "there is no such dispute");
    return query_end(&query);
}

enum status store_dispute_put(struct store *store, const struct store_dispute *dispute,
                              struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO disputes (lease, sequence, state, conceded, payable, reason, answer, ruling,"
        " opened, deadline, closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (lease, sequence) DO UPDATE SET state = excluded.state,"
        " conceded = excluded.conceded, payable = excluded.payable, reason = excluded.reason,"
        " answer = excluded.answer, ruling = excluded.ruling, deadline = excluded.deadline,"
        " closed = excluded.closed";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)dispute->lease_row);
    query_put_number(&query, dispute->sequence);
    query_put_number(&query, dispute->state);
    query_put_number(&query, dispute->conceded_ms);
    query_put_number(&query, dispute->payable_ms);
    query_put_text(&query, dispute->reason);
    query_put_text(&query, dispute->answer);
    query_put_text(&query, dispute->ruling);
    query_put_number(&query, dispute->opened_wall_ms);
    query_put_number(&query, dispute->deadline_wall_ms);
    query_put_number(&query, dispute->closed_wall_ms);
    return query_end(&query);
}

enum status store_dispute_page(struct store *store, const struct name *member, uint64_t after,
                               uint32_t rows, struct arena *arena, struct store_dispute **disputes,
                               uint32_t *count, uint64_t *next_after, struct fault *fault)
{
    static const char sql[] = DISPUTE_COLUMNS "WHERE d.row > ?1 AND (?2 = '' OR l.home = ?2"
                                              " OR l.host = ?2) ORDER BY d.row LIMIT ?3";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)after);
    query_put_name(&query, member);
    query_put_number(&query, rows);
    enum status status = disputes_read(&query, arena, disputes, count);
    *next_after = status == STATUS_OK && *count == rows ? (*disputes)[rows - 1].row : 0;
    return status;
}

enum status store_dispute_list_due(struct store *store, int64_t before_wall_ms, uint32_t rows,
                                   struct arena *arena, struct store_dispute **disputes,
                                   uint32_t *count, struct fault *fault)
{
    static const char sql[] = DISPUTE_COLUMNS "WHERE d.state < 2 AND d.state = 0 AND d.deadline < ?"
                                              " LIMIT ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, before_wall_ms);
    query_put_number(&query, rows);
    return disputes_read(&query, arena, disputes, count);
}

enum status store_dispute_count_open(struct store *store, uint64_t lease_row, const char *home,
                                     uint32_t *count, struct fault *fault)
{
    static const char sql[] =
        "SELECT count(*) FROM disputes d JOIN leases l ON l.row = d.lease WHERE d.state < 2"
        " AND (?1 = 0 OR d.lease = ?1) AND (?2 = '' OR l.home = ?2)";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)lease_row);
    query_put_text(&query, home);
    *count = 0;
    if (query_row(&query))
        *count = (uint32_t)query_number(&query);
    return query_end(&query);
}
