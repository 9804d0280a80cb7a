#include "economics/experiments/replay_world.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const replay_kind_names[REPLAY_KINDS] = {"K80", "P100", "V100"};

/* Steps per second of a job on one GPU over those on a K80, rounded: how unequally models gain from
 * faster GPUs [Narayanan et al., OSDI 2020, figure 1]. */
static const double speeds[][REPLAY_KINDS] = {
    {1, 3.3, 9.5}, /* ResNet-50 */
    {1, 1.9, 3.3}, /* Transformer */
    {1, 1.4, 2.0}, /* A3C */
    {1, 2.4, 4.6}, /* LSTM */
    {1, 4.0, 8.0}, /* CycleGAN */
};

double replay_speed(uint32_t model, uint32_t kind)
{
    return speeds[model][kind];
}

uint32_t replay_model_count(void)
{
    return sizeof speeds / sizeof speeds[0];
}

enum status replay_world_copy(const struct replay_world *from, struct arena *arena,
                              struct replay_world *to, struct fault *fault)
{
    *to = *from;
    to->pools = arena_copy(arena, from->pools, from->pool_count * sizeof *from->pools);
    to->jobs = arena_copy(arena, from->jobs, from->job_count * sizeof *from->jobs);
    to->open = arena_alloc(arena, from->job_count, sizeof *to->open);
    if (to->pools == NULL || to->jobs == NULL || to->open == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u jobs", from->job_count);
    to->open_count = 0;
    to->next_arrival = 0;
    to->now = 0;
    to->rounds = 0;
    memset(to->tallies, 0, sizeof to->tallies);
    return STATUS_OK;
}

bool replay_world_begin_round(struct replay_world *world)
{
    if (world->open_count == 0 && world->next_arrival == world->job_count)
        return false;
    if (world->open_count == 0) {
        double arrival = world->jobs[world->next_arrival].arrival;
        double rounds = ceil((arrival - world->now) / world->round_seconds);
        world->now += fmax(rounds, 0) * world->round_seconds;
    }
    while (world->next_arrival < world->job_count &&
           world->jobs[world->next_arrival].arrival <= world->now)
        world->open[world->open_count++] = world->next_arrival++;
    return true;
}

/* --- placing */

static uint32_t bits(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

static uint64_t lowest_bits(uint64_t mask, uint32_t count)
{
    uint64_t taken = 0;
    while (count-- > 0) {
        taken |= mask & -mask;
        mask &= mask - 1;
    }
    return taken;
}

void replay_unplace(struct replay_world *world, struct replay_job *job)
{
    if (job->pool == REPLAY_UNPLACED)
        return;
    for (uint32_t n = 0; n < job->node_count; n++)
        world->pools[job->pool].free[job->nodes[n].node] |= job->nodes[n].gpus;
    job->pool = REPLAY_UNPLACED;
    job->node_count = 0;
}

void replay_place_at(struct replay_world *world, struct replay_job *job, uint32_t pool,
                     const struct lease_node *nodes, uint32_t node_count)
{
    assert(job->pool == REPLAY_UNPLACED && node_count <= REPLAY_JOB_NODES_MAX);
    memcpy(job->nodes, nodes, node_count * sizeof *nodes);
    job->node_count = node_count;
    job->pool = pool;
    for (uint32_t n = 0; n < node_count; n++) {
        uint64_t *free = &world->pools[pool].free[nodes[n].node];
        assert((*free & nodes[n].gpus) == nodes[n].gpus); /* no GPU is used twice */
        *free &= ~nodes[n].gpus;
    }
}

static uint32_t best_single_node(const struct replay_pool *pool, uint32_t gpus)
{
    uint32_t best = pool->node_count;
    for (uint32_t n = 0; n < pool->node_count; n++) {
        uint32_t room = bits(pool->free[n]);
        if (room >= gpus && (best == pool->node_count || room < bits(pool->free[best])))
            best = n;
    }
    return best;
}

bool replay_place(struct replay_world *world, struct replay_job *job, uint32_t p)
{
    const struct replay_pool *pool = &world->pools[p];
    struct lease_node nodes[REPLAY_JOB_NODES_MAX];
    uint32_t node_count = 0;
    uint32_t left = job->gpus;
    uint32_t one = best_single_node(pool, job->gpus);
    if (one < pool->node_count) {
        nodes[0] = (struct lease_node){.node = one, .gpus = lowest_bits(pool->free[one], left)};
        replay_place_at(world, job, p, nodes, 1);
        return true;
    }
    for (uint32_t room = REPLAY_GPUS_PER_NODE; room > 0 && left > 0; room--)
        for (uint32_t n = 0; n < pool->node_count && left > 0; n++) {
            if (bits(pool->free[n]) != room)
                continue;
            if (node_count == REPLAY_JOB_NODES_MAX)
                return false;
            uint32_t take = room < left ? room : left;
            nodes[node_count++] =
                (struct lease_node){.node = n, .gpus = lowest_bits(pool->free[n], take)};
            left -= take;
        }
    if (left > 0)
        return false;
    replay_place_at(world, job, p, nodes, node_count);
    return true;
}

/* --- a round passes */

static bool stayed(const struct replay_job *before, const struct replay_job *now)
{
    return before->pool == now->pool && before->node_count == now->node_count &&
           memcmp(before->nodes, now->nodes, now->node_count * sizeof now->nodes[0]) == 0;
}

static void train(struct replay_world *world, struct replay_job *job, bool restarted, double price)
{
    const struct replay_pool *pool = &world->pools[job->pool];
    double speed = replay_speed(job->model, pool->kind);
    double fastest = replay_speed(job->model, REPLAY_KINDS - 1);
    double lost = restarted ? fmin(world->restart_seconds, world->round_seconds) : 0;
    double possible = (world->round_seconds - lost) * job->gpus * speed;
    double done = fmin(possible, job->left);
    double held = lost + done / (job->gpus * speed);
    double affinity = pool->owner == job->home ? 1 : world->affinity;
    struct replay_tally *home = &world->tallies[job->home];
    struct replay_tally *host = &world->tallies[pool->owner];
    job->began = job->began < 0 ? world->now : job->began;
    job->starts += restarted;
    job->left -= done;
    job->attained += done / fastest;
    home->value += affinity * job->value * done;
    host->cost += pool->cost * job->gpus * held;
    host->busy += job->gpus * held;
    if (pool->owner != job->home) {
        home->paid += price * job->gpus * held;
        host->received += price * job->gpus * held;
    }
    if (job->left > 0)
        return;
    job->ended = world->now + held;
    replay_unplace(world, job);
}

void replay_world_end_round(struct replay_world *world, const struct replay_job *before,
                            const double *price)
{
    uint32_t kept = 0;
    for (uint32_t o = 0; o < world->open_count; o++) {
        uint32_t number = world->open[o];
        struct replay_job *job = &world->jobs[number];
        job->waited = job->pool == REPLAY_UNPLACED ? job->waited + 1 : 0;
        if (job->pool != REPLAY_UNPLACED)
            train(world, job, !stayed(&before[number], job), price[number]);
        if (job->ended < 0)
            world->open[kept++] = number;
    }
    world->open_count = kept;
    world->now += world->round_seconds;
    world->rounds++;
}
