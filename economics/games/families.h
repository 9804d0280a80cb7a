/*
 * Families: the classic games, from the few numbers that define each to their worth table.
 *
 * Each fills worth[2^n], worth[0] = 0. Numbers must be finite and non-negative (the readers check);
 * the assignment matrix may have negative entries, which are never used. Thread rule: pure.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_FAMILIES_H
#define ENTENTE_ECONOMICS_GAMES_FAMILIES_H

#include "economics/games/game.h"

enum { FAMILY_NODES_MAX = 256, FAMILY_EDGES_MAX = 4096, FAMILY_NOBODY = -1 };

/* Value game: v(S) = what the others leave of the estate, max(0, E − Σ_{outside S} claims) [O'Neill
 * 1982]. O(2^n). */
void family_bankruptcy(uint32_t players, const double *claims, double estate, double *worth);

/* Cost game: c(S) = the runway of the largest [Littlechild & Owen 1973]. O(2^n). */
void family_airport(uint32_t players, const double *costs, double *worth);

/* Value game: 1 where the weights reach the quota (quota > 0), else 0. O(2^n). */
void family_voting(uint32_t players, const double *weights, double quota, double *worth);

/* Value game: players 0..rows−1 are the rows, then come the columns; v(S) is the best matching
 * [Shapley & Shubik 1971]. gain is row by row. O(columns × 2^n). */
void family_assignment(uint32_t rows, uint32_t columns, const double *gain, double *worth);

/* Cost game: c(S) = the cheapest tree that joins S to the source, over S alone [Bird 1976]. cost is
 * symmetric, (players + 1)², row by row; index 0 is the source. O(n² 2^n) [Prim 1957]. */
void family_spanning_tree(uint32_t players, const double *cost, double *worth);

struct flow_edge {
    uint32_t from;
    uint32_t to;
    double capacity;
    int32_t owner; /* a player, or FAMILY_NOBODY: open to all */
};

struct flow_network {
    uint32_t nodes;
    uint32_t source;
    uint32_t sink;
    uint32_t edge_count;
    const struct flow_edge *edges; /* directed */
};

/* Value game: the greatest flow over the edges of S and nobody's [Kalai & Zemel 1982]. worth[0]
 * needs a network without flow over nobody's edges alone: INVALID. O(2^n) flows [Edmonds & Karp
 * 1972]. */
MUST_USE enum status family_flow(uint32_t players, const struct flow_network *network,
                                 double *worth, struct fault *fault);

#endif
