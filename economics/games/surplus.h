/*
 * Surplus: a game as the nucleolus' solver wants it: a value game, zero-normalised, of size one.
 *
 * z(S) = (v(S) − Σ_{i in S} v({i})) / scale. Core, least core and nucleolus move along with it
 * (strategic equivalence: excesses stay the same but for the scale). Internal to economics/games.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_SURPLUS_H
#define ENTENTE_ECONOMICS_GAMES_SURPLUS_H

#include "economics/games/game.h"

struct surplus {
    struct game game;               /* z; in the arena */
    double alone[GAME_PLAYERS_MAX]; /* v({i}), costs with their sign turned */
    double sign;                    /* −1 for costs */
    double scale;                   /* > 0 */
    double noise;                   /* what z may be off by, from cancelling digits of v; a bound */
    bool negative;                  /* z(N) < 0 beyond noise: no imputation */
    bool inessential;               /* z(N) is zero, and the split x_i = v({i}) is the nucleolus */
};

/* rational: only splits with x_i >= v({i}) are looked for, so the surplus z(N) is the yardstick. */
MUST_USE enum status surplus_of(const struct game *game, bool rational, struct arena *arena,
                                struct surplus *surplus, struct fault *fault);

/* x[players] of the game given, from y of the normalised one. */
void surplus_back(const struct surplus *surplus, const double *y, double *x);

#endif
