/*
 * Command: the front of every program: a table of commands, --help and --version, exit codes.
 *
 * A command's name may be two words ("member approve"). Each command parses its own options with
 * argp (argv[0] is "PROGRAM COMMAND"), so that `PROGRAM COMMAND --help` works. Unknown commands:
 * usage on stderr, exit code 2, the nearest name.
 */
#ifndef ENTENTE_BASE_COMMAND_H
#define ENTENTE_BASE_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct command {
    const char *name;                  /* "submit", "member approve" */
    const char *summary;               /* one line; NULL hides it from --help */
    int (*run)(int argc, char **argv); /* returns the exit code */
};

struct program {
    const char *name;               /* "entente-peer" */
    const char *purpose;            /* a sentence or two for --help */
    const struct command *commands; /* [command_count] */
    size_t command_count;
};

/* Runs what argv asks for; returns the exit code. */
int command_main(const struct program *program, int argc, char **argv);

/*
 * Parses one command's options with argp: `own` before `common`, each ended by {0}; own may be
 * NULL. `parser` gets `input`. Wrong usage ends the program with exit code 2, --help
 * and -h with 0; the help ends with the exit codes.
 */
struct command_syntax {
    const char *arguments; /* "NAME CREDITS"; NULL: none */
    const char *purpose;
    const struct argp_option *own;
    const struct argp_option *common;
    argp_parser_t parser;
    const char *closing; /* what --help says after the options ("Example: ..."); NULL: nothing */
};

enum { COMMAND_OPTIONS_MAX = 16, COMMAND_HELP_BYTES_MAX = 4096 };

void command_parse(int argc, char **argv, const struct command_syntax *syntax, void *input);

/* The value of a date option ("--from"); 0 for NULL. False after complaining on stderr. */
MUST_USE bool command_date(const char *program, const char *option, const char *text,
                           int64_t *wall_ms);

/* "90" or "12.5", at most three decimals and ten years; false where it isn't that. */
MUST_USE bool command_seconds(const char *text, int64_t *ms);

/* "PROGRAM: text" on stderr; returns the exit code of the fault's status. */
int command_fail(const char *program, const struct fault *fault);

#endif
