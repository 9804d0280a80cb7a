/* fetch: what came home of a job. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/commands/commands.h"

static const struct argp_option own[] = {
    {"to", OPTION_TO, "DIRECTORY", 0, "Where to (a directory named like the job)", 0},
    {0},
};
static const struct command_usage usage = {
    .arguments = "JOB",
    .purpose = "Copies a job's results and its newest checkpoint into a directory.",
    .options = own,
    .argument_needed = true,
    .closing = "Example: entente-peer fetch usc-17 --to results/",
};

static void print_paths(const void *message)
{
    const struct fetch_response *response = message;
    for (uint32_t p = 0; p < response->path_count; p++)
        printf("%s\n", response->paths[p]);
}

/* The daemon needs an absolute path. */
static bool absolute(const char *to, char path[static FILE_PATH_MAX])
{
    char here[FILE_PATH_MAX];
    if (to[0] == '/')
        return snprintf(path, FILE_PATH_MAX, "%s", to) < FILE_PATH_MAX;
    if (getcwd(here, sizeof here) == NULL)
        return false;
    return path_join(path, here, to, NULL) == STATUS_OK;
}

int command_fetch(int argc, char **argv)
{
    struct command_options options;
    struct fetch_request request = {0};
    char path[FILE_PATH_MAX];
    command_options(argc, argv, &usage, &options);
    int code = command_job(&options, &request.job);
    if (code != EXIT_CODE_OK)
        return code;
    if (!absolute(options.to != NULL ? options.to : request.job.text, path)) {
        fprintf(stderr, "%s: the directory's path is too long\n", PEER_PROGRAM);
        return EXIT_CODE_FAILURE;
    }
    request.directory = path;
    return command_ask(&options, &method_job_fetch, &request, print_paths);
}
