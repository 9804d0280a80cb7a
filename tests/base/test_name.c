#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/domain/name.h"

static void what_is_a_name_is_taken_whole(void **state)
{
    (void)state;
    const char *const good[] = {
        "a",         "A100",
        "h100-80gb", "resnet50.v1+amp",
        "usc-17",    "0",
        "x_y",       "123456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct name name;
        assert_ok(name_parse(&name, "model", good[i], NULL));
        assert_string_equal(name.text, good[i]);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "",
        "-a",
        ".a",
        "_a",
        "+a",
        "a b",
        "a/b",
        "a\n",
        "\xc3\xa4",
        "a:b",
        "..",
        "1234567890123456789012345678901234567890123456789012345678901234"}; /* 64 letters */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct name name = {"kept"};
        struct fault fault = {0};
        assert_int_equal(name_parse(&name, "GPU kind", wrong[i], &fault), STATUS_INVALID);
        assert_string_equal(name.text, "kept");
        assert_memory_equal(fault.text, "GPU kind '", 10);
    }
}

/* A member's name becomes a DNS label in its certificate. */
static void a_members_name_is_a_dns_label(void **state)
{
    (void)state;
    const char *const good[] = {"usc", "a", "7", "gpu-lab-2", "a--b"};
    const char *const wrong[] = {"", "USC", "usc-", "-usc", "usc.edu", "u_c", "u+c", "usc "};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(member_name_valid(good[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct name name;
        assert_int_equal(member_name_parse(&name, wrong[i], NULL), STATUS_INVALID);
    }
}

static void every_members_name_is_a_name(void **state)
{
    (void)state;
    char text[3] = "";
    for (int first = 1; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            text[0] = (char)first;
            text[1] = (char)second;
            if (member_name_valid(text))
                assert_true(name_valid(text));
        }
}

/* A hostile text of a megabyte is looked at no further than the limit, and quoted in part. */
static void an_endless_text_is_refused_and_quoted_in_part(void **state)
{
    (void)state;
    static char text[1 << 20];
    struct name name;
    struct fault fault;
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(name_parse(&name, "job", text, &fault), STATUS_INVALID);
    assert_true(strlen(fault.text) < 300);
    assert_non_null(strstr(fault.text, "letters, digits"));
}

static void names_compare_by_their_bytes(void **state)
{
    (void)state;
    struct name a, b, none = {""};
    assert_ok(name_parse(&a, "name", "a-1", NULL));
    assert_ok(name_parse(&b, "name", "a-2", NULL));
    assert_false(name_equal(&a, &b));
    assert_true(name_equal(&a, &a));
    assert_true(name_compare(&a, &b) < 0);
    assert_true(name_compare(&b, &a) > 0);
    assert_int_equal(name_compare(&a, &a), 0);
    assert_true(name_empty(&none));
    assert_false(name_empty(&a));
}

/* Stored names are compared and hashed as bytes in places: a shorter name leaves nothing behind. */
static void a_shorter_name_leaves_nothing_of_the_longer(void **state)
{
    (void)state;
    struct name reused, fresh = {""};
    assert_ok(name_parse(&reused, "name", "a-very-long-name", NULL));
    assert_ok(name_parse(&reused, "name", "b", NULL));
    assert_ok(name_parse(&fresh, "name", "b", NULL));
    assert_memory_equal(&reused, &fresh, sizeof fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_name_is_taken_whole),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(a_members_name_is_a_dns_label),
        cmocka_unit_test(every_members_name_is_a_name),
        cmocka_unit_test(an_endless_text_is_refused_and_quoted_in_part),
        cmocka_unit_test(names_compare_by_their_bytes),
        cmocka_unit_test(a_shorter_name_leaves_nothing_of_the_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
