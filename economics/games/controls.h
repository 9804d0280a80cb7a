/*
 * Controls: what is known in expectation about a random pair of orders, for the regression that
 * sharpens sampled Shapley values. Internal to sampling.
 *
 * A pair (an order and its reverse) averages out whatever is linear in who comes before a player;
 * what is left is how others substitute for each other. So the controls are quadratic: s (1 − s),
 * with s the share that comes before the player, of three shares: of the players, of the player's
 * pair gains v(ij) − v(i) − v(j), of its pair interactions at the grand coalition; and for any two
 * of the player's CONTROL_PARTNERS_MAX weightiest partners, whether both come on one side of it
 * (expectation 2/3). [Ours]
 *
 * Ownership: in the arena. Thread rule: once made, read by any number of threads. Complexity:
 * 2 players² worths to make, above CONTROL_PAIRS_PLAYERS_MAX players as many as players
 * (interactions are then read off dual payoffs, and pair gains are not known); O(players²) a pair.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_CONTROLS_H
#define ENTENTE_ECONOMICS_GAMES_CONTROLS_H

#include "economics/games/regression.h"
#include "economics/games/oracle.h"

enum { CONTROL_PARTNERS_MAX = 12, CONTROL_SHARES = 3, CONTROL_PAIRS_PLAYERS_MAX = 64 };

/* What a pair says about a player. */
struct observation {
    double mean; /* of its two contributions */
    double control[REGRESSION_CONTROLS];
};

struct controls {
    uint32_t players;
    double *weights[2]; /* [players × players] shares of pair gains; of pair interactions */
    double *expected;   /* [players × REGRESSION_CONTROLS] */
    uint32_t *partners; /* [players × CONTROL_PARTNERS_MAX] the weightiest first */
    uint32_t partner_count;
};

/* oracle: v, left as it came but for who is in. */
MUST_USE enum status controls_make(struct controls *controls, struct oracle *oracle,
                                   struct arena *arena, struct fault *fault);

/* observations[players] of a pair with such positions and contributions. */
void controls_observe(const struct controls *controls, const double *before, const double *gain,
                      struct observation *observations);

#endif
