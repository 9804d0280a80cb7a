/* submit: hands a job to the peer. */
#include <stdio.h>

#include "peer/commands/commands.h"
#include "peer/home/job_file.h"

static const struct command_usage usage = {
    .arguments = "JOB.yaml",
    .purpose = "Submits a job; prints the name it got. configs/job.yaml explains every field.",
    .argument_needed = true,
    .closing = "Example: entente-peer submit job.yaml",
};

static void print_job(const void *response)
{
    const struct job_request *job = response;
    printf("%s\n", job->job.text);
}

int command_submit(int argc, char **argv)
{
    struct command_options options;
    struct arena arena;
    struct fault fault = {0};
    struct job_submission submission;
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status =
        job_file_load(options.argument, clock_wall_ms(clock_real()), &arena, &submission, &fault);
    int code = status == STATUS_OK
                   ? command_ask(&options, &method_job_submit, &submission, print_job)
                   : command_failed(&fault);
    arena_fini(&arena);
    return code;
}
