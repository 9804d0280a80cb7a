/* The schema of the configuration file: which keys there are and of which type. What they mean is
 * checked in config.c. */
#include "peer/config_schema.h"

#include "base/domain/limits.h"
#include "base/file.h"

#define WORD(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1,         \
                           FILE_PATH_MAX - 1)
#define NEEDED_WORD(key, type, member)                                                             \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, FILE_PATH_MAX - 1)
#define COUNT(key, type, member)                                                                   \
    CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define NUMBER(key, type, member)                                                                  \
    CYAML_FIELD_FLOAT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define TRUTH(key, type, member)                                                                   \
    CYAML_FIELD_BOOL_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)

static const struct cyaml_schema_value text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_BYTES_MAX),
};

static const struct cyaml_schema_field pool_fields[] = {
    NEEDED_WORD("gpu", struct file_pool, gpu),
    CYAML_FIELD_UINT("nodes", CYAML_FLAG_DEFAULT, struct file_pool, nodes),
    CYAML_FIELD_UINT("gpus_per_node", CYAML_FLAG_DEFAULT, struct file_pool, gpus_per_node),
    COUNT("first_device", struct file_pool, first_device),
    NUMBER("cost", struct file_pool, cost),
    NUMBER("reserve", struct file_pool, reserve),
    COUNT("foreign_gpus_max", struct file_pool, foreign_gpus_max),
    TRUTH("accept_unenforced", struct file_pool, accept_unenforced),
    CYAML_FIELD_SEQUENCE_COUNT("variables", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                               struct file_pool, variables, variables_count, &text_schema, 0,
                               VARIABLES_PER_JOB_MAX),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value pool_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_pool, pool_fields),
};

static const struct cyaml_schema_field affinity_fields[] = {
    NEEDED_WORD("member", struct file_affinity, member),
    CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct file_affinity, value),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value affinity_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_affinity, affinity_fields),
};

static const struct cyaml_schema_field data_set_fields[] = {
    NEEDED_WORD("name", struct file_data_set, name),
    NEEDED_WORD("path", struct file_data_set, path),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value data_set_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_data_set, data_set_fields),
};

static const struct cyaml_schema_field executor_fields[] = {
    TRUTH("sandbox", struct file_executor, sandbox),
    WORD("bwrap", struct file_executor, bwrap),
    WORD("memory", struct file_executor, memory),
    WORD("scratch", struct file_executor, scratch),
    COUNT("processes", struct file_executor, processes),
    TRUTH("network", struct file_executor, network),
    COUNT("first_uid", struct file_executor, first_uid),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field config_fields[] = {
    NEEDED_WORD("member", struct file_peer_config, member),
    NEEDED_WORD("state_directory", struct file_peer_config, state_directory),
    NEEDED_WORD("listen", struct file_peer_config, listen),
    WORD("advertise", struct file_peer_config, advertise),
    NEEDED_WORD("broker", struct file_peer_config, broker),
    WORD("socket", struct file_peer_config, socket),
    WORD("socket_group", struct file_peer_config, socket_group),
    WORD("stop_grace", struct file_peer_config, stop_grace),
    WORD("broker_away", struct file_peer_config, broker_away),
    WORD("start_patience", struct file_peer_config, start_patience),
    WORD("jobs_on_exit", struct file_peer_config, jobs_on_exit),
    NUMBER("default_affinity", struct file_peer_config, default_affinity),
    NUMBER("budget_per_round", struct file_peer_config, budget_per_round),
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
