/* Published games: numbers are facts, transcribed with their source. */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "economics/games/nucleolus.h"

struct published {
    const char *source;
    struct game game;

    double shapley[6];
    double nucleolus[6];
};

#define TABLE(...) ((const double[]){0.0, __VA_ARGS__})

static const struct published games[] = {
    {"TVA costs, navigation, flood control, power [Ransmeier 1942; Straffin & Heaney 1981]",
     {GAME_COST, 3, TABLE(163520, 140826, 301607, 250096, 378821, 367370, 412584)},
     {117829, 100756.5, 193998.5},
     {116234, 93540, 202810}},
    {"Talmud, claims 100/200/300, estate 100 [Aumann & Maschler 1985]",
     {GAME_VALUE, 3, TABLE(0, 0, 0, 0, 0, 0, 100)},
     {100.0 / 3, 100.0 / 3, 100.0 / 3},
     {100.0 / 3, 100.0 / 3, 100.0 / 3}},
    {"Talmud, estate 200 [Aumann & Maschler 1985]",
     {GAME_VALUE, 3, TABLE(0, 0, 0, 0, 0, 100, 200)},
     {100.0 / 3, 250.0 / 3, 250.0 / 3},
     {50, 75, 75}},
    {"Talmud, estate 300 [Aumann & Maschler 1985]",
     {GAME_VALUE, 3, TABLE(0, 0, 0, 0, 100, 200, 300)},
     {50, 100, 150},
     {50, 100, 150}},
    {"gloves, two left and one right [Shapley & Shubik 1969]",
     {GAME_VALUE, 3, TABLE(0, 0, 0, 0, 1, 1, 1)},
     {1.0 / 6, 1.0 / 6, 4.0 / 6},
     {0, 0, 1}},
    {"five claims 10/20/25/35/40, estate 100 [nucleolus by the rule of Aumann & Maschler 1985]",
     {GAME_VALUE, 5,
      TABLE(0, 0, 0, 0, 5, 15, 25, 5, 15, 25, 35, 30, 40, 50, 60, 10, 20, 30, 40, 35, 45, 55, 65,
            45, 55, 65, 75, 70, 80, 90, 100)},
     {7.25, 14.75, 18.5, 27.25, 32.25},
     {5, 13.75, 18.75, 28.75, 33.75}},
    {"airport, runways 8/11/13/18 [rule of Littlechild & Owen 1973]",
     {GAME_COST, 4, TABLE(8, 11, 11, 13, 13, 13, 13, 18, 18, 18, 18, 18, 18, 18, 18)},
     {2, 3, 4, 9},
     {3.25, 3.25, 3.25, 8.25}},
    {"money market [Lemaire 1991]",
     {GAME_VALUE, 3, TABLE(46125, 17437.5, 69187.5, 5812.5, 53812.5, 30750, 90000)},
     {51750, 25875, 12375},
     {52687.5, 24468.75, 12843.75}},
    {"broadcast by mobiles [Hasan et al. 2011, after Guajardo & Jornsten 2015]",
     {GAME_COST, 4, TABLE(8, 1, 8, 10, 10, 10, 10, 11, 19, 12, 19, 12, 20, 13, 20)},
     {6.25, 5.0 / 12, 49.0 / 12, 9.25},
     {7.5, 0.5, 1.5, 10.5}},
    {"three persons, negative worth alone [Ferguson, Game Theory, part IV]",
     {GAME_VALUE, 3, TABLE(-1, 0, 3, 1, 4, 2, 5)},
     {5.0 / 3, 7.0 / 6, 13.0 / 6},
     {8.0 / 3, 2.0 / 3, 5.0 / 3}},
    {"60/60/60/72, the core is empty [Maschler]",
     {GAME_VALUE, 3, TABLE(0, 0, 60, 0, 60, 60, 72)},
     {24, 24, 24},
     {24, 24, 24}},
    {"vote [51; 35, 20, 15, 15, 15], the core is empty",
     {GAME_VALUE, 5,
      TABLE(0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
            1, 1)},
     {0.45, 0.2, 7.0 / 60, 7.0 / 60, 7.0 / 60},
     {0.375, 0.25, 0.125, 0.125, 0.125}},
    {"production [Owen 1975's model; A = 4 5/6 2, c = 68 52]",
     {GAME_VALUE, 3, TABLE(68, 102, 170, 0, 710, 762, 992)},
     {229, 272, 491},
     {149, 192, 651}},
};

enum { GAMES = sizeof games / sizeof games[0] };

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_ROUND_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void published_shapley_values_are_met(void **state)
{
    (void)state;
    for (size_t g = 0; g < GAMES; g++) {
        double x[6];
        game_shapley(&games[g].game, x);
        for (uint32_t i = 0; i < games[g].game.players; i++)
            assert_near(x[i], games[g].shapley[i], 1e-9);
    }
}

static void published_nucleoli_are_met_and_certified(void **state)
{
    (void)state;
    for (size_t g = 0; g < GAMES; g++) {
        double x[6];
        enum game_answer answer;
        struct fault fault;
        struct nucleolus_settings settings = {.individually_rational = true};
        assert_ok(game_nucleolus(&games[g].game, settings, &arena, x, &answer, &fault));
        assert_int_equal(answer, GAME_SOLVED);
        for (uint32_t i = 0; i < games[g].game.players; i++)
            assert_near(x[i], games[g].nucleolus[i], 1e-6);
        struct game_certificate certificate;
        assert_ok(
            game_certify_nucleolus(&games[g].game, settings, x, &arena, &certificate, &fault));
        assert_true(certificate.certified);
    }
}

static void the_certificate_refuses_what_is_not_the_nucleolus(void **state)
{
    (void)state;
    struct nucleolus_settings settings = {.individually_rational = true};
    for (size_t g = 0; g < GAMES; g++) {
        double x[6];
        struct game_certificate certificate;
        double step = 0.01 * fabs(games[g].game.worth[game_grand(&games[g].game)]);
        memcpy(x, games[g].nucleolus, sizeof x);
        x[0] += step;
        x[games[g].game.players - 1] -= step;
        assert_ok(game_certify_nucleolus(&games[g].game, settings, x, &arena, &certificate, NULL));
        assert_false(certificate.certified);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_shapley_values_are_met, set_up, tear_down),
        cmocka_unit_test_setup_teardown(published_nucleoli_are_met_and_certified, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_certificate_refuses_what_is_not_the_nucleolus, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
