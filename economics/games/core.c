/*
 * See core.h. The projection is the dual active-set method of [Goldfarb & Idnani 1983] with the
 * identity as Hessian; the next constraint is always the coalition that objects most, found by a
 * pass over the table, so that constraints needn't be listed.
 */
#include "economics/games/core.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/excess.h"
#include "economics/games/surplus.h"

#define OBJECTS   1e-10 /* of the surplus: an objection by more than this is one */
#define DEPENDENT 1e-12 /* squared length of what a normal adds to the active ones */

enum { STEPS_MAX = 100000 };

/* The active constraints: x(S) = v(S); the first is v(N) and stays. */
struct active {
    uint32_t count;
    uint32_t coalition[GAME_PLAYERS_MAX];
    double multiplier[GAME_PLAYERS_MAX];
};

void game_objection(const struct game *game, const double *x, struct game_objection *objection)
{
    struct excess_scan scan = {.worth = game->worth,
                               .players = game->players,
                               .costs = game->kind == GAME_COST,
                               .x = x,
                               .above = (double)-INFINITY};
    struct excess_list list;
    excess_worst(&scan, 1, &list);
    *objection = (struct game_objection){.coalition = 0, .by = (double)-INFINITY};
    if (list.count > 0)
        *objection = (struct game_objection){.coalition = list.coalition[0], .by = list.excess[0]};
}

static enum core_answer project(const struct game *game, double *y, struct active *active);
static void report(const struct surplus *surplus, const struct active *active,
                   struct nearest_core *nearest);

enum status game_nearest_core(const struct game *game, const double *from, struct arena *arena,
                              struct nearest_core *nearest, struct fault *fault)
{
    struct surplus surplus;
    struct active active = {0};
    double y[GAME_PLAYERS_MAX];
    *nearest = (struct nearest_core){.answer = CORE_EMPTY};
    enum status status = surplus_of(game, false, arena, &surplus, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < game->players; i++)
        y[i] = (surplus.sign * from[i] - surplus.alone[i]) / surplus.scale;
    nearest->answer = project(&surplus.game, y, &active);
    if (nearest->answer == CORE_STOPPED)
        return fault_set(fault, STATUS_INTERNAL, "nearest core point: more than %d steps",
                         STEPS_MAX);
    if (nearest->answer == CORE_POINT) {
        surplus_back(&surplus, y, nearest->x);
        report(&surplus, &active, nearest);
    }
    return STATUS_OK;
}

/* --- The steps ------------------------------------------------------------------------------- */

static double shared_players(uint32_t a, uint32_t b)
{
    return (double)__builtin_popcount(a & b);
}

/* weights that bring `coalition` nearest to the active normals: (NᵀN) weights = Nᵀ e_S, by
 * Cholesky; NᵀN has the numbers of shared players. */
static void resolve(const struct active *active, uint32_t coalition, double *weights)
{
    double lower[GAME_PLAYERS_MAX][GAME_PLAYERS_MAX];
    for (uint32_t r = 0; r < active->count; r++) {
        weights[r] = shared_players(active->coalition[r], coalition);
        for (uint32_t c = 0; c <= r; c++) {
            double sum = shared_players(active->coalition[r], active->coalition[c]);
            for (uint32_t k = 0; k < c; k++)
                sum -= lower[r][k] * lower[c][k];
            lower[r][c] = r == c ? sqrt(fmax(sum, DEPENDENT)) : sum / lower[c][c];
        }
        for (uint32_t k = 0; k < r; k++)
            weights[r] -= lower[r][k] * weights[k];
        weights[r] /= lower[r][r];
    }
    for (uint32_t r = active->count; r-- > 0;) {
        for (uint32_t k = r + 1; k < active->count; k++)
            weights[r] -= lower[k][r] * weights[k];
        weights[r] /= lower[r][r];
    }
}

/* direction = e_S less its part along the active normals; its squared length. */
static double direction_of(const struct active *active, uint32_t players, uint32_t coalition,
                           const double *weights, double *direction)
{
    double square = 0.0;
    for (uint32_t i = 0; i < players; i++) {
        direction[i] = (double)(coalition >> i & 1);
        for (uint32_t a = 0; a < active->count; a++)
            if ((active->coalition[a] >> i & 1) != 0)
                direction[i] -= weights[a];
        square += direction[i] * direction[i];
    }
    return square;
}

/* The first active objection whose multiplier would turn negative, and the step to there. */
static double blocking(const struct active *active, const double *weights, uint32_t *at)
{
    double least = (double)INFINITY;
    for (uint32_t a = 1; a < active->count; a++)
        if (weights[a] > DEPENDENT && active->multiplier[a] / weights[a] < least) {
            least = active->multiplier[a] / weights[a];
            *at = a;
        }
    return least;
}

static void drop(struct active *active, uint32_t at)
{
    active->count--;
    for (uint32_t a = at; a < active->count; a++) {
        active->coalition[a] = active->coalition[a + 1];
        active->multiplier[a] = active->multiplier[a + 1];
    }
}

/* Makes x(S) = v(S), dropping what is in the way. False: nothing can, the core is empty. */
static bool enforce(const struct game *game, uint32_t coalition, double missing, double *y,
                    struct active *active)
{
    double multiplier = 0.0;
    for (;;) {
        double weights[GAME_PLAYERS_MAX];
        double direction[GAME_PLAYERS_MAX];
        uint32_t at = 0;
        resolve(active, coalition, weights);
        double square = direction_of(active, game->players, coalition, weights, direction);
        bool free = square > DEPENDENT * game->players && active->count < game->players;
        double partial = blocking(active, weights, &at);
        double full = free ? missing / square : (double)INFINITY;
        double step = fmin(partial, full);
        if (isinf(step))
            return false;
        for (uint32_t a = 0; a < active->count; a++)
            active->multiplier[a] -= step * weights[a];
        multiplier += step;
        for (uint32_t i = 0; i < game->players && free; i++)
            y[i] += step * direction[i];
        missing -= free ? step * square : 0.0;
        if (full <= partial) {
            active->coalition[active->count] = coalition;
            active->multiplier[active->count++] = multiplier;
            return true;
        }
        drop(active, at);
    }
}

static enum core_answer project(const struct game *game, double *y, struct active *active)
{
    uint32_t grand = game_grand(game);
    double missing = game->worth[grand];
    for (uint32_t i = 0; i < game->players; i++)
        missing -= y[i];
    enforce(game, grand, missing, y, active);
    for (uint32_t step = 0; step < STEPS_MAX; step++) {
        struct game_objection objection;
        game_objection(game, y, &objection);
        if (!(objection.by > OBJECTS))
            return CORE_POINT;
        if (!enforce(game, objection.coalition, objection.by, y, active))
            return CORE_EMPTY;
    }
    return CORE_STOPPED;
}

static void report(const struct surplus *surplus, const struct active *active,
                   struct nearest_core *nearest)
{
    for (uint32_t a = 1; a < active->count; a++)
        if (active->multiplier[a] > 0.0) {
            nearest->coalition[nearest->count] = active->coalition[a];
            nearest->multiplier[nearest->count++] = active->multiplier[a] * surplus->scale;
        }
}

/* Stationary: what x has more than `from` is a sum of the binding coalitions, up to a constant. */
bool game_certify_nearest(const struct game *game, const double *from,
                          const struct nearest_core *nearest, double tolerance)
{
    uint32_t n = game->players;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    double slack = tolerance * game_scale(game);
    double moved[GAME_PLAYERS_MAX];
    double mean = 0.0;
    double sum = -game->worth[game_grand(game)];
    struct game_objection objection;
    game_objection(game, nearest->x, &objection);
    for (uint32_t i = 0; i < n; i++) {
        sum += nearest->x[i];
        moved[i] = sign * (nearest->x[i] - from[i]);
        for (uint32_t a = 0; a < nearest->count; a++)
            moved[i] -= (nearest->coalition[a] >> i & 1) != 0 ? nearest->multiplier[a] : 0.0;
        mean += moved[i] / n;
    }
    for (uint32_t i = 0; i < n; i++)
        if (fabs(moved[i] - mean) > slack)
            return false;
    for (uint32_t a = 0; a < nearest->count; a++) {
        double bind = game->worth[nearest->coalition[a]];
        for (uint32_t i = 0; i < n; i++)
            bind -= (nearest->coalition[a] >> i & 1) != 0 ? nearest->x[i] : 0.0;
        if (nearest->multiplier[a] < 0.0 || fabs(bind) > slack)
            return false;
    }
    return fabs(sum) <= slack && objection.by <= slack;
}
