/*
 * The linear concepts and the simple rules: one pass over the table each.
 */
#include <assert.h>
#include <math.h>

#include "base/tolerance.h"
#include "economics/games/game.h"

/* weight[s] = s! (n−1−s)! / n!, the chance that exactly s given players come before another in a
 * random order. */
static void order_weights(uint32_t players, double weight[static GAME_PLAYERS_MAX])
{
    double binomial = 1.0; /* (n−1 over s) */
    for (uint32_t s = 0; s < players; s++) {
        weight[s] = 1.0 / (players * binomial);
        binomial = binomial * (players - 1 - s) / (s + 1);
    }
}

/*
 * Each worth enters with +weight for members (as S∪i) and −weight for the others (as S): sum both
 * per coalition, so that the table is read once.
 */
void game_shapley(const struct game *game, double *x)
{
    uint32_t n = game->players;
    double weight[GAME_PLAYERS_MAX];
    order_weights(n, weight);
    for (uint32_t i = 0; i < n; i++)
        x[i] = 0.0;
    for (uint32_t s = 1; s < game_coalitions(game); s++) {
        uint32_t size = (uint32_t)__builtin_popcount(s);
        double inside = weight[size - 1] * game->worth[s];
        double outside = size < n ? weight[size] * game->worth[s] : 0.0;
        for (uint32_t i = 0; i < n; i++)
            x[i] += (s >> i & 1) != 0 ? inside : -outside;
    }
}

void game_banzhaf(const struct game *game, double *x)
{
    uint32_t n = game->players;
    double scale = 1.0 / (double)(1u << (n - 1));
    for (uint32_t i = 0; i < n; i++)
        x[i] = 0.0;
    for (uint32_t s = 1; s < game_coalitions(game); s++)
        for (uint32_t i = 0; i < n; i++)
            x[i] += (s >> i & 1) != 0 ? game->worth[s] : -game->worth[s];
    for (uint32_t i = 0; i < n; i++)
        x[i] *= scale;
}

static double sum_of(uint32_t count, const double *x)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

bool game_banzhaf_normalised(const struct game *game, double *x)
{
    double raw[GAME_PLAYERS_MAX];
    game_banzhaf(game, raw);
    double sum = sum_of(game->players, raw);
    if (fabs(sum) <= TOLERANCE_LP * game_scale(game))
        return false;
    double grand = game->worth[game_grand(game)];
    for (uint32_t i = 0; i < game->players; i++)
        x[i] = raw[i] / sum * grand;
    return true;
}

void game_equal(const struct game *game, double *x)
{
    for (uint32_t i = 0; i < game->players; i++)
        x[i] = game->worth[game_grand(game)] / game->players;
}

static double sum_of_alone(const struct game *game)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < game->players; i++)
        sum += game->worth[1u << i];
    return sum;
}

void game_equal_surplus(const struct game *game, double *x)
{
    double rest = game->worth[game_grand(game)] - sum_of_alone(game);
    for (uint32_t i = 0; i < game->players; i++)
        x[i] = game->worth[1u << i] + rest / game->players;
}

bool game_proportional(const struct game *game, double *x)
{
    double sum = sum_of_alone(game);
    if (fabs(sum) <= TOLERANCE_LP * game_scale(game))
        return false;
    for (uint32_t i = 0; i < game->players; i++)
        if (game->worth[1u << i] * sum < 0.0)
            return false;
    for (uint32_t i = 0; i < game->players; i++)
        x[i] = game->worth[1u << i] / sum * game->worth[game_grand(game)];
    return true;
}

/* Minimal right of i: the best remainder for i when the others of some coalition get their utopia
 * payoff. */
static void minimal_rights(const struct game *values, const double *utopia, double *sums,
                           double *rights)
{
    game_split_sums(values->players, utopia, sums);
    for (uint32_t i = 0; i < values->players; i++)
        rights[i] = (double)-INFINITY;
    for (uint32_t s = 1; s < game_coalitions(values); s++) {
        double remainder = values->worth[s] - sums[s];
        for (uint32_t i = 0; i < values->players; i++)
            if ((s >> i & 1) != 0 && remainder + utopia[i] > rights[i])
                rights[i] = remainder + utopia[i];
    }
}

/* Minimal rights below utopia payoffs, and v(N) between their sums: quasi-balanced [Tijs 1981]. */
static bool quasi_balanced(const struct game *values, const double *utopia, const double *rights,
                           double slack)
{
    double grand = values->worth[game_grand(values)];
    for (uint32_t i = 0; i < values->players; i++)
        if (rights[i] > utopia[i] + slack)
            return false;
    return sum_of(values->players, rights) <= grand + slack * values->players &&
           grand <= sum_of(values->players, utopia) + slack * values->players;
}

enum status game_tau(const struct game *game, struct arena *arena, double *x, bool *defined,
                     struct fault *fault)
{
    struct game values;
    double utopia[GAME_PLAYERS_MAX];
    double rights[GAME_PLAYERS_MAX];
    uint32_t n = game->players;
    *defined = false;
    enum status status = game_as_values(game, arena, &values, fault);
    if (status != STATUS_OK)
        return status;
    double *sums = arena_alloc(arena, game_coalitions(game), sizeof *sums);
    if (sums == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         game_coalitions(game));
    double grand = values.worth[game_grand(game)];
    for (uint32_t i = 0; i < n; i++)
        utopia[i] = grand - values.worth[game_grand(game) ^ (1u << i)];
    minimal_rights(&values, utopia, sums, rights);
    double slack = TOLERANCE_LP * game_scale(game);
    if (!quasi_balanced(&values, utopia, rights, slack))
        return STATUS_OK;
    *defined = true;
    double least = sum_of(n, rights);
    double gap = sum_of(n, utopia) - least;
    double along = gap <= slack ? 0.0 : (grand - least) / gap;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    for (uint32_t i = 0; i < n; i++)
        x[i] = sign * (rights[i] + along * (utopia[i] - rights[i]));
    return STATUS_OK;
}
