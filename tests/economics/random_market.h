/*
 * Random market: small seeded instances of every shape, for the tests of the solver.
 *
 * One seed, one market. Shapes cover: no jobs, no capacity, columns worth nothing, ties, tiny and
 * huge worths, one-node jobs, held GPUs, share limits, link rows with partners, budgets, limits of
 * zero. Everything lies in the arena.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_RANDOM_MARKET_H
#define ENTENTE_TESTS_ECONOMICS_RANDOM_MARKET_H

#include <stdio.h>

#include "base/rng.h"
#include "economics/market/market.h"

enum { RANDOM_MEMBERS_MAX = 5, RANDOM_JOBS_MAX = 12, RANDOM_ROUND_MS = 300000 };

struct random_shape {
    uint32_t members;
    uint32_t jobs;
    uint32_t gpus_max;   /* of a node */
    uint32_t nodes_max;  /* of a pool */
    int64_t worth_scale; /* micro-credits */
    bool ties;           /* worths from a few values */
    bool rows;
    bool held;
};

static inline uint32_t random_pick(struct rng *rng, uint32_t low, uint32_t high)
{
    return low + (uint32_t)rng_below(rng, (uint64_t)high - low + 1);
}

static inline struct random_shape random_shape(struct rng *rng)
{
    int64_t const scales[] = {20, 1000000, 1000000, 1000000, 900000000000};
    struct random_shape shape = {
        .members = random_pick(rng, 1, RANDOM_MEMBERS_MAX),
        .jobs = random_pick(rng, 0, RANDOM_JOBS_MAX),
        .gpus_max = random_pick(rng, 0, 8),
        .nodes_max = random_pick(rng, 1, 3),
        .worth_scale = scales[rng_below(rng, 5)],
        .ties = rng_below(rng, 3) == 0,
        .rows = rng_below(rng, 2) == 0,
        .held = rng_below(rng, 2) == 0,
    };
    return shape;
}

static inline void random_name(struct name *name, const char *stem, uint32_t index)
{
    snprintf(name->text, sizeof name->text, "%s%05u", stem, index);
}

static inline void random_pools(struct rng *rng, const struct random_shape *shape,
                                struct arena *arena, struct market *market)
{
    market->pools = arena_alloc(arena, (size_t)shape->members * 2, sizeof *market->pools);
    for (uint32_t m = 0; m < shape->members; m++) {
        uint32_t const pools = random_pick(rng, 0, 2);
        for (uint32_t i = 0; i < pools; i++) {
            struct market_pool *pool = &market->pools[market->pool_count++];
            *pool = (struct market_pool){.owner = (int32_t)m, .gpus_per_node = 8};
            random_name(&pool->gpu, "gpu", i);
            pool->node_count = random_pick(rng, 1, shape->nodes_max);
            pool->nodes = arena_alloc(arena, pool->node_count, sizeof *pool->nodes);
            for (uint32_t n = 0; n < pool->node_count; n++) {
                uint32_t const gpus = random_pick(rng, 0, shape->gpus_max);
                pool->nodes[n].gpus = (UINT64_C(1) << gpus) - 1;
                pool->gpu_count += gpus;
            }
            pool->cost.nanos = (int64_t)rng_below(rng, (uint64_t)shape->worth_scale / 10 + 1);
        }
    }
}

static inline void random_column(struct rng *rng, const struct random_shape *shape,
                                 struct market *market, uint32_t job, uint32_t pool, uint32_t gpus)
{
    struct market_column *column = &market->columns[market->column_count++];
    int64_t const scale = shape->worth_scale;
    int64_t worth = (int64_t)rng_below(rng, (uint64_t)scale * gpus) - scale / 8;
    if (shape->ties)
        worth = scale / 4 * (int64_t)random_pick(rng, 0, 3) * (int64_t)gpus;
    struct credits cost;
    int64_t const held_ms = /* some jobs end within the round */
        rng_below(rng, 4) == 0 ? 1 + (int64_t)rng_below(rng, RANDOM_ROUND_MS) : 0;
    int64_t const billed_ms = held_ms > 0 ? held_ms : market->round_ms;
    if (!price_amount(market->pools[pool].cost, gpus, billed_ms, &cost))
        cost.micros = 0;
    int64_t const moving = (int64_t)rng_below(rng, (uint64_t)scale / 10 + 1);
    *column = (struct market_column){.job = job,
                                     .pool = pool,
                                     .gpus = gpus,
                                     .micro_examples_per_second = 1000000,
                                     .held_ms = held_ms,
                                     .worth = {worth}};
    if (worth <= 0)
        return;
    column->value.micros = worth + cost.micros + moving;
    column->price_room = column->value;
    if (rng_below(rng, 4) == 0) /* a price limit between cost and value */
        column->price_room.micros =
            cost.micros + (int64_t)rng_below(rng, (uint64_t)(worth + moving) + 1);
}

/* A job may hold the lowest GPUs of a pool's node, if nobody has them. */
static inline void random_held(struct rng *rng, struct arena *arena, struct market *market,
                               uint32_t index, uint64_t *held)
{
    struct market_job *job = &market->jobs[index];
    if (job->column_count == 0 || rng_below(rng, 2) == 0)
        return;
    uint32_t const k = job->first_column + (uint32_t)rng_below(rng, job->column_count);
    const struct market_column *column = &market->columns[k];
    if (held[column->pool] != 0)
        return;
    const struct market_pool *pool = &market->pools[column->pool];
    for (uint32_t n = 0; n < pool->node_count; n++) {
        if ((uint32_t)__builtin_popcountll(pool->nodes[n].gpus) < column->gpus)
            continue;
        job->held_nodes = arena_alloc(arena, 1, sizeof *job->held_nodes);
        job->held_nodes[0] =
            (struct lease_node){.node = n, .gpus = (UINT64_C(1) << column->gpus) - 1};
        job->held_node_count = 1;
        job->held_column = (int32_t)k;
        held[column->pool] = 1;
        return;
    }
}

static inline void random_jobs(struct rng *rng, const struct random_shape *shape,
                               struct arena *arena, struct market *market)
{
    market->jobs = arena_alloc(arena, shape->jobs, sizeof *market->jobs);
    market->columns = arena_alloc(arena, (size_t)shape->jobs * market->pool_count * 3 + 1,
                                  sizeof *market->columns);
    uint64_t *held = arena_alloc(arena, market->pool_count, sizeof *held);
    uint32_t const density = random_pick(rng, 0, 4);
    for (uint32_t m = 0; m < shape->members; m++) {
        uint32_t const left = shape->jobs - market->job_count;
        uint32_t const jobs = m + 1 == shape->members ? left : random_pick(rng, 0, left);
        for (uint32_t i = 0; i < jobs; i++) {
            uint32_t const index = market->job_count++;
            struct market_job *job = &market->jobs[index];
            *job = (struct market_job){.home = (int32_t)m,
                                       .first_column = market->column_count,
                                       .one_node = rng_below(rng, 3) == 0,
                                       .held_column = MARKET_NONE,
                                       .age_rounds = random_pick(rng, 0, 2)};
            random_name(&job->job, "job", i);
            for (uint32_t p = 0; p < market->pool_count; p++)
                for (uint32_t gpus = 1; gpus <= 4; gpus *= 2)
                    if (rng_below(rng, 4) < density)
                        random_column(rng, shape, market, index, p, gpus);
            job->column_count = market->column_count - job->first_column;
            if (shape->held)
                random_held(rng, arena, market, index, held);
        }
    }
}

static inline double random_coefficient(struct rng *rng, const struct market *market,
                                        enum market_row_kind kind, int32_t owner, int32_t partner,
                                        uint32_t k)
{
    const struct market_column *column = &market->columns[k];
    int32_t const home = market->jobs[column->job].home;
    int32_t const host = market->pools[column->pool].owner;
    if (kind == MARKET_ROW_FOREIGN_GPUS)
        return host == owner && home != owner ? column->gpus : 0;
    if (kind == MARKET_ROW_LINK_BYTES)
        return home == owner && host == partner ? 1e9 * (1 + (double)rng_below(rng, 9)) : 0;
    return home == owner && host != owner ? (double)column->price_room.micros / 1e6 : 0;
}

static inline void random_row(struct rng *rng, struct market *market, enum market_row_kind kind,
                              int32_t owner)
{
    int32_t partner = MARKET_NONE;
    if (kind == MARKET_ROW_LINK_BYTES)
        partner = (int32_t)rng_below(rng, market->member_count);
    if (partner == owner)
        return;
    struct market_row row = {
        .kind = kind, .owner = owner, .partner = partner, .first_entry = market->entry_count};
    double total = 0;
    for (uint32_t k = 0; k < market->column_count; k++) {
        double const coefficient = random_coefficient(rng, market, kind, owner, partner, k);
        if (coefficient <= 0)
            continue;
        total += coefficient;
        market->entries[market->entry_count++] =
            (struct market_entry){.column = k, .coefficient = coefficient};
    }
    row.entry_count = market->entry_count - row.first_entry;
    if (row.entry_count == 0)
        return;
    double const parts[] = {0, 0.1, 0.3, 0.5, 2};
    row.limit = total * parts[rng_below(rng, 5)];
    if (kind == MARKET_ROW_FOREIGN_GPUS)
        row.limit = (double)(int64_t)row.limit;
    market->rows[market->row_count++] = row;
}

static inline void random_market_shaped(struct rng *rng, const struct random_shape *shape,
                                        struct arena *arena, struct market *market)
{
    *market = (struct market){.round_ms = RANDOM_ROUND_MS, .member_count = shape->members};
    market->members = arena_alloc(arena, shape->members, sizeof *market->members);
    for (uint32_t m = 0; m < shape->members; m++)
        random_name(&market->members[m].name, "member", m);
    random_pools(rng, shape, arena, market);
    random_jobs(rng, shape, arena, market);
    market->rows = arena_alloc(arena, (size_t)shape->members * 3, sizeof *market->rows);
    market->entries =
        arena_alloc(arena, (size_t)market->column_count * 3 + 1, sizeof *market->entries);
    for (int32_t m = 0; shape->rows && m < (int32_t)shape->members; m++)
        for (int kind = 0; kind < MARKET_ROW_KIND_COUNT; kind++)
            if (rng_below(rng, 2) == 0)
                random_row(rng, market, (enum market_row_kind)kind, m);
}

static inline void random_market(uint64_t seed, uint64_t stream, struct arena *arena,
                                 struct market *market)
{
    struct rng rng;
    rng_init(&rng, seed, stream);
    struct random_shape const shape = random_shape(&rng);
    random_market_shaped(&rng, &shape, arena, market);
}

#endif
