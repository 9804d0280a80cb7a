/* experiment report DIR: one HTML page of a directory of results. */
#include <argp.h>
#include <stdio.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/experiments/report.h"

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    const char **directory = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*directory != NULL)
            argp_error(state, "one DIR at a time");
        *directory = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "DIR is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int experiment_report_command(int argc, char **argv)
{
    static const struct command_syntax syntax = {
        .arguments = "DIR",
        .purpose = "Writes DIR/report.html of the results that `experiment run` left in DIR: "
                   "theory, plots, tables, comparisons, and how it was made.",
        .parser = parse_option,
        .closing = "Needs gnuplot (Debian: gnuplot-nox)."};
    const char *directory = NULL;
    struct fault fault = {.status = STATUS_OK};
    command_parse(argc, argv, &syntax, &directory);
    if (report_write(directory, &fault) != STATUS_OK)
        return command_fail("entente-economics", &fault);
    printf("%s/report.html\n", directory);
    return EXIT_CODE_OK;
}
