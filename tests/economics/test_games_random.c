/*
 * Random games of every class to 10 players: certificates, and brute force where it is small. The
 * seed is printed where a game fails.
 */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/tolerance.h"
#include "economics/games/core.h"
#include "economics/games/nucleolus.h"
#include "tests/economics/random_games.h"

enum { GAMES_PER_CLASS = 40, PLAYERS_MAX = 10 };

struct trial {
    struct arena arena;
    struct game game;
    enum random_class class;
    uint64_t seed;
};

static void begin(struct trial *trial, enum random_class class, uint64_t seed, uint32_t players_max)
{
    struct rng rng;
    rng_init(&rng, seed, (uint64_t) class);
    *trial = (struct trial){.class = class, .seed = seed};
    arena_init(&trial->arena, ARENA_ROUND_BYTES);
    trial->game = random_game(&rng, class, 2 + (uint32_t)(seed % (players_max - 1)));
}

static void end(struct trial *trial)
{
    free((double *)(uintptr_t)trial->game.worth);
    arena_fini(&trial->arena);
}

#define claim(trial, holds)                                                                        \
    do {                                                                                           \
        if (!(holds))                                                                              \
            fail_msg("%s: %s, %u players, seed %llu", #holds, random_class_names[(trial)->class],  \
                     (trial)->game.players, (unsigned long long)(trial)->seed);                    \
    } while (0)

/* Every class, GAMES_PER_CLASS games each. */
static void for_all(uint32_t players_max, void (*check)(struct trial *trial))
{
    uint64_t first = support_seed(1);
    for (int class = 0; class < RANDOM_CLASSES; class ++)
        for (uint64_t seed = first; seed < first + GAMES_PER_CLASS; seed++) {
            struct trial trial;
            begin(&trial, (enum random_class) class, seed, players_max);
            check(&trial);
            end(&trial);
        }
}

static int descending(const void *a, const void *b)
{
    double one = *(const double *)a;
    double two = *(const double *)b;
    return (one < two) - (one > two);
}

/* Sorted excesses of x, from the worst; count is 2^n − 2. */
static void sorted_excesses(const struct game *game, struct nucleolus_settings settings,
                            const double *x, double *excess)
{
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    for (uint32_t s = 1; s < game_grand(game); s++) {
        double sum = 0.0;
        for (uint32_t i = 0; i < game->players; i++)
            sum += (s >> i & 1) != 0 ? x[i] : 0.0;
        excess[s - 1] = sign * (game->worth[s] - sum);
        if (settings.per_capita)
            excess[s - 1] /= (double)__builtin_popcount(s);
    }
    qsort(excess, game_coalitions(game) - 2, sizeof *excess, descending);
}

/* Moves x a little along random efficient directions; none may be lexicographically better. */
static bool none_nearby_is_better(struct trial *trial, struct nucleolus_settings settings,
                                  const double *x)
{
    const struct game *game = &trial->game;
    uint32_t count = game_coalitions(game) - 2;
    double *mine = arena_alloc(&trial->arena, count, sizeof *mine);
    double *other = arena_alloc(&trial->arena, count, sizeof *other);
    double scale = game_scale(game);
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    struct rng rng;
    rng_init(&rng, trial->seed, 7);
    sorted_excesses(game, settings, x, mine);
    for (int k = 0; k < 20; k++) {
        double y[GAME_PLAYERS_MAX];
        memcpy(y, x, sizeof y);
        uint32_t from = (uint32_t)rng_below(&rng, game->players);
        uint32_t to = (uint32_t)rng_below(&rng, game->players);
        double step = (k % 2 == 0 ? 1e-2 : 1e-4) * scale * (0.5 + 0.5 * rng_unit(&rng));
        y[from] -= step;
        y[to] += step;
        if (settings.individually_rational && (sign * (y[from] - game->worth[1u << from]) < 0.0 ||
                                               sign * (y[to] - game->worth[1u << to]) < 0.0))
            continue;
        sorted_excesses(game, settings, y, other);
        for (uint32_t e = 0; e < count; e++) {
            if (other[e] < mine[e] - 1e-8 * scale)
                return false;
            if (other[e] > mine[e] + 1e-8 * scale)
                break;
        }
    }
    return true;
}

static void check_nucleolus(struct trial *trial, struct nucleolus_settings settings)
{
    double x[GAME_PLAYERS_MAX] = {0};
    enum game_answer answer;
    struct game_certificate certificate;
    struct fault fault = {.text = ""};
    enum status status = game_nucleolus(&trial->game, settings, &trial->arena, x, &answer, &fault);
    if (status != STATUS_OK)
        print_error("%s\n", fault.text);
    claim(trial, status == STATUS_OK);
    if (answer == GAME_UNDEFINED) {
        double sign = trial->game.kind == GAME_COST ? -1.0 : 1.0;
        double alone = 0.0;
        for (uint32_t i = 0; i < trial->game.players; i++)
            alone += trial->game.worth[1u << i];
        claim(trial, sign * (trial->game.worth[game_grand(&trial->game)] - alone) < 0.0);
        return;
    }
    assert_ok(game_certify_nucleolus(&trial->game, settings, x, &trial->arena, &certificate, NULL));
    claim(trial, certificate.certified);
    claim(trial, certificate.tolerance <= 1e-8);
    claim(trial, none_nearby_is_better(trial, settings, x));
}

static void check_all_nucleoli(struct trial *trial)
{
    check_nucleolus(trial, (struct nucleolus_settings){.individually_rational = true});
    check_nucleolus(trial, (struct nucleolus_settings){.individually_rational = false});
    check_nucleolus(trial,
                    (struct nucleolus_settings){.individually_rational = true, .per_capita = true});
}

static void every_nucleolus_is_certified_and_none_nearby_is_better(void **state)
{
    (void)state;
    for_all(PLAYERS_MAX, check_all_nucleoli);
}

/* The weights prove ε from below, x from above. */
static void check_least_core(struct trial *trial)
{
    const struct game *game = &trial->game;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    double slack = 1e-8 * game_scale(game);
    struct least_core core;
    assert_ok(game_least_core(game, &trial->arena, &core, NULL));
    double total = 0.0;
    double value = 0.0;
    double cover[GAME_PLAYERS_MAX] = {0};
    for (uint32_t k = 0; k < core.count; k++) {
        total += core.weight[k];
        value += core.weight[k] * sign * game->worth[core.coalition[k]];
        for (uint32_t i = 0; i < game->players; i++)
            cover[i] += (core.coalition[k] >> i & 1) != 0 ? core.weight[k] : 0.0;
    }
    claim(trial, fabs(total - 1.0) < 1e-8);
    for (uint32_t i = 1; i < game->players; i++)
        claim(trial, fabs(cover[i] - cover[0]) < 1e-8);
    value -= cover[0] * sign * game->worth[game_grand(game)];
    claim(trial, fabs(value - core.epsilon) <= slack);
    struct game_objection objection;
    game_objection(game, core.x, &objection);
    claim(trial, fabs(objection.by - core.epsilon) <= slack);
}

static void the_least_core_is_proved_from_both_sides(void **state)
{
    (void)state;
    for_all(PLAYERS_MAX, check_least_core);
}

static void check_nearest(struct trial *trial)
{
    const struct game *game = &trial->game;
    double shapley[GAME_PLAYERS_MAX];
    struct least_core core;
    struct nearest_core nearest;
    struct game_objection objection;
    game_shapley(game, shapley);
    assert_ok(game_least_core(game, &trial->arena, &core, NULL));
    assert_ok(game_nearest_core(game, shapley, &trial->arena, &nearest, NULL));
    if (core.epsilon > 1e-8 * game_scale(game))
        claim(trial, nearest.answer == CORE_EMPTY);
    if (core.epsilon < 0.0)
        claim(trial, nearest.answer == CORE_POINT);
    if (nearest.answer == CORE_EMPTY)
        return;
    claim(trial, game_certify_nearest(game, shapley, &nearest, 1e-9));
    game_objection(game, shapley, &objection);
    if (objection.by <= 0.0)
        for (uint32_t i = 0; i < game->players; i++)
            claim(trial, nearly_equal(nearest.x[i], shapley[i], 1e-9));
}

static void the_nearest_core_point_is_certified_or_the_core_is_empty(void **state)
{
    (void)state;
    for_all(PLAYERS_MAX, check_nearest);
}

/* The mean of marginal contributions over all orders, by Heap's algorithm [Heap 1963]. */
static void shapley_by_orders(const struct game *game, double *x)
{
    uint32_t order[GAME_PLAYERS_MAX];
    uint32_t counter[GAME_PLAYERS_MAX] = {0};
    double orders = 0.0;
    for (uint32_t i = 0; i < game->players; i++) {
        order[i] = i;
        x[i] = 0.0;
    }
    for (uint32_t level = 0; level < game->players;) {
        if (level == 0) {
            uint32_t before = 0;
            for (uint32_t k = 0; k < game->players; k++) {
                x[order[k]] += game->worth[before | 1u << order[k]] - game->worth[before];
                before |= 1u << order[k];
            }
            orders += 1.0;
            level = 1;
        }
        if (level < game->players && counter[level] < level) {
            uint32_t with = level % 2 == 0 ? 0 : counter[level];
            uint32_t kept = order[with];
            order[with] = order[level];
            order[level] = kept;
            counter[level]++;
            level = 0;
        } else if (level < game->players) {
            counter[level++] = 0;
        }
    }
    for (uint32_t i = 0; i < game->players; i++)
        x[i] /= orders;
}

static void check_shapley(struct trial *trial)
{
    double x[GAME_PLAYERS_MAX];
    double slow[GAME_PLAYERS_MAX];
    game_shapley(&trial->game, x);
    shapley_by_orders(&trial->game, slow);
    for (uint32_t i = 0; i < trial->game.players; i++)
        claim(trial, fabs(x[i] - slow[i]) <= 1e-12 * game_scale(&trial->game));
}

static void shapley_is_the_mean_over_all_orders(void **state)
{
    (void)state;
    for_all(7, check_shapley);
}

/* M and m as [Tijs 1981] defines them, the subsets of S written out. */
static void check_tau(struct trial *trial)
{
    const struct game *game = &trial->game;
    uint32_t n = game->players;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    double grand = sign * game->worth[game_grand(game)];
    double x[GAME_PLAYERS_MAX];
    double utopia[GAME_PLAYERS_MAX];
    double sum = 0.0;
    bool defined;
    assert_ok(game_tau(game, &trial->arena, x, &defined, NULL));
    if (!defined)
        return;
    for (uint32_t i = 0; i < n; i++) {
        utopia[i] = grand - sign * game->worth[game_grand(game) ^ (1u << i)];
        sum += x[i];
    }
    claim(trial, fabs(sum - game->worth[game_grand(game)]) <= 1e-9 * game_scale(game));
    double share = -1.0; /* of the way from rights to utopia: the same for all */
    for (uint32_t i = 0; i < n; i++) {
        double right = -HUGE_VAL;
        for (uint32_t s = 1; s < game_coalitions(game); s++) {
            double rest = sign * game->worth[s];
            for (uint32_t j = 0; j < n; j++)
                rest -= j != i && (s >> j & 1) != 0 ? utopia[j] : 0.0;
            if ((s >> i & 1) != 0)
                right = fmax(right, rest);
        }
        if (utopia[i] - right <= 1e-6 * game_scale(game))
            continue;
        double along = (sign * x[i] - right) / (utopia[i] - right);
        claim(trial, share < 0.0 || fabs(along - share) < 1e-7);
        share = fabs(along);
        claim(trial, along > -1e-7 && along < 1.0 + 1e-7);
    }
}

static void tau_lies_between_rights_and_utopia(void **state)
{
    (void)state;
    for_all(8, check_tau);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_nucleolus_is_certified_and_none_nearby_is_better),
        cmocka_unit_test(the_least_core_is_proved_from_both_sides),
        cmocka_unit_test(the_nearest_core_point_is_certified_or_the_core_is_empty),
        cmocka_unit_test(shapley_is_the_mean_over_all_orders),
        cmocka_unit_test(tau_lies_between_rights_and_utopia),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
