/* show: one job in full. */
#include <stdio.h>

#include "peer/commands/commands.h"

static const char *placement_name(enum job_placement placement)
{
    static const char *const names[] = {"local", "federated", "any"};
    return names[placement];
}

static void print_date(const char *what, int64_t wall_ms)
{
    char date[CLOCK_TEXT_MAX], ago[CLOCK_TEXT_MAX];
    int64_t age_ms = clock_wall_ms(clock_real()) - wall_ms;
    if (wall_ms != 0)
        printf("%-12s %s (%s ago)\n", what, clock_format_wall(wall_ms, date),
               clock_format_duration(age_ms > 0 ? age_ms : 0, ago));
}

static void print_place(const struct local_job_row *job)
{
    char lease[LEASE_ID_TEXT_MAX];
    printf("%-12s %s, %u x %s, lease %s\n", job_state_final(job->state) ? "last place" : "place",
           job->host.text, job->gpus, job->gpu.text, lease_id_format(job->lease, lease));
    if (job->examples_per_second > 0)
        printf("speed        %.1f examples/s (predicted %.1f)\n", job->examples_per_second,
               job->predicted_examples_per_second);
    else
        printf("speed        not measured (predicted %.1f examples/s)\n",
               job->predicted_examples_per_second);
    printf("price        %.6f credits/GPU-s\n", price_to_double(job->price));
}

static void print_job(const void *message)
{
    const struct local_job_row *job = message;
    char amount[CREDITS_TEXT_MAX];
    printf("job          %s\n", job->job.text);
    printf("state        %s%s%s\n", job_state_name(job->state), job->text[0] != '\0' ? ": " : "",
           job->text);
    printf("placement    %s\n", placement_name(job->placement));
    printf("progress     %llu of %.0f examples\n", (unsigned long long)job->examples_done,
           job->work_examples);
    if (!name_empty(&job->host))
        print_place(job);
    printf("paid         %s credits\n", credits_format(job->paid, amount));
    printf("starts       %u, %u retries left\n", job->starts, job->retries_left);
    print_date("submitted", job->submitted_wall_ms);
    print_date("started", job->started_wall_ms);
    print_date("ended", job->ended_wall_ms);
    if (job->state == JOB_STATE_FAILED)
        printf("exit code    %d\n", job->exit_code);
}

int command_show(int argc, char **argv)
{
    static const struct command_usage usage = {
        .arguments = "JOB", .purpose = "Shows one job.", .argument_needed = true};
    struct command_options options;
    struct job_request request = {0};
    command_options(argc, argv, &usage, &options);
    int code = command_job(&options, &request.job);
    return code == EXIT_CODE_OK ? command_ask(&options, &method_job_show, &request, print_job)
                                : code;
}
