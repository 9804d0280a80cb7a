/*
 * Small market: hand-made instances for tests, in whole credits.
 *
 *     struct small small;
 *     small_init(&small, 3);
 *     small_pool(&small, 0, 1, 1);     owner 0, one node of one GPU
 *     small_job(&small, 1);            of member 1
 *     small_column(&small, 0, 1, 10);  pool 0, one GPU, worth 10 credits a round
 *
 * Pools by owner, jobs by home, columns by pool, rows by owner: as the market wants them. The round
 * has 1000 s, so that one credit per GPU and round is 1,000,000 nano-credits per GPU-second.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_SMALL_MARKET_H
#define ENTENTE_TESTS_ECONOMICS_SMALL_MARKET_H

#include <stdio.h>

#include "economics/market/plan.h"

enum { SMALL_MAX = 32, SMALL_ROUND_MS = 1000000, SMALL_NANOS_PER_CREDIT = 1000000 };

struct small {
    struct market market;
    struct market_member members[SMALL_MAX];
    struct market_pool pools[SMALL_MAX];
    struct market_node nodes[SMALL_MAX][SMALL_MAX];
    struct market_job jobs[SMALL_MAX];
    struct market_column columns[SMALL_MAX];
    struct market_row rows[SMALL_MAX];
    struct market_entry entries[SMALL_MAX];
    struct lease_node held[SMALL_MAX];
    struct arena arena;
    struct plan plan;
    struct fault fault;
};

static inline void small_init(struct small *small, uint32_t members)
{
    *small = (struct small){.market = {.round_ms = SMALL_ROUND_MS, .member_count = members}};
    small->market.members = small->members;
    small->market.pools = small->pools;
    small->market.jobs = small->jobs;
    small->market.columns = small->columns;
    small->market.rows = small->rows;
    small->market.entries = small->entries;
    for (uint32_t i = 0; i < members; i++)
        snprintf(small->members[i].name.text, sizeof small->members[i].name.text, "m%02u", i);
    arena_init(&small->arena, ARENA_MESSAGE_BYTES);
}

static inline void small_fini(struct small *small)
{
    arena_fini(&small->arena);
}

static inline struct market_pool *small_pool(struct small *small, int32_t owner, uint32_t nodes,
                                             uint32_t gpus_per_node)
{
    uint32_t const index = small->market.pool_count++;
    struct market_pool *pool = &small->pools[index];
    *pool = (struct market_pool){.owner = owner,
                                 .gpu_count = nodes * gpus_per_node,
                                 .gpus_per_node = gpus_per_node,
                                 .nodes = small->nodes[index],
                                 .node_count = nodes};
    snprintf(pool->gpu.text, sizeof pool->gpu.text, "g%02u", index);
    for (uint32_t n = 0; n < nodes; n++)
        pool->nodes[n].gpus = (UINT64_C(1) << gpus_per_node) - 1;
    return pool;
}

static inline struct market_job *small_job(struct small *small, int32_t home)
{
    uint32_t const index = small->market.job_count++;
    struct market_job *job = &small->jobs[index];
    *job = (struct market_job){
        .home = home, .first_column = small->market.column_count, .held_column = MARKET_NONE};
    snprintf(job->job.text, sizeof job->job.text, "j%02u", index);
    return job;
}

static inline int64_t small_cost_micros(const struct small *small, uint32_t pool, uint32_t gpus)
{
    return small->pools[pool].cost.nanos * gpus * (SMALL_ROUND_MS / 1000) / 1000;
}

/* Of the last job. Its bid covers all that it is worth. */
static inline struct market_column *small_column(struct small *small, uint32_t pool, uint32_t gpus,
                                                 double worth)
{
    struct market_column *column = &small->columns[small->market.column_count++];
    int64_t const micros = (int64_t)(worth * MICROS_PER_CREDIT);
    int64_t const value = micros + small_cost_micros(small, pool, gpus);
    *column = (struct market_column){.job = small->market.job_count - 1,
                                     .pool = pool,
                                     .gpus = gpus,
                                     .micro_examples_per_second = 1,
                                     .worth = {micros},
                                     .value = {value > 0 ? value : 0},
                                     .price_room = {value > 0 ? value : 0}};
    small->jobs[column->job].column_count++;
    return column;
}

/* The last job runs on these GPUs of a node, in its last column. */
static inline void small_hold(struct small *small, uint32_t node, uint64_t gpus)
{
    uint32_t const index = small->market.job_count - 1;
    struct market_job *job = &small->jobs[index];
    small->held[index] = (struct lease_node){.node = node, .gpus = gpus};
    job->held_column = (int32_t)small->market.column_count - 1;
    job->held_nodes = &small->held[index];
    job->held_node_count = 1;
}

static inline void small_row(struct small *small, enum market_row_kind kind, int32_t owner,
                             double limit)
{
    small->rows[small->market.row_count++] =
        (struct market_row){.kind = kind,
                            .owner = owner,
                            .partner = MARKET_NONE,
                            .limit = limit,
                            .first_entry = small->market.entry_count};
}

/* Of the last row. */
static inline void small_entry(struct small *small, uint32_t column, double coefficient)
{
    small->entries[small->market.entry_count++] =
        (struct market_entry){.column = column, .coefficient = coefficient};
    small->rows[small->market.row_count - 1].entry_count++;
}

static inline enum status small_plan(struct small *small)
{
    enum status status = plan_make(&small->market, &small->arena, &small->plan, &small->fault);
    if (status == STATUS_OK)
        status = plan_check(&small->market, &small->plan, &small->fault);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", small->fault.text);
    return status;
}

static inline double small_payoff(const struct small *small, uint32_t member)
{
    return credits_to_double(small->plan.members[member].payoff);
}

#endif
