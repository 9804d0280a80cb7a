/* token and member commands. */
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "broker/commands/commands.h"
#include "proto/identity/identity.h"

/* --- token create */

static void print_token(const void *message)
{
    const struct token_create_response *response = message;
    char date[CLOCK_TEXT_MAX];
    printf("%s\n", response->token);
    fprintf(stderr,
            "Hand it to the member over a safe channel; it is used up by the first who joins:\n"
            "  entente-peer join --broker %s --token TOKEN\nGood until %s.\n",
            response->enrol_address, clock_format_wall(response->expires_wall_ms, date));
}

int command_token_create(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"member", OPTION_MEMBER, "NAME", 0, "Whom it admits", 0},
        {"ttl", OPTION_TTL, "DURATION", 0, "How long it is good (1h)", 0},
        {"approved", OPTION_APPROVED, NULL, 0, "Admits without 'member approve'", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Prints a one-time join token with the federation's pin.",
        .options = own,
    };
    struct command_options options;
    struct token_create_request request = {0};
    command_options(argc, argv, &usage, &options);
    if (options.member == NULL) {
        fprintf(stderr, "%s: whom does the token admit? Say --member NAME\n", BROKER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    int code = command_member_name(options.member, &request.member);
    request.ttl_ms = clock_parse_duration(options.ttl == NULL ? "1h" : options.ttl);
    request.approved = options.approved;
    if (request.ttl_ms < MS_PER_SECOND) {
        fprintf(stderr, "%s: --ttl: '%s' is not a duration: write 15m, 1h or 7d\n", BROKER_PROGRAM,
                options.ttl);
        return EXIT_CODE_USAGE;
    }
    return code != EXIT_CODE_OK
               ? code
               : command_ask(&options, &method_token_create, &request, print_token);
}

/* --- member list */

static void print_members(const void *message)
{
    static const struct table_column columns[] = {
        {"member", false},           {"state", false},           {"last heard (UTC)", false},
        {"offered (GPUs)", true},    {"free (GPUs)", true},      {"jobs open", true},
        {"balance (credits)", true}, {"escrow (credits)", true}, {"limit (credits)", true},
        {"overdue (credits)", true},
    };
    const struct members_response *response = message;
    struct table table;
    char text[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct member_row *row = &response->members[i];
        table_text(&table, row->member.text);
        table_text(&table, member_state_name(row->state));
        table_text(&table, row->last_heartbeat_wall_ms == 0
                               ? "never"
                               : clock_format_wall(row->last_heartbeat_wall_ms, date));
        table_format(&table, "%u", row->gpus_offered);
        table_format(&table, "%u", row->gpus_free);
        table_format(&table, "%u", row->jobs_open);
        table_text(&table, credits_format(row->balance, text));
        table_text(&table, credits_format(row->escrow, text));
        table_text(&table, credits_format(row->credit_limit, text));
        table_text(&table, row->overdue.micros > 0 ? credits_format(row->overdue, text) : "-");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

int command_member_list(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "Lists the members."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_member_list, &request, print_members);
}

/* --- approve, suspend, resume, revoke */

static void print_done(const void *message)
{
    (void)message;
    printf("done\n");
}

static int act(int argc, char **argv, enum member_action action, const char *purpose)
{
    const struct command_usage usage = {
        .arguments = "MEMBER", .purpose = purpose, .arguments_min = 1, .arguments_max = 1};
    struct command_options options;
    struct member_action_request request = {.action = action};
    command_options(argc, argv, &usage, &options);
    int code = command_member_name(options.arguments[0], &request.member);
    return code != EXIT_CODE_OK
               ? code
               : command_ask(&options, &method_member_action, &request, print_done);
}

int command_member_approve(int argc, char **argv)
{
    return act(argc, argv, MEMBER_APPROVE, "Admits a member that has enrolled.");
}

int command_member_suspend(int argc, char **argv)
{
    return act(argc, argv, MEMBER_SUSPEND, "No new leases; running ones finish.");
}

int command_member_resume(int argc, char **argv)
{
    return act(argc, argv, MEMBER_RESUME, "A suspended member takes part again.");
}

int command_member_revoke(int argc, char **argv)
{
    return act(argc, argv, MEMBER_REVOKE,
               "Shuts a member out for good: running leases stop after a checkpoint, receipts stay "
               "payable.");
}

/* --- deposit, credit-limit */

/* The request's key: of --key where given, so that a repeated command has its effect once. */
static void make_key(const struct command_options *options, struct digest *key)
{
    if (options->request_key != NULL)
        digest_bytes(options->request_key, strlen(options->request_key), key);
    else
        random_bytes(key, sizeof *key);
}

static int change_credit(int argc, char **argv, bool set_limit, const struct command_usage *usage)
{
    struct command_options options;
    struct credit_request request = {.set_limit = set_limit};
    command_options(argc, argv, usage, &options);
    int code = command_member_name(options.arguments[0], &request.member);
    if (code != EXIT_CODE_OK)
        return code;
    if (!credits_parse(options.arguments[1], &request.amount)) {
        fprintf(stderr,
                "%s: '%s' is not an amount of credits: write 1000 or 12.5, at most six "
                "decimals\n",
                BROKER_PROGRAM, options.arguments[1]);
        return EXIT_CODE_USAGE;
    }
    if (!set_limit && options.reference == NULL) {
        fprintf(stderr, "%s: what is it for? Say --reference TEXT: it goes into the ledger\n",
                BROKER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    request.reference = options.reference == NULL ? "" : options.reference;
    make_key(&options, &request.request_key);
    return command_ask(&options, &method_member_credit, &request, print_done);
}

static const struct argp_option credit_options[] = {
    {"reference", OPTION_REFERENCE, "TEXT", 0, "What it is for; kept in the ledger", 0},
    {"key", OPTION_KEY, "TEXT", 0, "Said again, the same key has its effect once", 0},
    {0},
};

int command_member_deposit(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "MEMBER CREDITS",
        .purpose = "Deposits credits to a member's account; below 0 (after --): a withdrawal.",
        .arguments_min = 2,
        .arguments_max = 2,
        .options = credit_options,
    };
    return change_credit(argc, argv, false, &usage);
}

int command_member_credit_limit(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "MEMBER CREDITS",
        .purpose = "How far below zero a member's account may go.",
        .arguments_min = 2,
        .arguments_max = 2,
        .options = credit_options,
    };
    return change_credit(argc, argv, true, &usage);
}
