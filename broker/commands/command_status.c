/* status, jobs, leases, explain. */
#include <inttypes.h>
#include <stdio.h>

#include "base/table.h"
#include "broker/commands/commands.h"
#include "proto/show/show.h"

/* --- status */

static void print_quarantined(const struct broker_status_response *status)
{
    char date[CLOCK_TEXT_MAX];
    for (uint32_t i = 0; i < status->quarantined_count; i++) {
        const struct quarantine_row *row = &status->quarantined[i];
        printf("quarantined  %s at %s until %s: %u jobs failed there, the last: %s\n",
               row->pool.gpu.text, row->pool.member.text,
               clock_format_wall(row->until_wall_ms, date), row->jobs, row->reason);
    }
}

static void print_status(const void *message)
{
    const struct broker_status_response *status = message;
    printf("federation   %s (broker %s, incarnation %" PRIu64 ")\n", status->federation.text,
           status->version, status->incarnation);
    printf("up           %" PRId64 " s\n", status->up_ms / 1000);
    printf("members      %u active, %u connected\n", status->members_active,
           status->members_connected);
    printf("jobs         %u waiting, %u placed\n", status->jobs_waiting, status->jobs_placed);
    printf("GPUs         %u offered, %u leased\n", status->gpus_offered, status->gpus_leased);
    printf("rounds       %" PRIu64 " so far; every %.1f s, the next full one in %.1f s\n",
           status->rounds, (double)status->round_ms / 1000.0,
           (double)status->next_round_in_ms / 1000.0);
    print_quarantined(status);
    if (status->disputes_open > 0)
        printf("disputes     %u without an outcome (entente-broker dispute list)\n",
               status->disputes_open);
    if (status->members_awaited > 0)
        printf("RESTORED     no market yet: %u members have not reported what they hold; waiting "
               "%" PRId64 " s at most\n",
               status->members_awaited, status->recovery_ms_left / 1000);
    if (status->ledger_warning[0] != '\0')
        printf("LEDGER       %s\n", status->ledger_warning);
}

int command_status(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "The federation at a glance."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_broker_status, &request, print_status);
}

/* --- pool release */

static void print_released(const void *message)
{
    (void)message;
    printf("done\n");
}

int command_pool_release(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "MEMBER GPU",
        .purpose = "A quarantined pool is used again at once.",
        .arguments_min = 2,
        .arguments_max = 2,
    };
    struct command_options options;
    struct pool_id request = {.gpu = {.text = ""}};
    struct fault fault;
    command_options(argc, argv, &usage, &options);
    int code = command_member_name(options.arguments[0], &request.member);
    if (code != EXIT_CODE_OK)
        return code;
    if (name_parse(&request.gpu, "GPU", options.arguments[1], &fault) != STATUS_OK)
        return command_failed(&fault);
    return command_ask(&options, &method_quarantine_release, &request, print_released);
}

/* --- jobs */

static void print_more(uint64_t next_after)
{
    if (next_after != 0)
        printf("more: --after %" PRIu64 "\n", next_after);
}

static void print_jobs(const void *message)
{
    static const struct table_column columns[] = {
        {"job", false},
        {"home", false},
        {"state", false},
        {"host", false},
        {"gpu", false},
        {"GPUs", true},
        {"work left (examples)", true},
        {"predicted (examples/s)", true},
        {"measured (examples/s)", true},
        {"price (credits/GPU-s)", true},
    };
    const struct jobs_response *response = message;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->job_count; i++) {
        const struct job_row *row = &response->jobs[i];
        table_text(&table, row->job.text);
        table_text(&table, row->home.text);
        table_text(&table, row->state);
        table_text(&table, name_empty(&row->host) ? "-" : row->host.text);
        table_text(&table, name_empty(&row->gpu) ? "-" : row->gpu.text);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%.0f", row->work_left_examples);
        table_format(&table, "%.1f", row->predicted_examples_per_second);
        table_format(&table, "%.1f", row->measured_examples_per_second);
        table_format(&table, "%.6f", price_to_double(row->price));
    }
    table_print(&table, stdout);
    table_fini(&table);
    print_more(response->next_after);
}

static const struct argp_option page_options[] = {
    {"after", OPTION_AFTER, "ROW", 0, "Go on after this row", 0},
    {0},
};

/* *after from --after; false after complaining where it is no number. */
static bool read_after(const struct command_options *options, uint64_t *after)
{
    *after = 0;
    if (options->after == NULL || command_number(options->after, after))
        return true;
    fprintf(stderr, "%s: --after: '%s' is not a row number\n", BROKER_PROGRAM, options->after);
    return false;
}

int command_jobs(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "Lists the jobs offered for placement.",
                                               .options = page_options};
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    return read_after(&options, &request.after)
               ? command_ask(&options, &method_operator_jobs, &request, print_jobs)
               : EXIT_CODE_USAGE;
}

/* --- leases */

static void print_leases(const void *message)
{
    static const struct table_column columns[] = {
        {"lease", false},        {"state", false},
        {"job", false},          {"home", false},
        {"host", false},         {"gpu", false},
        {"GPUs", true},          {"price (credits/GPU-s)", true},
        {"cap (credits)", true}, {"paid (credits)", true},
        {"ends (UTC)", false},
    };
    const struct leases_response *response = message;
    struct table table;
    char text[LEASE_ID_TEXT_MAX];
    char amount[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->lease_count; i++) {
        const struct lease_row *row = &response->leases[i];
        table_text(&table, command_lease_text(row->lease, text));
        table_text(&table, lease_state_name(row->state));
        table_text(&table, row->job.text);
        table_text(&table, row->home.text);
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%.6f", price_to_double(row->price));
        table_text(&table, credits_format(row->cap, amount));
        table_text(&table, credits_format(row->paid, amount));
        table_text(&table, clock_format_wall(row->ends_wall_ms, date));
    }
    table_print(&table, stdout);
    table_fini(&table);
    print_more(response->next_after);
}

int command_leases(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "Lists the leases, oldest first.",
                                               .options = page_options};
    struct command_options options;
    struct page_request request = {.rows = ROWS_PER_PAGE_MAX};
    command_options(argc, argv, &usage, &options);
    return read_after(&options, &request.after)
               ? command_ask(&options, &method_lease_list, &request, print_leases)
               : EXIT_CODE_USAGE;
}

/* --- explain */

static void print_explanation(const void *message)
{
    show_explanation(message, stdout);
}

int command_explain(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "JOB",
        .purpose = "Why a job is placed where it is, or not; and the bid that would have done it.",
        .arguments_min = 1,
        .arguments_max = 1,
    };
    struct command_options options;
    struct explain_request request;
    struct fault fault;
    command_options(argc, argv, &usage, &options);
    if (name_parse(&request.job, "job", options.arguments[0], &fault) != STATUS_OK)
        return command_failed(&fault);
    return command_ask(&options, &method_operator_explain, &request, print_explanation);
}
