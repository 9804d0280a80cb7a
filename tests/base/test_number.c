/* Numbers as text: what is read is what strtod() reads, what is written reads back the same. */
#include "tests/support/support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/rng.h"

enum { NUMBERS = 20000 };

static bool parse(const char *text, double *number)
{
    return number_parse(text, strlen(text), number);
}

/* Any bit pattern that is a finite number, and short decimals, which files hold most. */
static double draw(struct rng *rng)
{
    double number;
    uint64_t const bits = rng_next(rng);
    memcpy(&number, &bits, sizeof number);
    if (rng_below(rng, 2) == 0)
        number = (double)rng_below(rng, 10000000) / 1000;
    return isfinite(number) ? number : 0.1;
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    struct rng rng;
    uint64_t const seed = support_seed(1);
    rng_init(&rng, seed, 0);
    for (int i = 0; i < NUMBERS; i++) {
        char text[NUMBER_TEXT_MAX];
        double const number = draw(&rng);
        double back = 0;
        size_t const length = number_format(number, text);
        assert_int_equal(length, strlen(text));
        if (!parse(text, &back) || back != number)
            fail_msg("seed %" PRIu64 ": %.17g became '%s' and then %.17g", seed, number, text,
                     back);
    }
}

static void what_is_read_is_what_strtod_reads(void **state)
{
    (void)state;
    struct rng rng;
    uint64_t const seed = support_seed(2);
    rng_init(&rng, seed, 0);
    for (int i = 0; i < NUMBERS; i++) {
        char text[64];
        double number = 0;
        snprintf(text, sizeof text, "%.*e", (int)rng_below(&rng, 25), draw(&rng));
        if (!parse(text, &number) || number != strtod(text, NULL))
            fail_msg("seed %" PRIu64 ": '%s' became %.17g", seed, text, number);
    }
}

static void numbers_are_written_short(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "0"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {300, "300"},
                 {0.0004, "0.0004"},
                 {1e9, "1000000000"},
                 {310.5, "310.5"},
                 {1e300, "1e+300"},
                 {1.0 / 3, "0.3333333333333333"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NUMBER_TEXT_MAX];
        number_format(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void what_is_no_number_of_json_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    "-",   "+1",  "1.", ".5", "01",   "1e",  "1e+",
                                        "nan", "inf", "0x1", "1 ", " 1", "1e5x", "--1", "NaN"};
    double number;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (parse(wrong[i], &number))
            fail_msg("'%s' was read as %g", wrong[i], number);
    assert_true(parse("1e999", &number)); /* a range refuses it */
    assert_true(isinf(number));
}

static void whole_numbers_have_neither_point_nor_exponent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
        int64_t number;
    } cases[] = {{"0", true, 0},
                 {"-7", true, -7},
                 {"9223372036854775807", true, INT64_MAX},
                 {"9223372036854775808", false, 0},
                 {"99999999999999999999", false, 0},
                 {"1.0", false, 0},
                 {"1e3", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number = 0;
        assert_int_equal(number_parse_integer(cases[i].text, strlen(cases[i].text), &number),
                         cases[i].whole);
        if (cases[i].whole)
            assert_true(number == cases[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(what_is_read_is_what_strtod_reads),
        cmocka_unit_test(numbers_are_written_short),
        cmocka_unit_test(what_is_no_number_of_json_is_refused),
        cmocka_unit_test(whole_numbers_have_neither_point_nor_exponent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
