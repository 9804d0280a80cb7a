#include "tests/support/support.h"

#include "proto/rpc/status_code.h"

static void every_status_has_a_code_and_only_ok_is_ok(void **state)
{
    (void)state;
    for (int status = 0; status < STATUS_COUNT; status++)
        assert_int_equal(status_to_code((enum status)status) == GRPC_STATUS_OK,
                         status == STATUS_OK);
}

static void all_but_three_come_back_as_they_went(void **state)
{
    (void)state;
    static const enum status merged[STATUS_COUNT] = {[STATUS_CONFIG] = STATUS_PRECONDITION,
                                                     [STATUS_IO] = STATUS_INTERNAL,
                                                     [STATUS_NO_MEMORY] = STATUS_EXHAUSTED};
    for (int i = 0; i < STATUS_COUNT; i++) {
        enum status status = (enum status)i;
        enum status expected = merged[i] != STATUS_OK ? merged[i] : status;
        assert_int_equal(status_from_code(status_to_code(status)), expected);
    }
}

static void no_code_of_a_stranger_is_taken_for_ok(void **state)
{
    (void)state;
    for (int code = 1; code < 64; code++)
        assert_int_not_equal(status_from_code((grpc_status_code)code), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_code_and_only_ok_is_ok),
        cmocka_unit_test(all_but_three_come_back_as_they_went),
        cmocka_unit_test(no_code_of_a_stranger_is_taken_for_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
