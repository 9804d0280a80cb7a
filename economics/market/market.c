#include "economics/market/market.h"

#include <stdlib.h>

static enum status check_sizes(const struct market *market, struct fault *fault);
static enum status check_members(const struct market *market, struct fault *fault);
static enum status check_pools(const struct market *market, struct fault *fault);
static enum status check_jobs(const struct market *market, struct fault *fault);
static enum status check_columns(const struct market *market, struct fault *fault);
static enum status check_rows(const struct market *market, struct fault *fault);
static enum status check_held(const struct market *market, struct fault *fault);

enum status market_validate(const struct market *market, struct fault *fault)
{
    enum status (*const steps[])(const struct market *, struct fault *) = {
        check_sizes, check_members, check_pools, check_jobs, check_columns, check_rows, check_held};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum status const status = steps[i](market, fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status invalid(struct fault *fault, const char *array, uint32_t index, const char *what)
{
    return fault_set(fault, STATUS_INVALID, "%s[%u].%s", array, index, what);
}

static enum status check_sizes(const struct market *market, struct fault *fault)
{
    if (market->round_ms <= 0 || market->round_ms > MARKET_ROUND_MS_MAX)
        return fault_set(fault, STATUS_INVALID, "round_ms: give 1 to %d", MARKET_ROUND_MS_MAX);
    const struct {
        const char *name;
        uint32_t count;
        uint32_t max;
    } sizes[] = {
        {"member_count", market->member_count, MARKET_MEMBERS_MAX},
        {"pool_count", market->pool_count, MARKET_POOLS_MAX},
        {"job_count", market->job_count, MARKET_JOBS_MAX},
        {"column_count", market->column_count, MARKET_COLUMNS_MAX},
        {"row_count", market->row_count, MARKET_ROWS_MAX},
        {"entry_count", market->entry_count, MARKET_ENTRIES_MAX},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].count > sizes[i].max)
            return fault_set(fault, STATUS_INVALID, "%s: %u, at most %u", sizes[i].name,
                             sizes[i].count, sizes[i].max);
    return STATUS_OK;
}

static enum status check_members(const struct market *market, struct fault *fault)
{
    for (uint32_t i = 1; i < market->member_count; i++)
        if (name_compare(&market->members[i - 1].name, &market->members[i].name) >= 0)
            return invalid(fault, "members", i, "name: sort by name, each once");
    return STATUS_OK;
}

static bool is_member(const struct market *market, int32_t index)
{
    return index >= 0 && (uint32_t)index < market->member_count;
}

static uint32_t bits(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

static uint64_t mask_of(uint32_t gpus)
{
    return gpus >= 64 ? UINT64_MAX : (UINT64_C(1) << gpus) - 1;
}

static enum status check_nodes(const struct market_pool *pool, uint32_t index, struct fault *fault)
{
    uint64_t gpus = 0;
    for (uint32_t n = 0; n < pool->node_count; n++) {
        if ((pool->nodes[n].gpus & ~mask_of(pool->gpus_per_node)) != 0)
            return invalid(fault, "pools", index, "nodes: a GPU beyond gpus_per_node");
        gpus += bits(pool->nodes[n].gpus);
    }
    if (gpus != pool->gpu_count)
        return invalid(fault, "pools", index, "gpu_count: not the number of GPUs on its nodes");
    return STATUS_OK;
}

static enum status check_pools(const struct market *market, struct fault *fault)
{
    for (uint32_t i = 0; i < market->pool_count; i++) {
        const struct market_pool *pool = &market->pools[i];
        if (!is_member(market, pool->owner))
            return invalid(fault, "pools", i, "owner: no such member");
        if (pool->gpus_per_node < 1 || pool->gpus_per_node > GPUS_PER_NODE_MAX)
            return invalid(fault, "pools", i, "gpus_per_node: give 1 to 64");
        if (pool->cost.nanos < 0)
            return invalid(fault, "pools", i, "cost: give 0 or more");
        if (i > 0) {
            const struct market_pool *former = &market->pools[i - 1];
            int const by_gpu = name_compare(&former->gpu, &pool->gpu);
            if (former->owner > pool->owner || (former->owner == pool->owner && by_gpu >= 0))
                return invalid(fault, "pools", i, "gpu: sort by owner and gpu, each once");
        }
        enum status const status = check_nodes(pool, i, fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status check_jobs(const struct market *market, struct fault *fault)
{
    uint32_t next_column = 0;
    for (uint32_t i = 0; i < market->job_count; i++) {
        const struct market_job *job = &market->jobs[i];
        if (!is_member(market, job->home))
            return invalid(fault, "jobs", i, "home: no such member");
        if (i > 0) {
            const struct market_job *former = &market->jobs[i - 1];
            if (former->home > job->home ||
                (former->home == job->home && name_compare(&former->job, &job->job) >= 0))
                return invalid(fault, "jobs", i, "job: sort by home and id, each once");
        }
        if (job->first_column != next_column ||
            job->column_count > market->column_count - next_column)
            return invalid(fault, "jobs", i, "first_column: columns must follow the jobs' order");
        next_column += job->column_count;
    }
    if (next_column != market->column_count)
        return fault_set(fault, STATUS_INVALID, "columns[%u].job: belongs to no job", next_column);
    return STATUS_OK;
}

/* A column that is worth something leaves its home a bid that covers the pool's cost. */
static enum status check_bid(const struct market *market, uint32_t index, struct fault *fault)
{
    const struct market_column *column = &market->columns[index];
    struct credits cost;
    if (column->held_ms < 0 || column->held_ms > market->round_ms)
        return invalid(fault, "columns", index, "held_ms: give 0 to round_ms");
    if (!price_amount(market->pools[column->pool].cost, column->gpus,
                      market_column_ms(market, column), &cost) ||
        cost.micros > MARKET_WORTH_MICROS_MAX)
        return invalid(fault, "columns", index, "gpus: its cost a round is out of range");
    if (column->worth.micros <= 0)
        return STATUS_OK;
    if (column->price_room.micros > column->value.micros)
        return invalid(fault, "columns", index, "price_room: above value");
    if (column->price_room.micros < cost.micros)
        return invalid(fault, "columns", index, "price_room: below the pool's cost; worth <= 0");
    if (column->worth.micros > column->value.micros - cost.micros)
        return invalid(fault, "columns", index, "worth: above value less the pool's cost");
    return STATUS_OK;
}

static enum status check_column(const struct market *market, uint32_t index, struct fault *fault)
{
    const struct market_column *column = &market->columns[index];
    if (column->pool >= market->pool_count)
        return invalid(fault, "columns", index, "pool: no such pool");
    if (column->gpus < 1 || column->gpus > MARKET_GPUS_PER_COLUMN_MAX)
        return invalid(fault, "columns", index, "gpus: give at least 1");
    if (column->micro_examples_per_second < 0)
        return invalid(fault, "columns", index, "micro_examples_per_second: give 0 or more");
    if (llabs(column->worth.micros) > MARKET_WORTH_MICROS_MAX)
        return invalid(fault, "columns", index, "worth: out of range");
    if (column->value.micros < 0 || column->value.micros > MARKET_WORTH_MICROS_MAX)
        return invalid(fault, "columns", index, "value: out of range");
    if (column->price_room.micros < 0)
        return invalid(fault, "columns", index, "price_room: give 0 or more");
    return check_bid(market, index, fault);
}

static enum status check_columns(const struct market *market, struct fault *fault)
{
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            const struct market_column *column = &market->columns[k];
            if (column->job != j)
                return invalid(fault, "columns", k, "job: columns must follow the jobs' order");
            enum status const status = check_column(market, k, fault);
            if (status != STATUS_OK)
                return status;
            if (k == job->first_column)
                continue;
            const struct market_column *former = &market->columns[k - 1];
            if (former->pool > column->pool ||
                (former->pool == column->pool && former->gpus >= column->gpus))
                return invalid(fault, "columns", k, "pool: sort by pool and gpus, each once");
        }
    }
    return STATUS_OK;
}

/* False for NaN and infinities, too. */
static bool in_range(double number)
{
    return number == 0 || (number >= MARKET_COEFFICIENT_MIN && number <= MARKET_COEFFICIENT_MAX);
}

static enum status check_entries(const struct market *market, const struct market_row *row,
                                 struct fault *fault)
{
    for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
        const struct market_entry *entry = &market->entries[e];
        if (entry->column >= market->column_count)
            return invalid(fault, "entries", e, "column: no such column");
        if (!in_range(entry->coefficient))
            return invalid(fault, "entries", e, "coefficient: give 0, or 1e-12 to 1e18");
        if (e > row->first_entry && market->entries[e - 1].column >= entry->column)
            return invalid(fault, "entries", e, "column: sort by row and column, each once");
    }
    return STATUS_OK;
}

static enum status check_rows(const struct market *market, struct fault *fault)
{
    uint32_t next_entry = 0;
    for (uint32_t i = 0; i < market->row_count; i++) {
        const struct market_row *row = &market->rows[i];
        if ((unsigned)row->kind >= MARKET_ROW_KIND_COUNT)
            return invalid(fault, "rows", i, "kind: unknown");
        if (!is_member(market, row->owner))
            return invalid(fault, "rows", i, "owner: no such member");
        if (row->partner != MARKET_NONE && !is_member(market, row->partner))
            return invalid(fault, "rows", i, "partner: no such member");
        if (!in_range(row->limit))
            return invalid(fault, "rows", i, "limit: give 0, or 1e-12 to 1e18");
        const struct market_row *former = i > 0 ? &market->rows[i - 1] : NULL;
        if (former != NULL && (former->owner > row->owner ||
                               (former->owner == row->owner && former->kind > row->kind)))
            return invalid(fault, "rows", i, "owner: sort by owner and kind");
        if (row->first_entry != next_entry || row->entry_count > market->entry_count - next_entry)
            return invalid(fault, "rows", i, "first_entry: entries must follow the rows' order");
        next_entry += row->entry_count;
        enum status const status = check_entries(market, row, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (next_entry != market->entry_count)
        return fault_set(fault, STATUS_INVALID, "entries[%u]: belongs to no row", next_entry);
    return STATUS_OK;
}

static enum status check_job_held(const struct market *market, uint32_t index, struct fault *fault)
{
    const struct market_job *job = &market->jobs[index];
    if (job->held_column == MARKET_NONE)
        return STATUS_OK;
    if (job->held_column < 0 || (uint32_t)job->held_column < job->first_column ||
        (uint32_t)job->held_column >= job->first_column + job->column_count)
        return invalid(fault, "jobs", index, "held_column: not one of its columns");
    const struct market_column *column = &market->columns[job->held_column];
    const struct market_pool *pool = &market->pools[column->pool];
    uint32_t held = 0;
    for (uint32_t n = 0; n < job->held_node_count; n++) {
        const struct lease_node *node = &job->held_nodes[n];
        if (node->node >= pool->node_count || node->gpus == 0 ||
            (node->gpus & ~pool->nodes[node->node].gpus) != 0)
            return invalid(fault, "jobs", index, "held_nodes: not GPUs of its pool");
        if (n > 0 && job->held_nodes[n - 1].node >= node->node)
            return invalid(fault, "jobs", index, "held_nodes: sort by node, each once");
        held += bits(node->gpus);
    }
    if (held != column->gpus || job->held_node_count > NODES_PER_LEASE_MAX)
        return invalid(fault, "jobs", index, "held_nodes: not as many GPUs as its column says");
    return STATUS_OK;
}

/* No GPU is held twice: each job's GPUs are taken out of a copy of the pools' masks. */
static enum status take_held(const struct market *market, uint64_t *masks,
                             const uint32_t *first_node, struct fault *fault)
{
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        if (job->held_column == MARKET_NONE)
            continue;
        uint64_t *pool = &masks[first_node[market->columns[job->held_column].pool]];
        for (uint32_t n = 0; n < job->held_node_count; n++) {
            const struct lease_node *node = &job->held_nodes[n];
            if ((pool[node->node] & node->gpus) != node->gpus)
                return invalid(fault, "jobs", j, "held_nodes: a GPU is held by another job too");
            pool[node->node] &= ~node->gpus;
        }
    }
    return STATUS_OK;
}

static enum status check_held(const struct market *market, struct fault *fault)
{
    for (uint32_t j = 0; j < market->job_count; j++) {
        enum status const status = check_job_held(market, j, fault);
        if (status != STATUS_OK)
            return status;
    }
    size_t nodes = 0;
    for (uint32_t p = 0; p < market->pool_count; p++)
        nodes += market->pools[p].node_count;
    uint64_t *masks = malloc((nodes + 1) * sizeof *masks);
    uint32_t *first_node = malloc((market->pool_count + 1) * sizeof *first_node);
    enum status status = STATUS_NO_MEMORY;
    if (masks == NULL || first_node == NULL) {
        fault_set(fault, STATUS_NO_MEMORY, "no memory to check who holds which GPU");
    } else {
        uint32_t next = 0;
        for (uint32_t p = 0; p < market->pool_count; p++) {
            first_node[p] = next;
            for (uint32_t n = 0; n < market->pools[p].node_count; n++)
                masks[next++] = market->pools[p].nodes[n].gpus;
        }
        status = take_held(market, masks, first_node, fault);
    }
    free(masks);
    free(first_node);
    return status;
}
