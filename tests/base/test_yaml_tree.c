/* YAML whose keys depend on its contents: shape, lines and faults. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml_tree.h"

struct written {
    char directory[256];
    char path[512];
    struct arena arena;
    struct fault fault;
    const struct yaml_tree *root;
};

static enum status read_text(struct written *written, const char *text)
{
    struct fault fault;
    support_make_directory(written->directory);
    snprintf(written->path, sizeof written->path, "%s/x.yaml", written->directory);
    assert_ok(file_write(written->path,
                         (struct bytes){.data = (const uint8_t *)text, .size = strlen(text)}, 0600,
                         &fault));
    arena_init(&written->arena, ARENA_MESSAGE_BYTES);
    written->fault.text[0] = '\0';
    return yaml_tree_read(written->path, &written->arena, &written->root, &written->fault);
}

static void forget(struct written *written)
{
    arena_fini(&written->arena);
    support_remove_tree(written->directory);
}

static void keys_values_and_lines_are_kept_in_order(void **state)
{
    (void)state;
    struct written w;
    assert_ok(read_text(&w, "# note\na: 1\nb: [x, {c: 2}]\n"));
    const struct yaml_tree *a = yaml_tree_get(w.root, "a");
    const struct yaml_tree *b = yaml_tree_get(w.root, "b");
    assert_string_equal(a->text, "1");
    assert_int_equal(a->line, 2);
    assert_int_equal(b->kind, YAML_TREE_LIST);
    assert_int_equal(b->child_count, 2);
    assert_string_equal(b->first_child->text, "x");
    assert_string_equal(yaml_tree_get(b->first_child->next, "c")->text, "2");
    assert_null(yaml_tree_get(w.root, "c"));
    forget(&w);
}

/* text, and what the fault must say after the file's name. */
static const struct refusal {
    const char *text;
    const char *says;
} refusals[] = {
    {"a: 1\nb: 2\na: 3\n", ":3: this key stands there twice"},
    {"a: &x 1\nb: *x\n", ":2: aliases"},
    {"a: 1\n---\nb: 2\n", ":2: a second document"},
    {"- 1\n", ":1: must be a mapping"},
    {"a: [1\n", ":2: "},
    {"? [1]\n: 2\n", ":1: a key must be a word"},
    {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "more or deeper values"},
    {"", ":1: must be a mapping"},
};

static void what_is_not_such_a_file_is_refused_by_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct written w;
        assert_int_equal(read_text(&w, refusals[i].text), STATUS_CONFIG);
        if (strstr(w.fault.text, refusals[i].says) == NULL)
            fail_msg("\"%s\": %s", refusals[i].text, w.fault.text);
        forget(&w);
    }
}

static void a_mistyped_key_is_answered_with_the_nearest(void **state)
{
    (void)state;
    static const char *const keys[] = {"replications", "seed", NULL};
    struct written w;
    assert_ok(read_text(&w, "seed: 1\nreplcations: 2\n"));
    assert_int_equal(yaml_tree_allow(w.path, w.root, keys, &w.fault), STATUS_CONFIG);
    assert_non_null(strstr(w.fault.text, ":2: replcations"));
    assert_non_null(strstr(w.fault.text, "did you mean 'replications'?"));
    forget(&w);
}

static void numbers_are_checked_against_their_range(void **state)
{
    (void)state;
    struct written w;
    double number;
    int64_t whole;
    assert_ok(read_text(&w, "a: 0.5\nb: nan\nc: 1e999\nd: 3x\ne: 7\n"));
    assert_ok(yaml_tree_number(w.path, yaml_tree_get(w.root, "a"), 0, 1, &number, &w.fault));
    assert_near(number, 0.5, 1e-15);
    for (const char *key = "bcd"; *key != '\0'; key++) {
        const char name[] = {*key, '\0'};
        assert_int_equal(
            yaml_tree_number(w.path, yaml_tree_get(w.root, name), -1e300, 1e300, &number, &w.fault),
            STATUS_CONFIG);
        assert_non_null(strstr(w.fault.text, "isn't a number"));
    }
    assert_int_equal(yaml_tree_integer(w.path, yaml_tree_get(w.root, "e"), 8, 9, &whole, &w.fault),
                     STATUS_CONFIG);
    assert_non_null(strstr(w.fault.text, ":5: e: 7 must be from 8 to 9"));
    assert_int_equal(yaml_tree_integer(w.path, yaml_tree_get(w.root, "a"), 0, 9, &whole, &w.fault),
                     STATUS_CONFIG);
    forget(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_values_and_lines_are_kept_in_order),
        cmocka_unit_test(what_is_not_such_a_file_is_refused_by_line),
        cmocka_unit_test(a_mistyped_key_is_answered_with_the_nearest),
        cmocka_unit_test(numbers_are_checked_against_their_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
