/* Philly's job list, or one that Muri derived from it, as an instance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "economics/market/market.h"
#include "economics/market/instance/trace.h"
#include "economics/market/instance/trace_csv.h"

enum { GPUS_PER_NODE = 8, ROWS_MAX = MARKET_JOBS_MAX, SECONDS_PER_DAY = 86400 };

#define GPU_COST  0.0003 /* credits per GPU-second */
#define GPU_WORTH 0.0006

enum { PHILLY_GPUS, PHILLY_DURATION, PHILLY_TIMESTAMP, PHILLY_CLUSTER };
enum { MURI_GPUS, MURI_SUBMIT, MURI_ITERATIONS, MURI_BATCH, MURI_ITERATION };

static const char *const philly_columns[] = {"num_gpus", "duration", "timestamp", "cluster", NULL};
static const char *const muri_columns[] = {"num_gpu",    "submit_time",    "iterations",
                                           "batch_size", "iteration_time", NULL};

struct member {
    double gpu_seconds;
    double first;
    double last;
    uint32_t largest; /* GPUs of a job */
};

struct importing {
    const struct trace_options *options;
    struct arena *arena;
    struct trace_job *jobs;
    uint32_t job_count;
    char (*names)[64]; /* [MARKET_MEMBERS_MAX] */
    struct member *members;
    uint32_t member_count;
    struct trace_notes *notes;
};

static enum status read_jobs(struct importing *in, const char *path, struct fault *fault);
static void measure_members(struct importing *in);
static void write_pools(const struct importing *in, FILE *to);
static void write_jobs(struct importing *in, FILE *to);

enum status trace_philly(const char *jobs, const struct trace_options *options, struct arena *arena,
                         FILE *to, struct trace_notes *notes, struct fault *fault)
{
    *notes = (struct trace_notes){0};
    struct importing in = {.options = options, .arena = arena, .notes = notes};
    in.names = arena_alloc(arena, MARKET_MEMBERS_MAX, sizeof *in.names);
    in.members = arena_alloc(arena, MARKET_MEMBERS_MAX, sizeof *in.members);
    if (in.names == NULL || in.members == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the members");
    enum status const status = read_jobs(&in, jobs, fault);
    if (status != STATUS_OK)
        return status;
    measure_members(&in);
    fputs("{\"round_seconds\": 300,\n", to);
    trace_write_members((const char(*)[64])in.names, in.member_count, options->affinity, to);
    write_pools(&in, to);
    write_jobs(&in, to);
    fputs("}\n", to);
    return STATUS_OK;
}

enum status trace_philly_jobs(const char *path, uint32_t members, struct arena *arena,
                              struct trace_jobs *jobs, struct fault *fault)
{
    struct trace_options const options = {.members = members};
    struct trace_notes notes = {0};
    struct importing in = {.options = &options, .arena = arena, .notes = &notes};
    in.names = arena_alloc(arena, MARKET_MEMBERS_MAX, sizeof *in.names);
    if (in.names == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the members");
    enum status const status = read_jobs(&in, path, fault);
    *jobs = (struct trace_jobs){.jobs = in.jobs,
                                .job_count = in.job_count,
                                .names = (const char(*)[64])in.names,
                                .member_count = in.member_count};
    return status;
}

void trace_write_members(const char (*names)[64], uint32_t count, double affinity, FILE *to)
{
    const char *comma = "";
    fputs(" \"members\": [", to);
    for (uint32_t m = 0; m < count; m++)
        fprintf(to, "%s\"%s\"", m > 0 ? ", " : "", names[m]);
    fputs("],\n \"affinity\": [", to);
    for (uint32_t home = 0; home < count; home++)
        for (uint32_t host = 0; host < count; host++) {
            if (home == host || affinity <= 0)
                continue;
            fprintf(to, "%s\n  {\"home\": \"%s\", \"host\": \"%s\", \"value\": %.9g}", comma,
                    names[home], names[host], affinity);
            comma = ",";
        }
    fputs("],\n", to);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool digits(const char *text, size_t count, int *number)
{
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (text[i] - '0');
    }
    return true;
}

/* Days since 1970 in the Gregorian calendar [Hinnant, days_from_civil]. */
static int days_since_1970(int year, int month, int day)
{
    int const y = month <= 2 ? year - 1 : year;
    int const era = y / 400;
    int const of_era = y - era * 400;
    int const of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "2017-10-09 07:01:55", without a zone. */
static bool parse_timestamp(const char *text, double *seconds)
{
    int year = 0;
    int month = 0;
    int day = 0;
    int clock[3] = {0};
    if (strlen(text) != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' ||
        text[13] != ':' || text[16] != ':' || !digits(text, 4, &year) ||
        !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!digits(text + 11 + 3 * i, 2, &clock[i]))
            return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || clock[0] > 23 ||
        clock[1] > 59 || clock[2] > 60)
        return false;
    *seconds = (double)days_since_1970(year, month, day) * SECONDS_PER_DAY + clock[0] * 3600 +
               clock[1] * 60 + clock[2];
    return true;
}

static enum status find_member(struct importing *in, const struct trace_csv *csv, uint32_t *member,
                               struct fault *fault)
{
    struct name name;
    enum status const status = trace_csv_name(csv, PHILLY_CLUSTER, &name, fault);
    if (status != STATUS_OK)
        return status;
    for (*member = 0; *member < in->member_count; (*member)++)
        if (strcmp(in->names[*member], name.text) == 0)
            return STATUS_OK;
    if (in->member_count == MARKET_MEMBERS_MAX)
        return trace_csv_fault(csv, PHILLY_CLUSTER, "more than 4096 clusters", fault);
    snprintf(in->names[in->member_count++], sizeof in->names[0], "%s", name.text);
    return STATUS_OK;
}

static enum status read_philly(struct importing *in, const struct trace_csv *csv,
                               struct trace_job *job, struct fault *fault)
{
    enum status status =
        trace_csv_whole(csv, PHILLY_GPUS, MARKET_GPUS_PER_COLUMN_MAX, &job->gpus, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, PHILLY_DURATION, 0, 1e12, &job->seconds, fault);
    if (status == STATUS_OK && !parse_timestamp(trace_csv_text(csv, PHILLY_TIMESTAMP), &job->start))
        status = trace_csv_fault(csv, PHILLY_TIMESTAMP, "must be like 2017-10-09 07:01:55", fault);
    job->throughput = job->gpus; /* nothing is told: an example is a GPU-second */
    return status == STATUS_OK ? find_member(in, csv, &job->member, fault) : status;
}

static enum status read_muri(struct importing *in, const struct trace_csv *csv,
                             struct trace_job *job, struct fault *fault)
{
    double batch = 0;
    double iterations = 0;
    double milliseconds = 0;
    enum status status =
        trace_csv_whole(csv, MURI_GPUS, MARKET_GPUS_PER_COLUMN_MAX, &job->gpus, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, MURI_SUBMIT, 0, 1e15, &job->start, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, MURI_ITERATIONS, 0, 1e15, &iterations, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, MURI_BATCH, 1, 1e6, &batch, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, MURI_ITERATION, 1e-3, 1e9, &milliseconds, fault);
    job->start /= MS_PER_SECOND;
    job->seconds = iterations * milliseconds / MS_PER_SECOND;
    job->throughput = batch * MS_PER_SECOND / milliseconds;
    job->member = in->job_count % in->options->members;
    return status;
}

/* The one of the two whose heading this is; muri: which. */
static enum status open_jobs(struct importing *in, struct trace_csv *csv, const char *path,
                             bool *muri, struct fault *fault)
{
    struct bytes text = {0};
    enum status status = file_read(path, TRACE_BYTES_MAX, in->arena, &text, fault);
    if (status != STATUS_OK)
        return status;
    size_t rows = 1;
    for (size_t i = 0; i < text.size; i++)
        rows += text.data[i] == '\n';
    if (rows > ROWS_MAX)
        return fault_set(fault, STATUS_INVALID, "%s: more than %d rows", path, ROWS_MAX);
    in->jobs = arena_alloc(in->arena, rows, sizeof *in->jobs);
    if (in->jobs == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "%s: no memory for its rows", path);
    status = trace_csv_open(csv, path, text, muri_columns, 0, fault);
    *muri = status == STATUS_OK && trace_csv_has(csv, MURI_ITERATION);
    if (status == STATUS_OK)
        status = trace_csv_open(csv, path, text, *muri ? muri_columns : philly_columns,
                                *muri ? 5 : 4, fault);
    for (uint32_t m = 0; *muri && m < in->options->members; m++)
        snprintf(in->names[in->member_count++], sizeof in->names[0], "m%u", m);
    return status;
}

static enum status read_jobs(struct importing *in, const char *path, struct fault *fault)
{
    struct trace_csv csv;
    bool muri = false;
    bool there = true;
    enum status status = open_jobs(in, &csv, path, &muri, fault);
    while (status == STATUS_OK && there) {
        status = trace_csv_next(&csv, &there, fault);
        if (status != STATUS_OK || !there)
            break;
        struct trace_job *job = &in->jobs[in->job_count];
        job->line = csv.line;
        status = (muri ? read_muri : read_philly)(in, &csv, job, fault);
        if (job->gpus == 0)
            in->notes->without_gpus++;
        else
            in->job_count++;
    }
    return status;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void measure_members(struct importing *in)
{
    for (uint32_t j = 0; j < in->job_count; j++) {
        const struct trace_job *job = &in->jobs[j];
        struct member *member = &in->members[job->member];
        double const end = job->start + job->seconds;
        if (member->largest == 0 || job->start < member->first)
            member->first = job->start;
        if (end > member->last)
            member->last = end;
        if (job->gpus > member->largest)
            member->largest = job->gpus;
        member->gpu_seconds += job->gpus * job->seconds;
    }
}

static uint32_t capacity(const struct member *member)
{
    double const span = member->last - member->first;
    double const busy = span > 0 ? member->gpu_seconds / span : 0;
    double const gpus = fmax(busy, member->largest);
    double const nodes = fmin(ceil(gpus / GPUS_PER_NODE), NODES_PER_POOL_MAX);
    return (uint32_t)nodes * GPUS_PER_NODE;
}

static void write_pools(const struct importing *in, FILE *to)
{
    fputs(" \"pools\": [", to);
    for (uint32_t m = 0; m < in->member_count; m++)
        fprintf(to,
                "%s\n  {\"id\": \"%s/GPU\", \"member\": \"%s\", \"gpu\": \"GPU\", \"gpus\": %u, "
                "\"gpus_per_node\": %d, \"cost\": %.6f}",
                m > 0 ? "," : "", in->names[m], in->names[m], capacity(&in->members[m]),
                GPUS_PER_NODE, GPU_COST);
    fputs("],\n", to);
}

static void write_job(struct importing *in, const struct trace_job *job, double remaining, FILE *to)
{
    bool possible = false;
    fprintf(to,
            "%s\n  {\"id\": \"line%u\", \"home\": \"%s\", \"value\": %.9g, \"work_left\": %.15g, "
            "\"remaining_seconds\": %.15g, \"configurations\": [",
            in->notes->jobs > 0 ? "," : "", job->line, in->names[job->member],
            GPU_WORTH * job->gpus / job->throughput, remaining * job->throughput, remaining);
    for (uint32_t m = 0; m < in->member_count; m++) {
        if (capacity(&in->members[m]) < job->gpus)
            continue;
        fprintf(to, "%s{\"pool\": \"%s/GPU\", \"gpus\": %u, \"throughput\": %.9g}",
                possible ? ", " : "", in->names[m], job->gpus, job->throughput);
        possible = true;
    }
    fputs("]}", to);
    in->notes->not_possible += !possible;
    in->notes->jobs++;
}

static void write_jobs(struct importing *in, FILE *to)
{
    double first = HUGE_VAL;
    for (uint32_t j = 0; j < in->job_count; j++)
        first = fmin(first, in->jobs[j].start);
    fputs(" \"jobs\": [", to);
    for (uint32_t j = 0; j < in->job_count; j++) {
        const struct trace_job *job = &in->jobs[j];
        double const into = first + in->options->at - job->start;
        if (in->options->at < 0)
            write_job(in, job, job->seconds, to);
        else if (into >= 0 && into < job->seconds)
            write_job(in, job, job->seconds - into, to);
        else
            in->notes->not_then++;
    }
    fputs("]\n", to);
}
