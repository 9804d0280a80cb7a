/*
 * Round after round: what a plan places is what runs in the next one, while jobs come and go. Each
 * plan passes its check, and no round is worth less than leaving everybody where they are.
 */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "economics/market/collect.h"
#include "economics/market/plan.h"

enum { MEMBERS = 3, NODES = 3, GPUS = 4, JOBS = 14, ROUNDS = 40, FEDERATIONS = 12 };

struct job {
    struct demand demand;
    struct throughput_hint hints[MEMBERS];
    struct lease_node held[NODES_PER_LEASE_MAX];
    uint32_t held_count;
    char name[16];
};

struct federation {
    struct rng rng;
    uint64_t stream;
    struct pool_offer pools[MEMBERS];
    struct offer_node nodes[MEMBERS][NODES];
    struct offer offers[MEMBERS];
    const struct offer *offer_list[MEMBERS];
    struct credits funds[MEMBERS];
    struct job jobs[JOBS];
    uint32_t next_job;
    struct collect_demand demands[JOBS];
};

static void set_name(struct name *name, const char *stem, uint32_t number)
{
    *name = (struct name){.text = ""};
    snprintf(name->text, sizeof name->text, "%s%u", stem, number);
}

/* A new job takes the slot of one that has ended. */
static void new_job(struct federation *f, struct job *job)
{
    *job = (struct job){.demand = {.gpus_min = 1,
                                   .gpus_max = 1 + (uint32_t)rng_below(&f->rng, 6),
                                   .one_node = rng_below(&f->rng, 3) == 0,
                                   .work_left_examples = 1e3 + rng_unit(&f->rng) * 1e6,
                                   .checkpoint_bytes = rng_below(&f->rng, 2000000000),
                                   .hint_count = MEMBERS}};
    job->demand.value_nanos_per_example = (int64_t)(100000 + rng_below(&f->rng, 900000));
    set_name(&job->demand.home, "m", (uint32_t)rng_below(&f->rng, MEMBERS));
    set_name(&job->demand.job, "j", f->next_job++);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        set_name(&job->hints[m].gpu, "g", m);
        job->hints[m].gpus = 1;
        job->hints[m].examples_per_second = 1 + rng_unit(&f->rng) * 20;
    }
    job->demand.hints = job->hints;
}

static void make(struct federation *f, uint64_t seed, uint64_t stream)
{
    *f = (struct federation){.stream = stream};
    rng_init(&f->rng, seed, stream);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        f->pools[m] = (struct pool_offer){.gpus_per_node = GPUS,
                                          .node_count = NODES,
                                          .nodes = f->nodes[m],
                                          .cost = {(int64_t)rng_below(&f->rng, 1000000)},
                                          .foreign_gpus_max = 4 + (uint32_t)rng_below(&f->rng, 9),
                                          .enforces_limits = true};
        set_name(&f->pools[m].gpu, "g", m);
        f->offers[m] = (struct offer){.pools = &f->pools[m],
                                      .pool_count = 1,
                                      .default_affinity_ppm = PPM,
                                      .budget_per_round = {-1}};
        set_name(&f->offers[m].member, "m", m);
        f->offer_list[m] = &f->offers[m];
        f->funds[m].micros = (int64_t)rng_below(&f->rng, 10000) * MICROS_PER_CREDIT;
    }
    for (uint32_t j = 0; j < JOBS; j++)
        new_job(f, &f->jobs[j]);
}

static uint32_t member_of(const struct name *name)
{
    return (uint32_t)(name->text[1] - '0');
}

/* Free: what no job holds. */
static void free_nodes(struct federation *f)
{
    for (uint32_t m = 0; m < MEMBERS; m++)
        for (uint32_t n = 0; n < NODES; n++)
            f->nodes[m][n].free_gpus = (UINT64_C(1) << GPUS) - 1;
    for (uint32_t j = 0; j < JOBS; j++) {
        const struct job *job = &f->jobs[j];
        for (uint32_t h = 0; h < job->held_count; h++)
            f->nodes[member_of(&job->demand.position.pool.member)][job->held[h].node].free_gpus &=
                ~job->held[h].gpus;
    }
}

static void collect(struct federation *f, struct arena *arena, struct market *market)
{
    free_nodes(f);
    for (uint32_t j = 0; j < JOBS; j++)
        f->demands[j] = (struct collect_demand){.demand = &f->jobs[j].demand,
                                                .held_nodes = f->jobs[j].held,
                                                .held_node_count = f->jobs[j].held_count};
    struct collect_input const input = {.round_ms = 600000,
                                        .offers = f->offer_list,
                                        .offer_count = MEMBERS,
                                        .funds = f->funds,
                                        .demands = f->demands,
                                        .demand_count = JOBS,
                                        .costs = {.restart_seconds = 30,
                                                  .transfer_bytes_per_second = 1e8,
                                                  .credits_per_gigabyte = 0.01,
                                                  .grace_ms = 10000},
                                        .gpus_per_job_max = 8};
    struct fault fault = {.text = ""};
    if (market_collect(&input, arena, market, &fault) != STATUS_OK)
        fail_msg("federation %llu: %s", (unsigned long long)f->stream, fault.text);
}

static struct job *find(struct federation *f, const struct market_job *job)
{
    for (uint32_t j = 0; j < JOBS; j++)
        if (name_equal(&f->jobs[j].demand.job, &job->job))
            return &f->jobs[j];
    fail_msg("no job %s", job->job.text);
    return &f->jobs[0];
}

/* The round passes: the placed run and work, the others don't; what is done is replaced. */
static void run_round(struct federation *f, const struct market *market, const struct plan *plan)
{
    for (uint32_t j = 0; j < JOBS; j++) {
        f->jobs[j].held_count = 0;
        f->jobs[j].demand.position.running = false;
    }
    for (uint32_t i = 0; i < plan->placement_count; i++) {
        const struct plan_placement *placement = &plan->placements[i];
        const struct market_column *column = &market->columns[placement->column];
        const struct market_pool *pool = &market->pools[column->pool];
        struct job *job = find(f, &market->jobs[column->job]);
        memcpy(job->held, placement->nodes, placement->node_count * sizeof *job->held);
        job->held_count = placement->node_count;
        job->demand.position = (struct job_position){
            true, {market->members[pool->owner].name, pool->gpu}, column->gpus};
        job->demand.work_left_examples -= (double)column->micro_examples_per_second / 1e6 * 600;
        if (job->demand.work_left_examples < 1)
            new_job(f, job);
    }
}

/* Σ w of the columns that jobs hold, one round's restless limit aside. */
static int64_t worth_of_staying(const struct market *market)
{
    int64_t worth = 0;
    for (uint32_t j = 0; j < market->job_count; j++) {
        int32_t const held = market->jobs[j].held_column;
        if (held != MARKET_NONE && market->columns[held].worth.micros > 0)
            worth += market->columns[held].worth.micros;
    }
    return worth;
}

/* Staying may have become impossible: a share limit or a budget that binds by now. */
static bool all_may_stay(const struct market *market)
{
    for (uint32_t r = 0; r < market->row_count; r++) {
        double used = 0;
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            const struct market_job *job = &market->jobs[market->columns[entry->column].job];
            if (job->held_column == (int32_t)entry->column)
                used += entry->coefficient;
        }
        if (used > market->rows[r].limit)
            return false;
    }
    return true;
}

static void rounds_follow_each_other_and_nobody_moves_for_nothing(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(77);
    uint32_t renewed = 0;
    uint32_t moved = 0;
    for (uint64_t stream = 0; stream < FEDERATIONS; stream++) {
        struct federation f;
        make(&f, seed, stream);
        for (int round = 0; round < ROUNDS; round++) {
            struct arena arena;
            struct market market;
            struct plan plan;
            struct fault fault = {.text = ""};
            arena_init(&arena, ARENA_MESSAGE_BYTES);
            collect(&f, &arena, &market);
            if (plan_make(&market, &arena, &plan, &fault) != STATUS_OK ||
                plan_check(&market, &plan, &fault) != STATUS_OK)
                fail_msg("seed %llu federation %llu round %d: %s", (unsigned long long)seed,
                         (unsigned long long)stream, round, fault.text);
            if (all_may_stay(&market) && plan.objective.micros < worth_of_staying(&market))
                fail_msg("seed %llu federation %llu round %d: worth less than staying",
                         (unsigned long long)seed, (unsigned long long)stream, round);
            for (uint32_t i = 0; i < plan.placement_count; i++) {
                const struct market_column *column = &market.columns[plan.placements[i].column];
                renewed += plan.placements[i].renewed;
                moved += !plan.placements[i].renewed &&
                         market.jobs[column->job].held_column != MARKET_NONE;
            }
            run_round(&f, &market, &plan);
            arena_fini(&arena);
        }
    }
    print_message("%u renewed, %u moved\n", renewed, moved);
    assert_true(renewed > moved * 3);
    assert_true(moved > 0); /* else the test shows nothing of moves */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_follow_each_other_and_nobody_moves_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
