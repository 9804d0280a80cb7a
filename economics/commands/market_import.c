/* market import: public cluster traces as instances (economics/market/instance/trace.h). */
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/market/market.h"
#include "economics/market/instance/trace.h"

static const char program_name[] = "entente-economics";

enum { FILES_MAX = 3 };

struct options {
    struct trace_options trace;
    const char *files[FILES_MAX]; /* the format first */
    size_t file_count;
    const char *out;
};

static double number_of(const char *text, const char *name, double least, double most,
                        struct argp_state *state)
{
    char *end = NULL;
    double const number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= least && number <= most))
        argp_error(state, "--%s: '%s' is not a number of %g to %g", name, text, least, most);
    return number;
}

static void check_arguments(const struct options *options, struct argp_state *state)
{
    const char *format = options->file_count > 0 ? options->files[0] : "";
    size_t const files = strcmp(format, "alibaba") == 0 ? 3 : strcmp(format, "philly") == 0 ? 2 : 0;
    if (files == 0)
        argp_error(state, "'%s' is neither alibaba nor philly", format);
    if (options->file_count != files)
        argp_error(state, "%s takes %s", format,
                   files == 3 ? "two files: NODES and PODS" : "one file: JOBS");
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'm':
        options->trace.members =
            (uint32_t)number_of(value, "members", 1, MARKET_MEMBERS_MAX, state);
        return 0;
    case 'a': options->trace.affinity = number_of(value, "affinity", 0, 1, state); return 0;
    case 't': options->trace.at = number_of(value, "at", 0, 1e12, state); return 0;
    case 'o': options->out = value; return 0;
    case ARGP_KEY_ARG:
        if (options->file_count == FILES_MAX)
            argp_error(state, "'%s': too many files", value);
        options->files[options->file_count++] = value;
        return 0;
    case ARGP_KEY_END: check_arguments(options, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static enum status import(const struct options *options, struct arena *arena,
                          struct trace_notes *notes, struct fault *fault)
{
    struct output output;
    enum status status = output_open(&output, options->out, fault);
    if (status != STATUS_OK)
        return status;
    if (options->file_count == 3)
        status = trace_alibaba(options->files[1], options->files[2], &options->trace, arena,
                               output.to, notes, fault);
    else
        status = trace_philly(options->files[1], &options->trace, arena, output.to, notes, fault);
    return output_close(&output, status, fault);
}

int market_import_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"members", 'm', "M", 0, "How many, where the trace doesn't say (8)", 0},
        {"affinity", 'a', "A", 0, "Between all members, 0 to 1 (0.9)", 0},
        {"at", 't', "SECONDS", 0, "Only jobs that would run then, for what remains; all", 0},
        {"out", 'o', "F", 0, "Where to; standard output", 0},
        {0}};
    static const struct command_syntax syntax = {
        .arguments = "alibaba NODES PODS\nphilly JOBS",
        .purpose = "Writes a public trace as an instance: Alibaba's GPU node and pod lists, or a "
                   "job list of Philly's or derived from it. Columns and assumptions are "
                   "documented in economics/market/README.md.",
        .own = own,
        .parser = parse_option,
        .closing = "Example: entente-economics market import philly philly_jobs.csv --at 3000000 "
                   "--out f.json"};
    struct options options = {.trace = {.members = 8, .affinity = 0.9, .at = -1}};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct trace_notes notes = {0};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status const status = import(&options, &arena, &notes, &fault);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return command_fail(program_name, &fault);
    fprintf(stderr,
            "%u jobs; left out: %u without GPUs, %u that do not run then; %u fit on no pool\n",
            notes.jobs, notes.without_gpus, notes.not_then, notes.not_possible);
    return EXIT_CODE_OK;
}
