/*
 * The system event by event. All times are exponential, so the next event is drawn by the rates of
 * the present state, and the means are sums of states weighted by their expected length: less noise
 * than with drawn lengths, and the same mean.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/sharing/sharing.h"

struct site {
    uint32_t running;  /* own jobs on own GPUs */
    uint32_t waiting;  /* own jobs at home */
    uint32_t lent;     /* GPUs */
    uint32_t borrowed; /* GPUs */
    uint32_t lent_to[SHARING_MEMBERS_MAX];
};

struct world {
    const struct sharing_game *game;
    const uint32_t *shares;
    struct rng *rng;
    struct site sites[SHARING_MEMBERS_MAX];
    double rate; /* of all events of the present state */
    double time; /* expected, since measuring began */
    struct sharing_flow sums[SHARING_MEMBERS_MAX];
    uint64_t arrivals[SHARING_MEMBERS_MAX];
    uint64_t waits[SHARING_MEMBERS_MAX];
    uint64_t refused[SHARING_MEMBERS_MAX];
};

static void measure(struct world *world);
static void step(struct world *world);
static void arrive(struct world *world, uint32_t member);
static void free_gpu(struct world *world, uint32_t member);

static void forget(struct world *world)
{
    world->time = 0;
    memset(world->sums, 0, sizeof world->sums);
    memset(world->arrivals, 0, sizeof world->arrivals);
    memset(world->waits, 0, sizeof world->waits);
    memset(world->refused, 0, sizeof world->refused);
}

enum status sharing_simulate(const struct sharing_game *game, const uint32_t *shares,
                             uint64_t events, struct rng *rng,
                             struct sharing_evaluation *evaluation, struct fault *fault)
{
    enum status status = sharing_check(game, fault);
    if (status != STATUS_OK)
        return status;
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to simulate sharing");
    world->game = game;
    world->shares = shares;
    world->rng = rng;
    for (uint64_t event = 0; event < events / 10; event++)
        step(world);
    forget(world);
    for (uint64_t event = 0; event < events; event++) {
        step(world);
        measure(world);
    }
    for (uint32_t i = 0; i < game->member_count; i++) {
        const struct sharing_member *member = &game->members[i];
        struct sharing_flow *flow = &evaluation->flows[i];
        double arrivals = world->arrivals[i] > 0 ? (double)world->arrivals[i] : 1;
        *flow = (struct sharing_flow){
            .lent = world->sums[i].lent / world->time,
            .borrowed = world->sums[i].borrowed / world->time,
            .utilisation = world->sums[i].utilisation / world->time,
            .waits = (double)world->waits[i] / arrivals,
            .refused = (double)world->refused[i] / arrivals,
        };
        flow->outside = flow->refused * member->arrival_rate / member->service_rate;
    }
    evaluation->mismatch = 0;
    evaluation->iterations = 1;
    evaluation->converged = true;
    free(world);
    return STATUS_OK;
}

static double site_rate(const struct world *world, uint32_t i)
{
    const struct sharing_member *member = &world->game->members[i];
    const struct site *site = &world->sites[i];
    return member->arrival_rate + (site->running + site->borrowed) * member->service_rate;
}

static void measure(struct world *world)
{
    double rate = 0;
    for (uint32_t i = 0; i < world->game->member_count; i++)
        rate += site_rate(world, i);
    double length = 1 / rate;
    world->time += length;
    for (uint32_t i = 0; i < world->game->member_count; i++) {
        const struct site *site = &world->sites[i];
        world->sums[i].lent += length * site->lent;
        world->sums[i].borrowed += length * site->borrowed;
        world->sums[i].utilisation +=
            length * (site->running + site->lent) / world->game->members[i].gpus;
    }
}

static void step(struct world *world)
{
    uint32_t count = world->game->member_count;
    double rate = 0;
    for (uint32_t i = 0; i < count; i++)
        rate += site_rate(world, i);
    double at = rng_unit(world->rng) * rate;
    uint32_t i = 0;
    while (i + 1 < count && at >= site_rate(world, i))
        at -= site_rate(world, i++);
    const struct sharing_member *member = &world->game->members[i];
    struct site *site = &world->sites[i];
    if (at < member->arrival_rate) {
        arrive(world, i);
        return;
    }
    if (at < member->arrival_rate + site->running * member->service_rate) {
        site->running--;
        free_gpu(world, i);
        return;
    }
    if (site->borrowed == 0)
        return; /* the sum of rates rounded up: nothing happens */
    uint32_t which = (uint32_t)rng_below(world->rng, site->borrowed);
    uint32_t host = 0;
    while (which >= world->sites[host].lent_to[i])
        which -= world->sites[host++].lent_to[i];
    world->sites[host].lent_to[i]--;
    world->sites[host].lent--;
    site->borrowed--;
    free_gpu(world, host);
}

static void free_gpu(struct world *world, uint32_t member)
{
    struct site *site = &world->sites[member];
    if (site->waiting == 0)
        return;
    site->waiting--;
    site->running++;
}

static bool has_free(const struct world *world, uint32_t member)
{
    const struct site *site = &world->sites[member];
    return site->running + site->lent < world->game->members[member].gpus;
}

static void arrive(struct world *world, uint32_t member)
{
    struct site *site = &world->sites[member];
    uint32_t hosts[SHARING_MEMBERS_MAX];
    uint32_t host_count = 0;
    world->arrivals[member]++;
    if (has_free(world, member)) {
        site->running++;
        return;
    }
    for (uint32_t j = 0; j < world->game->member_count; j++)
        if (sharing_may_borrow(world->game, world->shares, member, j) && has_free(world, j) &&
            world->sites[j].lent < world->shares[j])
            hosts[host_count++] = j;
    if (host_count > 0) {
        struct site *host = &world->sites[hosts[rng_below(world->rng, host_count)]];
        host->lent++;
        host->lent_to[member]++;
        site->borrowed++;
        return;
    }
    double accepted = sharing_acceptance(&world->game->members[member], site->waiting);
    if (rng_unit(world->rng) < accepted) {
        site->waiting++;
        world->waits[member]++;
    } else {
        world->refused[member]++;
    }
}
