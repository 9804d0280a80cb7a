/* status: the peer at a glance. */
#include <stdio.h>

#include "base/table.h"
#include "peer/commands/commands.h"
#include "proto/show/show.h"

static void print_pools(const struct peer_status_response *status)
{
    static const struct table_column columns[] = {
        {"pool", false}, {"GPUs", true}, {"local", true}, {"leased", true}, {"free", true},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t p = 0; p < status->pool_count; p++) {
        const struct peer_pool_row *pool = &status->pools[p];
        table_text(&table, pool->gpu.text);
        table_format(&table, "%u", pool->gpus);
        table_format(&table, "%u", pool->gpus_local);
        table_format(&table, "%u", pool->gpus_leased);
        table_format(&table, "%u", pool->gpus_free);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_hosted(const struct peer_status_response *status)
{
    static const struct table_column columns[] = {
        {"hosted job", false}, {"home", false},      {"state", false},
        {"gpu", false},        {"GPUs", true},       {"held (s)", true},
        {"ends in (s)", true}, {"examples/s", true}, {"lease", false},
    };
    struct table table;
    char lease[LEASE_ID_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t h = 0; h < status->hosted_count; h++) {
        const struct hosted_row *row = &status->hosted[h];
        table_text(&table, row->job.text);
        table_text(&table, row->home.text);
        table_text(&table, job_state_name(row->state));
        table_text(&table, row->gpu.text);
        table_format(&table, "%u", row->gpus);
        table_format(&table, "%.1f", (double)row->held_ms / MS_PER_SECOND);
        table_format(&table, "%.1f", (double)row->ends_in_ms / MS_PER_SECOND);
        table_format(&table, "%.0f", row->examples_per_second);
        table_text(&table, lease_id_format(row->lease, lease));
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_status(const void *message)
{
    const struct peer_status_response *status = message;
    char balance[CREDITS_TEXT_MAX], escrow[CREDITS_TEXT_MAX], date[CLOCK_TEXT_MAX];
    printf("member       %s of %s (peer %s, incarnation %llu)%s\n", status->member.text,
           status->federation.text, status->version, (unsigned long long)status->incarnation,
           status->draining ? ", draining" : "");
    printf("broker       %s, %s\n", status->broker_address,
           status->broker_connected ? "connected" : "away");
    printf("certificate  until %s\n", clock_format_wall(status->certificate_until_wall_ms, date));
    printf("balance      %s credits, %s in escrow\n", credits_format(status->balance, balance),
           credits_format(status->escrow, escrow));
    printf("own jobs     %u queued, %u placed; %u receipts not settled yet\n\n",
           status->jobs_queued, status->jobs_running, status->receipts_unsettled);
    print_pools(status);
    if (status->delivery_count > 0) {
        printf("\n");
        show_deliveries(status->deliveries, status->delivery_count, stdout);
    }
    if (status->hosted_count > 0) {
        printf("\n");
        print_hosted(status);
    }
}

int command_status(int argc, char **argv)
{
    static const struct command_usage usage = {.purpose = "The peer at a glance."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_peer_status, &request, print_status);
}
