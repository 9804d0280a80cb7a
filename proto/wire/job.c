/*
 * Job: the tables of demand and specification, as they travel and, with less filled in, as a job
 * owner submits them to their own peer.
 */
#include <inttypes.h>
#include <string.h>

#include "entente/v1/common.pb-c.h"
#include "proto/wire/rows.h"

static const struct wire_row data_set_rows[] = {
    ROW_NAME(data_set, name),
    ROW_COUNTER(data_set, size_bytes),
    ROW_NAMES(data_set, places, place_count, wire_rule_member, PLACES_PER_DATA_SET_MAX),
};

static const struct wire_message message_data_set = WIRE_MESSAGE(data_set, NULL);

static const struct wire_row throughput_hint_rows[] = {
    ROW_NAME(throughput_hint, gpu),
    ROW_U32(throughput_hint, gpus, 1, WIRE_GPUS_PER_JOB_MAX),
    /* the least normal double: above 0, and its inverse is finite */
    ROW_DOUBLE(throughput_hint, examples_per_second, 2.2250738585072014e-308, WIRE_THROUGHPUT_MAX),
};

static const struct wire_message message_throughput_hint = WIRE_MESSAGE(throughput_hint, NULL);

static const struct wire_row job_position_rows[] = {
    ROW_BOOL(job_position, running),
    ROW_STRUCT_OPTIONAL(job_position, pool, pool_id, wire_message_pool_id),
    ROW_U32(job_position, gpus, 0, WIRE_GPUS_PER_JOB_MAX),
};

static enum status check_position(const void *domain, const struct wire_path *path,
                                  struct fault *fault)
{
    const struct job_position *position = domain;
    if (position->running && name_empty(&position->pool.gpu))
        return wire_refuse(path, "pool", STATUS_INVALID, fault, "is missing for a running job");
    if (position->running && position->gpus == 0)
        return wire_refuse(path, "gpus", STATUS_INVALID, fault, "0 is below 1 for a running job");
    return STATUS_OK;
}

static const struct wire_message message_job_position = WIRE_MESSAGE(job_position, check_position);

/* ---- demand */

static const struct wire_row demand_rows[] = {
    ROW_NAME_OPTIONAL(demand, job), /* a submission's are filled in by the peer */
    ROW_MEMBER_OPTIONAL(demand, home),
    ROW_NAME_OPTIONAL(demand, model),
    ROW_U32(demand, gpus_min, 1, WIRE_GPUS_PER_JOB_MAX),
    ROW_U32(demand, gpus_max, 1, WIRE_GPUS_PER_JOB_MAX),
    ROW_NAMES(demand, gpu_kinds, gpu_kind_count, wire_rule_name, GPU_KINDS_PER_JOB_MAX),
    ROW_U32(demand, batch, 0, UINT32_MAX),
    ROW_BOOL(demand, one_node),
    ROW_I64(demand, value_nanos_per_example, 0, WIRE_PRICE_NANOS_MAX),
    ROW_PRICE(demand, price_max),
    ROW_WALL(demand, deadline_wall_ms),
    ROW_DOUBLE(demand, work_left_examples, 2.2250738585072014e-308, WIRE_EXAMPLES_MAX),
    ROW_COUNTER(demand, bundle_bytes),
    ROW_COUNTER(demand, checkpoint_bytes),
    ROW_DIGEST(demand, bundle_digest),
    ROW_STRUCTS(demand, data_sets, data_set_count, data_set, message_data_set, 0,
                DATA_SETS_PER_JOB_MAX),
    ROW_STRUCTS(demand, hints, hint_count, throughput_hint, message_throughput_hint, 0,
                HINTS_PER_JOB_MAX),
    ROW_STRUCT(demand, position, job_position, message_job_position),
    ROW_WALL(demand, submitted_wall_ms),
    ROW_U32(demand, batch_per_gpu_max, 0, UINT32_MAX),
};

static enum status check_submitted_demand(const void *domain, const struct wire_path *path,
                                          struct fault *fault)
{
    const struct demand *demand = domain;
    if (demand->gpus_min > demand->gpus_max)
        return wire_refuse(path, "gpus_max", STATUS_INVALID, fault,
                           "%" PRIu32 " is below gpus_min, %" PRIu32, demand->gpus_max,
                           demand->gpus_min);
    return STATUS_OK;
}

/* HOME-NUMBER: so that no member can take another's job ids. */
static bool job_of_home(const struct name *job, const struct name *home)
{
    size_t length = strlen(home->text);
    const char *number = job->text + length + 1;
    return strncmp(job->text, home->text, length) == 0 && job->text[length] == '-' &&
           number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
}

static enum status check_demand(const void *domain, const struct wire_path *path,
                                struct fault *fault)
{
    const struct demand *demand = domain;
    if (name_empty(&demand->home))
        return wire_refuse(path, "home", STATUS_INVALID, fault, "is missing");
    if (!job_of_home(&demand->job, &demand->home))
        return wire_refuse(path, "job", STATUS_INVALID, fault,
                           "'%s' is not HOME-NUMBER: a job of %s is named %s-1, %s-2, ...",
                           demand->job.text, demand->home.text, demand->home.text,
                           demand->home.text);
    return check_submitted_demand(domain, path, fault);
}

const struct wire_message message_demand = WIRE_MESSAGE(demand, check_demand);
const struct wire_message wire_message_submitted_demand =
    WIRE_MESSAGE(demand, check_submitted_demand);

/* ---- specification */

static const struct wire_row bundle_file_rows[] = {
    ROW_TEXT(bundle_file, path, wire_rule_relative_path, 1, PATH_BYTES_MAX),
    ROW_U32(bundle_file, mode, 0, WIRE_MODE_MAX),
    ROW_U64(bundle_file, size_bytes, 0, WIRE_FILE_BYTES_MAX),
    ROW_DIGESTS(bundle_file, chunks, chunk_count, CHUNKS_PER_FILE_MAX),
};

static enum status check_file(const void *domain, const struct wire_path *path, struct fault *fault)
{
    const struct bundle_file *file = domain;
    uint64_t chunks = (file->size_bytes + CHUNK_BYTES_MAX - 1) / CHUNK_BYTES_MAX;
    if (file->chunk_count != chunks)
        return wire_refuse(path, "chunks", STATUS_INVALID, fault,
                           "are %" PRIu32 " where %" PRIu64 " bytes make %" PRIu64,
                           file->chunk_count, file->size_bytes, chunks);
    return STATUS_OK;
}

const struct wire_message wire_message_bundle_file = WIRE_MESSAGE(bundle_file, check_file);
/* as submitted: the peer reads the files and fills in sizes and chunks */
static const struct wire_message message_submitted_file = WIRE_MESSAGE(bundle_file, NULL);

static const struct wire_row job_limits_rows[] = {
    ROW_COUNTER(job_limits, memory_bytes),
    ROW_COUNTER(job_limits, scratch_bytes),
    ROW_U32(job_limits, processes, 0, WIRE_PROCESSES_MAX),
    ROW_BOOL(job_limits, network),
};

static const struct wire_message message_job_limits = WIRE_MESSAGE(job_limits, NULL);

#define SPECIFICATION_ROWS(file_message)                                                           \
    ROW_NAME_OPTIONAL(job_specification, job), ROW_MEMBER_OPTIONAL(job_specification, home),       \
        ROW_TEXTS(job_specification, arguments, argument_count, wire_rule_lines, 1,                \
                  ARGUMENTS_PER_JOB_MAX, TEXT_BYTES_MAX),                                          \
        ROW_TEXTS(job_specification, variables, variable_count, wire_rule_variable, 0,             \
                  VARIABLES_PER_JOB_MAX, TEXT_BYTES_MAX),                                          \
        ROW_STRUCTS(job_specification, files, file_count, bundle_file, file_message, 0,            \
                    FILES_PER_BUNDLE_MAX),                                                         \
        ROW_TEXT(job_specification, checkpoint_path, wire_rule_relative_path, 0, PATH_BYTES_MAX),  \
        ROW_TEXTS(job_specification, results, result_count, wire_rule_relative_path, 0,            \
                  WIRE_RESULTS_MAX, PATH_BYTES_MAX),                                               \
        ROW_STRUCTS(job_specification, data_sets, data_set_count, data_set, message_data_set, 0,   \
                    DATA_SETS_PER_JOB_MAX),                                                        \
        ROW_STRUCT(job_specification, limits, job_limits, message_job_limits)

static const struct wire_row job_specification_rows[] = {
    SPECIFICATION_ROWS(wire_message_bundle_file),
};
static const struct wire_row submitted_rows[] = {
    SPECIFICATION_ROWS(message_submitted_file),
};

static enum status check_specification(const void *domain, const struct wire_path *path,
                                       struct fault *fault)
{
    const struct job_specification *specification = domain;
    if (name_empty(&specification->job))
        return wire_refuse(path, "job", STATUS_INVALID, fault, "is missing");
    if (name_empty(&specification->home))
        return wire_refuse(path, "home", STATUS_INVALID, fault, "is missing");
    return STATUS_OK;
}

const struct wire_message message_job_specification =
    WIRE_MESSAGE(job_specification, check_specification);
const struct wire_message wire_message_submitted_specification =
    WIRE_MESSAGE_AS(job_specification, job_specification, submitted_rows, NULL);
