/* The schema of the configuration file: which keys there are and of which type. What they mean is
 * checked in config.c. */
#include "peer/config_schema.h"

#include "base/domain/limits.h"
#include "base/file.h"

static const struct cyaml_schema_value text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_BYTES_MAX),
};

static const struct cyaml_schema_field pool_fields[] = {
    YAML_NEEDED_WORD("gpu", struct file_pool, gpu),
    CYAML_FIELD_UINT("nodes", CYAML_FLAG_DEFAULT, struct file_pool, nodes),
    CYAML_FIELD_UINT("gpus_per_node", CYAML_FLAG_DEFAULT, struct file_pool, gpus_per_node),
    YAML_COUNT("first_device", struct file_pool, first_device),
    YAML_NUMBER("cost", struct file_pool, cost),
    YAML_NUMBER("reserve", struct file_pool, reserve),
    YAML_COUNT("foreign_gpus_max", struct file_pool, foreign_gpus_max),
    YAML_TRUTH("accept_unenforced", struct file_pool, accept_unenforced),
    CYAML_FIELD_SEQUENCE_COUNT("variables", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_pool, variables, variables_count, &text_schema, 0,
                               VARIABLES_PER_JOB_MAX),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value pool_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_pool, pool_fields),
};

static const struct cyaml_schema_field affinity_fields[] = {
    YAML_NEEDED_WORD("member", struct file_affinity, member),
    CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct file_affinity, value),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value affinity_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_affinity, affinity_fields),
};

static const struct cyaml_schema_field data_set_fields[] = {
    YAML_NEEDED_WORD("name", struct file_data_set, name),
    YAML_NEEDED_WORD("path", struct file_data_set, path),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value data_set_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_data_set, data_set_fields),
};

static const struct cyaml_schema_field executor_fields[] = {
    YAML_TRUTH("sandbox", struct file_executor, sandbox),
    YAML_WORD("bwrap", struct file_executor, bwrap),
    YAML_WORD("memory", struct file_executor, memory),
    YAML_WORD("scratch", struct file_executor, scratch),
    YAML_WORD("staging", struct file_executor, staging),
    YAML_COUNT("processes", struct file_executor, processes),
    YAML_TRUTH("network", struct file_executor, network),
    YAML_COUNT("first_uid", struct file_executor, first_uid),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field config_fields[] = {
    YAML_NEEDED_WORD("member", struct file_peer_config, member),
    YAML_NEEDED_WORD("state_directory", struct file_peer_config, state_directory),
    YAML_NEEDED_WORD("listen", struct file_peer_config, listen),
    YAML_WORD("advertise", struct file_peer_config, advertise),
    YAML_NEEDED_WORD("broker", struct file_peer_config, broker),
    YAML_WORD("socket", struct file_peer_config, socket),
    YAML_WORD("socket_group", struct file_peer_config, socket_group),
    YAML_WORD("stop_grace", struct file_peer_config, stop_grace),
    YAML_WORD("broker_away", struct file_peer_config, broker_away),
    YAML_WORD("profile", struct file_peer_config, profile),
    YAML_WORD("start_patience", struct file_peer_config, start_patience),
    YAML_WORD("jobs_on_exit", struct file_peer_config, jobs_on_exit),
    YAML_NUMBER("default_affinity", struct file_peer_config, default_affinity),
    YAML_NUMBER("budget_per_round", struct file_peer_config, budget_per_round),
    CYAML_FIELD_SEQUENCE_COUNT("pools", CYAML_FLAG_POINTER, struct file_peer_config, pools,
                               pools_count, &pool_schema, 0, POOLS_PER_MEMBER_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("affinities", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_peer_config, affinities, affinities_count,
                               &affinity_schema, 0, MEMBERS_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("data_sets", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_peer_config, data_sets, data_sets_count,
                               &data_set_schema, 0, MEMBERS_MAX),
    CYAML_FIELD_MAPPING("executor", CYAML_FLAG_OPTIONAL, struct file_peer_config, executor,
                        executor_fields),
    CYAML_FIELD_END,
};

const struct cyaml_schema_value peer_config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_peer_config, config_fields),
};
