/* jobs: own jobs, in order of submission. */
#include <stdio.h>

#include "base/table.h"
#include "peer/commands/commands.h"

/* "4m12s ago"; "-" for what has not been. */
static void add_age(struct table *table, int64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];
    int64_t age_ms = clock_wall_ms(clock_real()) - wall_ms;
    if (wall_ms == 0)
        table_text(table, "-");
    else
        table_format(table, "%s ago", clock_format_duration(age_ms > 0 ? age_ms : 0, text));
}

static void add_speed(struct table *table, double examples_per_second)
{
    if (examples_per_second > 0)
        table_format(table, "%.1f", examples_per_second);
    else
        table_text(table, "-");
}

static void print_row(struct table *table, const struct local_job_row *job)
{
    char amount[CREDITS_TEXT_MAX];
    double share = job->work_examples > 0 ? (double)job->examples_done / job->work_examples : 0.0;
    table_text(table, job->job.text);
    table_text(table, job_state_name(job->state));
    table_text(table, name_empty(&job->host) ? "-" : job->host.text);
    table_text(table, name_empty(&job->gpu) ? "-" : job->gpu.text);
    table_format(table, "%u", job->gpus);
    table_format(table, "%.1f", 100.0 * (share < 1.0 ? share : 1.0));
    add_speed(table, job->predicted_examples_per_second);
    add_speed(table, job->examples_per_second);
    table_format(table, "%.6f", price_to_double(job->price));
    table_text(table, credits_format(job->paid, amount));
    table_format(table, "%u", job->starts);
    add_age(table, job->submitted_wall_ms);
    add_age(table, job->ended_wall_ms);
    table_text(table, job->text);
}

static void print_jobs(const void *message)
{
    static const struct table_column columns[] = {
        {"job", false},
        {"state", false},
        {"host", false},
        {"gpu", false},
        {"GPUs", true},
        {"done (%)", true},
        {"predicted (examples/s)", true},
        {"measured (examples/s)", true},
        {"price (credits/GPU-s)", true},
        {"paid (credits)", true},
        {"starts", true},
        {"submitted", true},
        {"ended", true},
        {"note", false},
    };
    const struct local_jobs_response *response = message;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t j = 0; j < response->job_count; j++)
        print_row(&table, &response->jobs[j]);
    table_print(&table, stdout);
    table_fini(&table);
}

int command_jobs(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Lists this datacenter's own jobs; for one that has ended, where it was last."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_job_list, &request, print_jobs);
}
