#include "broker/config_file.h"

#include "base/file.h"

enum { THROUGHPUT_ROWS_MAX = 100000 };

#define GROUP(key, member, fields)                                                                 \
    CYAML_FIELD_MAPPING(key, CYAML_FLAG_OPTIONAL, struct file_config, member, fields)

static const struct cyaml_schema_field listen_fields[] = {
    YAML_NEEDED_WORD("members", struct file_listen, members),
    YAML_NEEDED_WORD("enrolment", struct file_listen, enrolment),
    YAML_COUNT("enrolments_per_minute", struct file_listen, enrolments_per_minute),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field operators_fields[] = {
    YAML_WORD("socket", struct file_operators, socket),
    YAML_WORD("group", struct file_operators, group),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field rounds_fields[] = {
    YAML_WORD("period", struct file_rounds, period),
    YAML_WORD("lead", struct file_rounds, lead),
    YAML_WORD("interim_delay", struct file_rounds, interim_delay),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field leases_fields[] = {
    YAML_WORD("holdover", struct file_leases, holdover),
    YAML_WORD("grace", struct file_leases, grace),
    YAML_WORD("clock_skew", struct file_leases, clock_skew),
    YAML_WORD("accept_within", struct file_leases, accept_within),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field certificates_fields[] = {
    YAML_WORD("member", struct file_certificates, member),
    YAML_WORD("broker", struct file_certificates, broker),
    YAML_WORD("intermediate", struct file_certificates, intermediate),
    YAML_WORD("root", struct file_certificates, root),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field credits_fields[] = {
    YAML_NUMBER("limit", struct file_credits, limit),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field split_fields[] = {
    YAML_WORD("mechanism", struct file_split, mechanism),
    YAML_WORD("funding", struct file_split, funding),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field quotas_fields[] = {
    YAML_COUNT("jobs_per_member", struct file_quotas, jobs_per_member),
    YAML_COUNT("gpus_per_job", struct file_quotas, gpus_per_job),
    YAML_COUNT("calls_per_second", struct file_quotas, calls_per_second),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field quarantine_fields[] = {
    YAML_COUNT("failures", struct file_quarantine, failures),
    YAML_WORD("window", struct file_quarantine, window),
    YAML_WORD("pause", struct file_quarantine, pause),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field settlement_fields[] = {
    YAML_WORD("period", struct file_settlement, period),
    YAML_WORD("due", struct file_settlement, due),
    YAML_WORD("silence", struct file_settlement, silence),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field costs_fields[] = {
    YAML_WORD("restart", struct file_costs, restart),
    YAML_NUMBER("transfer_bytes_per_second", struct file_costs, transfer_bytes_per_second),
    YAML_NUMBER("credits_per_gigabyte", struct file_costs, credits_per_gigabyte),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field learning_fields[] = {
    YAML_WORD("rows", struct file_learning, rows),
    YAML_WORD("model", struct file_learning, model),
    YAML_WORD("update", struct file_learning, update),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_field throughput_fields[] = {
    YAML_NEEDED_WORD("model", struct file_throughput, model),
    YAML_NEEDED_WORD("gpu", struct file_throughput, gpu),
    CYAML_FIELD_UINT("gpus", CYAML_FLAG_DEFAULT, struct file_throughput, gpus),
    CYAML_FIELD_FLOAT("examples_per_second", CYAML_FLAG_DEFAULT, struct file_throughput,
                      examples_per_second),
    CYAML_FIELD_END,
};

static const struct cyaml_schema_value throughput_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_throughput, throughput_fields),
};

static const struct cyaml_schema_field file_fields[] = {
    YAML_NEEDED_WORD("federation", struct file_config, federation),
    YAML_NEEDED_WORD("state_directory", struct file_config, state_directory),
    YAML_NEEDED_WORD("public_host", struct file_config, public_host),
    YAML_WORD("heartbeat_period", struct file_config, heartbeat_period),
    CYAML_FIELD_MAPPING("listen", CYAML_FLAG_DEFAULT, struct file_config, listen, listen_fields),
    GROUP("operators", operators, operators_fields),
    GROUP("rounds", rounds, rounds_fields),
    GROUP("leases", leases, leases_fields),
    GROUP("certificates", certificates, certificates_fields),
    GROUP("credits", credits, credits_fields),
    GROUP("split", split, split_fields),
    GROUP("quotas", quotas, quotas_fields),
    GROUP("quarantine", quarantine, quarantine_fields),
    GROUP("settlement", settlement, settlement_fields),
    GROUP("costs", costs, costs_fields),
    GROUP("learning", learning, learning_fields),
    CYAML_FIELD_SEQUENCE("throughput", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_config,
                         throughput, &throughput_schema, 0, THROUGHPUT_ROWS_MAX),
    CYAML_FIELD_END,
};

const struct cyaml_schema_value config_file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_config, file_fields),
};
