#include "tests/support/support.h"

#include <string.h>

#include "base/clock.h"

static void the_real_clocks_go_forward(void **state)
{
    (void)state;
    const struct clock *clock = clock_real();
    int64_t boot = clock_boot_ms(clock);
    assert_true(boot > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_boot_ms(clock);
        assert_true(now >= boot);
        boot = now;
    }
    assert_true(clock_wall_ms(clock) > INT64_C(1577836800000)); /* after 2020 */
}

static void a_simulated_clock_moves_only_when_told(void **state)
{
    (void)state;
    struct clock_simulated simulated;
    clock_simulated_init(&simulated, 1000000);
    assert_int_equal(clock_wall_ms(&simulated.clock), 1000000);
    assert_int_equal(clock_boot_ms(&simulated.clock), 0);
    clock_simulated_advance(&simulated, 250);
    assert_int_equal(clock_wall_ms(&simulated.clock), 1000250);
    assert_int_equal(clock_boot_ms(&simulated.clock), 250);
    simulated.now_wall_ms = 5; /* the wall clock jumps back, durations don't */
    assert_int_equal(clock_wall_ms(&simulated.clock), 5);
    assert_int_equal(clock_boot_ms(&simulated.clock), 250);
}

static void a_date_survives_being_written_and_read(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } dates[] = {
        {0, "1970-01-01T00:00:00Z"},
        {951782400000, "2000-02-29T00:00:00Z"},  /* a leap day */
        {1795406706000, "2026-11-23T04:05:06Z"}, /* date -u -d @1795406706 */
        {4102444799000, "2099-12-31T23:59:59Z"}, /* past 2038 */
    };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        char text[CLOCK_TEXT_MAX];
        assert_string_equal(clock_format_wall(dates[i].ms, text), dates[i].text);
        assert_int_equal(clock_parse_wall(text), dates[i].ms);
        assert_string_equal(clock_format_wall(dates[i].ms + 999, text), dates[i].text);
    }
    assert_int_equal(clock_parse_wall("2000-02-29"), 951782400000);
}

/* A hostile time stamp prints as some date or "(no date)", within its buffer. */
static void the_farthest_dates_fit_their_text(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_MAX];
    assert_in_range(strlen(clock_format_wall(INT64_MAX, text)), 1, CLOCK_TEXT_MAX - 1);
    assert_in_range(strlen(clock_format_wall(INT64_MIN, text)), 1, CLOCK_TEXT_MAX - 1);
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 "today",
                                 "2026",
                                 "2026-13-01",
                                 "2026-11-23T04:05:06",
                                 "2026-11-23T04:05:06Zx",
                                 "2026-11-23 04:05:06",
                                 "2026-11-32",
                                 "23.11.2026"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (clock_parse_wall(wrong[i]) != -1)
            fail_msg("'%s' was read as a date", wrong[i]);
}

static void durations_are_read_in_their_units(void **state)
{
    (void)state;
    assert_int_equal(clock_parse_duration("250ms"), 250);
    assert_int_equal(clock_parse_duration("90s"), 90000);
    assert_int_equal(clock_parse_duration("15m"), 900000);
    assert_int_equal(clock_parse_duration("1h"), 3600000);
    assert_int_equal(clock_parse_duration("30d"), 2592000000);
    assert_int_equal(clock_parse_duration("0s"), 0);
    assert_int_equal(clock_parse_duration("3650d"), 315360000000); /* ten years, the most */
}

static void a_duration_is_told_in_its_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } durations[] = {
        {0, "0ms"},
        {999, "999ms"},
        {1000, "1s"},
        {59999, "59s"},
        {60000, "1m00s"},
        {252000, "4m12s"},
        {3599999, "59m59s"},
        {3600000, "1h00m"},
        {11100000, "3h05m"},
        {86399999, "23h59m"},
        {86400000, "1d00h"},
        {187200000, "2d04h"},
        {-252000, "-4m12s"},
        {INT64_MIN, "-106751991167d07h"}, /* 2^63 ms; the largest there is fits */
    };
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        char text[CLOCK_TEXT_MAX];
        assert_string_equal(clock_format_duration(durations[i].ms, text), durations[i].text);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"",      "s",    "5",     "5 s",    "-5s",
                                 "1.5h",  "1h30", "1h30m", "5S",     "5min",
                                 "3651d", "+5s",  "0x5s",  "87601h", "99999999999999999999999d"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (clock_parse_duration(wrong[i]) != -1)
            fail_msg("'%s' was read as a duration", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_clocks_go_forward),
        cmocka_unit_test(a_simulated_clock_moves_only_when_told),
        cmocka_unit_test(a_date_survives_being_written_and_read),
        cmocka_unit_test(the_farthest_dates_fit_their_text),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(durations_are_read_in_their_units),
        cmocka_unit_test(a_duration_is_told_in_its_two_largest_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
