#include "peer/home/job_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "peer/files/chunks.h"
#include "peer/files/file_reading.h"
#include "peer/home/job_file_schema.h"

enum { RETRIES_MAX = 1000, JOB_GPUS_MAX = NODES_PER_LEASE_MAX * GPUS_PER_NODE_MAX };

static void read_directory(struct reading *reading, struct job_submission *submission);
static void read_what(struct reading *reading, const struct file_job *file,
                      struct job_specification *specification);
static void read_work(struct reading *reading, const struct file_job *file, struct demand *demand);
static void read_gpus(struct reading *reading, const struct file_job_gpus *file,
                      struct demand *demand);
static void read_bid(struct reading *reading, const struct file_job *file, int64_t now_wall_ms,
                     struct demand *demand);
static void read_placement(struct reading *reading, const struct file_job *file,
                           struct job_submission *submission);
static void read_data_sets(struct reading *reading, const struct file_job *file,
                           struct demand *demand);
static void read_hints(struct reading *reading, const struct file_job *file, struct demand *demand);
static void read_limits(struct reading *reading, const struct file_job_limits *file,
                        struct job_limits *limits);

enum status job_file_load(const char *file, int64_t now_wall_ms, struct arena *arena,
                          struct job_submission *submission, struct fault *fault)
{
    void *data = NULL;
    enum status status = yaml_load(file, &job_file_schema, arena, &data, fault);
    if (status != STATUS_OK)
        return status;
    const struct file_job *loaded = data;
    struct reading reading = {.file = file, .arena = arena, .fault = fault};
    *submission = (struct job_submission){0};
    read_directory(&reading, submission);
    read_what(&reading, loaded, &submission->specification);
    read_work(&reading, loaded, &submission->demand);
    read_gpus(&reading, &loaded->gpus, &submission->demand);
    read_bid(&reading, loaded, now_wall_ms, &submission->demand);
    read_placement(&reading, loaded, submission);
    read_data_sets(&reading, loaded, &submission->demand);
    read_hints(&reading, loaded, &submission->demand);
    read_limits(&reading, &loaded->limits, &submission->specification.limits);
    submission->specification.data_sets = submission->demand.data_sets;
    submission->specification.data_set_count = submission->demand.data_set_count;
    return reading.status;
}

/* Files are named relative to the job file; the daemon needs the absolute directory. */
static void read_directory(struct reading *reading, struct job_submission *submission)
{
    char *real = realpath(reading->file, NULL);
    if (real == NULL) {
        file_reading_refuse(reading, "", "has no absolute path: %s", strerror(errno));
        return;
    }
    char *slash = strrchr(real, '/');
    size_t length = slash == real ? 1 : (size_t)(slash - real);
    submission->directory = arena_copy_text(reading->arena, real, length);
    free(real);
}

static const char *check_path(struct reading *reading, const char *key, const char *path)
{
    if (!bundle_path_valid(path))
        file_reading_refuse(reading, key,
                            "'%.200s' is not a path inside the job's directory: write it relative, "
                            "without '..'",
                            path);
    return path;
}

static void read_what(struct reading *reading, const struct file_job *file,
                      struct job_specification *specification)
{
    specification->arguments = (const char **)file->command;
    specification->argument_count = file->command_count;
    if (file->command[0][0] == '\0')
        file_reading_refuse(reading, "command[0]", "the program's name is empty");
    specification->files =
        file_reading_alloc(reading, file->files_count, sizeof(struct bundle_file));
    for (uint32_t f = 0; f < file->files_count && specification->files != NULL; f++)
        specification->files[specification->file_count++] =
            (struct bundle_file){.path = check_path(reading, "files", file->files[f])};
    for (uint32_t v = 0; v < file->environment_count; v++)
        (void)file_reading_variable(reading, "environment", file->environment[v]);
    specification->variables = (const char **)file->environment;
    specification->variable_count = file->environment_count;
    specification->checkpoint_path =
        file->checkpoint != NULL ? check_path(reading, "checkpoint", file->checkpoint) : "";
    for (uint32_t r = 0; r < file->results_count; r++)
        (void)check_path(reading, "results", file->results[r]);
    specification->results = (const char **)file->results;
    specification->result_count = file->results_count;
}

static void read_work(struct reading *reading, const struct file_job *file, struct demand *demand)
{
    if (file->model != NULL)
        demand->model = file_reading_name(reading, "model", file->model);
    demand->batch = file_reading_count(reading, "batch", &file->batch, 1, 1, 1u << 30);
    demand->batch_per_gpu_max =
        file_reading_count(reading, "batch_per_gpu_max", file->batch_per_gpu_max, 0, 1, 1u << 30);
    if (!isfinite(file->examples) || file->examples < 1.0 || file->examples > 1e15)
        file_reading_refuse(reading, "examples", "must be a number from 1 to 1e15");
    demand->work_left_examples = file->examples;
}

static void read_gpus(struct reading *reading, const struct file_job_gpus *file,
                      struct demand *demand)
{
    demand->gpus_min = file_reading_count(reading, "gpus.min", file->min, 1, 1, JOB_GPUS_MAX);
    demand->gpus_max =
        file_reading_count(reading, "gpus.max", file->max, demand->gpus_min, 1, JOB_GPUS_MAX);
    if (demand->gpus_max < demand->gpus_min)
        file_reading_refuse(reading, "gpus.max", "%u is below gpus.min, %u", demand->gpus_max,
                            demand->gpus_min);
    demand->gpu_kinds = file_reading_alloc(reading, file->kinds_count, sizeof(struct name));
    for (uint32_t k = 0; k < file->kinds_count && demand->gpu_kinds != NULL; k++)
        demand->gpu_kinds[demand->gpu_kind_count++] =
            file_reading_name(reading, "gpus.kinds", file->kinds[k]);
    demand->one_node = file->one_node != NULL && *file->one_node;
    if (demand->one_node && demand->gpus_min > GPUS_PER_NODE_MAX)
        file_reading_refuse(reading, "gpus.one_node", "no node has more than %d GPUs",
                            GPUS_PER_NODE_MAX);
}

static int64_t read_deadline(struct reading *reading, const char *text, int64_t now_wall_ms)
{
    int64_t ms = clock_parse_duration(text);
    if (ms >= 0)
        return now_wall_ms + ms;
    int64_t wall_ms = clock_parse_wall(text);
    if (wall_ms < 0)
        file_reading_refuse(
            reading, "deadline",
            "'%.60s' is neither a time (2026-11-24T08:00:00Z) nor a duration from now "
            "(12h)",
            text);
    else if (wall_ms <= now_wall_ms)
        file_reading_refuse(reading, "deadline", "'%.60s' is past", text);
    return wall_ms;
}

static void read_bid(struct reading *reading, const struct file_job *file, int64_t now_wall_ms,
                     struct demand *demand)
{
    double value =
        file_reading_number(reading, "value_per_example", &file->value_per_example, 0.0, 0.0, 1e6);
    if (reading->status == STATUS_OK)
        demand->value_nanos_per_example = llround(value * NANOS_PER_CREDIT);
    demand->price_max = file_reading_price(reading, "price_max", file->price_max);
    if (file->deadline != NULL)
        demand->deadline_wall_ms = read_deadline(reading, file->deadline, now_wall_ms);
}

static void read_placement(struct reading *reading, const struct file_job *file,
                           struct job_submission *submission)
{
    static const struct {
        const char *word;
        enum job_placement placement;
    } words[] = {{"any", JOB_ANY}, {"federated", JOB_FEDERATED}, {"local", JOB_LOCAL}};
    submission->retries = file_reading_count(reading, "retries", file->retries, 3, 0, RETRIES_MAX);
    submission->placement = JOB_ANY;
    if (file->placement == NULL)
        return;
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        if (strcmp(words[w].word, file->placement) == 0) {
            submission->placement = words[w].placement;
            return;
        }
    file_reading_refuse(reading, "placement", "'%.40s' is none of any, federated, local",
                        file->placement);
}

static void read_data_set(struct reading *reading, const struct file_job_data_set *file,
                          uint32_t index, struct data_set *data_set)
{
    char key[YAML_PATH_MAX];
    snprintf(key, sizeof key, "data_sets[%u].name", index);
    data_set->name = file_reading_name(reading, key, file->name);
    snprintf(key, sizeof key, "data_sets[%u].size", index);
    data_set->size_bytes = file_reading_size(reading, key, file->size, 0);
    snprintf(key, sizeof key, "data_sets[%u].places", index);
    data_set->places = file_reading_alloc(reading, file->places_count, sizeof(struct name));
    for (uint32_t p = 0; p < file->places_count && data_set->places != NULL; p++)
        data_set->places[data_set->place_count++] =
            file_reading_member(reading, key, file->places[p]);
}

static void read_data_sets(struct reading *reading, const struct file_job *file,
                           struct demand *demand)
{
    demand->data_sets = file_reading_alloc(reading, file->data_sets_count, sizeof(struct data_set));
    for (uint32_t d = 0; d < file->data_sets_count && demand->data_sets != NULL; d++)
        read_data_set(reading, &file->data_sets[d], d,
                      &demand->data_sets[demand->data_set_count++]);
}

static void read_hints(struct reading *reading, const struct file_job *file, struct demand *demand)
{
    demand->hints =
        file_reading_alloc(reading, file->throughput_count, sizeof(struct throughput_hint));
    for (uint32_t h = 0; h < file->throughput_count && demand->hints != NULL; h++) {
        char key[YAML_PATH_MAX];
        struct throughput_hint *hint = &demand->hints[demand->hint_count++];
        snprintf(key, sizeof key, "throughput[%u].gpu", h);
        hint->gpu = file_reading_name(reading, key, file->throughput[h].gpu);
        snprintf(key, sizeof key, "throughput[%u].gpus", h);
        hint->gpus =
            file_reading_count(reading, key, &file->throughput[h].gpus, 1, 1, JOB_GPUS_MAX);
        snprintf(key, sizeof key, "throughput[%u].examples_per_second", h);
        hint->examples_per_second = file_reading_number(
            reading, key, &file->throughput[h].examples_per_second, 1.0, 1e-6, 1e12);
    }
}

static void read_limits(struct reading *reading, const struct file_job_limits *file,
                        struct job_limits *limits)
{
    limits->memory_bytes = file_reading_size(reading, "limits.memory", file->memory, 0);
    limits->scratch_bytes = file_reading_size(reading, "limits.scratch", file->scratch, 0);
    limits->processes =
        file_reading_count(reading, "limits.processes", file->processes, 0, 1, 1000000);
    limits->network = file->network != NULL && *file->network;
}
