/*
 * Core [Gillies 1959]: who objects to a split, and the core point nearest to one.
 *
 * Nearest in least squares, which is unique where the core isn't empty. Thread rule: pure.
 * Complexity: O(2^n) for each coalition that binds on the way.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_CORE_H
#define ENTENTE_ECONOMICS_GAMES_CORE_H

#include "economics/games/game.h"

/* The proper coalition that objects most to a split, and by how much (<= 0: nobody does; the split
 * is in the core if efficient). O(2^n). With one player: coalition 0, by −INFINITY. */
struct game_objection {
    uint32_t coalition;
    double by;
};

void game_objection(const struct game *game, const double *x, struct game_objection *objection);

enum core_answer {
    CORE_POINT,
    CORE_EMPTY,
    CORE_STOPPED /* never handed out: a limit was reached, which is INTERNAL */
};

/* The binding coalitions with their multipliers prove that x is nearest [Karush, Kuhn & Tucker]:
 * x − from = Σ multiplier × members + a constant, multipliers > 0, x(S) = v(S) on each. */
struct nearest_core {
    enum core_answer answer;
    double x[GAME_PLAYERS_MAX];
    uint32_t count;
    uint32_t coalition[GAME_PLAYERS_MAX];
    double multiplier[GAME_PLAYERS_MAX];
};

MUST_USE enum status game_nearest_core(const struct game *game, const double *from,
                                       struct arena *arena, struct nearest_core *nearest,
                                       struct fault *fault);

/* Checks what the note above says against the game itself; tolerance is relative to game_scale().
 */
bool game_certify_nearest(const struct game *game, const double *from,
                          const struct nearest_core *nearest, double tolerance);

#endif
