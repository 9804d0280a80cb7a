#include "economics/market/solver/partition.h"

#include <stdlib.h>
#include <string.h>

#define UNASSIGNED UINT32_MAX

/* Two members, the lower first, between whom a job wavers; later: how many. */
struct edge {
    uint32_t low;
    uint32_t high;
    uint32_t jobs;
};

struct cutting {
    const struct columns *columns;
    const double *price;
    const struct partition *former;
    uint32_t *block;
    double *gpu_price;
    struct edge *edges;
    uint32_t edge_count;
    uint32_t *first;      /* [members + 1] into neighbours */
    uint32_t *neighbours; /* edges of each member */
    uint64_t *pull;       /* [members] towards the block that grows */
    uint64_t *cut;        /* [members] by the former partition */
};

static void list_edges(struct cutting *c);
static void merge_edges(struct cutting *c);
static void index_edges(struct cutting *c);
static uint32_t grow_blocks(struct cutting *c);

static bool make_room(struct cutting *c)
{
    size_t const members = (size_t)c->columns->market->member_count + 1;
    size_t const jobs = (size_t)c->columns->job_count + 1;
    c->gpu_price = calloc((size_t)c->columns->pool_count + 1, sizeof *c->gpu_price);
    c->edges = calloc(jobs, sizeof *c->edges);
    c->first = calloc(members + 1, sizeof *c->first);
    c->neighbours = calloc(jobs * 2, sizeof *c->neighbours);
    c->pull = calloc(members, sizeof *c->pull);
    c->cut = calloc(members, sizeof *c->cut);
    return c->gpu_price != NULL && c->edges != NULL && c->first != NULL && c->neighbours != NULL &&
           c->pull != NULL && c->cut != NULL;
}

enum status partition_make(const struct columns *columns, const double *price,
                           const struct partition *former, struct partition *partition,
                           struct fault *fault)
{
    struct cutting c = {
        .columns = columns, .price = price, .former = former, .block = partition->block};
    enum status status = STATUS_OK;
    if (!make_room(&c)) {
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to part the market in blocks");
    } else {
        list_edges(&c);
        merge_edges(&c);
        index_edges(&c);
        partition->block_count = grow_blocks(&c);
    }
    free(c.gpu_price);
    free(c.edges);
    free(c.first);
    free(c.neighbours);
    free(c.pull);
    free(c.cut);
    return status;
}

/* One edge a job whose two best pools are of two members. */
static void list_edges(struct cutting *c)
{
    const struct columns *columns = c->columns;
    const struct market_pool *pools = columns->market->pools;
    for (uint32_t p = 0; p < columns->pool_count; p++)
        c->gpu_price[p] = c->price[p] * columns->unit[p];
    for (uint32_t j = 0; j < columns->job_count; j++) {
        double best = 0;
        double second = 0;
        int32_t at = MARKET_NONE;
        int32_t other = MARKET_NONE;
        for (uint32_t k = columns->first[j]; k < columns->first[j + 1]; k++) {
            double const value = columns_value(columns, k, c->gpu_price, c->price);
            int32_t const owner = pools[columns_pool(columns, k)].owner;
            if (value > best) {
                if (owner != at) {
                    second = best;
                    other = at;
                }
                best = value;
                at = owner;
            } else if (owner != at && value > second) {
                second = value;
                other = owner;
            }
        }
        if (at == MARKET_NONE || other == MARKET_NONE)
            continue;
        c->edges[c->edge_count++] = (struct edge){.low = (uint32_t)(at < other ? at : other),
                                                  .high = (uint32_t)(at < other ? other : at),
                                                  .jobs = 1};
    }
}

static int compare_edges(const void *left, const void *right)
{
    const struct edge *a = left;
    const struct edge *b = right;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return (a->high > b->high) - (a->high < b->high);
}

static void merge_edges(struct cutting *c)
{
    uint32_t kept = 0;
    qsort(c->edges, c->edge_count, sizeof *c->edges, compare_edges);
    for (uint32_t i = 0; i < c->edge_count; i++) {
        if (kept > 0 && compare_edges(&c->edges[kept - 1], &c->edges[i]) == 0)
            c->edges[kept - 1].jobs++;
        else
            c->edges[kept++] = c->edges[i];
    }
    c->edge_count = kept;
}

static void index_edges(struct cutting *c)
{
    uint32_t const members = c->columns->market->member_count;
    for (uint32_t i = 0; i < c->edge_count; i++) {
        const struct edge *edge = &c->edges[i];
        c->first[edge->low + 1]++;
        c->first[edge->high + 1]++;
        if (c->former != NULL && c->former->block[edge->low] != c->former->block[edge->high]) {
            c->cut[edge->low] += edge->jobs;
            c->cut[edge->high] += edge->jobs;
        }
    }
    for (uint32_t m = 0; m < members; m++)
        c->first[m + 1] += c->first[m];
    for (uint32_t i = 0; i < c->edge_count; i++) { /* c->pull counts, until growing */
        c->neighbours[c->first[c->edges[i].low] + c->pull[c->edges[i].low]++] = i;
        c->neighbours[c->first[c->edges[i].high] + c->pull[c->edges[i].high]++] = i;
    }
}

/* Edges that the former partition cut pull more: they are what this one is for. */
static void join(struct cutting *c, uint32_t member, uint32_t block)
{
    c->block[member] = block;
    for (uint32_t i = c->first[member]; i < c->first[member + 1]; i++) {
        const struct edge *edge = &c->edges[c->neighbours[i]];
        uint32_t const other = edge->low == member ? edge->high : edge->low;
        bool const was_cut =
            c->former != NULL && c->former->block[member] != c->former->block[other];
        c->pull[other] += (uint64_t)edge->jobs * (was_cut ? 3 : 1);
    }
}

static uint32_t grow_blocks(struct cutting *c)
{
    uint32_t const members = c->columns->market->member_count;
    uint32_t blocks = 0;
    for (uint32_t m = 0; m < members; m++)
        c->block[m] = UNASSIGNED;
    for (uint32_t assigned = 0; assigned < members; blocks++) {
        uint32_t next = UNASSIGNED;
        for (uint32_t m = 0; m < members; m++)
            if (c->block[m] == UNASSIGNED && (next == UNASSIGNED || c->cut[m] > c->cut[next]))
                next = m;
        memset(c->pull, 0, members * sizeof *c->pull);
        for (uint32_t size = 0; size < PARTITION_MEMBERS && next != UNASSIGNED; size++) {
            join(c, next, blocks);
            assigned++;
            next = UNASSIGNED;
            for (uint32_t m = 0; m < members; m++)
                if (c->block[m] == UNASSIGNED && c->pull[m] > 0 &&
                    (next == UNASSIGNED || c->pull[m] > c->pull[next]))
                    next = m;
        }
    }
    return blocks;
}
