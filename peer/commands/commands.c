#include "peer/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/rpc/client.h"
#include "proto/wire/json.h"

static const struct argp_option common_options[] = {
    {"config", 'c', "FILE", 0, "The peer's configuration (or ENTENTE_PEER_CONFIG)", 0},
    {"socket", 's', "PATH", 0, "The running peer's socket (or ENTENTE_PEER_SOCKET)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0},
};

struct parse {
    const struct command_usage *usage;
    struct command_options *options;
};

static bool take_text(struct command_options *options, int key, const char *text)
{
    const struct {
        int key;
        const char **to;
    } texts[] = {
        {'c', &options->config},           {'s', &options->socket},
        {OPTION_BROKER, &options->broker}, {OPTION_TOKEN, &options->token},
        {OPTION_WAIT, &options->wait},     {OPTION_TO, &options->to},
        {OPTION_FROM, &options->from},     {OPTION_AFTER, &options->after},
        {OPTION_TEXT, &options->text},     {OPTION_SECONDS, &options->seconds},
    };
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        if (texts[t].key == key) {
            *texts[t].to = text;
            return true;
        }
    return false;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct parse *parse = state->input;
    struct command_options *options = parse->options;
    if (take_text(options, key, text))
        return 0;
    switch (key) {
    case 'j': options->json = true; return 0;
    case 'f': options->follow = true; return 0;
    case OPTION_OFF: options->off = true; return 0;
    case OPTION_VERBOSE: options->verbose = true; return 0;
    case ARGP_KEY_ARG:
        if (parse->usage->arguments == NULL || options->argument != NULL)
            argp_error(state, "one argument too many: '%s'", text);
        options->argument = text;
        return 0;
    case ARGP_KEY_END:
        if (parse->usage->argument_needed && options->argument == NULL)
            argp_error(state, "%s is missing", parse->usage->arguments);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void command_options(int argc, char **argv, const struct command_usage *usage,
                     struct command_options *options)
{
    struct parse parse = {usage, options};
    const struct command_syntax syntax = {
        .arguments = usage->arguments,
        .purpose = usage->purpose,
        .own = usage->options,
        .common = common_options,
        .parser = parse_option,
        .closing = usage->closing,
    };
    *options = (struct command_options){0};
    command_parse(argc, argv, &syntax, &parse);
    if (options->config == NULL)
        options->config = getenv("ENTENTE_PEER_CONFIG");
    if (options->socket == NULL)
        options->socket = getenv("ENTENTE_PEER_SOCKET");
}

enum status command_config(const struct command_options *options, struct arena *arena,
                           struct peer_config *config, struct fault *fault)
{
    if (options->config == NULL)
        return fault_set(fault, STATUS_CONFIG,
                         "which peer? Say --config FILE, or set ENTENTE_PEER_CONFIG");
    return peer_config_load(options->config, arena, config, fault);
}

enum status command_socket(const struct command_options *options, struct arena *arena,
                           const char **path, struct fault *fault)
{
    *path = options->socket;
    if (options->socket != NULL)
        return STATUS_OK;
    if (options->config == NULL)
        return fault_set(fault, STATUS_CONFIG,
                         "which peer? Say --config FILE or --socket PATH, or set "
                         "ENTENTE_PEER_SOCKET");
    struct peer_config *config = arena_alloc(arena, 1, sizeof *config);
    if (config == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory");
    enum status status = peer_config_load(options->config, arena, config, fault);
    *path = config->socket;
    return status;
}

/* UNAVAILABLE may as well be the peer's own answer, of the broker. */
static bool peer_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool fits = strlen(path) < sizeof address.sun_path;
    if (fits)
        memcpy(address.sun_path, path, strlen(path) + 1);
    bool listens =
        fd >= 0 && fits && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return listens;
}

enum status command_call(const struct command_options *options, const struct wire_method *method,
                         const void *request, struct arena *arena, void **response,
                         struct fault *fault)
{
    struct rpc_client_settings settings = {.security = RPC_UNIX_SOCKET};
    struct rpc_loop *loop = NULL;
    struct transport *transport = NULL;
    enum status status = command_socket(options, arena, &settings.address, fault);
    if (status == STATUS_OK)
        status = rpc_loop_open(&loop, clock_real(), NULL, fault);
    if (status == STATUS_OK)
        status = rpc_client_open(&transport, loop, &settings, fault);
    if (status == STATUS_OK)
        status = rpc_client_call(loop, transport, method, request, COMMAND_TIMEOUT_MS, arena,
                                 response, fault);
    if (status == STATUS_UNAVAILABLE && !peer_listens(settings.address))
        status =
            fault_prefix(fault, status, "no peer answers on %s (is it running?)", settings.address);
    transport_close(transport);
    if (loop != NULL)
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

int command_failed(const struct fault *fault)
{
    return command_fail(PEER_PROGRAM, fault);
}

int command_job(const struct command_options *options, struct name *job)
{
    struct fault fault;
    if (name_parse(job, "job", options->argument, &fault) == STATUS_OK)
        return EXIT_CODE_OK;
    (void)command_failed(&fault);
    return EXIT_CODE_USAGE;
}
