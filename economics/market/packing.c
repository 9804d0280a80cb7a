#include "economics/market/packing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"

/* Parts of one block, so that a copy of the state is one memcpy. */
static bool state_make(struct packing_state *state, const struct market *market, size_t nodes,
                       struct arena *arena)
{
    size_t const jobs = market->job_count;
    size_t const pools = market->pool_count;
    size_t const words = jobs * 3 + pools * 2 + nodes;
    state->block_bytes = market->row_count * sizeof(double) + words * sizeof(int32_t);
    state->block = arena_alloc(arena, state->block_bytes, 1);
    if (state->block == NULL)
        return false;
    state->row_used = state->block;
    state->column = (int32_t *)(state->row_used + market->row_count);
    state->node = state->column + jobs;
    state->next = state->node + jobs;
    state->first = state->next + jobs;
    state->pool_free = (uint32_t *)(state->first + pools);
    state->node_free = state->pool_free + pools;
    return true;
}

enum status packing_make(const struct prepared *prepared, struct arena *arena,
                         struct packing *packing, struct fault *fault)
{
    const struct market *market = prepared->market;
    *packing = (struct packing){.prepared = prepared, .arena = arena};
    packing->first_node = arena_alloc(arena, market->pool_count, sizeof(uint32_t));
    packing->queue = arena_alloc(arena, market->job_count, sizeof(uint32_t));
    size_t nodes = 0;
    for (uint32_t p = 0; p < market->pool_count && packing->first_node != NULL; p++) {
        packing->first_node[p] = (uint32_t)nodes;
        nodes += market->pools[p].node_count;
    }
    bool made = packing->first_node != NULL && packing->queue != NULL &&
                state_make(&packing->state, market, nodes, arena);
    for (int slot = 0; slot < PACKING_SLOT_COUNT && made; slot++) {
        packing->kept[slot] = arena_alloc(arena, packing->state.block_bytes, 1);
        made = packing->kept[slot] != NULL;
    }
    if (!made)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    packing_clear(packing);
    return STATUS_OK;
}

static uint32_t gpus_in(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

static void count_nodes(struct packing *packing, uint32_t pool)
{
    const struct market_pool *of = &packing->prepared->market->pools[pool];
    uint32_t *node_free = packing->state.node_free + packing->first_node[pool];
    for (uint32_t n = 0; n < of->node_count; n++)
        node_free[n] = gpus_in(of->nodes[n].gpus);
}

void packing_clear(struct packing *packing)
{
    const struct market *market = packing->prepared->market;
    for (uint32_t j = 0; j < market->job_count; j++) {
        packing->state.column[j] = PACKING_NONE;
        packing->state.node[j] = PACKING_NONE;
        packing->state.next[j] = PACKING_NONE;
    }
    for (uint32_t p = 0; p < market->pool_count; p++) {
        packing->state.first[p] = PACKING_NONE;
        packing->state.pool_free[p] = market->pools[p].gpu_count;
        count_nodes(packing, p);
    }
    for (uint32_t r = 0; r < market->row_count; r++)
        packing->state.row_used[r] = 0;
}

void packing_save(struct packing *packing, enum packing_slot slot)
{
    memcpy(packing->kept[slot], packing->state.block, packing->state.block_bytes);
}

void packing_restore(struct packing *packing, enum packing_slot slot)
{
    memcpy(packing->state.block, packing->kept[slot], packing->state.block_bytes);
}

bool packing_renewed(const struct packing *packing, uint32_t job)
{
    return packing->state.column[job] != PACKING_NONE &&
           packing->state.column[job] == packing->prepared->market->jobs[job].held_column;
}

/* -- Nodes ------------------------------------------------------------------------------------- */

static bool reserve_held(uint32_t *node_free, const struct market_job *job)
{
    for (uint32_t n = 0; n < job->held_node_count; n++)
        if (node_free[job->held_nodes[n].node] < gpus_in(job->held_nodes[n].gpus))
            return false;
    for (uint32_t n = 0; n < job->held_node_count; n++)
        node_free[job->held_nodes[n].node] -= gpus_in(job->held_nodes[n].gpus);
    return true;
}

/* The node that is left with least; PACKING_NONE where no node has room. */
static int32_t best_fit(const uint32_t *node_free, uint32_t node_count, uint32_t gpus)
{
    int32_t best = PACKING_NONE;
    for (uint32_t n = 0; n < node_count; n++)
        if (node_free[n] >= gpus && (best == PACKING_NONE || node_free[n] < node_free[best]))
            best = (int32_t)n;
    return best;
}

static bool reserve_nodes(struct packing *packing, uint32_t job)
{
    const struct market *market = packing->prepared->market;
    const struct market_job *of = &market->jobs[job];
    const struct market_column *column = &market->columns[packing->state.column[job]];
    uint32_t *node_free = packing->state.node_free + packing->first_node[column->pool];
    if (packing_renewed(packing, job))
        return reserve_held(node_free, of);
    if (!of->one_node)
        return true;
    int32_t const node = best_fit(node_free, market->pools[column->pool].node_count, column->gpus);
    if (node == PACKING_NONE)
        return false;
    node_free[node] -= column->gpus;
    packing->state.node[job] = node;
    return true;
}

static void release_nodes(struct packing *packing, uint32_t job)
{
    const struct market *market = packing->prepared->market;
    const struct market_job *of = &market->jobs[job];
    const struct market_column *column = &market->columns[packing->state.column[job]];
    uint32_t *node_free = packing->state.node_free + packing->first_node[column->pool];
    if (packing_renewed(packing, job)) {
        for (uint32_t n = 0; n < of->held_node_count; n++)
            node_free[of->held_nodes[n].node] += gpus_in(of->held_nodes[n].gpus);
    } else if (of->one_node) {
        node_free[packing->state.node[job]] += column->gpus;
        packing->state.node[job] = PACKING_NONE;
    }
}

/* Insertion by GPUs descending, then job: pools hold few one-node jobs. */
static void enqueue(struct packing *packing, uint32_t *count, uint32_t job)
{
    const struct market *market = packing->prepared->market;
    uint32_t const gpus = market->columns[packing->state.column[job]].gpus;
    uint32_t at = (*count)++;
    for (; at > 0; at--) {
        uint32_t const other = packing->queue[at - 1];
        uint32_t const others = market->columns[packing->state.column[other]].gpus;
        if (others > gpus || (others == gpus && other < job))
            break;
        packing->queue[at] = other;
    }
    packing->queue[at] = job;
}

/* Packs the pool's jobs from nothing: renewed ones by name, one-node jobs by first-fit decreasing.
 */
static bool pack_anew(struct packing *packing, uint32_t pool)
{
    const struct market *market = packing->prepared->market;
    uint32_t count = 0;
    count_nodes(packing, pool);
    for (int32_t j = packing->state.first[pool]; j != PACKING_NONE; j = packing->state.next[j]) {
        if (packing_renewed(packing, (uint32_t)j)) {
            if (!reserve_nodes(packing, (uint32_t)j))
                return false;
        } else if (market->jobs[j].one_node) {
            enqueue(packing, &count, (uint32_t)j);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (!reserve_nodes(packing, packing->queue[i]))
            return false;
    return true;
}

/* -- Adding and removing ----------------------------------------------------------------------- */

static bool rows_have_room(const struct packing *packing, uint32_t column)
{
    const struct prepared *prepared = packing->prepared;
    for (uint32_t e = prepared->first_of_column[column]; e < prepared->first_of_column[column + 1];
         e++) {
        const struct lp_entry *entry = &prepared->row_entries[e];
        double const limit = prepared->market->rows[entry->index].limit;
        if (packing->state.row_used[entry->index] + entry->value > limit * (1 + TOLERANCE_LP))
            return false;
    }
    return true;
}

static void use_rows(struct packing *packing, uint32_t column, double sign)
{
    const struct prepared *prepared = packing->prepared;
    for (uint32_t e = prepared->first_of_column[column]; e < prepared->first_of_column[column + 1];
         e++)
        packing->state.row_used[prepared->row_entries[e].index] +=
            sign * prepared->row_entries[e].value;
}

static void link_job(struct packing *packing, uint32_t job, uint32_t column)
{
    uint32_t const pool = packing->prepared->market->columns[column].pool;
    packing->state.column[job] = (int32_t)column;
    packing->state.next[job] = packing->state.first[pool];
    packing->state.first[pool] = (int32_t)job;
}

static void unlink_job(struct packing *packing, uint32_t job)
{
    uint32_t const pool = packing->prepared->market->columns[packing->state.column[job]].pool;
    int32_t *at = &packing->state.first[pool];
    while (*at != (int32_t)job)
        at = &packing->state.next[*at];
    *at = packing->state.next[job];
    packing->state.next[job] = PACKING_NONE;
    packing->state.column[job] = PACKING_NONE;
}

/* Packing anew may fail half way: the pool's nodes are put back as they were. */
static bool try_anew(struct packing *packing, uint32_t pool)
{
    const struct market *market = packing->prepared->market;
    struct packing_state *state = &packing->state;
    uint32_t const nodes = market->pools[pool].node_count;
    uint32_t *node_free = state->node_free + packing->first_node[pool];
    uint32_t jobs = 0;
    for (int32_t j = state->first[pool]; j != PACKING_NONE; j = state->next[j])
        jobs++;
    uint32_t *old_free = malloc((nodes + 1) * sizeof *old_free);
    int32_t *old_node = malloc((jobs + 1) * sizeof *old_node);
    bool packed = false;
    if (old_free != NULL && old_node != NULL) {
        memcpy(old_free, node_free, nodes * sizeof *old_free);
        uint32_t i = 0;
        for (int32_t j = state->first[pool]; j != PACKING_NONE; j = state->next[j])
            old_node[i++] = state->node[j];
        packed = pack_anew(packing, pool);
        if (!packed) {
            memcpy(node_free, old_free, nodes * sizeof *old_free);
            i = 0;
            for (int32_t j = state->first[pool]; j != PACKING_NONE; j = state->next[j])
                state->node[j] = old_node[i++];
        }
    }
    free(old_free);
    free(old_node);
    return packed;
}

bool packing_add(struct packing *packing, uint32_t column)
{
    const struct market_column *of = &packing->prepared->market->columns[column];
    assert(packing->state.column[of->job] == PACKING_NONE);
    if (packing->state.pool_free[of->pool] < of->gpus || !rows_have_room(packing, column))
        return false;
    link_job(packing, of->job, column);
    if (!reserve_nodes(packing, of->job) && !try_anew(packing, of->pool)) {
        unlink_job(packing, of->job);
        return false;
    }
    packing->state.pool_free[of->pool] -= of->gpus;
    use_rows(packing, column, 1);
    return true;
}

void packing_remove(struct packing *packing, uint32_t job)
{
    uint32_t const column = (uint32_t)packing->state.column[job];
    const struct market_column *of = &packing->prepared->market->columns[column];
    release_nodes(packing, job);
    packing->state.pool_free[of->pool] += of->gpus;
    use_rows(packing, column, -1);
    unlink_job(packing, job);
}

wide packing_worth(const struct packing *packing)
{
    const struct market *market = packing->prepared->market;
    wide worth = 0;
    for (uint32_t j = 0; j < market->job_count; j++)
        if (packing->state.column[j] != PACKING_NONE)
            worth += market->columns[packing->state.column[j]].worth.micros;
    return worth;
}
