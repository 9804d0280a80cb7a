#include "broker/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/authority.h"
#include "proto/rpc/client.h"
#include "proto/wire/json.h"

static const struct argp_option common_options[] = {
    {"config", 'c', "FILE", 0, "The broker's configuration (or ENTENTE_BROKER_CONFIG)", 0},
    {"socket", 's', "PATH", 0, "The running broker's socket (or ENTENTE_BROKER_SOCKET)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0},
};

struct parse {
    struct command_options *options;
    const struct command_usage *usage;
};

/* Where a long option's value goes; NULL for a flag or another key. */
static const char **value_of(struct command_options *options, int key)
{
    const struct {
        int key;
        const char **value;
    } values[] = {
        {'c', &options->config},
        {'s', &options->socket},
        {OPTION_MEMBER, &options->member},
        {OPTION_TTL, &options->ttl},
        {OPTION_REFERENCE, &options->reference},
        {OPTION_KEY, &options->request_key},
        {OPTION_FROM, &options->from},
        {OPTION_TO, &options->to},
        {OPTION_FORMAT, &options->format},
        {OPTION_EXPORT, &options->export_directory},
        {OPTION_AFTER, &options->after},
        {OPTION_SPLITS, &options->splits},
        {OPTION_INCARNATION, &options->incarnation},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (values[i].key == key)
            return values[i].value;
    return NULL;
}

static error_t take_argument(struct argp_state *state, const char *text)
{
    struct parse *parse = state->input;
    struct command_options *options = parse->options;
    if (options->argument_count == parse->usage->arguments_max)
        argp_error(state, "one argument too many: '%s'", text);
    else
        options->arguments[options->argument_count++] = text;
    return 0;
}

static error_t take_heads(struct argp_state *state, const char *file)
{
    struct command_options *options = ((struct parse *)state->input)->options;
    if (options->head_count == COMMAND_HEADS_MAX)
        argp_error(state, "more than %d files of heads", COMMAND_HEADS_MAX);
    else
        options->heads[options->head_count++] = file;
    return 0;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct parse *parse = state->input;
    const char **value = value_of(parse->options, key);
    if (value != NULL) {
        *value = text;
        return 0;
    }
    switch (key) {
    case 'j': parse->options->json = true; return 0;
    case OPTION_APPROVED: parse->options->approved = true; return 0;
    case OPTION_WAIT: parse->options->wait = true; return 0;
    case OPTION_WITHOUT_KEYS: parse->options->without_keys = true; return 0;
    case OPTION_REPLACE_NEWER: parse->options->replace_newer = true; return 0;
    case OPTION_HEADS: return take_heads(state, text);
    case ARGP_KEY_ARG: return take_argument(state, text);
    case ARGP_KEY_END:
        if (parse->options->argument_count < parse->usage->arguments_min)
            argp_error(state, "%s is missing", parse->usage->arguments);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void command_options(int argc, char **argv, const struct command_usage *usage,
                     struct command_options *options)
{
    struct parse parse = {options, usage};
    const struct command_syntax syntax = {
        .arguments = usage->arguments,
        .purpose = usage->purpose,
        .own = usage->options,
        .common = common_options,
        .parser = parse_option,
    };
    *options = (struct command_options){0};
    command_parse(argc, argv, &syntax, &parse);
    if (options->config == NULL)
        options->config = getenv("ENTENTE_BROKER_CONFIG");
    if (options->socket == NULL)
        options->socket = getenv("ENTENTE_BROKER_SOCKET");
}

int command_failed(const struct fault *fault)
{
    return command_fail(BROKER_PROGRAM, fault);
}

enum status command_config(const struct command_options *options, struct arena *arena,
                           struct broker_config *config, struct fault *fault)
{
    if (options->config == NULL)
        return fault_set(fault, STATUS_CONFIG,
                         "which federation? Say --config FILE, or set ENTENTE_BROKER_CONFIG");
    return broker_config_load(options->config, arena, config, fault);
}

/* The socket named, or that of the configuration. */
static enum status find_socket(const struct command_options *options, struct arena *arena,
                               const char **path, struct fault *fault)
{
    struct broker_config *config = arena_alloc(arena, 1, sizeof *config);
    *path = options->socket;
    if (options->socket != NULL)
        return STATUS_OK;
    if (config == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the configuration");
    if (options->config == NULL)
        return fault_set(fault, STATUS_CONFIG,
                         "which broker? Say --config FILE or --socket PATH, or set "
                         "ENTENTE_BROKER_CONFIG or ENTENTE_BROKER_SOCKET");
    enum status status = broker_config_load(options->config, arena, config, fault);
    *path = config->operator_socket;
    return status;
}

enum status command_call(const struct command_options *options, const struct wire_method *method,
                         const void *request, struct arena *arena, void **response,
                         struct fault *fault)
{
    struct rpc_loop *loop = NULL;
    struct transport *transport = NULL;
    struct rpc_client_settings settings = {.security = RPC_UNIX_SOCKET};
    enum status status = find_socket(options, arena, &settings.address, fault);
    if (status == STATUS_OK)
        status = rpc_loop_open(&loop, clock_real(), NULL, fault);
    if (status != STATUS_OK)
        return status;
    status = rpc_client_open(&transport, loop, &settings, fault);
    if (status == STATUS_OK)
        status = rpc_client_call(loop, transport, method, request, COMMAND_TIMEOUT_MS, arena,
                                 response, fault);
    if (status == STATUS_UNAVAILABLE)
        fault_prefix(fault, status, "the broker at %s does not answer (does it run?)",
                     settings.address);
    transport_close(transport);
    rpc_loop_close(loop);
    return status;
}

int command_ask(const struct command_options *options, const struct wire_method *method,
                const void *request, void (*print)(const void *response))
{
    struct arena arena;
    struct fault fault = {0};
    void *response = NULL;
    arena_init(&arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = command_call(options, method, request, &arena, &response, &fault);
    int code = status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
    if (status == STATUS_OK && options->json)
        wire_print_json(method->response, response, stdout);
    else if (status == STATUS_OK)
        print(response);
    arena_fini(&arena);
    return code;
}

enum status command_store(const struct command_options *options, struct arena *arena,
                          struct store **store, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct broker_config *config = arena_alloc(arena, 1, sizeof *config);
    if (config == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the configuration");
    enum status status = command_config(options, arena, config, fault);
    if (status == STATUS_OK)
        status = authority_store_path(config, path, fault);
    return status == STATUS_OK ? store_open(path, STORE_READ, store, fault) : status;
}

int command_member_name(const char *text, struct name *name)
{
    struct fault fault;
    return member_name_parse(name, text, &fault) == STATUS_OK ? EXIT_CODE_OK
                                                              : command_failed(&fault);
}

bool command_number(const char *text, uint64_t *number)
{
    int used = 0;
    return strspn(text, "0123456789") == strlen(text) &&
           sscanf(text, "%18" SCNu64 "%n", number, &used) == 1 && text[used] == '\0';
}

const char *command_lease_text(struct lease_id id, char text[static LEASE_ID_TEXT_MAX])
{
    if (!lease_id_none(id))
        return lease_id_format(id, text);
    text[0] = '-';
    text[1] = '\0';
    return text;
}
