/*
 * Config, file: a broker's configuration as it is written, before it is checked: absent values are
 * NULL. Internal to broker/config. Thread rule: constants.
 */
#ifndef ENTENTE_BROKER_CONFIG_FILE_H
#define ENTENTE_BROKER_CONFIG_FILE_H

#include "base/yaml.h"

struct file_throughput {
    char *model;
    char *gpu;
    uint32_t gpus;
    double examples_per_second;
};

struct file_listen {
    char *members;
    char *enrolment;
    uint32_t *enrolments_per_minute;
};

struct file_operators {
    char *socket;
    char *group;
};

struct file_rounds {
    char *period;
    char *lead;
    char *interim_delay;
};

struct file_leases {
    char *holdover;
    char *grace;
    char *clock_skew;
    char *accept_within;
};

struct file_certificates {
    char *member;
    char *broker;
    char *intermediate;
    char *root;
};

struct file_credits {
    double *limit;
};

struct file_split {
    char *mechanism;
    char *funding;
};

struct file_quotas {
    uint32_t *jobs_per_member;
    uint32_t *gpus_per_job;
    uint32_t *calls_per_second;
};

struct file_quarantine {
    uint32_t *failures;
    char *window;
    char *pause;
};

struct file_settlement {
    char *period;
    char *due;
    char *silence;
};

struct file_costs {
    char *restart;
    double *transfer_bytes_per_second;
    double *credits_per_gigabyte;
};

struct file_learning {
    char *rows;
    char *model;
    char *update;
};

struct file_config {
    char *federation;
    char *state_directory;
    char *public_host;
    char *heartbeat_period;
    struct file_listen listen;
    struct file_operators operators;
    struct file_rounds rounds;
    struct file_leases leases;
    struct file_certificates certificates;
    struct file_credits credits;
    struct file_split split;
    struct file_quotas quotas;
    struct file_quarantine quarantine;
    struct file_settlement settlement;
    struct file_costs costs;
    struct file_learning learning;
    struct file_throughput *throughput;
    uint32_t throughput_count;
};

/* A mapping behind a pointer: struct file_config. */
extern const struct cyaml_schema_value config_file_schema;

#endif
