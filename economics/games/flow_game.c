/*
 * Flow games: see family_flow() in families.h. Shortest augmenting paths, so that the number of
 * augmentations is bounded by nodes × edges whatever the capacities are [Edmonds & Karp 1972].
 */
#include <stdlib.h>

#include "economics/games/families.h"

/* Arcs 2e (along edge e) and 2e + 1 (against it). */
struct residual {
    const struct flow_network *network;
    double left[2 * FAMILY_EDGES_MAX];
    int32_t first[FAMILY_NODES_MAX]; /* arc out of a node; −1 none */
    int32_t next[2 * FAMILY_EDGES_MAX];
    int32_t through[FAMILY_NODES_MAX]; /* the arc by which the search came; −1 not reached */
    uint32_t queue[FAMILY_NODES_MAX];
};

static uint32_t head_of(const struct residual *residual, uint32_t arc)
{
    const struct flow_edge *edge = &residual->network->edges[arc / 2];
    return arc % 2 == 0 ? edge->to : edge->from;
}

static uint32_t tail_of(const struct residual *residual, uint32_t arc)
{
    return head_of(residual, arc ^ 1u);
}

static void link_arcs(struct residual *residual)
{
    for (uint32_t node = 0; node < residual->network->nodes; node++)
        residual->first[node] = -1;
    for (uint32_t arc = 0; arc < 2 * residual->network->edge_count; arc++) {
        uint32_t tail = tail_of(residual, arc);
        residual->next[arc] = residual->first[tail];
        residual->first[tail] = (int32_t)arc;
    }
}

static void open_edges(struct residual *residual, uint32_t coalition)
{
    for (uint32_t e = 0; e < residual->network->edge_count; e++) {
        const struct flow_edge *edge = &residual->network->edges[e];
        bool open = edge->owner == FAMILY_NOBODY || (coalition >> edge->owner & 1) != 0;
        residual->left[2 * e] = open ? edge->capacity : 0.0;
        residual->left[2 * e + 1] = 0.0;
    }
}

/* Breadth first. */
static bool reaches_sink(struct residual *residual)
{
    const struct flow_network *network = residual->network;
    uint32_t count = 1;
    for (uint32_t node = 0; node < network->nodes; node++)
        residual->through[node] = -1;
    residual->queue[0] = network->source;
    for (uint32_t q = 0; q < count; q++)
        for (int32_t arc = residual->first[residual->queue[q]]; arc >= 0;
             arc = residual->next[arc]) {
            uint32_t head = head_of(residual, (uint32_t)arc);
            if (residual->left[arc] <= 0.0 || residual->through[head] >= 0 ||
                head == network->source)
                continue;
            residual->through[head] = arc;
            if (head == network->sink)
                return true;
            residual->queue[count++] = head;
        }
    return false;
}

static double augment(struct residual *residual)
{
    const struct flow_network *network = residual->network;
    double most = residual->left[residual->through[network->sink]];
    for (uint32_t node = network->sink; node != network->source;
         node = tail_of(residual, (uint32_t)residual->through[node]))
        if (residual->left[residual->through[node]] < most)
            most = residual->left[residual->through[node]];
    for (uint32_t node = network->sink; node != network->source;
         node = tail_of(residual, (uint32_t)residual->through[node])) {
        residual->left[residual->through[node]] -= most;
        residual->left[residual->through[node] ^ 1] += most;
    }
    return most;
}

static double flow_of(struct residual *residual, uint32_t coalition)
{
    double flow = 0.0;
    open_edges(residual, coalition);
    while (reaches_sink(residual))
        flow += augment(residual);
    return flow;
}

enum status family_flow(uint32_t players, const struct flow_network *network, double *worth,
                        struct fault *fault)
{
    struct residual *residual = malloc(sizeof *residual);
    if (residual == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a flow network");
    residual->network = network;
    link_arcs(residual);
    for (uint32_t s = 0; s < (uint32_t)(1ull << players); s++)
        worth[s] = flow_of(residual, s);
    free(residual);
    if (worth[0] != 0.0)
        return fault_set(fault, STATUS_INVALID,
                         "edges without an owner carry a flow of %g: give one of them an owner",
                         worth[0]);
    return STATUS_OK;
}
