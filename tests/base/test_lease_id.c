#include "tests/support/support.h"

#include <string.h>

#include "base/domain/lease.h"

static void a_lease_id_survives_being_written_and_read(void **state)
{
    (void)state;
    static const struct {
        struct lease_id id;
        const char *text;
    } ids[] = {
        {{1, 12, 3}, "1.12.3"},
        {{1, 1, 1}, "1.1.1"},
        {{10, 100, 1000}, "10.100.1000"},
        {{UINT64_MAX, UINT64_MAX, UINT32_MAX},
         "18446744073709551615.18446744073709551615.4294967295"},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[LEASE_ID_TEXT_MAX];
        struct lease_id back;
        assert_string_equal(lease_id_format(ids[i].id, text), ids[i].text);
        assert_true(lease_id_parse(text, &back));
        assert_true(lease_id_equal(back, ids[i].id));
    }
}

/* One lease has one spelling, or a receipt could name it twice. */
static void what_is_no_lease_id_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 "1",
                                 "1.2",
                                 "1.2.3.4",
                                 "1.2.3.",
                                 ".1.2.3",
                                 "1..3",
                                 "0.1.1",
                                 "1.0.1",
                                 "1.1.0",
                                 "01.1.1",
                                 "1.1.01",
                                 "+1.1.1",
                                 "-1.1.1",
                                 " 1.1.1",
                                 "1.1.1 ",
                                 "1.1.1\n",
                                 "1.1.a",
                                 "0x1.1.1",
                                 "18446744073709551616.1.1",
                                 "1.18446744073709551616.1",
                                 "1.1.4294967296",
                                 "1.1.9999999999",
                                 "1111111111111111111111111111111111111111111111111111111111.1.1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct lease_id id = {7, 8, 9};
        if (lease_id_parse(wrong[i], &id))
            fail_msg("'%s' was read as a lease id", wrong[i]);
        assert_true(lease_id_equal(id, (struct lease_id){7, 8, 9}));
    }
}

static void ids_are_equal_in_all_three_parts_or_not_at_all(void **state)
{
    (void)state;
    struct lease_id const id = {1, 2, 3};
    assert_true(lease_id_equal(id, (struct lease_id){1, 2, 3}));
    assert_false(lease_id_equal(id, (struct lease_id){2, 2, 3}));
    assert_false(lease_id_equal(id, (struct lease_id){1, 3, 3}));
    assert_false(lease_id_equal(id, (struct lease_id){1, 2, 4}));
    assert_true(lease_id_none((struct lease_id){0}));
    assert_false(lease_id_none(id));
}

static void every_state_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < LEASE_STATE_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(lease_state_name((enum lease_state)i),
                                    lease_state_name((enum lease_state)j));
    for (int i = 0; i < LEASE_OUTCOME_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(lease_outcome_name((enum lease_outcome)i),
                                    lease_outcome_name((enum lease_outcome)j));
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(job_state_name((enum job_state)i),
                                    job_state_name((enum job_state)j));
}

static void only_settled_and_voided_leases_are_over(void **state)
{
    (void)state;
    for (int i = 0; i < LEASE_STATE_COUNT; i++)
        assert_int_equal(lease_state_final((enum lease_state)i),
                         i == LEASE_STATE_SETTLED || i == LEASE_STATE_VOIDED);
    assert_string_equal(lease_state_name(LEASE_STATE_HOLDOVER), "holdover");
    assert_string_equal(lease_outcome_name(LEASE_OUTCOME_HOST_FAILED), "host failed");
    assert_string_equal(job_state_name(JOB_STATE_CANCELLED), "cancelled");
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        assert_int_equal(job_state_final((enum job_state)i),
                         i == JOB_STATE_DONE || i == JOB_STATE_FAILED || i == JOB_STATE_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_id_survives_being_written_and_read),
        cmocka_unit_test(what_is_no_lease_id_is_refused),
        cmocka_unit_test(ids_are_equal_in_all_three_parts_or_not_at_all),
        cmocka_unit_test(every_state_has_its_own_name),
        cmocka_unit_test(only_settled_and_voided_leases_are_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
