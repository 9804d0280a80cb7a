/* market generate: an instance like a federation's, from a seed. */
#include <stdlib.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/commands/market_clock.h"
#include "economics/market/instance/generate.h"
#include "economics/market/market.h"

static const char program_name[] = "entente-economics";

enum { OPTION_CHANGED = 256 };

struct options {
    struct generate_parameters parameters;
    const char *out;
};

static double part_of(const char *text, struct argp_state *state)
{
    char *end = NULL;
    double const part = strtod(text, &end);
    if (end == text || *end != '\0' || !(part >= 0 && part <= 1))
        argp_error(state, "--changed: '%s' is not a number of 0 to 1", text);
    return part;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    struct generate_parameters *parameters = &options->parameters;
    switch (key) {
    case 'd':
        parameters->datacenters =
            (uint32_t)option_whole(value, "datacenters", MARKET_MEMBERS_MAX, state);
        return 0;
    case 'j':
        parameters->jobs = (uint32_t)option_whole(value, "jobs", MARKET_JOBS_MAX, state);
        return 0;
    case 's': parameters->seed = option_whole(value, "seed", UINT64_MAX, state); return 0;
    case 'o': options->out = value; return 0;
    case 'c': parameters->form = INSTANCE_COMPACT; return 0;
    case OPTION_CHANGED: parameters->changed = part_of(value, state); return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s': options alone", value); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int market_generate_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"datacenters", 'd', "D", 0, "How many members, 1 to 4096 (20)", 0},
        {"jobs", 'j', "J", 0, "How many jobs, at most 2000000 (1000)", 0},
        {"seed", 's', "S", 0, "The same seed, the same bytes (1)", 0},
        {"changed", OPTION_CHANGED, "PART", 0,
         "A later round: this part of the jobs is gone, as many others are there (0)", 0},
        {"compact", 'c', NULL, 0, "The compact form instead of JSON", 0},
        {"out", 'o', "F", 0, "Where to; standard output", 0},
        {0}};
    static const struct command_syntax syntax = {
        .purpose = "Writes an instance like a federation's: 1 to 3 pools a member, elastic gangs "
                   "in about 33 configurations over the 8 nearest hosts, links and limits.",
        .own = own,
        .parser = parse_option,
        .closing = "Example: entente-economics market generate --datacenters 100 --jobs 10000 "
                   "--out f.json"};
    struct options options = {.parameters = {.datacenters = 20, .jobs = 1000, .seed = 1}};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct output output;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = output_open(&output, options.out, &fault);
    if (status == STATUS_OK)
        status = output_close(
            &output, generate_write(&options.parameters, &arena, output.to, &fault), &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
