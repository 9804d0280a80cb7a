#include "broker/store/rounds.h"

#include "broker/store/query.h"

#define ROW_COLUMNS                                                                                \
    "round, started, took, interim, members, pools, gpus, jobs, placed, gpus_placed, objective,"   \
    " bound, epsilon, fit"

static void row_read(struct query *query, struct round_row *row)
{
    row->round = (uint64_t)query_number(query);
    row->started_wall_ms = query_number(query);
    row->took_ms = query_number(query);
    row->interim = query_number(query) != 0;
    row->members = (uint32_t)query_number(query);
    row->pools = (uint32_t)query_number(query);
    row->gpus = (uint32_t)query_number(query);
    row->jobs = (uint32_t)query_number(query);
    row->placed = (uint32_t)query_number(query);
    row->gpus_placed = (uint32_t)query_number(query);
    row->objective.micros = query_number(query);
    row->bound.micros = query_number(query);
    row->epsilon.micros = query_number(query);
    row->fit = (uint64_t)query_number(query);
}

static void row_put(struct query *query, const struct round_row *row)
{
    query_put_number(query, (int64_t)row->round);
    query_put_number(query, row->started_wall_ms);
    query_put_number(query, row->took_ms);
    query_put_number(query, row->interim);
    query_put_number(query, row->members);
    query_put_number(query, row->pools);
    query_put_number(query, row->gpus);
    query_put_number(query, row->jobs);
    query_put_number(query, row->placed);
    query_put_number(query, row->gpus_placed);
    query_put_number(query, row->objective.micros);
    query_put_number(query, row->bound.micros);
    query_put_number(query, row->epsilon.micros);
    query_put_number(query, (int64_t)row->fit);
}

enum status store_round_add(struct store *store, const struct store_round *round,
                            struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO rounds (" ROW_COLUMNS
        ", incarnation, ends, dropped, plan_digest, report, plan,"
        " snapshot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    if (round->snapshot.size > ROUND_BYTES_MAX || round->plan.size > ROUND_BYTES_MAX ||
        round->report.size > ROUND_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "round %llu is larger than %d bytes",
                         (unsigned long long)round->row.round, ROUND_BYTES_MAX);
    struct query query;
    query_begin_write(&query, store, sql, fault);
    row_put(&query, &round->row);
    query_put_number(&query, (int64_t)round->incarnation);
    query_put_number(&query, round->ends_wall_ms);
    query_put_number(&query, round->dropped);
    query_put_digest(&query, &round->plan_digest);
    query_put_bytes(&query, round->report);
    query_put_bytes(&query, round->plan);
    query_put_bytes(&query, round->snapshot);
    return query_end(&query);
}

enum status store_round_newest(struct store *store, uint64_t *number, struct fault *fault)
{
    static const char sql[] = "SELECT coalesce(max(round), 0) FROM rounds";
    struct query query;
    query_begin(&query, store, sql, fault);
    if (query_row(&query))
        *number = (uint64_t)query_number(&query);
    return query_end(&query);
}

enum status store_round_find(struct store *store, uint64_t number, struct arena *arena,
                             struct store_round *round, struct fault *fault)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS ", incarnation, ends, dropped, plan_digest, report, plan, snapshot"
        " FROM rounds WHERE round = ?";
    if (number == 0) {
        enum status status = store_round_newest(store, &number, fault);
        if (status != STATUS_OK)
            return status;
        if (number == 0)
            return fault_set(fault, STATUS_NOT_FOUND, "there was no round yet");
    }
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_number(&query, (int64_t)number);
    if (query_row(&query)) {
        row_read(&query, &round->row);
        round->incarnation = (uint64_t)query_number(&query);
        round->ends_wall_ms = query_number(&query);
        round->dropped = (uint32_t)query_number(&query);
        (void)query_fixed(&query, &round->plan_digest, sizeof round->plan_digest);
        round->report = query_bytes(&query, arena);
        round->plan = query_bytes(&query, arena);
        round->snapshot = query_bytes(&query, arena);
    } else if (query.status == STATUS_OK) {
        query.status = fault_set(fault, STATUS_NOT_FOUND, "there is no round %llu",
                                 (unsigned long long)number);
    }
    return query_end(&query);
}

enum status store_round_list(struct store *store, uint64_t before, uint32_t rows,
                             struct arena *arena, struct round_row **list, uint32_t *count,
                             struct fault *fault)
{
    static const char sql[] =
        "SELECT " ROW_COLUMNS " FROM rounds WHERE round < ? ORDER BY round DESC LIMIT ?";
    struct query query;
    struct grown grown = {0};
    query_begin(&query, store, sql, fault);
    query_put_number(&query, before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
    query_put_number(&query, rows);
    while (query_row(&query)) {
        struct round_row *row = grown_push(&grown, arena, sizeof *row);
        if (row == NULL)
            query.status = query_arena_full(fault);
        else
            row_read(&query, row);
    }
    *list = grown.items;
    *count = grown.count;
    return query_end(&query);
}
