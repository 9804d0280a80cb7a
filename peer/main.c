/* entente-peer: a datacenter's daemon and its commands. */
#include "peer/commands/commands.h"
#include "peer/executor/executor.h"

static const struct command commands[] = {
    {"join", "Join a federation with a token", command_join},
    {"run", "Run the peer", command_run},
    {"submit", "Submit a job", command_submit},
    {"jobs", "List own jobs", command_jobs},
    {"show", "Show one job", command_show},
    {"logs", "Print a job's output", command_logs},
    {"cancel", "Call a job off", command_cancel},
    {"explain", "Why a job is placed where it is, or not", command_explain},
    {"fetch", "Copy a job's results and newest checkpoint", command_fetch},
    {"drain", "Offer nothing more, or again", command_drain},
    {"statement", "This member's account: every entry of it", command_statement},
    {"dispute list", "Receipts that are not agreed on", command_dispute_list},
    {"dispute open", "As home: not what we saw", command_dispute_open},
    {"dispute withdraw", "As home: pay it after all", command_dispute_withdraw},
    {"dispute answer", "As host: it is right, and why", command_dispute_answer},
    {"dispute concede", "As host: home is right", command_dispute_concede},
    {"ledger-head", "What the broker signed of its ledger", command_ledger_head},
    {"status", "The peer at a glance", command_status},
    {"restored", "Say that the state was put back from a backup", command_restored},
    {"run-shim", NULL, process_shim_main},
};

int main(int argc, char **argv)
{
    const struct program program = {
        .name = PEER_PROGRAM,
        .purpose = "The daemon of a datacenter in a federation: lends and borrows GPUs.",
        .commands = commands,
        .command_count = sizeof commands / sizeof commands[0],
    };
    return command_main(&program, argc, argv);
}
