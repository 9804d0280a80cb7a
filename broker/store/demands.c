#include "broker/store/demands.h"

#include "broker/store/query.h"
#include "proto/wire/methods.h"

enum { DEMAND_BYTES_MAX = 1024 * 1024 };

#define DEMAND_COLUMNS "row, state, age, submitted, changed, measured, body"

static void demand_read(struct query *query, struct arena *arena, struct store_demand *demand)
{
    void *domain = NULL;
    demand->row = (uint64_t)query_number(query);
    demand->state = (enum demand_state)query_choice(query, DEMAND_STATE_COUNT);
    demand->age_rounds = (uint32_t)query_number(query);
    demand->submitted_wall_ms = query_number(query);
    demand->changed_wall_ms = query_number(query);
    demand->measured_examples_per_second = query_real(query);
    struct bytes body = query_bytes(query, arena);
    if (query->status == STATUS_OK)
        query->status = wire_decode(&message_demand, body, arena, &domain, query->fault);
    demand->demand = domain;
}

static enum status demand_list(struct query *query, struct arena *arena,
                               struct store_demand **demands, uint32_t *count)
{
    struct grown grown = {0};
    while (query_row(query)) {
        struct store_demand *demand = grown_push(&grown, arena, sizeof *demand);
        if (demand == NULL)
            query->status = query_arena_full(query->fault);
        else
            demand_read(query, arena, demand);
    }
    *demands = grown.items;
    *count = grown.count;
    return query_end(query);
}

/* What decides whether a demand may be put; not its body. */
struct demand_head {
    bool there;
    struct name home;
    enum demand_state state;
};

static enum status head_read(struct store *store, const struct name *job, struct demand_head *head,
                             struct fault *fault)
{
    static const char sql[] = "SELECT home, state FROM demands WHERE job = ?";
    struct query query;
    *head = (struct demand_head){0};
    query_begin(&query, store, sql, fault);
    query_put_name(&query, job);
    if (query_row(&query)) {
        head->there = true;
        query_name(&query, &head->home);
        head->state = (enum demand_state)query_choice(&query, DEMAND_STATE_COUNT);
    }
    return query_end(&query);
}

static const char *state_name(enum demand_state state)
{
    static const char *const names[DEMAND_STATE_COUNT] = {"open", "completed", "cancelled"};
    return names[state];
}

static enum status put_check(struct store *store, const struct demand *demand, struct fault *fault)
{
    struct demand_head head;
    uint32_t open = 0;
    enum status status = head_read(store, &demand->job, &head, fault);
    if (status != STATUS_OK)
        return status;
    if (head.there && !name_equal(&head.home, &demand->home))
        return fault_set(fault, STATUS_DENIED, "job '%s' belongs to another member",
                         demand->job.text);
    if (head.there && head.state != DEMAND_OPEN)
        return fault_set(fault,
                         head.state == DEMAND_COMPLETED ? STATUS_EXISTS : STATUS_PRECONDITION,
                         "job '%s' is %s already; submit it under a new id", demand->job.text,
                         state_name(head.state));
    if (head.there)
        return STATUS_OK;
    status = store_demand_count_open(store, &demand->home, &open, fault);
    if (status == STATUS_OK && open >= JOBS_PER_MEMBER_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "member '%s' has %u open jobs, the limit: wait until some end",
                         demand->home.text, (unsigned)open);
    return status;
}

enum status store_demand_put(struct store *store, const struct demand *demand, int64_t now_wall_ms,
                             struct fault *fault)
{
    static const char sql[] =
        "INSERT INTO demands (job, home, state, age, submitted, changed, measured, body)"
        " VALUES (?1, ?2, 0, 0, ?3, ?3, 0.0, ?4)"
        " ON CONFLICT (job) DO UPDATE SET changed = ?3, body = ?4";
    enum status status = put_check(store, demand, fault);
    if (status != STATUS_OK)
        return status;
    struct arena arena;
    struct bytes body = {NULL, 0};
    struct query query;
    arena_init(&arena, DEMAND_BYTES_MAX);
    status = wire_encode(&message_demand, demand, &arena, &body, fault);
    if (status == STATUS_OK) {
        query_begin_write(&query, store, sql, fault);
        query_put_name(&query, &demand->job);
        query_put_name(&query, &demand->home);
        query_put_number(&query, now_wall_ms);
        query_put_bytes(&query, body);
        status = query_end(&query);
    }
    arena_fini(&arena);
    return status;
}

enum status store_demand_find(struct store *store, const struct name *job, struct arena *arena,
                              struct store_demand *demand, struct fault *fault)
{
    static const char sql[] = "SELECT " DEMAND_COLUMNS " FROM demands WHERE job = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, job);
    if (query_row(&query))
        demand_read(&query, arena, demand);
    else if (query.status == STATUS_OK)
        query.status = fault_set(fault, STATUS_NOT_FOUND, "there is no job '%s'", job->text);
    return query_end(&query);
}

enum status store_demand_end(struct store *store, const struct name *job, enum demand_state state,
                             int64_t now_wall_ms, struct fault *fault)
{
    static const char sql[] = "UPDATE demands SET state = ?, changed = ? WHERE job = ?";
    struct demand_head head;
    enum status status = head_read(store, job, &head, fault);
    if (status != STATUS_OK)
        return status;
    if (!head.there)
        return fault_set(fault, STATUS_NOT_FOUND, "there is no job '%s'", job->text);
    if (head.state == state)
        return STATUS_OK;
    if (head.state != DEMAND_OPEN)
        return fault_set(fault, STATUS_PRECONDITION, "job '%s' is %s already", job->text,
                         state_name(head.state));
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, (int64_t)state);
    query_put_number(&query, now_wall_ms);
    query_put_name(&query, job);
    return query_end(&query);
}

enum status store_demand_reopen(struct store *store, const struct name *job, int64_t now_wall_ms,
                                struct fault *fault)
{
    static const char sql[] =
        "UPDATE demands SET state = 0, age = 0, changed = ? WHERE job = ? AND state = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, now_wall_ms);
    query_put_name(&query, job);
    query_put_number(&query, DEMAND_CANCELLED);
    return query_end(&query);
}

enum status store_demand_list_open(struct store *store, struct arena *arena,
                                   struct store_demand **demands, uint32_t *count,
                                   struct fault *fault)
{
    static const char sql[] =
        "SELECT " DEMAND_COLUMNS " FROM demands WHERE state = 0 ORDER BY home, job";
    struct query query;
    query_begin(&query, store, sql, fault);
    return demand_list(&query, arena, demands, count);
}

enum status store_demand_page(struct store *store, const struct name *home, uint64_t after,
                              uint32_t rows, struct arena *arena, struct store_demand **demands,
                              uint32_t *count, uint64_t *next_after, struct fault *fault)
{
    static const char sql_all[] =
        "SELECT " DEMAND_COLUMNS " FROM demands WHERE row > ? ORDER BY row LIMIT ?";
    static const char sql_home[] =
        "SELECT " DEMAND_COLUMNS " FROM demands WHERE home = ? AND row > ? ORDER BY row LIMIT ?";
    struct query query;
    query_begin(&query, store, name_empty(home) ? sql_all : sql_home, fault);
    if (!name_empty(home))
        query_put_name(&query, home);
    query_put_number(&query, (int64_t)after);
    query_put_number(&query, rows);
    enum status status = demand_list(&query, arena, demands, count);
    *next_after = status == STATUS_OK && *count == rows && rows > 0 ? (*demands)[rows - 1].row : 0;
    return status;
}

enum status store_demand_count_open(struct store *store, const struct name *home, uint32_t *count,
                                    struct fault *fault)
{
    static const char sql[] = "SELECT count(*) FROM demands WHERE state = 0 AND home = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, home);
    if (query_row(&query))
        *count = (uint32_t)query_number(&query);
    return query_end(&query);
}

enum status store_demand_set_age(struct store *store, const struct name *job, uint32_t age_rounds,
                                 struct fault *fault)
{
    static const char sql[] = "UPDATE demands SET age = ? WHERE job = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, age_rounds);
    query_put_name(&query, job);
    return query_end_found(&query, "job", job->text);
}

enum status store_demand_set_measured(struct store *store, const struct name *job,
                                      double examples_per_second, struct fault *fault)
{
    static const char sql[] = "UPDATE demands SET measured = ? WHERE job = ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_real(&query, examples_per_second);
    query_put_name(&query, job);
    return query_end_found(&query, "job", job->text);
}
