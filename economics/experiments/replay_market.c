/*
 * The market as a policy: offers and demands made of the world, then the broker's own round code:
 * market_collect, plan_make_with a session. What it decides is done as it says, on the GPUs it
 * names.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "economics/experiments/replay_policies.h"
#include "economics/market/collect.h"
#include "economics/market/plan.h"

enum {
    DEMANDS_MAX = 600,              /* the oldest open jobs: what a round is asked to place */
    EXAMPLES_PER_GPU_SECOND = 1000, /* at speed 1; large, so that whole numbers are fine enough */
};

#define NANOS_PER_CREDIT 1e9
#define PPM              1e6
#define FINISH_PART      0.2 /* of the whole job's value, at least, for what is left */
#define MS_PER_SECOND    1000
#define FUNDS_MICROS     (INT64_C(1) << 50) /* nobody is poor here */

struct replay_market {
    struct session *session;
    struct arena arena; /* of one round */
    struct offer offers[REPLAY_MEMBERS_MAX];
    const struct offer *offer_list[REPLAY_MEMBERS_MAX];
    struct credits funds[REPLAY_MEMBERS_MAX];
    struct pool_offer pools[REPLAY_MEMBERS_MAX * REPLAY_KINDS];
    struct offer_node nodes[REPLAY_MEMBERS_MAX * REPLAY_KINDS][REPLAY_NODES_MAX];
    uint32_t pool_of[REPLAY_MEMBERS_MAX * REPLAY_KINDS]; /* the market's pool -> the world's */
};

static void set_member_name(struct name *name, uint32_t member)
{
    snprintf(name->text, sizeof name->text, "m%02u", member);
}

enum status replay_market_open(const struct replay_world *world, struct arena *arena,
                               struct replay_market **market, struct fault *fault)
{
    struct replay_market *opened = arena_alloc(arena, 1, sizeof *opened);
    *market = NULL;
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the market's offers");
    arena_init(&opened->arena, ARENA_ROUND_BYTES);
    uint32_t next = 0;
    for (uint32_t m = 0; m < world->member_count; m++) {
        struct offer *offer = &opened->offers[m];
        *offer = (struct offer){.pools = &opened->pools[next],
                                .default_affinity_ppm = (uint32_t)(world->affinity * PPM + 0.5),
                                .budget_per_round = {.micros = -1}};
        set_member_name(&offer->member, m);
        opened->offer_list[m] = offer;
        opened->funds[m].micros = FUNDS_MICROS;
        for (uint32_t p = 0; p < world->pool_count; p++) {
            const struct replay_pool *pool = &world->pools[p];
            if (pool->owner != m || pool->gpus == 0)
                continue;
            struct pool_offer *made = &opened->pools[next];
            *made = (struct pool_offer){
                .gpus_per_node = REPLAY_GPUS_PER_NODE,
                .node_count = pool->node_count,
                .nodes = opened->nodes[next],
                .cost = {.nanos = llround(pool->cost * NANOS_PER_CREDIT)},
                .foreign_gpus_max = UINT32_MAX,
                .enforces_limits = true,
            };
            snprintf(made->gpu.text, sizeof made->gpu.text, "%s", replay_kind_names[pool->kind]);
            opened->pool_of[next++] = p;
            offer->pool_count++;
        }
    }
    enum status status = session_open(&opened->session, fault);
    if (status == STATUS_OK)
        *market = opened;
    return status;
}

void replay_market_close(struct replay_market *market)
{
    if (market == NULL)
        return;
    session_close(market->session);
    arena_fini(&market->arena);
}

/* --- one round */

/* A demand and its number of job; sorted as the market sorts jobs, by (home, id). */
struct round {
    struct collect_demand *demands; /* [count] */
    uint32_t *numbers;
    uint32_t count;
};

static void fill_demand(const struct replay_world *world, uint32_t number, struct demand *demand,
                        struct throughput_hint *hints)
{
    const struct replay_job *job = &world->jobs[number];
    double scale = (double)EXAMPLES_PER_GPU_SECOND;
    /* as peers bid: a job that has begun is worth finishing (configs/job.yaml) */
    double bid = job->value * (job->began >= 0 ? fmax(1, FINISH_PART * job->work / job->left) : 1);
    *demand = (struct demand){
        .gpus_min = job->gpus,
        .gpus_max = job->gpus,
        .value_nanos_per_example = llround(bid / scale * NANOS_PER_CREDIT),
        .work_left_examples = job->left * scale,
        .hints = hints,
        .hint_count = REPLAY_KINDS,
    };
    snprintf(demand->job.text, sizeof demand->job.text, "j%06u", number);
    set_member_name(&demand->home, job->home);
    for (uint32_t kind = 0; kind < REPLAY_KINDS; kind++) {
        hints[kind].gpus = job->gpus;
        hints[kind].examples_per_second = job->told[kind] * job->gpus * scale;
        snprintf(hints[kind].gpu.text, sizeof hints[kind].gpu.text, "%s", replay_kind_names[kind]);
    }
    if (job->pool == REPLAY_UNPLACED)
        return;
    const struct replay_pool *pool = &world->pools[job->pool];
    demand->position.running = true;
    demand->position.gpus = job->gpus;
    set_member_name(&demand->position.pool.member, pool->owner);
    snprintf(demand->position.pool.gpu.text, sizeof demand->position.pool.gpu.text, "%s",
             replay_kind_names[pool->kind]);
}

static enum status ask(struct replay_deciding *deciding, struct round *round, struct fault *fault)
{
    struct replay_world *world = deciding->world;
    struct arena *arena = &deciding->market->arena;
    uint32_t count = world->open_count < DEMANDS_MAX ? world->open_count : DEMANDS_MAX;
    struct demand *demands = arena_alloc(arena, count, sizeof *demands);
    struct throughput_hint *hints = arena_alloc(arena, (size_t)count * REPLAY_KINDS, sizeof *hints);
    round->demands = arena_alloc(arena, count, sizeof *round->demands);
    round->numbers = arena_alloc(arena, count, sizeof *round->numbers);
    if (demands == NULL || hints == NULL || round->demands == NULL || round->numbers == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a round");
    round->count = count;
    for (uint32_t d = 0; d < count; d++) {
        struct replay_job *job = &world->jobs[world->open[d]];
        round->numbers[d] = world->open[d];
        fill_demand(world, world->open[d], &demands[d], &hints[(size_t)d * REPLAY_KINDS]);
        round->demands[d] = (struct collect_demand){.demand = &demands[d],
                                                    .age_rounds = job->waited,
                                                    .held_nodes = job->nodes,
                                                    .held_node_count = job->node_count};
    }
    return STATUS_OK;
}

/* Free: what no job holds; what jobs hold comes with their demands. */
static void offer_free(struct replay_deciding *deciding)
{
    struct replay_market *market = deciding->market;
    uint32_t next = 0;
    for (uint32_t m = 0; m < deciding->world->member_count; m++)
        for (uint32_t p = 0; p < market->offers[m].pool_count; p++, next++) {
            const struct replay_pool *pool = &deciding->world->pools[market->pool_of[next]];
            for (uint32_t n = 0; n < pool->node_count; n++)
                market->nodes[next][n] = (struct offer_node){.free_gpus = pool->free[n]};
        }
}

static void carry_out(struct replay_deciding *deciding, const struct round *round,
                      const struct market *market, const struct plan *plan)
{
    struct replay_world *world = deciding->world;
    for (uint32_t d = 0; d < round->count; d++)
        replay_unplace(world, &world->jobs[round->numbers[d]]);
    for (uint32_t i = 0; i < plan->placement_count; i++) {
        const struct plan_placement *placement = &plan->placements[i];
        const struct market_column *column = &market->columns[placement->column];
        const struct market_pool *pool = &market->pools[column->pool];
        const char *name = market->jobs[column->job].job.text;
        uint32_t number = 0;
        for (const char *digit = name + 1; *digit != '\0'; digit++)
            number = 10 * number + (uint32_t)(*digit - '0');
        uint32_t kind = 0;
        while (strcmp(replay_kind_names[kind], pool->gpu.text) != 0)
            kind++;
        replay_place_at(world, &world->jobs[number], (uint32_t)pool->owner * REPLAY_KINDS + kind,
                        placement->nodes, placement->node_count);
        deciding->price[number] = (double)placement->price.nanos / NANOS_PER_CREDIT;
    }
}

enum status replay_decide_market(struct replay_deciding *deciding, struct fault *fault)
{
    struct replay_market *memory = deciding->market;
    struct replay_world *world = deciding->world;
    struct round round = {0};
    struct market market;
    struct plan plan;
    arena_reset(&memory->arena);
    enum status status = ask(deciding, &round, fault);
    if (status != STATUS_OK)
        return status;
    offer_free(deciding);
    const struct collect_input input = {
        .round_ms = (int64_t)(world->round_seconds * MS_PER_SECOND),
        .offers = memory->offer_list,
        .offer_count = world->member_count,
        .funds = memory->funds,
        .demands = round.demands,
        .demand_count = round.count,
        .costs = {.restart_seconds = world->restart_seconds, .transfer_bytes_per_second = 1e9},
        .gpus_per_job_max = REPLAY_GPUS_PER_NODE * REPLAY_JOB_NODES_MAX,
    };
    const struct session_options options = {.threads = 1};
    status = market_collect(&input, &memory->arena, &market, fault);
    if (status == STATUS_OK)
        status = plan_make_with(&market, memory->session, &options, &memory->arena, &plan, fault);
    if (status == STATUS_OK)
        carry_out(deciding, &round, &market, &plan);
    return status;
}
