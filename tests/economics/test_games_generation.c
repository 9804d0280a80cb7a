/*
 * Least core by constraint generation, and separation by a mixed-integer program: against worth
 * tables of games small enough to have one, of markets with policy rows and of production games.
 */
#include "tests/support/support.h"

#include <math.h>

#include "economics/games/core.h"
#include "economics/games/generation.h"
#include "economics/games/market_owen.h"
#include "economics/games/market_table.h"
#include "economics/games/nearest_generated.h"
#include "economics/games/nucleolus.h"
#include "economics/games/separation.h"
#include "tests/economics/random_market.h"

enum { GAMES = 40, WIDE_GAMES = 8, PLAYERS = 8, RESOURCES = 3, GOODS = 5 };

/* A game given by data, with its table. */
struct trial {
    struct arena arena;
    struct arena scratch;
    struct instance instance;
    struct production production;
    struct input_game input; /* without the table */
    struct game table;
    uint64_t seed;
};

static void table_market(struct trial *trial)
{
    uint32_t const n = trial->instance.market.member_count;
    double *worth = arena_alloc(&trial->arena, (size_t)1 << n, sizeof *worth);
    trial->input = (struct input_game){.game = {.players = n}, .instance = &trial->instance};
    assert_ok(market_table(&trial->instance.market, 1, worth, NULL));
    trial->table = (struct game){.players = n, .worth = worth};
}

static void make_market(struct trial *trial)
{
    random_market(trial->seed, 31, &trial->arena, &trial->instance.market);
    table_market(trial);
}

/* Eight to twelve members with limits of every kind. */
static void make_wide_market(struct trial *trial)
{
    struct rng rng;
    rng_init(&rng, trial->seed, 34);
    struct random_shape const shape = {
        .members = random_pick(&rng, 8, 12),
        .jobs = random_pick(&rng, 16, 28),
        .gpus_max = 8,
        .nodes_max = 2,
        .worth_scale = 1000000,
        .ties = rng_below(&rng, 3) == 0,
        .rows = true,
    };
    random_market_shaped(&rng, &shape, &trial->arena, &trial->instance.market);
    table_market(trial);
}

static double *numbers(struct trial *trial, struct rng *rng, uint32_t count, uint64_t most)
{
    double *made = arena_alloc(&trial->arena, count, sizeof *made);
    for (uint32_t k = 0; k < count; k++)
        made[k] = (double)rng_below(rng, most + 1);
    return made;
}

static void make_production(struct trial *trial)
{
    struct rng rng;
    rng_init(&rng, trial->seed, 32);
    double *use = numbers(trial, &rng, RESOURCES * GOODS, 4);
    for (uint32_t k = 0; k < GOODS; k++)
        use[k] += 1.0; /* every good needs some of the first: no worth without end */
    trial->production = (struct production){
        .players = PLAYERS,
        .resources = RESOURCES,
        .goods = GOODS,
        .use = use,
        .value = numbers(trial, &rng, GOODS, 12),
        .owned = numbers(trial, &rng, PLAYERS * RESOURCES, 6),
    };
    trial->input =
        (struct input_game){.game = {.players = PLAYERS}, .production = &trial->production};
    double *worth = arena_alloc(&trial->arena, (size_t)1 << PLAYERS, sizeof *worth);
    assert_ok(production_table(&trial->production, worth, NULL));
    trial->table = (struct game){.players = PLAYERS, .worth = worth};
}

static void for_all(void (*make)(struct trial *trial), void (*check)(struct trial *trial))
{
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + GAMES; seed++) {
        struct trial trial = {.seed = seed};
        arena_init(&trial.arena, ARENA_ROUND_BYTES);
        arena_init(&trial.scratch, ARENA_ROUND_BYTES);
        make(&trial);
        if (trial.table.players >= 2)
            check(&trial);
        arena_fini(&trial.scratch);
        arena_fini(&trial.arena);
    }
}

#define CHECK(trial, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu: %s", (unsigned long long)(trial)->seed, #condition);              \
    } while (0)

/* Twice the separation's slack, which both ends of the interval may be off by. */
static void check_least_core(struct trial *trial)
{
    struct market_core core;
    struct least_core exact;
    struct game_objection objection;
    double const total = trial->table.worth[game_grand(&trial->table)];
    double const slack = 4.0 * SEPARATION_SLACK * total + 1e-12;
    assert_ok(generation_least_core(&trial->input, NULL, NULL, &trial->arena, &core, NULL));
    assert_ok(game_least_core(&trial->table, &trial->scratch, &exact, NULL));
    game_objection(&trial->table, core.split, &objection);
    CHECK(trial, core.exact);
    CHECK(trial, core.lower <= exact.epsilon + slack);
    CHECK(trial, exact.epsilon <= core.upper + slack);
    CHECK(trial, fabs(core.upper - exact.epsilon) <= slack);
    CHECK(trial, objection.by <= core.upper + slack); /* its split has no greater objection */
}

/* A split at random: the program finds the coalition that enumeration finds. */
static void check_separation(struct trial *trial)
{
    struct separation *separation = NULL;
    struct game_objection objection;
    struct rng rng;
    double split[GAME_PLAYERS_MAX];
    bool in[GAME_PLAYERS_MAX];
    struct separated separated = {.in = in};
    uint32_t const n = trial->table.players;
    double const total = trial->table.worth[game_grand(&trial->table)];
    double const slack = 2.0 * SEPARATION_SLACK * fmax(total, 1e-6);
    rng_init(&rng, trial->seed, 33);
    if (total <= 0.0)
        return;
    assert_ok(separation_open(&trial->input, total, &separation, NULL));
    for (uint32_t k = 0; k < 5; k++) { /* one program, many splits */
        double by = 0.0;
        uint32_t coalition = 0;
        for (uint32_t i = 0; i < n; i++)
            split[i] = 2.0 * rng_unit(&rng) * total / n;
        game_objection(&trial->table, split, &objection);
        assert_ok(separation_find(separation, split, NULL, NULL, &separated, NULL));
        CHECK(trial, separated.found && separated.exact);
        CHECK(trial, separated.at_most >= objection.by);
        CHECK(trial, separated.at_most <= objection.by + slack);
        for (uint32_t i = 0; i < n; i++)
            coalition |= in[i] ? 1u << i : 0;
        by = trial->table.worth[coalition];
        for (uint32_t i = 0; i < n; i++)
            by -= in[i] ? split[i] : 0.0;
        CHECK(trial, coalition != 0 && coalition != game_grand(&trial->table));
        CHECK(trial, fabs(by - objection.by) <= slack);
    }
    separation_close(separation);
}

/* Owen's split [Owen 1975], the nucleolus [Schmeidler 1969: in every core that is there]. */
static void check_core_points(struct trial *trial)
{
    struct owen owen;
    struct game_objection objection;
    struct game_certificate certificate;
    struct nucleolus_settings const settings = {.individually_rational = true};
    enum game_answer answer = GAME_UNDEFINED;
    double x[GAME_PLAYERS_MAX];
    bool ranged = false;
    double const slack = 1e-8 * trial->table.worth[game_grand(&trial->table)] + 1e-9;
    assert_ok(market_owen(&trial->instance.market, &trial->arena, &owen, &ranged, NULL));
    game_objection(&trial->table, owen.split, &objection);
    CHECK(trial, objection.by <= slack);
    assert_ok(game_nucleolus(&trial->table, settings, &trial->scratch, x, &answer, NULL));
    CHECK(trial, answer == GAME_SOLVED);
    game_objection(&trial->table, x, &objection);
    CHECK(trial, objection.by <= slack);
    assert_ok(
        game_certify_nucleolus(&trial->table, settings, x, &trial->scratch, &certificate, NULL));
    CHECK(trial, certificate.certified);
    check_separation(trial);
}

static void of_markets_with_limits_owen_and_nucleolus_are_in_the_core(void **state)
{
    (void)state;
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + WIDE_GAMES; seed++) {
        struct trial trial = {.seed = seed};
        arena_init(&trial.arena, ARENA_ROUND_BYTES);
        arena_init(&trial.scratch, ARENA_ROUND_BYTES);
        make_wide_market(&trial);
        check_core_points(&trial);
        arena_fini(&trial.scratch);
        arena_fini(&trial.arena);
    }
}

static void the_least_core_of_markets_is_that_of_their_tables(void **state)
{
    (void)state;
    for_all(make_market, check_least_core);
}

static void the_least_core_of_production_games_is_that_of_their_tables(void **state)
{
    (void)state;
    for_all(make_production, check_least_core);
}

static void separation_finds_what_enumeration_finds_in_markets(void **state)
{
    (void)state;
    for_all(make_market, check_separation);
}

static void separation_finds_what_enumeration_finds_in_production_games(void **state)
{
    (void)state;
    for_all(make_production, check_separation);
}

/* Against the one from the table, which Kuhn-Tucker conditions certify. */
static void check_nearest(struct trial *trial)
{
    struct nearest_generated nearest;
    struct nearest_core exact;
    double shapley[GAME_PLAYERS_MAX];
    uint32_t const n = trial->table.players;
    double const total = trial->table.worth[game_grand(&trial->table)];
    game_shapley(&trial->table, shapley);
    assert_ok(game_nearest_core(&trial->table, shapley, &trial->scratch, &exact, NULL));
    assert_ok(nearest_generate(&trial->input, shapley, NULL, NULL, &trial->arena, &nearest, NULL));
    CHECK(trial, nearest.certified);
    for (uint32_t i = 0; i < n && exact.answer == CORE_POINT; i++)
        CHECK(trial, fabs(nearest.x[i] - exact.x[i]) <= 1e-4 * fmax(total, 1e-6));
}

static void the_nearest_core_point_of_markets_is_that_of_their_tables(void **state)
{
    (void)state;
    for_all(make_market, check_nearest);
}

static void the_nearest_core_point_of_production_games_is_that_of_their_tables(void **state)
{
    (void)state;
    for_all(make_production, check_nearest);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

/* Stopped before the first pass, what is known is Owen's split and the single players. */
static void stopped_at_once_the_interval_holds_the_least_core(void **state)
{
    (void)state;
    struct trial trial = {.seed = 3};
    struct market_core core;
    struct least_core exact;
    arena_init(&trial.arena, ARENA_ROUND_BYTES);
    arena_init(&trial.scratch, ARENA_ROUND_BYTES);
    make_production(&trial);
    assert_ok(generation_least_core(&trial.input, at_once, NULL, &trial.arena, &core, NULL));
    assert_ok(game_least_core(&trial.table, &trial.scratch, &exact, NULL));
    assert_true(core.lower <= exact.epsilon && exact.epsilon <= core.upper);
    arena_fini(&trial.scratch);
    arena_fini(&trial.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_markets_with_limits_owen_and_nucleolus_are_in_the_core),
        cmocka_unit_test(the_least_core_of_markets_is_that_of_their_tables),
        cmocka_unit_test(the_least_core_of_production_games_is_that_of_their_tables),
        cmocka_unit_test(separation_finds_what_enumeration_finds_in_markets),
        cmocka_unit_test(separation_finds_what_enumeration_finds_in_production_games),
        cmocka_unit_test(the_nearest_core_point_of_markets_is_that_of_their_tables),
        cmocka_unit_test(the_nearest_core_point_of_production_games_is_that_of_their_tables),
        cmocka_unit_test(stopped_at_once_the_interval_holds_the_least_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
