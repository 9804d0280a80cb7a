/* The sampled Shapley value: near the exact one for its standard errors, repeatable, and it stops.
 */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "economics/games/regression.h"
#include "economics/games/sampling.h"
#include "tests/economics/random_games.h"

enum { GAMES_PER_CLASS = 4, PLAYERS = 8 };

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

static struct input_game make_game(enum random_class class, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, (uint64_t) class);
    return (struct input_game){.game = random_game(&rng, class, PLAYERS)};
}

static void free_game(struct input_game *input)
{
    free((double *)(uintptr_t)input->game.worth);
}

/* Over all classes the squared deviations in standard errors average near 1: neither bragging nor
 * shy. 14 × 4 games of 8 players whose deviations depend on each other: 1 ± 0.35 is four sigmas. */
static void deviations_are_what_the_standard_errors_say(void **state)
{
    (void)state;
    uint64_t first = support_seed(1);
    double squares = 0.0;
    double count = 0.0;
    for (int class = 0; class < RANDOM_CLASSES; class ++)
        for (uint64_t seed = first; seed < first + GAMES_PER_CLASS; seed++) {
            struct sampling_settings settings = {.seed = seed, .pairs_max = 512, .threads = 2};
            struct sampled sampled;
            double exact[PLAYERS];
            struct input_game input = make_game((enum random_class) class, seed);
            double scale = game_scale(&input.game);
            assert_ok(sampling_shapley(&input, &settings, &arena, &sampled, NULL));
            game_shapley(&input.game, exact);
            for (uint32_t i = 0; i < PLAYERS; i++) {
                double off = sampled.split[i] - exact[i];
                if (fabs(off) > 6.0 * sampled.standard_error[i] + 0.002 * scale)
                    fail_msg("%s, seed %llu: player %u off by %g, standard error %g",
                             random_class_names[class], (unsigned long long)seed, i, off,
                             sampled.standard_error[i]);
                if (sampled.standard_error[i] < 1e-6 * scale)
                    continue; /* the controls explain all */
                squares += off * off / (sampled.standard_error[i] * sampled.standard_error[i]);
                count += 1.0;
            }
            free_game(&input);
        }
    assert_true(count > 200.0);
    if (fabs(squares / count - 1.0) > 0.35)
        fail_msg("seed %llu: mean square %g", (unsigned long long)first, squares / count);
}

static void a_stated_number_of_pairs_is_repeatable_at_any_number_of_threads(void **state)
{
    (void)state;
    struct input_game input = make_game(RANDOM_ANYTHING, 5);
    struct sampling_settings settings = {.seed = 9, .pairs_max = 96, .threads = 1};
    struct sampled one;
    struct sampled three;
    assert_ok(sampling_shapley(&input, &settings, &arena, &one, NULL));
    settings.threads = 3;
    assert_ok(sampling_shapley(&input, &settings, &arena, &three, NULL));
    assert_int_equal(one.pairs, 96);
    assert_memory_equal(one.split, three.split, PLAYERS * sizeof *one.split);
    settings.seed = 10;
    assert_ok(sampling_shapley(&input, &settings, &arena, &three, NULL));
    assert_memory_not_equal(one.split, three.split, PLAYERS * sizeof *one.split);
    free_game(&input);
}

static bool at_once(void *context)
{
    (*(int *)context)++;
    return true;
}

static void it_stops_at_the_half_width_or_when_told(void **state)
{
    (void)state;
    struct input_game input = make_game(RANDOM_CONVEX, 3);
    struct sampling_settings settings = {.half_width = 0.02, .threads = 1};
    struct sampled sampled;
    assert_ok(sampling_shapley(&input, &settings, &arena, &sampled, NULL));
    assert_true(sampled.reached && sampled.half_width <= 0.02);
    uint64_t pairs = sampled.pairs;
    settings.half_width = 0.005; /* a quarter: some 16 times the pairs */
    assert_ok(sampling_shapley(&input, &settings, &arena, &sampled, NULL));
    assert_true(sampled.pairs > 4 * pairs);
    int asked = 0;
    settings = (struct sampling_settings){.stop = at_once, .context = &asked, .threads = 1};
    assert_ok(sampling_shapley(&input, &settings, &arena, &sampled, NULL));
    assert_int_equal(sampled.pairs, 32); /* one round */
    assert_int_equal(asked, 1);
    free_game(&input);
}

/* y = 3 + 2 (c − E c) exactly: the controls explain all, and the estimate is 3 whatever was drawn.
 */
static void a_control_that_explains_all_leaves_no_error(void **state)
{
    (void)state;
    struct regression regression = {.count = 0.0};
    struct rng rng;
    double expected[REGRESSION_CONTROLS] = {0.5, 0.0, 7.0};
    double mean;
    double error;
    rng_init(&rng, 1, 1);
    for (int k = 0; k < 50; k++) {
        double controls[REGRESSION_CONTROLS] = {rng_unit(&rng), 0.0, 7.0}; /* two don't vary */
        regression_add(&regression, 3.0 + 2.0 * (controls[0] - 0.5), controls);
    }
    regression_estimate(&regression, expected, &mean, &error);
    assert_near(mean, 3.0, 1e-12);
    assert_near(error, 0.0, 1e-7);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(deviations_are_what_the_standard_errors_say),
        test(a_stated_number_of_pairs_is_repeatable_at_any_number_of_threads),
        test(it_stops_at_the_half_width_or_when_told),
        test(a_control_that_explains_all_leaves_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
