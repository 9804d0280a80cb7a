/* cancel: calls a job off, wherever it is. */
#include <stdio.h>

#include "peer/commands/commands.h"

static void print_done(const void *response)
{
    (void)response;
    printf("cancelled; 'entente-peer show' says when it has stopped\n");
}

int command_cancel(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "JOB", .purpose = "Calls a job off.", .argument_needed = true};
    struct command_options options;
    struct job_request request = {0};
    command_options(argc, argv, &usage, &options);
    int code = command_job(&options, &request.job);
    return code == EXIT_CODE_OK ? command_ask(&options, &method_job_cancel, &request, print_done)
                                : code;
}
