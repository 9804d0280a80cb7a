#include "economics/market/naming.h"

#include <string.h>

struct naming {
    const struct prepared *prepared;
    struct packing *packing;
    struct arena *arena;
    uint64_t *free;            /* [nodes] not yet named */
    uint64_t *leaving;         /* [nodes] held now by a job that isn't renewed */
    struct lease_node **names; /* [job_count] */
    uint32_t *name_counts;     /* [job_count] */
};

static enum status naming_make(struct naming *naming, struct fault *fault);
static enum status name_jobs(struct naming *naming, int class, struct fault *fault);
static enum status fill_placements(const struct naming *naming, struct plan *plan,
                                   struct fault *fault);

enum status naming_run(const struct prepared *prepared, struct packing *packing,
                       struct arena *arena, struct plan *plan, struct fault *fault)
{
    struct naming naming = {.prepared = prepared, .packing = packing, .arena = arena};
    enum status status = naming_make(&naming, fault);
    for (int class = 0; class <= 2 && status == STATUS_OK; class ++)
        status = name_jobs(&naming, class, fault);
    return status == STATUS_OK ? fill_placements(&naming, plan, fault) : status;
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

static uint64_t *nodes_of(const struct naming *naming, uint64_t *masks, uint32_t pool)
{
    return masks + naming->packing->first_node[pool];
}

static enum status naming_make(struct naming *naming, struct fault *fault)
{
    const struct market *market = naming->prepared->market;
    size_t nodes = 0;
    for (uint32_t p = 0; p < market->pool_count; p++)
        nodes += market->pools[p].node_count;
    naming->free = arena_alloc(naming->arena, nodes, sizeof(uint64_t));
    naming->leaving = arena_alloc(naming->arena, nodes, sizeof(uint64_t));
    naming->names = arena_alloc(naming->arena, market->job_count, sizeof *naming->names);
    naming->name_counts = arena_alloc(naming->arena, market->job_count, sizeof(uint32_t));
    if (naming->free == NULL || naming->leaving == NULL || naming->names == NULL ||
        naming->name_counts == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < market->pool_count; p++)
        for (uint32_t n = 0; n < market->pools[p].node_count; n++)
            nodes_of(naming, naming->free, p)[n] = market->pools[p].nodes[n].gpus;
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        if (job->held_column == MARKET_NONE || packing_renewed(naming->packing, j))
            continue;
        uint64_t *leaving =
            nodes_of(naming, naming->leaving, market->columns[job->held_column].pool);
        for (uint32_t n = 0; n < job->held_node_count; n++)
            leaving[job->held_nodes[n].node] |= job->held_nodes[n].gpus;
    }
    return STATUS_OK;
}

static int class_of(const struct naming *naming, uint32_t job)
{
    if (packing_renewed(naming->packing, job))
        return 0;
    return naming->prepared->market->jobs[job].one_node ? 1 : 2;
}

static uint32_t gpus_in(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

/* The lowest `count` bits of a mask that has them. */
static uint64_t lowest(uint64_t mask, uint32_t count)
{
    uint64_t taken = 0;
    for (; count > 0; count--) {
        uint64_t const bit = mask & (0 - mask);
        taken |= bit;
        mask ^= bit;
    }
    return taken;
}

/* Takes `count` GPUs of a node: those that nobody holds first. */
static uint64_t take(struct naming *naming, uint32_t pool, uint32_t node, uint32_t count)
{
    uint64_t *free = &nodes_of(naming, naming->free, pool)[node];
    uint64_t const idle = *free & ~nodes_of(naming, naming->leaving, pool)[node];
    uint32_t const idle_count = gpus_in(idle) < count ? gpus_in(idle) : count;
    uint64_t taken = lowest(idle, idle_count);
    taken |= lowest(*free & ~taken, count - idle_count);
    *free &= ~taken;
    return taken;
}

static bool append(struct naming *naming, uint32_t job, uint32_t node, uint64_t gpus)
{
    struct lease_node *names = naming->names[job];
    uint32_t at = naming->name_counts[job];
    if (at == NODES_PER_LEASE_MAX)
        return false;
    naming->name_counts[job]++;
    for (; at > 0 && names[at - 1].node > node; at--)
        names[at] = names[at - 1];
    names[at] = (struct lease_node){.node = node, .gpus = gpus};
    return true;
}

/* The node with least to spare, first by idle GPUs alone; PACKING_NONE where none has that many. */
static int32_t one_node_for(const struct naming *naming, uint32_t pool, uint32_t gpus)
{
    const uint64_t *free = nodes_of(naming, naming->free, pool);
    const uint64_t *leaving = nodes_of(naming, naming->leaving, pool);
    for (int with_leaving = 0; with_leaving <= 1; with_leaving++) {
        int32_t best = PACKING_NONE;
        uint32_t least = UINT32_MAX;
        for (uint32_t n = 0; n < naming->prepared->market->pools[pool].node_count; n++) {
            uint32_t const has = gpus_in(with_leaving ? free[n] : free[n] & ~leaving[n]);
            if (has >= gpus && has < least) {
                least = has;
                best = (int32_t)n;
            }
        }
        if (best != PACKING_NONE)
            return best;
    }
    return PACKING_NONE;
}

static uint32_t fullest(const struct naming *naming, uint32_t pool)
{
    const uint64_t *free = nodes_of(naming, naming->free, pool);
    uint32_t best = 0;
    for (uint32_t n = 1; n < naming->prepared->market->pools[pool].node_count; n++)
        if (gpus_in(free[n]) > gpus_in(free[best]))
            best = n;
    return best;
}

/* False: not on NODES_PER_LEASE_MAX nodes. */
static bool name_anywhere(struct naming *naming, uint32_t job, uint32_t pool, uint32_t gpus)
{
    int32_t const one = one_node_for(naming, pool, gpus);
    if (one != PACKING_NONE)
        return append(naming, job, (uint32_t)one, take(naming, pool, (uint32_t)one, gpus));
    while (gpus > 0) {
        uint32_t const node = fullest(naming, pool);
        uint32_t const has = gpus_in(nodes_of(naming, naming->free, pool)[node]);
        uint32_t const wanted = has < gpus ? has : gpus;
        if (!append(naming, job, node, take(naming, pool, node, wanted)))
            return false;
        gpus -= wanted;
    }
    return true;
}

static void give_back(struct naming *naming, uint32_t job, uint32_t pool)
{
    for (uint32_t n = 0; n < naming->name_counts[job]; n++)
        nodes_of(naming, naming->free, pool)[naming->names[job][n].node] |=
            naming->names[job][n].gpus;
    packing_remove(naming->packing, job);
}

static void name_held(struct naming *naming, uint32_t job, uint32_t pool)
{
    const struct market_job *of = &naming->prepared->market->jobs[job];
    for (uint32_t n = 0; n < of->held_node_count; n++) {
        naming->names[job][n] = of->held_nodes[n];
        nodes_of(naming, naming->free, pool)[of->held_nodes[n].node] &= ~of->held_nodes[n].gpus;
    }
    naming->name_counts[job] = of->held_node_count;
}

static enum status name_jobs(struct naming *naming, int class, struct fault *fault)
{
    const struct market *market = naming->prepared->market;
    for (uint32_t j = 0; j < market->job_count; j++) {
        int32_t const k = naming->packing->state.column[j];
        if (k == PACKING_NONE || class_of(naming, j) != class)
            continue;
        const struct market_column *column = &market->columns[k];
        uint32_t const most =
            column->gpus < NODES_PER_LEASE_MAX ? column->gpus : NODES_PER_LEASE_MAX;
        naming->names[j] = arena_alloc(naming->arena, most, sizeof(struct lease_node));
        if (naming->names[j] == NULL)
            return no_room(fault);
        if (class == 0) {
            name_held(naming, j, column->pool);
        } else if (class == 1) {
            uint32_t const node = (uint32_t)naming->packing->state.node[j];
            (void)append(naming, j, node, take(naming, column->pool, node, column->gpus));
        } else if (!name_anywhere(naming, j, column->pool, column->gpus)) {
            give_back(naming, j, column->pool);
        }
    }
    return STATUS_OK;
}

/* Any of these GPUs held by a job that leaves them. */
static bool must_wait(const struct naming *naming, uint32_t job, uint32_t pool)
{
    for (uint32_t n = 0; n < naming->name_counts[job]; n++) {
        const struct lease_node *node = &naming->names[job][n];
        if ((nodes_of(naming, naming->leaving, pool)[node->node] & node->gpus) != 0)
            return true;
    }
    return false;
}

static enum status fill_placements(const struct naming *naming, struct plan *plan,
                                   struct fault *fault)
{
    const struct market *market = naming->prepared->market;
    const struct packing_state *state = &naming->packing->state;
    uint32_t count = 0;
    for (uint32_t j = 0; j < market->job_count; j++)
        count += state->column[j] != PACKING_NONE;
    plan->placements = arena_alloc(naming->arena, count, sizeof *plan->placements);
    if (plan->placements == NULL)
        return no_room(fault);
    plan->placement_count = 0;
    for (uint32_t j = 0; j < market->job_count; j++) {
        if (state->column[j] == PACKING_NONE)
            continue;
        uint32_t const k = (uint32_t)state->column[j];
        plan->placements[plan->placement_count++] = (struct plan_placement){
            .column = k,
            .nodes = naming->names[j],
            .node_count = naming->name_counts[j],
            .renewed = packing_renewed(naming->packing, j),
            .waits = must_wait(naming, j, market->columns[k].pool),
        };
    }
    return STATUS_OK;
}
