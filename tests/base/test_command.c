#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/command.h"
#include "base/nearest.h"
#include "base/table.h"

static int approve(int argc, char **argv)
{
    assert_int_equal(argc, 2);
    assert_string_equal(argv[0], "prog member approve");
    assert_string_equal(argv[1], "usc");
    return 41;
}

static int status(int argc, char **argv)
{
    (void)argv;
    return argc;
}

static const struct command commands[] = {
    {"member approve", "admits a member", approve},
    {"status", "shows", status},
};
static const struct program program = {"prog", "Does things.", commands, 2};

static void a_command_of_two_words_gets_its_own_arguments(void **state)
{
    (void)state;
    char words[4][8] = {"prog", "member", "approve", "usc"};
    char *argv[] = {words[0], words[1], words[2], words[3], NULL};
    assert_int_equal(command_main(&program, 4, argv), 41);
}

static void help_ends_with_an_example_and_the_exit_codes(void **state)
{
    (void)state;
    char words[2][8] = {"prog go", "-h"};
    char *argv[] = {words[0], words[1], NULL};
    static const struct argp_option own[] = {{"to", 't', "PLACE", 0, "Where to", 0}, {0}};
    const struct command_syntax syntax = {
        .purpose = "Goes.", .own = own, .closing = "Example: prog go --to usc"};
    char text[2048] = "";
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork(); /* argp ends the program after --help */
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        command_parse(2, argv, &syntax, NULL);
        _exit(99);
    }
    close(ends[1]);
    for (size_t used = 0; used < sizeof text - 1;) {
        ssize_t size = read(ends[0], text + used, sizeof text - 1 - used);
        if (size <= 0)
            break;
        used += (size_t)size;
    }
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    const char *option = strstr(text, "--to=PLACE"), *example = strstr(text, "Example: prog go");
    assert_true(option != NULL && example != NULL && option < example);
    const char *codes = strstr(text, "Exit codes: 0 done");
    assert_true(codes != NULL && example < codes && strchr(codes, '\n')[1] == '\0');
    assert_null(strstr(text, "Mandatory or optional arguments"));
}

static void a_wrong_command_is_a_usage_error(void **state)
{
    (void)state;
    char words[3][10] = {"prog", "statsu", "--version"};
    char *argv[] = {words[0], words[1], NULL};
    assert_int_equal(command_main(&program, 2, argv), EXIT_CODE_USAGE);
    assert_int_equal(command_main(&program, 1, argv), EXIT_CODE_USAGE);
    char *version[] = {words[0], words[2], NULL};
    assert_int_equal(command_main(&program, 2, version), EXIT_CODE_OK);
}

static void the_nearest_name_is_suggested_and_a_far_one_is_not(void **state)
{
    (void)state;
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    nearest_begin(&nearest, "statsu");
    nearest_offer(&nearest, "approve");
    nearest_hint(&nearest, hint);
    assert_string_equal(hint, "");
    nearest_offer(&nearest, "status");
    nearest_hint(&nearest, hint);
    assert_string_equal(hint, "; did you mean 'status'?");
}

static void columns_are_aligned_whatever_their_letters_take_in_bytes(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{"member", false}, {"µ", true}};
    struct table table;
    table_init(&table, columns, 2);
    table_text(&table, "usc");
    table_format(&table, "%d", 10);
    table_text(&table, "zürich-1");
    table_format(&table, "%d", 7);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    table_print(&table, to);
    fclose(to);
    assert_string_equal(text, "member     µ\nusc       10\nzürich-1   7\n");
    free(text);
    table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_of_two_words_gets_its_own_arguments),
        cmocka_unit_test(help_ends_with_an_example_and_the_exit_codes),
        cmocka_unit_test(a_wrong_command_is_a_usage_error),
        cmocka_unit_test(the_nearest_name_is_suggested_and_a_far_one_is_not),
        cmocka_unit_test(columns_are_aligned_whatever_their_letters_take_in_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
