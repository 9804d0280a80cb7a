/* market export: the full LP of an instance in free MPS, so that any solver can check ours. */
#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/market/instance/mps.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *instance;
    const char *mps;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'm': options->mps = value; return 0;
    case ARGP_KEY_ARG:
        if (options->instance != NULL)
            argp_error(state, "one FILE at a time");
        options->instance = value;
        return 0;
    case ARGP_KEY_END:
        if (options->instance == NULL)
            argp_error(state, "FILE is missing");
        if (options->mps == NULL)
            argp_error(state, "--mps OUT is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static enum status export_lp(const struct options *options, struct arena *arena,
                             struct fault *fault)
{
    struct instance instance;
    struct output output;
    enum status status = instance_read(options->instance, arena, &instance, fault);
    if (status == STATUS_OK)
        status = output_open(&output, options->mps, fault);
    if (status != STATUS_OK)
        return status;
    return output_close(&output, mps_write(&instance, output.to, fault), fault);
}

int market_export_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"mps", 'm', "OUT", 0, "Free MPS to OUT; - for standard output", 0}, {0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Writes the full LP of the instance in FILE, every allowed configuration in it, "
                   "as free MPS. It minimises: the optimum is minus the market's. Names are "
                   "explained in economics/market/instance/mps.h and in comments of the file.",
        .own = own,
        .parser = parse_option,
        .closing = "Example: entente-economics market export f.json --mps f.mps && glpsol "
                   "--freemps f.mps"};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status const status = export_lp(&options, &arena, &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
