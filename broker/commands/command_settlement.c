/* settlement list, show, close; member write-off. */
#include <inttypes.h>
#include <stdio.h>

#include "base/table.h"
#include "broker/commands/commands.h"

static const char *credits_cell(struct credits amount, char text[static CREDITS_TEXT_MAX])
{
    return credits_format(amount, text);
}

/* --- list */

static void print_periods(const void *message)
{
    static const struct table_column columns[] = {
        {"period", true},         {"from (UTC)", false},    {"until (UTC)", false},
        {"due (UTC)", false},     {"members", true},        {"owing", true},
        {"owed (credits)", true}, {"open (credits)", true},
    };
    const struct settlements_response *response = message;
    struct table table;
    char date[CLOCK_TEXT_MAX];
    char text[CREDITS_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->period_count; i++) {
        const struct settlement_summary *row = &response->periods[i];
        table_format(&table, "%" PRIu64, row->period);
        table_text(&table, clock_format_wall(row->from_wall_ms, date));
        table_text(&table, clock_format_wall(row->until_wall_ms, date));
        table_text(&table, clock_format_wall(row->due_wall_ms, date));
        table_format(&table, "%u", row->members);
        table_format(&table, "%u", row->owing);
        table_text(&table, credits_cell(row->owed, text));
        table_text(&table, credits_cell(row->open, text));
    }
    table_print(&table, stdout);
    table_fini(&table);
}

int command_settlement_list(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"after", OPTION_AFTER, "PERIOD", 0, "Those before this period", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Closed settlement periods, newest first: what members owed, and what of it is "
                   "open.",
        .options = own,
    };
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    if (options.after != NULL && !command_number(options.after, &request.after)) {
        fprintf(stderr, "%s: --after: '%s' is not a period\n", BROKER_PROGRAM, options.after);
        return EXIT_CODE_USAGE;
    }
    return command_ask(&options, &method_settlement_list, &request, print_periods);
}

/* --- show, close */

static void print_period(const void *message)
{
    static const struct table_column columns[] = {
        {"member", false},           {"opening (credits)", true},
        {"earned (credits)", true},  {"spent (credits)", true},
        {"paid in (credits)", true}, {"corrected (credits)", true},
        {"closing (credits)", true}, {"owed (credits)", true},
        {"open (credits)", true},    {"", false},
    };
    const struct settlement_response *response = message;
    const struct settlement_summary *period = &response->period;
    struct table table;
    char from[CLOCK_TEXT_MAX];
    char until[CLOCK_TEXT_MAX];
    char due[CLOCK_TEXT_MAX];
    char text[CREDITS_TEXT_MAX];
    printf("Period %" PRIu64 ": %s to %s; what is owed is due %s\n\n", period->period,
           clock_format_wall(period->from_wall_ms, from),
           clock_format_wall(period->until_wall_ms, until),
           clock_format_wall(period->due_wall_ms, due));
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct settlement_row *row = &response->members[i];
        const struct credits cells[] = {row->opening,   row->earned,  row->spent, row->paid_in,
                                        row->corrected, row->closing, row->owed,  row->open};
        table_text(&table, row->member.text);
        for (size_t c = 0; c < sizeof cells / sizeof cells[0]; c++)
            table_text(&table, credits_cell(cells[c], text));
        table_text(&table, row->overdue ? "overdue" : "");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

int command_settlement_show(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "[PERIOD]",
        .purpose = "Each member's net position over a closed period (the newest), and what of it "
                   "is open.",
        .arguments_max = 1,
    };
    struct command_options options;
    struct settlement_request request = {.period = 0};
    command_options(argc, argv, &usage, &options);
    if (options.argument_count > 0 && !command_number(options.arguments[0], &request.period)) {
        fprintf(stderr, "%s: '%s' is not a period\n", BROKER_PROGRAM, options.arguments[0]);
        return EXIT_CODE_USAGE;
    }
    return command_ask(&options, &method_settlement_show, &request, print_period);
}

int command_settlement_close(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Closes the present settlement period now; the next one begins."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_settlement_close, &request, print_period);
}

/* --- write-off */

static void print_done(const void *message)
{
    (void)message;
    printf("done\n");
}

int command_member_write_off(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"reference", OPTION_REFERENCE, "TEXT", 0, "Why; kept in the ledger", 0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "MEMBER",
        .purpose = "Closes a revoked member's account: what it owes goes to the account "
                   "federation/losses.",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = own,
    };
    struct command_options options;
    struct write_off_request request = {.reference = ""};
    command_options(argc, argv, &usage, &options);
    int code = command_member_name(options.arguments[0], &request.member);
    if (code != EXIT_CODE_OK)
        return code;
    if (options.reference == NULL) {
        fprintf(stderr, "%s: why? Say --reference TEXT: it goes into the ledger\n", BROKER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    request.reference = options.reference;
    return command_ask(&options, &method_member_write_off, &request, print_done);
}
