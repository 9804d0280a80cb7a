#include "broker/store/settlements.h"

#include "broker/store/query.h"

enum status store_settlement_add(struct store *store, const struct store_settlement *settlement,
                                 struct fault *fault)
{
    static const char sql[] = "INSERT INTO settlements VALUES (?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)settlement->period);
    query_put_number(&query, settlement->from_wall_ms);
    query_put_number(&query, settlement->until_wall_ms);
    query_put_number(&query, settlement->due_wall_ms);
    query_put_number(&query, (int64_t)settlement->sequence);
    return query_end(&query);
}

static void settlement_read(struct query *query, struct store_settlement *settlement)
{
    settlement->period = (uint64_t)query_number(query);
    settlement->from_wall_ms = query_number(query);
    settlement->until_wall_ms = query_number(query);
    settlement->due_wall_ms = query_number(query);
    settlement->sequence = (uint64_t)query_number(query);
}

enum status store_settlement_find(struct store *store, uint64_t period,
                                  struct store_settlement *settlement, struct fault *fault)
{
    static const char sql[] = "SELECT * FROM settlements WHERE ?1 = 0 OR period = ?1"
                              " ORDER BY period DESC LIMIT 1";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)period);
    *settlement = (struct store_settlement){.period = 0};
    if (query_row(&query))
        settlement_read(&query, settlement);
    else
        query_fail(&query, STATUS_NOT_FOUND, "there is no such closed settlement period");
    return query_end(&query);
}

enum status store_settlement_list(struct store *store, uint64_t before, uint32_t rows,
                                  struct arena *arena, struct store_settlement **settlements,
                                  uint32_t *count, struct fault *fault)
{
    static const char sql[] = "SELECT * FROM settlements WHERE ?1 = 0 OR period < ?1"
                              " ORDER BY period DESC LIMIT ?2";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)before);
    query_put_number(&query, rows);
    while (query_row(&query)) {
        struct store_settlement *settlement = grown_push(&grown, arena, sizeof *settlement);
        if (settlement != NULL)
            settlement_read(&query, settlement);
        else
            query_fail(&query, STATUS_EXHAUSTED, "too many periods for the memory allowed");
    }
    *settlements = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_settlement_row_add(struct store *store, uint64_t period,
                                     const struct settlement_row *row, struct fault *fault)
{
    static const char sql[] = "INSERT INTO settlement_members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)period);
    query_put_name(&query, &row->member);
    query_put_number(&query, row->opening.micros);
    query_put_number(&query, row->earned.micros);
    query_put_number(&query, row->spent.micros);
    query_put_number(&query, row->paid_in.micros);
    query_put_number(&query, row->corrected.micros);
    query_put_number(&query, row->closing.micros);
    query_put_number(&query, row->owed.micros);
    return query_end(&query);
}

static void row_read(struct query *query, struct settlement_row *row)
{
    query_name(query, &row->member);
    row->opening.micros = query_number(query);
    row->earned.micros = query_number(query);
    row->spent.micros = query_number(query);
    row->paid_in.micros = query_number(query);
    row->corrected.micros = query_number(query);
    row->closing.micros = query_number(query);
    row->owed.micros = query_number(query);
}

enum status store_settlement_rows(struct store *store, uint64_t period, struct arena *arena,
                                  struct settlement_row **rows, uint32_t *count,
                                  struct fault *fault)
{
    static const char sql[] =
        "SELECT member, opening, earned, spent, paid_in, corrected, closing, owed"
        " FROM settlement_members WHERE period = ? ORDER BY member";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)period);
    while (query_row(&query)) {
        struct settlement_row *row = grown_push(&grown, arena, sizeof *row);
        if (row != NULL)
            row_read(&query, row);
        else
            query_fail(&query, STATUS_EXHAUSTED, "too many members for the memory allowed");
    }
    *rows = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_flow_list(struct store *store, uint64_t after, uint64_t until,
                            struct arena *arena, struct store_flow **flows, uint32_t *count,
                            struct fault *fault)
{
    static const char sql[] =
        "SELECT e.account, t.kind, sum(max(e.amount, 0)), sum(min(e.amount, 0)) FROM entries e"
        " JOIN transactions t ON t.number = e.number WHERE e.sequence > ? AND e.sequence <= ?"
        " GROUP BY e.account, t.kind ORDER BY e.account, t.kind";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)after);
    query_put_number(&query, (int64_t)until);
    while (query_row(&query)) {
        struct store_flow *flow = grown_push(&grown, arena, sizeof *flow);
        if (flow == NULL) {
            query_fail(&query, STATUS_EXHAUSTED, "too many accounts for the memory allowed");
            break;
        }
        query_text(&query, flow->account, sizeof flow->account);
        query_text(&query, flow->kind, sizeof flow->kind);
        flow->in.micros = query_number(&query);
        flow->out.micros = query_number(&query);
    }
    *flows = grown.items;
    *count = grown.count;
    return query_end(&query);
}

enum status store_deposits_after(struct store *store, const char *account, uint64_t after,
                                 struct credits *amount, struct fault *fault)
{
    static const char sql[] =
        "SELECT coalesce(sum(e.amount), 0) FROM entries e JOIN transactions t"
        " ON t.number = e.number WHERE e.account = ? AND e.sequence > ? AND t.kind = 'deposit'";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, account);
    query_put_number(&query, (int64_t)after);
    amount->micros = 0;
    if (query_row(&query))
        amount->micros = query_number(&query);
    return query_end(&query);
}
