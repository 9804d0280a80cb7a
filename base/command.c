#include "base/command.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/nearest.h"

enum { COMMAND_NAME_MAX = 96 };

static const char exit_codes[] =
    "Exit codes: 0 done, 1 failure, 2 wrong usage, 78 wrong configuration.";

static void print_help(const struct program *program, FILE *to)
{
    int width = 0;
    for (size_t i = 0; i < program->command_count; i++)
        if (program->commands[i].summary != NULL && (int)strlen(program->commands[i].name) > width)
            width = (int)strlen(program->commands[i].name);
    fprintf(to, "Usage: %s COMMAND [OPTION...]\n%s\n\nCommands:\n", program->name,
            program->purpose);
    for (size_t i = 0; i < program->command_count; i++)
        if (program->commands[i].summary != NULL)
            fprintf(to, "  %-*s  %s\n", width, program->commands[i].name,
                    program->commands[i].summary);
    fprintf(to, "\n'%s COMMAND --help' explains a command. --version prints the version.\n%s\n",
            program->name, exit_codes);
}

/* How many words of argv this command's name takes; 0 where it is another. */
static int words_matched(const struct command *command, int argc, char **argv)
{
    const char *space = strchr(command->name, ' ');
    if (space == NULL)
        return argc >= 2 && strcmp(argv[1], command->name) == 0 ? 1 : 0;
    size_t first = (size_t)(space - command->name);
    bool same = argc >= 3 && strlen(argv[1]) == first &&
                strncmp(argv[1], command->name, first) == 0 && strcmp(argv[2], space + 1) == 0;
    return same ? 2 : 0;
}

static int run(const struct program *program, const struct command *command, int words, int argc,
               char **argv)
{
    char name[COMMAND_NAME_MAX];
    snprintf(name, sizeof name, "%s %s", program->name, command->name);
    argv[words] = name;
    argp_err_exit_status = EXIT_CODE_USAGE;
    return command->run(argc - words, argv + words);
}

static int refuse(const struct program *program, int argc, char **argv)
{
    char wanted[COMMAND_NAME_MAX];
    snprintf(wanted, sizeof wanted, "%s%s%s", argv[1], argc > 2 && argv[2][0] != '-' ? " " : "",
             argc > 2 && argv[2][0] != '-' ? argv[2] : "");
    struct nearest nearest;
    nearest_begin(&nearest, wanted);
    for (size_t i = 0; i < program->command_count; i++)
        if (program->commands[i].summary != NULL)
            nearest_offer(&nearest, program->commands[i].name);
    char hint[NAME_HINT_MAX];
    nearest_hint(&nearest, hint);
    fprintf(stderr, "%s: no command '%s'%s\nTry '%s --help'.\n", program->name, wanted, hint,
            program->name);
    return EXIT_CODE_USAGE;
}

int command_main(const struct program *program, int argc, char **argv)
{
    if (argc < 2) {
        print_help(program, stderr);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(program, stdout);
        return EXIT_CODE_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program->name, ENTENTE_VERSION);
        return EXIT_CODE_OK;
    }
    for (size_t i = 0; i < program->command_count; i++) {
        int words = words_matched(&program->commands[i], argc, argv);
        if (words > 0)
            return run(program, &program->commands[i], words, argc, argv);
    }
    return refuse(program, argc, argv);
}

static size_t add_options(struct argp_option *all, size_t count, const struct argp_option *more)
{
    for (; more != NULL && more->name != NULL; more++) {
        assert(count < COMMAND_OPTIONS_MAX);
        all[count++] = *more;
    }
    return count;
}

/* Help is asked for as people do; and argp's own note on short options tells them nothing (its
 * help_filter never sees that note, so only this switch takes it away). */
static void mend_help(int argc, char **argv, char *help)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "-?") == 0)
            argv[i] = help;
        if (strcmp(argv[i], "--help") == 0)
            setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
    }
}

/* argp has the text after the options behind a \v. A purpose may bring such text itself. */
static void write_doc(const struct command_syntax *syntax, char *doc, size_t size)
{
    const char *purpose = syntax->purpose != NULL ? syntax->purpose : "";
    int written =
        snprintf(doc, size, "%s%s%s%s%s", purpose, strchr(purpose, '\v') != NULL ? "\n\n" : "\v",
                 syntax->closing != NULL ? syntax->closing : "",
                 syntax->closing != NULL ? "\n\n" : "", exit_codes);
    assert(written > 0 && (size_t)written < size);
}

void command_parse(int argc, char **argv, const struct command_syntax *syntax, void *input)
{
    struct argp_option all[COMMAND_OPTIONS_MAX + 1] = {{0}};
    add_options(all, add_options(all, 0, syntax->own), syntax->common);
    char doc[COMMAND_HELP_BYTES_MAX], help[] = "--help";
    write_doc(syntax, doc, sizeof doc);
    mend_help(argc, argv, help);
    const struct argp argp = {
        .options = all,
        .parser = syntax->parser,
        .args_doc = syntax->arguments,
        .doc = doc,
    };
    argp_parse(&argp, argc, argv, 0, NULL, input);
}

bool command_date(const char *program, const char *option, const char *text, int64_t *wall_ms)
{
    *wall_ms = text == NULL ? 0 : clock_parse_wall(text);
    if (*wall_ms >= 0)
        return true;
    fprintf(stderr, "%s: %s: '%s' is not a date: write 2026-11-23 or 2026-11-23T04:05:06Z\n",
            program, option, text);
    return false;
}

int command_fail(const char *program, const struct fault *fault)
{
    fprintf(stderr, "%s: %s\n", program, fault->text);
    return (int)status_exit_code(fault->status);
}

/* Digits of 10 years in seconds at most, then at most three of the fraction. */
bool command_seconds(const char *text, int64_t *ms)
{
    enum { WHOLE_DIGITS_MAX = 9, FRACTION_DIGITS_MAX = 3 };
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole + (text[whole] == '.' ? 1 : 0);
    size_t fraction = strspn(rest, "0123456789");
    int64_t value = 0;
    if (whole == 0 || whole > WHOLE_DIGITS_MAX || fraction > FRACTION_DIGITS_MAX ||
        rest[fraction] != '\0' || (text[whole] == '.' && fraction == 0))
        return false;
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + (text[i] - '0');
    for (size_t i = 0; i < FRACTION_DIGITS_MAX; i++)
        value = value * 10 + (i < fraction ? rest[i] - '0' : 0);
    *ms = value;
    return value <= INT64_C(315360000000);
}
