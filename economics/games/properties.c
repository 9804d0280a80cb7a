/*
 * Properties of a game, each checked over all its inequalities; the worst violation is the
 * counterexample.
 */
#include <math.h>

#include "base/tolerance.h"
#include "economics/games/game.h"

/* Costs obey the reversed inequalities. */
static double direction(const struct game *game)
{
    return game->kind == GAME_COST ? -1.0 : 1.0;
}

static double slack(const struct game *game)
{
    return TOLERANCE_LP * game_scale(game);
}

/* Keeps the worst inequality "shortfall <= 0" seen so far. */
static void note(struct game_counterexample *worst, uint32_t first, uint32_t second,
                 double shortfall)
{
    if (shortfall > worst->by)
        *worst = (struct game_counterexample){.first = first, .second = second, .by = shortfall};
}

static bool verdict(const struct game *game, const struct game_counterexample *worst,
                    struct game_counterexample *counter)
{
    bool holds = worst->by <= slack(game);
    if (!holds && counter != NULL)
        *counter = *worst;
    return holds;
}

/* Both kinds: a larger coalition earns, or costs, no less. */
bool game_monotone(const struct game *game, struct game_counterexample *counter)
{
    struct game_counterexample worst = {0};
    for (uint32_t s = 0; s < game_coalitions(game); s++)
        for (uint32_t i = 0; i < game->players; i++)
            if ((s >> i & 1) == 0)
                note(&worst, s, s | 1u << i, game->worth[s] - game->worth[s | 1u << i]);
    return verdict(game, &worst, counter);
}

bool game_superadditive(const struct game *game, struct game_counterexample *counter)
{
    struct game_counterexample worst = {0};
    double sign = direction(game);
    for (uint32_t whole = 1; whole < game_coalitions(game); whole++)
        for (uint32_t part = (whole - 1) & whole; part > (whole ^ part); part = (part - 1) & whole)
            note(&worst, part, whole ^ part,
                 sign * (game->worth[part] + game->worth[whole ^ part] - game->worth[whole]));
    return verdict(game, &worst, counter);
}

/* v(S∪i) − v(S) <= v(S∪j∪i) − v(S∪j): enough for all of convexity [Shapley 1971]. */
bool game_convex(const struct game *game, struct game_counterexample *counter)
{
    struct game_counterexample worst = {0};
    double sign = direction(game);
    for (uint32_t s = 0; s < game_coalitions(game); s++)
        for (uint32_t i = 0; i < game->players; i++)
            for (uint32_t j = 0; j < i; j++) {
                uint32_t a = s | 1u << i;
                uint32_t b = s | 1u << j;
                if ((s >> i & 1) == 0 && (s >> j & 1) == 0)
                    note(&worst, a, b,
                         sign * (game->worth[a] + game->worth[b] - game->worth[s] -
                                 game->worth[a | b]));
            }
    return verdict(game, &worst, counter);
}

bool game_essential(const struct game *game)
{
    double alone = 0.0;
    for (uint32_t i = 0; i < game->players; i++)
        alone += game->worth[1u << i];
    return direction(game) * (game->worth[game_grand(game)] - alone) > slack(game);
}
