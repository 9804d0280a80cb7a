/*
 * entente-economics: the economists' program: markets in files, solved and checked by the code that
 * clears the federation's rounds.
 */
#include "base/command.h"
#include "economics/commands/commands.h"

static const struct command commands[] = {
    {"market solve", "optimum, prices, payoffs and plan of a market in a file",
     market_solve_command},
    {"market generate", "an instance like a federation's, from a seed", market_generate_command},
    {"market convert", "an instance from JSON to the compact form, or back",
     market_convert_command},
    {"market import", "a public cluster trace as an instance", market_import_command},
    {"market export", "the full LP of an instance in MPS, for any other solver",
     market_export_command},
    {"market check", "a plan, its prices and its bound verified against the instance",
     market_check_command},
    {"market explain", "why a job is placed or not, what more would be worth to a member",
     market_explain_command},
    {"market what-if", "what changes for everybody where a member joins or leaves",
     market_what_if_command},
    {"game solve", "Shapley, nucleolus, core, tau and more of the games in a file",
     game_solve_command},
    {"game check", "is a split in the core, and if not who objects", game_check_command},
    {"experiment list", "the incentive experiments that ship", experiment_list_command},
    {"experiment describe", "an experiment's theory, parameters and metrics",
     experiment_describe_command},
    {"experiment run", "an experiment's arms and replications, resumable", experiment_run_command},
    {"experiment report", "a page of plots and tables of what was run", experiment_report_command},
    {"throughput fit", "a predictor of training speed from measured step times",
     throughput_fit_command},
    {"throughput predict", "how fast a job trains in a configuration, with an interval",
     throughput_predict_command},
    {"throughput evaluate", "how well that is predicted, on rows left out",
     throughput_evaluate_command},
    {"throughput recommend", "the best configurations for a budget or a deadline",
     throughput_recommend_command},
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
