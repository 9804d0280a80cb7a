#include "tests/support/support.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"

static void a_fault_carries_status_and_text(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(fault_set(&fault, STATUS_DENIED, "member '%s' is %s", "usc", "suspended"),
                     STATUS_DENIED);
    assert_int_equal(fault.status, STATUS_DENIED);
    assert_string_equal(fault.text, "member 'usc' is suspended");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(fault_set(NULL, STATUS_IO, "disk"), STATUS_IO);
    assert_int_equal(fault_prefix(NULL, STATUS_CORRUPT, "ledger"), STATUS_CORRUPT);
}

static void a_prefix_says_where(void **state)
{
    (void)state;
    struct fault fault;
    (void)fault_set(&fault, STATUS_INVALID, "must be positive");
    assert_int_equal(fault_prefix(&fault, STATUS_CONFIG, "%s:%d", "broker.yaml", 12),
                     STATUS_CONFIG);
    assert_int_equal(fault.status, STATUS_CONFIG);
    assert_string_equal(fault.text, "broker.yaml:12: must be positive");
}

/* Every length around the limit: terminated always, marked exactly where something is missing. */
static void a_long_text_is_cut_and_marked(void **state)
{
    (void)state;
    char text[FAULT_TEXT_MAX + 10];
    for (size_t length = FAULT_TEXT_MAX - 5; length < FAULT_TEXT_MAX + 5; length++) {
        struct fault fault;
        memset(text, 'x', length);
        text[length] = '\0';
        (void)fault_set(&fault, STATUS_INVALID, "%s", text);
        bool fits = length < FAULT_TEXT_MAX;
        assert_int_equal(strlen(fault.text), fits ? length : FAULT_TEXT_MAX - 1);
        assert_int_equal(strstr(fault.text, "...") == NULL, fits);
        assert_int_equal(fault.text[0], 'x');
    }
}

static void a_prefix_to_a_full_text_cuts_the_text_and_not_the_prefix(void **state)
{
    (void)state;
    struct fault fault;
    char text[FAULT_TEXT_MAX];
    memset(text, 'x', sizeof text);
    text[FAULT_TEXT_MAX - 1] = '\0';
    (void)fault_set(&fault, STATUS_INVALID, "%s", text);
    assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
    (void)fault_prefix(&fault, STATUS_INVALID, "where");
    assert_memory_equal(fault.text, "where: xxx", 10);
    assert_string_equal(fault.text + FAULT_TEXT_MAX - 4, "...");
}

static void a_prefix_can_quote_the_text_itself(void **state)
{
    (void)state;
    struct fault fault;
    (void)fault_set(&fault, STATUS_INVALID, "inner");
    (void)fault_prefix(&fault, STATUS_INVALID, "[%s]", fault.text);
    assert_string_equal(fault.text, "[inner]: inner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_carries_status_and_text),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(a_prefix_says_where),
        cmocka_unit_test(a_long_text_is_cut_and_marked),
        cmocka_unit_test(a_prefix_to_a_full_text_cuts_the_text_and_not_the_prefix),
        cmocka_unit_test(a_prefix_can_quote_the_text_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
