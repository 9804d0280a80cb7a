#include "economics/games/surplus.h"

#include <float.h>
#include <math.h>

/* Of the largest worth: a surplus smaller than this is taken for rounding of the input. */
#define NOTHING 1e-13

/* A small surplus beside large objections is measured by at least this part of them. */
#define YARDSTICK_MIN 1e-4

/* z(S) times the scale for all S. */
static void normalise(const struct game *game, struct surplus *surplus, double *worth)
{
    game_split_sums(game->players, surplus->alone, worth);
    for (uint32_t s = 1; s < game_coalitions(game); s++)
        worth[s] = surplus->sign * game->worth[s] - worth[s];
    for (uint32_t i = 0; i < game->players; i++)
        worth[1u << i] = 0.0;
}

static void measure(const struct game *game, bool rational, struct surplus *surplus,
                    const double *worth)
{
    double largest = 0.0;
    double gain = 0.0;
    for (uint32_t s = 1; s < game_coalitions(game); s++) {
        largest = fmax(largest, fabs(game->worth[s]));
        gain = fmax(gain, worth[s]);
    }
    double nothing = NOTHING * largest * game->players;
    double surplus_of_all = worth[game_grand(game)];
    surplus->negative = surplus_of_all < -nothing;
    bool zero = fabs(surplus_of_all) <= nothing;
    surplus->inessential = zero && (rational || gain <= nothing);
    surplus->scale =
        rational ? fmax(surplus_of_all, YARDSTICK_MIN * gain) : fmax(fabs(surplus_of_all), gain);
    if (!(surplus->scale > nothing))
        surplus->scale = largest > 0.0 ? largest : 1.0;
    surplus->noise = 2.0 * DBL_EPSILON * game->players * largest / surplus->scale;
}

enum status surplus_of(const struct game *game, bool rational, struct arena *arena,
                       struct surplus *surplus, struct fault *fault)
{
    uint32_t coalitions = game_coalitions(game);
    double *worth = arena_alloc(arena, coalitions, sizeof *worth);
    if (worth == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         coalitions);
    *surplus = (struct surplus){.sign = game->kind == GAME_COST ? -1.0 : 1.0};
    for (uint32_t i = 0; i < game->players; i++)
        surplus->alone[i] = surplus->sign * game->worth[1u << i];
    normalise(game, surplus, worth);
    measure(game, rational, surplus, worth);
    for (uint32_t s = 1; s < coalitions; s++)
        worth[s] /= surplus->scale;
    surplus->game = (struct game){.kind = GAME_VALUE, .players = game->players, .worth = worth};
    return STATUS_OK;
}

/* What rounding leaves of v(N) is shared equally: the split adds up. */
void surplus_back(const struct surplus *surplus, const double *y, double *x)
{
    uint32_t n = surplus->game.players;
    double rest = surplus->game.worth[game_grand(&surplus->game)];
    for (uint32_t i = 0; i < n; i++)
        rest -= y[i];
    for (uint32_t i = 0; i < n; i++)
        x[i] = surplus->sign * (surplus->alone[i] + (y[i] + rest / n) * surplus->scale);
}
