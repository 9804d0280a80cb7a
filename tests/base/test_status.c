#include "tests/support/support.h"

#include <string.h>

#include "base/status.h"

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        assert_non_null(status_name((enum status)i));
        assert_true(strlen(status_name((enum status)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(status_name((enum status)i), status_name((enum status)j));
    }
    assert_string_equal(status_name(STATUS_OK), "ok");
}

/* README.md promises these numbers to scripts. */
static void only_ok_exits_with_zero_and_only_configuration_with_78(void **state)
{
    (void)state;
    assert_int_equal(EXIT_CODE_USAGE, 2);
    for (int i = 0; i < STATUS_COUNT; i++) {
        int expected = i == STATUS_OK ? 0 : i == STATUS_CONFIG ? 78 : 1;
        assert_int_equal(status_exit_code((enum status)i), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(only_ok_exits_with_zero_and_only_configuration_with_78),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
