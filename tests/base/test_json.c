#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static struct json_document *parsed(const char *text)
{
    struct json_document *document = NULL;
    struct fault fault = {.text = ""};
    if (json_parse("test", text, strlen(text), &document, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    return document;
}

static void values_are_read_with_their_types(void **state)
{
    (void)state;
    struct json_document *document =
        parsed("{\"n\": 1.5, \"i\": 7, \"whole\": 64.0, \"t\": \"x\", \"b\": true, \"a\": [1]}");
    struct json_place const root = json_root(document);
    double number = 0;
    int64_t integer = 0;
    const char *text = "";
    bool value = false;
    assert_ok(json_get_number(&root, "n", true, 0, 2, &number, NULL));
    assert_near(number, 1.5, 0);
    assert_ok(json_get_number(&root, "i", true, 0, 9, &number, NULL));
    assert_near(number, 7, 0);
    assert_ok(json_get_integer(&root, "i", true, 0, 9, &integer, NULL));
    assert_int_equal(integer, 7);
    assert_ok(json_get_integer(&root, "whole", true, 0, 99, &integer, NULL));
    assert_int_equal(integer, 64);
    assert_ok(json_get_text(&root, "t", true, 5, &text, NULL));
    assert_string_equal(text, "x");
    assert_ok(json_get_boolean(&root, "b", true, &value, NULL));
    assert_true(value);
    json_close(document);
}

static void an_absent_optional_key_changes_nothing(void **state)
{
    (void)state;
    struct json_document *document = parsed("{}");
    struct json_place const root = json_root(document);
    double number = 3;
    size_t count = 9;
    struct json_place array;
    assert_ok(json_get_number(&root, "n", false, 0, 1, &number, NULL));
    assert_near(number, 3, 0);
    assert_ok(json_get_array(&root, "a", false, &array, &count, NULL));
    assert_int_equal(count, 0);
    assert_false(json_present(&array));
    json_close(document);
}

static void a_fault_names_the_path(void **state)
{
    (void)state;
    struct json_document *document =
        parsed("{\"jobs\": [{}, {\"configurations\": [{\"gpus\": -1, \"x\": \"\", \"f\": 1.5}]}]}");
    struct json_place const root = json_root(document);
    struct json_place jobs;
    struct json_place configurations;
    size_t count;
    struct fault fault;
    int64_t integer;
    const char *text;
    assert_ok(json_get_array(&root, "jobs", true, &jobs, &count, NULL));
    assert_int_equal(count, 2);
    struct json_place const job = json_element(&jobs, 1);
    assert_ok(json_get_array(&job, "configurations", true, &configurations, &count, NULL));
    struct json_place const first = json_element(&configurations, 0);
    assert_int_equal(json_get_integer(&first, "gpus", true, 1, 8, &integer, &fault),
                     STATUS_INVALID);
    assert_string_equal(fault.text, "jobs[1].configurations[0].gpus: -1 is not within 1 and 8");
    assert_int_equal(json_get_integer(&first, "y", true, 1, 8, &integer, &fault), STATUS_INVALID);
    assert_string_equal(fault.text, "jobs[1].configurations[0].y: is missing");
    assert_int_equal(json_get_integer(&first, "x", true, 1, 8, &integer, &fault), STATUS_INVALID);
    assert_string_equal(fault.text, "jobs[1].configurations[0].x: must be a whole number");
    assert_int_equal(json_get_integer(&first, "f", true, 1, 8, &integer, &fault), STATUS_INVALID);
    assert_int_equal(json_get_text(&first, "x", true, 8, &text, &fault), STATUS_INVALID);
    assert_string_equal(fault.text, "jobs[1].configurations[0].x: must have 1 to 8 bytes");
    assert_int_equal(json_get_text(&first, "gpus", true, 8, &text, &fault), STATUS_INVALID);
    json_close(document);
}

static void an_unknown_key_is_refused_with_the_nearest(void **state)
{
    (void)state;
    static const char *const keys[] = {"throughput", "gpus", NULL};
    struct json_document *document = parsed("{\"thruoghput\": 1}");
    struct json_place const root = json_root(document);
    struct fault fault;
    assert_int_equal(json_allow(&root, keys, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "thruoghput: unknown key"));
    assert_non_null(strstr(fault.text, "'throughput'"));
    json_close(document);
}

static void what_is_no_json_is_refused_with_line_and_column(void **state)
{
    (void)state;
    struct json_document *document = NULL;
    struct fault fault;
    const char *const wrong[] = {"",
                                 "{\n\"a\": }",
                                 "{\"a\": NaN}",
                                 "{\"a\": 1e999}",
                                 "{\"a\": 1, \"a\": 2}",
                                 "{\"a\": 1} x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(json_parse("f.json", wrong[i], strlen(wrong[i]), &document, &fault),
                         STATUS_INVALID);
        assert_null(document);
        assert_non_null(strstr(fault.text, "f.json:"));
    }
    assert_int_equal(json_parse("f.json", wrong[1], strlen(wrong[1]), &document, &fault),
                     STATUS_INVALID);
    assert_non_null(strstr(fault.text, "f.json:2:"));
    assert_int_equal(json_read("/nonexistent/x.json", 10, &document, &fault), STATUS_IO);
}

static void a_file_over_its_bound_is_refused(void **state)
{
    (void)state;
    char directory[256];
    char path[300];
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/a.json", directory);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("{\"a\": 1}\n", file);
    fclose(file);
    struct json_document *document = NULL;
    assert_int_equal(json_read(path, 4, &document, NULL), STATUS_EXHAUSTED);
    assert_ok(json_read(path, 400, &document, NULL));
    json_close(document);
    support_remove_tree(directory);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_text(&writer, "name", "caf\xc3\xa9 \"x\"");
    json_open_array(&writer, "list");
    json_put_integer(&writer, NULL, 1);
    json_open_object(&writer, NULL);
    json_put_number(&writer, "third", 1.0 / 3);
    json_end(&writer);
    json_end(&writer);
    json_put_boolean(&writer, "yes", true);
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    assert_ok(json_write(&writer, memory, NULL));
    fclose(memory);
    json_writer_fini(&writer);
    struct json_document *document = NULL;
    assert_ok(json_parse("back", text, size, &document, NULL));
    struct json_place const root = json_root(document);
    struct json_place list;
    size_t count;
    const char *name = "";
    double third = 0;
    assert_ok(json_get_text(&root, "name", true, 20, &name, NULL));
    assert_string_equal(name, "caf\xc3\xa9 \"x\"");
    assert_ok(json_get_array(&root, "list", true, &list, &count, NULL));
    assert_int_equal(count, 2);
    struct json_place const second = json_element(&list, 1);
    assert_ok(json_get_number(&second, "third", true, 0, 1, &third, NULL));
    assert_true(third == 1.0 / 3); /* to the last bit */
    json_close(document);
    free(text);
}

static void a_number_that_is_none_is_not_written(void **state)
{
    (void)state;
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_number(&writer, "x", 0.0 / 1);
    assert_false(writer.broken);
    json_put_number(&writer, "y", (double)__builtin_nan(""));
    assert_true(writer.broken);
    assert_int_equal(json_write(&writer, stdout, NULL), STATUS_INTERNAL);
    json_writer_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_with_their_types),
        cmocka_unit_test(an_absent_optional_key_changes_nothing),
        cmocka_unit_test(a_fault_names_the_path),
        cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest),
        cmocka_unit_test(what_is_no_json_is_refused_with_line_and_column),
        cmocka_unit_test(a_file_over_its_bound_is_refused),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_number_that_is_none_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
