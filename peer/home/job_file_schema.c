/* The schema of the job file: which keys there are and of which type. What they mean is checked in
 * job_file.c. */
#include "peer/home/job_file_schema.h"

#include "base/domain/limits.h"

#define TEXTS(key, type, member, most)                                                             \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member,        \
                               member##_count, &text_schema, 0, most)

static const struct cyaml_schema_value text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_BYTES_MAX),
};

static const struct cyaml_schema_field gpus_fields[] = {
    YAML_COUNT("min", struct file_job_gpus, min),
    YAML_COUNT("max", struct file_job_gpus, max),
    TEXTS("kinds", struct file_job_gpus, kinds, GPU_KINDS_PER_JOB_MAX),
    YAML_TRUTH("one_node", struct file_job_gpus, one_node),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field data_set_fields[] = {
    YAML_NEEDED_WORD("name", struct file_job_data_set, name),
    YAML_WORD("size", struct file_job_data_set, size),
    TEXTS("places", struct file_job_data_set, places, PLACES_PER_DATA_SET_MAX),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value data_set_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_job_data_set, data_set_fields),
};

static const struct cyaml_schema_field hint_fields[] = {
    YAML_NEEDED_WORD("gpu", struct file_job_hint, gpu),
    CYAML_FIELD_UINT("gpus", CYAML_FLAG_DEFAULT, struct file_job_hint, gpus),
    CYAML_FIELD_FLOAT("examples_per_second", CYAML_FLAG_DEFAULT, struct file_job_hint,
                      examples_per_second),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value hint_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_job_hint, hint_fields),
};

static const struct cyaml_schema_field limits_fields[] = {
    YAML_WORD("memory", struct file_job_limits, memory),
    YAML_WORD("scratch", struct file_job_limits, scratch),
    YAML_COUNT("processes", struct file_job_limits, processes),
    YAML_TRUTH("network", struct file_job_limits, network),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field job_fields[] = {
    CYAML_FIELD_SEQUENCE_COUNT("command", CYAML_FLAG_POINTER, struct file_job, command,
                               command_count, &text_schema, 1, ARGUMENTS_PER_JOB_MAX),
    TEXTS("files", struct file_job, files, FILES_PER_BUNDLE_MAX),
    TEXTS("environment", struct file_job, environment, VARIABLES_PER_JOB_MAX),
    YAML_WORD("model", struct file_job, model),
    CYAML_FIELD_UINT("batch", CYAML_FLAG_DEFAULT, struct file_job, batch),
    YAML_COUNT("batch_per_gpu_max", struct file_job, batch_per_gpu_max),
    CYAML_FIELD_FLOAT("examples", CYAML_FLAG_DEFAULT, struct file_job, examples),
    CYAML_FIELD_MAPPING("gpus", CYAML_FLAG_OPTIONAL, struct file_job, gpus, gpus_fields),
    CYAML_FIELD_FLOAT("value_per_example", CYAML_FLAG_DEFAULT, struct file_job, value_per_example),
    CYAML_FIELD_FLOAT_PTR("price_max", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_job,
                          price_max),
    YAML_WORD("deadline", struct file_job, deadline),
    YAML_COUNT("retries", struct file_job, retries),
    YAML_WORD("placement", struct file_job, placement),
    YAML_WORD("checkpoint", struct file_job, checkpoint),
    TEXTS("results", struct file_job, results, FILES_PER_BUNDLE_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("data_sets", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_job, data_sets, data_sets_count, &data_set_schema, 0,
                               DATA_SETS_PER_JOB_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("throughput", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_job, throughput, throughput_count, &hint_schema, 0,
                               HINTS_PER_JOB_MAX),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct file_job, limits, limits_fields),
    CYAML_FIELD_END,
};

const struct cyaml_schema_value job_file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_job, job_fields),
};
