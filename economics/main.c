/*
 * entente-economics: the economists' program: markets in files, solved and checked by the code that
 * clears the federation's rounds.
 */
#include "base/command.h"
#include "economics/commands/commands.h"

static const struct command commands[] = {
    {"market solve", "optimum, prices, payoffs and plan of a market in a file",
     market_solve_command},
    {"game solve", "Shapley, nucleolus, core, tau and more of the games in a file",
     game_solve_command},
    {"game check", "is a split in the core, and if not who objects", game_check_command},
};

int main(int argc, char **argv)
{
    struct program const program = {
        .name = "entente-economics",
        .purpose = "The economics of a federation of GPU datacenters: who gains what by running\n"
                   "each other's jobs, at which prices, and how the gain is split.",
        .commands = commands,
        .command_count = sizeof commands / sizeof commands[0],
    };
    return command_main(&program, argc, argv);
}
