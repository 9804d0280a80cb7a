#include "economics/games/families.h"

#include <math.h>

#define REACHED 1e-12 /* of the quota: 0.1 + 0.7 reaches 0.8 */

void family_bankruptcy(uint32_t players, const double *claims, double estate, double *worth)
{
    uint32_t grand = (uint32_t)((1ull << players) - 1);
    game_split_sums(players, claims, worth);
    for (uint32_t s = 0; s < grand - s; s++) { /* S and the others change places */
        double own = worth[s];
        worth[s] = fmax(0.0, estate - worth[grand - s]);
        worth[grand - s] = fmax(0.0, estate - own);
    }
    worth[0] = 0.0;
}

void family_airport(uint32_t players, const double *costs, double *worth)
{
    worth[0] = 0.0;
    for (uint32_t s = 1; s < (uint32_t)(1ull << players); s++)
        worth[s] = fmax(worth[s & (s - 1)], costs[__builtin_ctz(s)]);
}

void family_voting(uint32_t players, const double *weights, double quota, double *worth)
{
    game_split_sums(players, weights, worth);
    for (uint32_t s = 0; s < (uint32_t)(1ull << players); s++)
        worth[s] = worth[s] >= quota * (1.0 - REACHED) ? 1.0 : 0.0;
}

/* The lowest row of S stays alone or takes a column. */
void family_assignment(uint32_t rows, uint32_t columns, const double *gain, double *worth)
{
    uint32_t all_rows = (uint32_t)((1ull << rows) - 1);
    worth[0] = 0.0;
    for (uint32_t s = 1; s < (uint32_t)(1ull << (rows + columns)); s++) {
        if ((s & all_rows) == 0) {
            worth[s] = 0.0;
            continue;
        }
        uint32_t row = (uint32_t)__builtin_ctz(s);
        uint32_t rest = s & (s - 1);
        worth[s] = worth[rest];
        for (uint32_t c = 0; c < columns; c++)
            if ((s >> (rows + c) & 1) != 0)
                worth[s] = fmax(worth[s], gain[row * columns + c] + worth[rest ^ 1u << (rows + c)]);
    }
}

static double tree_cost(uint32_t players, const double *cost, uint32_t coalition)
{
    double nearest[GAME_PLAYERS_MAX];
    double total = 0.0;
    for (uint32_t i = 0; i < players; i++)
        nearest[i] = cost[i + 1];
    for (uint32_t left = coalition; left != 0;) {
        uint32_t next = (uint32_t)__builtin_ctz(left);
        for (uint32_t i = next + 1; i < players; i++)
            if ((left >> i & 1) != 0 && nearest[i] < nearest[next])
                next = i;
        total += nearest[next];
        left ^= 1u << next;
        for (uint32_t i = 0; i < players; i++)
            nearest[i] = fmin(nearest[i], cost[(next + 1) * (players + 1) + i + 1]);
    }
    return total;
}

void family_spanning_tree(uint32_t players, const double *cost, double *worth)
{
    for (uint32_t s = 0; s < (uint32_t)(1ull << players); s++)
        worth[s] = tree_cost(players, cost, s);
}
