/* drain: offers nothing more; hosted jobs end with their leases. */
#include <stdio.h>

#include "peer/commands/commands.h"

static const struct argp_option own[] = {
    {"off", OPTION_OFF, NULL, 0, "Offer again", 0},
    {0},
};

static void print_done(const void *response)
{
    (void)response;
    printf("ok\n");
}

int command_drain(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Offers nothing more, so that the GPUs become free as leases end.",
        .options = own,
    };
    struct command_options options;
    command_options(argc, argv, &usage, &options);
    struct drain_request request = {.drain = !options.off};
    return command_ask(&options, &method_peer_drain, &request, print_done);
}
