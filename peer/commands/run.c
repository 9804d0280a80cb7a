/* run: the daemon. */
#include <stdio.h>
#include <unistd.h>

#include "peer/commands/commands.h"
#include "peer/daemon.h"

static const struct argp_option own[] = {
    {"verbose", OPTION_VERBOSE, NULL, 0, "Log more", 0},
    {0},
};
static const struct command_usage usage = {
    .purpose = "Runs the peer until SIGTERM. Prints one line 'ready ...' when it serves; logs to "
               "stderr.",
    .options = own,
};

int command_run(int argc, char **argv)
{
    struct command_options options;
    struct arena arena;
    struct fault fault = {0};
    static struct peer_config config;
    char component[NAME_BYTES_MAX + 8];
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = command_config(&options, &arena, &config, &fault);
    snprintf(component, sizeof component, "peer %s", config.member.text);
    struct log log = {
        .fd = STDERR_FILENO,
        .level = options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
        .clock = clock_real(),
        .component = component,
    };
    if (status == STATUS_OK)
        status = daemon_run(&config, &log, &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
