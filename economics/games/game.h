/*
 * Game: a cooperative game with transferable utility, given by its worth table.
 *
 * Coalition S is a bit mask: bit i is player i. A value game's worth v(S) is what S can earn alone;
 * a cost game's c(S) what S must pay alone. Solutions of a cost game are cost shares: solved on the
 * savings game where a concept has a direction (core, nucleolus: excess e(S, x) = v(S) − x(S) for
 * values, x(S) − c(S) for costs), and directly where it is linear (Shapley, Banzhaf). Guarantee:
 * every function here is deterministic. Units: the caller's (credits in the market). Ownership: the
 * table is borrowed. Thread rule: pure functions, any thread.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_GAME_H
#define ENTENTE_ECONOMICS_GAMES_GAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

enum {
    GAME_PLAYERS_MAX = 24
}; /* 2^24 worths are 128 MiB; above, use a market or a production game */

enum game_kind { GAME_VALUE, GAME_COST };

struct game {
    enum game_kind kind;
    uint32_t players;    /* 1..GAME_PLAYERS_MAX */
    const double *worth; /* [2^players], worth[0] == 0, all finite */
};

static inline uint32_t game_grand(const struct game *game)
{
    return (uint32_t)((1ull << game->players) - 1);
}

static inline uint32_t game_coalitions(const struct game *game)
{
    return (uint32_t)(1ull << game->players);
}

/* INVALID with what breaks: too many players (and what to use instead), worth[k] not finite, worth
 * of nobody not 0. O(2^n). */
MUST_USE enum status game_validate(const struct game *game, struct fault *fault);

/* *values = the value game with the same solutions up to sign: v = −c for costs, the same table for
 * values. In the arena. */
MUST_USE enum status game_as_values(const struct game *game, struct arena *arena,
                                    struct game *values, struct fault *fault);

/* The largest |v(S)|: what tolerances are relative to. 0 for a game of zeros. O(2^n). */
double game_scale(const struct game *game);

/* x(S) = Σ_{i in S} x_i for every S, in O(2^n); sums is [2^n]. */
void game_split_sums(uint32_t players, const double *split, double *sums);

/* --- linear concepts, exact ------------------------------------------------------------------- */

/* Shapley value [Shapley 1953]: x[players]. O(n 2^n). */
void game_shapley(const struct game *game, double *x);

/* Banzhaf value [Banzhaf 1965]: mean marginal contribution over all coalitions; not efficient. O(n
 * 2^n). */
void game_banzhaf(const struct game *game, double *x);

/* Banzhaf scaled to share v(N); false (x untouched) where the raw values sum to zero. */
MUST_USE bool game_banzhaf_normalised(const struct game *game, double *x);

/* --- simple rules ----------------------------------------------------------------------------- */

void game_equal(const struct game *game, double *x); /* v(N) / n */

/* v({i}) plus an equal share of the rest. */
void game_equal_surplus(const struct game *game, double *x);

/* v(N) in proportion to v({i}); false (x untouched) where these aren't all of one sign with a
 * non-zero sum. */
MUST_USE bool game_proportional(const struct game *game, double *x);

/* τ-value [Tijs 1981]: the efficient point between utopia vector and minimal rights. `defined`
 * false (x untouched): the game is not quasi-balanced. O(n 2^n). */
MUST_USE enum status game_tau(const struct game *game, struct arena *arena, double *x,
                              bool *defined, struct fault *fault);

/* --- properties, each with a counterexample where it fails ------------------------------------ */

struct game_counterexample {
    uint32_t first;  /* coalition S */
    uint32_t second; /* coalition T, or S with a player more */
    double by;       /* how far the inequality is from holding */
};

/* Tolerances are relative to the largest worth (TOLERANCE_LP). For cost games the reversed
 * inequality (sub-) is meant. */
bool game_monotone(const struct game *game,
                   struct game_counterexample *counter); /* S ⊂ T: v(S) <= v(T); O(n 2^n) */
bool game_superadditive(const struct game *game,
                        struct game_counterexample *counter); /* disjoint S, T; O(3^n) */
bool game_convex(const struct game *game,
                 struct game_counterexample *counter); /* increasing marginals; O(n² 2^n) */
bool game_essential(const struct game *game);          /* v(N) > Σ v({i}) */

#endif
