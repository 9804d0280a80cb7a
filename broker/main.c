/* entente-broker: the daemon that clears the market, and what its operator says to it. */
#include "broker/commands/commands.h"

static const struct command commands[] = {
    {"init", "make a federation: keys, certificates, empty ledger", command_init},
    {"run", "run the broker", command_run},
    {"backup", "write the broker's whole state to a file", command_backup},
    {"restore", "put a backup in the place of the state", command_restore},
    {"token create", "make a one-time join token for a member", command_token_create},
    {"member list", "list the members", command_member_list},
    {"member approve", "admit a member that has enrolled", command_member_approve},
    {"member suspend", "no new leases for a member", command_member_suspend},
    {"member resume", "a suspended member takes part again", command_member_resume},
    {"member revoke", "shut a member out for good", command_member_revoke},
    {"member deposit", "deposit credits to a member's account", command_member_deposit},
    {"member credit-limit", "set how far below zero it may go", command_member_credit_limit},
    {"member write-off", "close a revoked member's account", command_member_write_off},
    {"settlement list", "settlement periods", command_settlement_list},
    {"settlement show", "members' net positions over a period", command_settlement_show},
    {"settlement close", "close the present period", command_settlement_close},
    {"status", "the federation at a glance", command_status},
    {"pool release", "use a quarantined pool again", command_pool_release},
    {"jobs", "list the jobs", command_jobs},
    {"leases", "list the leases", command_leases},
    {"round run", "clear the market now", command_round_run},
    {"round list", "list the rounds", command_round_list},
    {"round show", "show a round", command_round_show},
    {"dispute list", "receipts that their homes do not accept", command_dispute_list},
    {"dispute show", "what was said about one, and what comes next", command_dispute_show},
    {"dispute rule", "decide for how long a receipt is paid", command_dispute_rule},
    {"throughput report", "predicted against measured, and how hosts deliver",
     command_throughput_report},
    {"explain", "why a job is placed or not", command_explain},
    {"replay", "recompute a stored round and compare", command_replay},
    {"audit", "recompute certificates from the posted ledger entries", command_audit},
    {"ledger verify", "recompute the ledger and compare", command_ledger_verify},
    {"ledger export", "print the ledger as csv or beancount", command_ledger_export},
    {"statement", "print a member's statement", command_statement},
};

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = BROKER_PROGRAM,
        .purpose = "The broker of a federation of GPU datacenters: clears the market, keeps the "
                   "ledger.",
        .commands = commands,
        .command_count = sizeof commands / sizeof commands[0],
    };
    return command_main(&program, argc, argv);
}
