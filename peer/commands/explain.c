/* explain: what the market did with one of our jobs, and why. */
#include <stdio.h>

#include "peer/commands/commands.h"
#include "proto/show/show.h"

static void print_explanation(const void *message)
{
    show_explanation(message, stdout);
}

int command_explain(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "JOB",
        .purpose = "Why one of this datacenter's jobs is placed where it is, or not; and the bid "
                   "that would have done it. Asked of the broker.",
        .argument_needed = true,
        .closing = "Example: entente-peer explain usc-17",
    };
    struct command_options options;
    struct explain_request request = {0};
    command_options(argc, argv, &usage, &options);
    int code = command_job(&options, &request.job);
    return code == EXIT_CODE_OK
               ? command_ask(&options, &method_local_explain, &request, print_explanation)
               : code;
}
