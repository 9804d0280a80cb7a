/* logs: a job's output, from all its starts; -f goes on as it grows. */
#include <stdio.h>

#include "peer/commands/commands.h"
#include "proto/rpc/client.h"

static const struct argp_option own[] = {
    {"follow", 'f', NULL, 0, "Go on until the job ends", 0},
    {0},
};
static const struct command_usage usage = {
    .arguments = "JOB",
    .purpose = "Prints what a job wrote to stdout and stderr.",
    .options = own,
    .argument_needed = true,
    .closing = "Example: entente-peer logs -f usc-17",
};

struct reading_logs {
    struct rpc_loop *loop;
    enum status status;
    struct fault fault;
};

static void took_chunk(void *context, const void *message)
{
    const struct log_chunk *chunk = message;
    (void)context;
    fwrite(chunk->data.data, 1, chunk->data.size, stdout);
    fflush(stdout);
}

static void ended(void *context, enum status status, const void *response,
                  const struct fault *fault)
{
    struct reading_logs *reading = context;
    (void)response;
    reading->status = status;
    if (status != STATUS_OK)
        reading->fault = *fault;
    rpc_loop_stop(reading->loop);
}

static enum status read_logs(const struct command_options *options,
                             const struct logs_request *request, struct fault *fault)
{
    struct arena arena;
    struct rpc_client_settings settings = {.security = RPC_UNIX_SOCKET};
    struct reading_logs reading = {0};
    struct transport *transport = NULL;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = command_socket(options, &arena, &settings.address, fault);
    if (status == STATUS_OK)
        status = rpc_loop_open(&reading.loop, clock_real(), NULL, fault);
    if (status == STATUS_OK)
        status = rpc_client_open(&transport, reading.loop, &settings, fault);
    if (status == STATUS_OK) {
        struct transport_callbacks callbacks = {
            .on_done = ended, .on_message = took_chunk, .context = &reading};
        rpc_loop_stop_on_signals(reading.loop, NULL, NULL);
        struct transport_call *call =
            transport_start(transport, &method_job_logs, request, 0, &callbacks);
        if (call != NULL)
            rpc_loop_run(reading.loop);
        status = reading.status;
        *fault = reading.fault;
    }
    transport_close(transport);
    if (reading.loop != NULL)
        rpc_loop_close(reading.loop);
    arena_fini(&arena);
    return status;
}

int command_logs(int argc, char **argv)
{
    struct command_options options;
    struct fault fault = {0};
    struct logs_request request = {0};
    command_options(argc, argv, &usage, &options);
    int code = command_job(&options, &request.job);
    if (code != EXIT_CODE_OK)
        return code;
    request.follow = options.follow;
    return read_logs(&options, &request, &fault) == STATUS_OK ? EXIT_CODE_OK
                                                              : command_failed(&fault);
}
