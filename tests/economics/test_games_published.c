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
