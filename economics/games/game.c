#include "economics/games/game.h"

#include <math.h>

enum status game_validate(const struct game *game, struct fault *fault)
{
    if (game->players == 0)
        return fault_set(fault, STATUS_INVALID, "players: a game needs at least one");
    if (game->players > GAME_PLAYERS_MAX)
        return fault_set(
            fault, STATUS_INVALID,
            "players: %u is above %d, the most a table can hold; give a market or a linear "
            "production game by its data instead",
            game->players, GAME_PLAYERS_MAX);
    if (game->worth[0] != 0.0)
        return fault_set(fault, STATUS_INVALID, "worth of the empty coalition: %g is not 0",
                         game->worth[0]);
    for (uint32_t s = 1; s < game_coalitions(game); s++)
        if (!isfinite(game->worth[s]))
            return fault_set(fault, STATUS_INVALID, "v[%u] (coalition %u): is not a finite number",
                             s - 1, s);
    return STATUS_OK;
}

enum status game_as_values(const struct game *game, struct arena *arena, struct game *values,
                           struct fault *fault)
{
    *values = *game;
    if (game->kind == GAME_VALUE)
        return STATUS_OK;
    double *worth = arena_alloc(arena, game_coalitions(game), sizeof *worth);
    if (worth == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         game_coalitions(game));
    for (uint32_t s = 1; s < game_coalitions(game); s++)
        worth[s] = -game->worth[s];
    values->kind = GAME_VALUE;
    values->worth = worth;
    return STATUS_OK;
}

double game_scale(const struct game *game)
{
    double largest = 0.0;
    for (uint32_t s = 1; s < game_coalitions(game); s++)
        largest = fmax(largest, fabs(game->worth[s]));
    return largest;
}

/* x(S) = x(S without its lowest player) + that player's share. */
void game_split_sums(uint32_t players, const double *split, double *sums)
{
    uint32_t coalitions = (uint32_t)(1ull << players);
    sums[0] = 0.0;
    for (uint32_t s = 1; s < coalitions; s++)
        sums[s] = sums[s & (s - 1)] + split[__builtin_ctz(s)];
}
