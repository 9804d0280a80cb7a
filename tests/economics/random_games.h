/*
 * Random games of every class, for the tests of economics/games: one number of a class and a stream
 * of random numbers make one game. Integer data makes ties, so most classes use it.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_RANDOM_GAMES_H
#define ENTENTE_TESTS_ECONOMICS_RANDOM_GAMES_H

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "economics/games/families.h"

enum random_class {
    RANDOM_BANKRUPTCY,
    RANDOM_AIRPORT,
    RANDOM_VOTING,
    RANDOM_ASSIGNMENT,
    RANDOM_FLOW,
    RANDOM_TREE,
    RANDOM_SUPERADDITIVE,
    RANDOM_EMPTY_CORE,
    RANDOM_CONVEX,
    RANDOM_TIES,
    RANDOM_COSTS,
    RANDOM_ANYTHING,
    RANDOM_UNEVEN,   /* worths over nine orders of magnitude */
    RANDOM_ADDITIVE, /* large additive part, small surplus */
    RANDOM_CLASSES
};

static const char *const random_class_names[RANDOM_CLASSES] = {
    "bankruptcy", "airport", "voting", "assignment", "flow",     "tree",   "superadditive",
    "empty core", "convex",  "ties",   "costs",      "anything", "uneven", "additive"};

static inline double random_whole(struct rng *rng, uint32_t bound)
{
    return (double)rng_below(rng, bound);
}

static inline void random_flow(struct rng *rng, uint32_t n, double *worth)
{
    struct flow_edge edges[3 * GAME_PLAYERS_MAX];
    struct flow_network network = {
        .nodes = 6, .source = 0, .sink = 5, .edge_count = 3 * n, .edges = edges};
    for (uint32_t e = 0; e < network.edge_count; e++)
        edges[e] = (struct flow_edge){.from = (uint32_t)rng_below(rng, 6),
                                      .to = (uint32_t)rng_below(rng, 6),
                                      .capacity = random_whole(rng, 9),
                                      .owner = (int32_t)(e % n)};
    if (family_flow(n, &network, worth, NULL) != STATUS_OK)
        abort();
}

static inline void random_tree(struct rng *rng, uint32_t n, double *worth)
{
    double cost[(GAME_PLAYERS_MAX + 1) * (GAME_PLAYERS_MAX + 1)] = {0};
    for (uint32_t i = 0; i <= n; i++)
        for (uint32_t j = 0; j < i; j++)
            cost[i * (n + 1) + j] = cost[j * (n + 1) + i] = 1.0 + random_whole(rng, 20);
    family_spanning_tree(n, cost, worth);
}

/* v(S) at least what any two parts reach, plus a bonus. */
static inline void random_superadditive(struct rng *rng, uint32_t n, double *worth)
{
    for (uint32_t s = 1; s < 1u << n; s++) {
        double best = 0.0;
        for (uint32_t part = (s - 1) & s; part != 0; part = (part - 1) & s)
            best = worth[part] + worth[s ^ part] > best ? worth[part] + worth[s ^ part] : best;
        worth[s] = best + random_whole(rng, 7);
    }
}

/* Sums of unanimity games with positive weights [Shapley 1971]. */
static inline void random_convex(struct rng *rng, uint32_t n, double *worth)
{
    for (uint32_t k = 0; k < 2 * n; k++) {
        uint32_t needed = (uint32_t)rng_below(rng, 1u << n);
        double weight = random_whole(rng, 10);
        for (uint32_t s = 1; s < 1u << n && needed != 0; s++)
            worth[s] += (s & needed) == needed ? weight : 0.0;
    }
}

static inline void random_table(struct rng *rng, enum random_class class, uint32_t n, double *worth)
{
    double alone[GAME_PLAYERS_MAX];
    for (uint32_t i = 0; i < n; i++)
        alone[i] = 1e6 * rng_unit(rng);
    for (uint32_t s = 1; s < 1u << n; s++) {
        uint32_t size = (uint32_t)__builtin_popcount(s);
        double unit = rng_unit(rng);
        if (class == RANDOM_EMPTY_CORE)
            worth[s] = size == n ? 10.0 : size > 1 ? 10.0 + random_whole(rng, 20) : 0.0;
        else if (class == RANDOM_TIES)
            worth[s] = size == n ? 6.0 : size > 1 ? random_whole(rng, 3) : 0.0;
        else if (class == RANDOM_COSTS)
            worth[s] = (1.0 + random_whole(rng, 9)) * (0.5 + 0.5 * size);
        else if (class == RANDOM_ANYTHING)
            worth[s] = 200.0 * unit - 100.0;
        else if (class == RANDOM_UNEVEN)
            worth[s] = (double)(size * size) / n * (unit < 0.5 ? 1e-3 * unit : unit) * 1e6;
    }
    for (uint32_t s = 1; s < 1u << n && class == RANDOM_ADDITIVE; s++) {
        worth[s] = (double)__builtin_popcount(s) > 1 ? rng_unit(rng) * __builtin_popcount(s) : 0.0;
        for (uint32_t i = 0; i < n; i++)
            worth[s] += (s >> i & 1) != 0 ? alone[i] : 0.0;
    }
}

/* Allocates worth (free it). */
static inline struct game random_game(struct rng *rng, enum random_class class, uint32_t n)
{
    double data[GAME_PLAYERS_MAX * GAME_PLAYERS_MAX];
    double *worth = calloc((size_t)1 << n, sizeof *worth);
    enum game_kind kind = class == RANDOM_AIRPORT || class == RANDOM_TREE || class == RANDOM_COSTS
                              ? GAME_COST
                              : GAME_VALUE;
    double sum = 0.0;
    if (worth == NULL)
        abort();
    for (uint32_t i = 0; i < n * n; i++) {
        data[i] = 1.0 + random_whole(rng, 30);
        sum += i < n ? data[i] : 0.0;
    }
    if (class == RANDOM_BANKRUPTCY)
        family_bankruptcy(n, data, sum * rng_unit(rng), worth);
    else if (class == RANDOM_AIRPORT)
        family_airport(n, data, worth);
    else if (class == RANDOM_VOTING)
        family_voting(n, data, 1.0 + sum * (0.5 + 0.4 * rng_unit(rng)), worth);
    else if (class == RANDOM_ASSIGNMENT)
        family_assignment(n / 2, n - n / 2, data, worth);
    else if (class == RANDOM_FLOW)
        random_flow(rng, n, worth);
    else if (class == RANDOM_TREE)
        random_tree(rng, n, worth);
    else if (class == RANDOM_SUPERADDITIVE)
        random_superadditive(rng, n, worth);
    else if (class == RANDOM_CONVEX)
        random_convex(rng, n, worth);
    else
        random_table(rng, class, n, worth);
    return (struct game){.kind = kind, .players = n, .worth = worth};
}

#endif
