#include "tests/support/support.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* A log into a pipe, on a clock that stands at 2026-11-23T04:05:06Z. */
struct fixture {
    struct clock_simulated clock;
    struct log log;
    int reader;
    char text[2 * LOG_LINE_MAX];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fixture = (struct fixture){.reader = ends[0]};
    clock_simulated_init(&fixture.clock, 1795406706000);
    fixture.log = (struct log){
        .fd = ends[1],
        .level = LOG_LEVEL_DEBUG,
        .clock = &fixture.clock.clock,
        .component = "peer usc",
    };
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close(fixture->reader);
    if (fixture->log.fd >= 0)
        close(fixture->log.fd);
    return 0;
}

/* All that was written, the writing end being closed. */
static const char *written(struct fixture *fixture)
{
    close(fixture->log.fd);
    fixture->log.fd = -1;
    ssize_t length = read(fixture->reader, fixture->text, sizeof fixture->text - 1);
    assert_true(length >= 0);
    fixture->text[length] = '\0';
    return fixture->text;
}

static void a_line_has_time_level_component_and_text(void **state)
{
    struct fixture *fixture = *state;
    log_warning(&fixture->log, "lease %s ends in %d s", "1.12.3", 30);
    assert_string_equal(written(fixture),
                        "2026-11-23T04:05:06Z warning peer usc: lease 1.12.3 ends in 30 s\n");
}

static void only_levels_up_to_the_logs_are_written(void **state)
{
    struct fixture *fixture = *state;
    fixture->log.level = LOG_LEVEL_WARNING;
    log_debug(&fixture->log, "debug");
    log_info(&fixture->log, "info");
    log_warning(&fixture->log, "w");
    log_error(&fixture->log, "e");
    assert_string_equal(written(fixture), "2026-11-23T04:05:06Z warning peer usc: w\n"
                                          "2026-11-23T04:05:06Z error peer usc: e\n");
}

static void remote_text_cannot_forge_a_second_line(void **state)
{
    struct fixture *fixture = *state;
    log_info(&fixture->log, "refused '%s'",
             "x\n2026-11-23T04:05:06Z info broker: all is well\r\x1b[2J");
    const char *line = written(fixture);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_null(strchr(line, '\r'));
    assert_null(strchr(line, '\x1b'));
}

static void a_line_over_its_limit_is_cut_and_still_a_line(void **state)
{
    struct fixture *fixture = *state;
    char text[LOG_LINE_MAX * 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error(&fixture->log, "%s", text);
    const char *line = written(fixture);
    assert_int_equal(strlen(line), LOG_LINE_MAX - 1);
    assert_ptr_equal(strchr(line, '\n'), line + LOG_LINE_MAX - 2);
}

static void a_component_over_the_limit_is_cut_too(void **state)
{
    struct fixture *fixture = *state;
    static char component[LOG_LINE_MAX * 2];
    memset(component, 'c', sizeof component - 1);
    fixture->log.component = component;
    log_error(&fixture->log, "text");
    const char *line = written(fixture);
    assert_in_range(strlen(line), 1, LOG_LINE_MAX);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void nowhere_is_a_fine_place_to_log(void **state)
{
    struct fixture *fixture = *state;
    struct log nowhere = fixture->log;
    nowhere.fd = -1;
    log_error(&nowhere, "text");
    log_error((const struct log *)NULL, "text");
    assert_string_equal(written(fixture), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_component_and_text, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_levels_up_to_the_logs_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(remote_text_cannot_forge_a_second_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_over_its_limit_is_cut_and_still_a_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_component_over_the_limit_is_cut_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nowhere_is_a_fine_place_to_log, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
