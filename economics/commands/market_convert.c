/* market convert: an instance from JSON to the compact form, or back. */
#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/market/instance/writer.h"

static const char program_name[] = "entente-economics";

enum { OPTION_COMPACT = 256, OPTION_JSON };

struct options {
    const char *instance;
    const char *out;
    bool compact;
    bool json;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'o': options->out = value; return 0;
    case OPTION_COMPACT: options->compact = true; return 0;
    case OPTION_JSON: options->json = true; return 0;
    case ARGP_KEY_ARG:
        if (options->instance != NULL)
            argp_error(state, "one FILE at a time");
        options->instance = value;
        return 0;
    case ARGP_KEY_END:
        if (options->instance == NULL)
            argp_error(state, "FILE is missing");
        if (options->compact && options->json)
            argp_error(state, "either --compact or --json");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static enum status convert(const struct options *options, struct draft *draft, struct fault *fault)
{
    struct output output;
    enum status status = draft_read(options->instance, draft, fault);
    if (status == STATUS_OK)
        status = output_open(&output, options->out, fault);
    if (status != STATUS_OK)
        return status;
    bool const was_compact = draft->by_line;
    enum instance_form const form =
        options->compact || (!options->json && !was_compact) ? INSTANCE_COMPACT : INSTANCE_JSON;
    return output_close(&output, writer_draft(draft, output.to, form, fault), fault);
}

int market_convert_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"compact", OPTION_COMPACT, NULL, 0, "To the compact form", 0},
        {"json", OPTION_JSON, NULL, 0, "To JSON", 0},
        {"out", 'o', "F", 0, "Where to; standard output", 0},
        {0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Writes the instance in FILE in the other form: JSON as compact lines, or "
                   "compact lines as JSON. Both say the same; every command reads either.",
        .own = own,
        .parser = parse_option,
        .closing = "Example: entente-economics market convert f.json --out f.market"};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct draft draft;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_ROUND_BYTES);
    draft_init(&draft, &arena);
    enum status const status = convert(&options, &draft, &fault);
    draft_fini(&draft);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
