#include "economics/experiments/replay_policies.h"

#include <stdlib.h>

static enum status decide_none(struct replay_deciding *deciding, struct fault *fault);
static enum status decide_fcfs(struct replay_deciding *deciding, struct fault *fault);
static enum status decide_cheapest(struct replay_deciding *deciding, struct fault *fault);
static enum status decide_first_admit(struct replay_deciding *deciding, struct fault *fault);
static enum status decide_max_min(struct replay_deciding *deciding, struct fault *fault);

const struct replay_policy replay_policies[] = {
    {"none", decide_none},         {"market", replay_decide_market},    {"fcfs", decide_fcfs},
    {"cheapest", decide_cheapest}, {"first-admit", decide_first_admit}, {"max-min", decide_max_min},
};

const size_t replay_policy_count = sizeof replay_policies / sizeof replay_policies[0];

/* Tries pools from the one that `rank` likes best; the lower number where it likes two the same. */
typedef double rank_pool(const struct replay_world *world, const struct replay_job *job,
                         uint32_t pool);

/* On the GPUs where it was, if that is the pool and they are free still. */
static bool stay(struct replay_deciding *deciding, uint32_t number, uint32_t pool)
{
    const struct replay_job *before = &deciding->before[number];
    if (before->pool != pool)
        return false;
    for (uint32_t n = 0; n < before->node_count; n++) {
        uint64_t free = deciding->world->pools[pool].free[before->nodes[n].node];
        if ((free & before->nodes[n].gpus) != before->nodes[n].gpus)
            return false;
    }
    replay_place_at(deciding->world, &deciding->world->jobs[number], pool, before->nodes,
                    before->node_count);
    return true;
}

static bool place_by_rank(struct replay_deciding *deciding, uint32_t number, rank_pool *rank,
                          bool at_home_alone)
{
    struct replay_world *world = deciding->world;
    struct replay_job *job = &world->jobs[number];
    bool tried[REPLAY_MEMBERS_MAX * REPLAY_KINDS] = {false};
    for (uint32_t attempt = 0; attempt < world->pool_count; attempt++) {
        uint32_t best = world->pool_count;
        for (uint32_t p = 0; p < world->pool_count; p++) {
            bool allowed = !at_home_alone || world->pools[p].owner == job->home;
            if (!tried[p] && allowed && world->pools[p].gpus >= job->gpus &&
                (best == world->pool_count || rank(world, job, p) < rank(world, job, best)))
                best = p;
        }
        if (best == world->pool_count)
            return false;
        tried[best] = true;
        if (stay(deciding, number, best) || replay_place(world, job, best)) {
            deciding->price[number] = world->pools[best].cost;
            return true;
        }
    }
    return false;
}

static void place_waiting(struct replay_deciding *deciding, rank_pool *rank, bool at_home_alone)
{
    for (uint32_t o = 0; o < deciding->world->open_count; o++) {
        uint32_t number = deciding->world->open[o];
        if (deciding->world->jobs[number].pool == REPLAY_UNPLACED)
            (void)place_by_rank(deciding, number, rank, at_home_alone);
    }
}

static double slowness(const struct replay_world *world, const struct replay_job *job,
                       uint32_t pool)
{
    return 1 / job->told[world->pools[pool].kind];
}

static double home_then_slowness(const struct replay_world *world, const struct replay_job *job,
                                 uint32_t pool)
{
    return (world->pools[pool].owner == job->home ? 0 : 1e6) + slowness(world, job, pool);
}

static double cost_of_work(const struct replay_world *world, const struct replay_job *job,
                           uint32_t pool)
{
    return world->pools[pool].cost / job->told[world->pools[pool].kind];
}

static enum status decide_none(struct replay_deciding *deciding, struct fault *fault)
{
    (void)fault;
    place_waiting(deciding, slowness, true);
    return STATUS_OK;
}

static enum status decide_fcfs(struct replay_deciding *deciding, struct fault *fault)
{
    (void)fault;
    place_waiting(deciding, home_then_slowness, false);
    return STATUS_OK;
}

static enum status decide_cheapest(struct replay_deciding *deciding, struct fault *fault)
{
    (void)fault;
    place_waiting(deciding, cost_of_work, false);
    return STATUS_OK;
}

static enum status decide_first_admit(struct replay_deciding *deciding, struct fault *fault)
{
    struct replay_world *world = deciding->world;
    (void)fault;
    for (uint32_t o = 0; o < world->open_count; o++) {
        uint32_t number = world->open[o];
        struct replay_job *job = &world->jobs[number];
        uint32_t order[REPLAY_MEMBERS_MAX * REPLAY_KINDS];
        if (job->pool != REPLAY_UNPLACED)
            continue;
        for (uint32_t p = 0; p < world->pool_count; p++)
            order[p] = p;
        for (uint32_t p = world->pool_count; p > 1; p--) {
            uint32_t other = (uint32_t)rng_below(&deciding->rng, p);
            uint32_t kept = order[p - 1];
            order[p - 1] = order[other];
            order[other] = kept;
        }
        for (uint32_t p = 0; p < world->pool_count && job->pool == REPLAY_UNPLACED; p++)
            if (replay_place(world, job, order[p]))
                deciding->price[number] = world->pools[order[p]].cost;
    }
    return STATUS_OK;
}

/* --- max-min */

struct claim {
    double attained; /* of what was possible since it came */
    uint32_t number;
};

static int by_claim(const void *one, const void *other)
{
    const struct claim *a = one;
    const struct claim *b = other;
    if (a->attained < b->attained || a->attained > b->attained)
        return a->attained < b->attained ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static enum status decide_max_min(struct replay_deciding *deciding, struct fault *fault)
{
    struct replay_world *world = deciding->world;
    struct claim *claims = calloc(world->open_count, sizeof *claims);
    if (claims == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for claims");
    for (uint32_t o = 0; o < world->open_count; o++) {
        struct replay_job *job = &world->jobs[world->open[o]];
        double since = world->now + world->round_seconds - job->arrival;
        claims[o] = (struct claim){.attained = job->attained / (job->gpus * since),
                                   .number = world->open[o]};
    }
    qsort(claims, world->open_count, sizeof *claims, by_claim);
    for (uint32_t o = 0; o < world->open_count; o++)
        replay_unplace(world, &world->jobs[world->open[o]]);
    for (uint32_t c = 0; c < world->open_count; c++)
        (void)place_by_rank(deciding, claims[c].number, slowness, false);
    free(claims);
    return STATUS_OK;
}
