/* jobs: own jobs, in order of submission. */
#include <stdio.h>

#include "base/table.h"
#include "peer/commands/commands.h"

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
    table_format(table, "%.0f", job->examples_per_second);
    table_format(table, "%.6f", price_to_double(job->price));
    table_text(table, credits_format(job->paid, amount));
    table_format(table, "%u", job->starts);
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
        {"speed (examples/s)", true},
        {"price (credits/GPU-s)", true},
        {"paid (credits)", true},
        {"starts", true},
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
    static const struct command_usage usage = {.purpose = "Lists this datacenter's own jobs."};
    struct command_options options;
    struct empty_message request = {0};
    command_options(argc, argv, &usage, &options);
    return command_ask(&options, &method_job_list, &request, print_jobs);
}
