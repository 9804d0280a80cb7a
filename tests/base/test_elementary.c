/* exp, log, atan of basic operations alone, against libm's. */
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/elementary.h"
#include "base/rng.h"

enum { DRAWS = 200000 };

#define SEED 20261123

/* What the header promises, in units of the last place. */
enum { EXP_LOG_PLACES = 4, ATAN_PLACES = 8 };

static void assert_within_last_places(double actual, double expected, int places, double at)
{
    double unit = fmax(nextafter(fabs(expected), HUGE_VAL) - fabs(expected), DBL_MIN);
    if (!(fabs(actual - expected) <= places * unit))
        fail_msg("at %.17g: %.17g instead of %.17g", at, actual, expected);
}

static void exp_agrees_with_libm_to_four_last_places(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, SEED, 1);
    for (int i = 0; i < DRAWS; i++) {
        double x = 1400 * rng_unit(&rng) - 700;
        assert_within_last_places(elementary_exp(x), exp(x), EXP_LOG_PLACES, x);
        x = 2 * rng_unit(&rng) - 1;
        assert_within_last_places(elementary_exp(x), exp(x), EXP_LOG_PLACES, x);
    }
}

static void log_agrees_with_libm_to_four_last_places(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, SEED, 2);
    for (int i = 0; i < DRAWS; i++) {
        double x = ldexp(1 + rng_unit(&rng), (int)rng_below(&rng, 2000) - 1000);
        assert_within_last_places(elementary_log(x), log(x), EXP_LOG_PLACES, x);
        x = 0.5 + rng_unit(&rng); /* around 1, where the result is small */
        assert_within_last_places(elementary_log(x), log(x), EXP_LOG_PLACES, x);
    }
}

static void atan_agrees_with_libm_to_eight_last_places(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, SEED, 3);
    for (int i = 0; i < DRAWS; i++) {
        double x = ldexp(2 * rng_unit(&rng) - 1, (int)rng_below(&rng, 100) - 50);
        assert_within_last_places(elementary_atan(x), atan(x), ATAN_PLACES, x);
    }
}

static void the_ends_are_as_promised(void **state)
{
    (void)state;
    assert_true(elementary_exp(-HUGE_VAL) == 0 && isinf(elementary_exp(710)));
    assert_true(elementary_exp(0) == 1 && elementary_log(1) == 0 && elementary_atan(0) == 0);
    assert_true(isinf(elementary_log(0)) && elementary_log(0) < 0);
    assert_true(isnan(elementary_log(-1)) && isnan(elementary_exp((double)NAN)));
    assert_true(isinf(elementary_log(HUGE_VAL)));
    assert_near(elementary_pow(2, 10), 1024, 1e-14);
    assert_near(elementary_atan(1e300), acos(0), 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_agrees_with_libm_to_four_last_places),
        cmocka_unit_test(log_agrees_with_libm_to_four_last_places),
        cmocka_unit_test(atan_agrees_with_libm_to_eight_last_places),
        cmocka_unit_test(the_ends_are_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
