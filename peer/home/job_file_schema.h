/* The job file as it is written, for libcyaml: absent values are NULL. Private to job_file*.c. */
#ifndef ENTENTE_PEER_HOME_JOB_FILE_SCHEMA_H
#define ENTENTE_PEER_HOME_JOB_FILE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/yaml.h"

struct file_job_gpus {
    uint32_t *min;
    uint32_t *max;
    char **kinds;
    uint32_t kinds_count;
    bool *one_node;
};

struct file_job_data_set {
    char *name;
    char *size;
    char **places;
    uint32_t places_count;
};

struct file_job_hint {
    char *gpu;
    uint32_t gpus;
    double examples_per_second;
};

struct file_job_limits {
    char *memory;
    char *scratch;
    uint32_t *processes;
    bool *network;
};

struct file_job {
    const char **command;
    uint32_t command_count;
    const char **files;
    uint32_t files_count;
    const char **environment;
    uint32_t environment_count;
    char *model;
    uint32_t batch;
    uint32_t *batch_per_gpu_max;
    double examples;
    struct file_job_gpus gpus;
    double value_per_example;
    double *price_max;
    char *deadline;
    uint32_t *retries;
    char *placement;
    char *checkpoint;
    const char **results;
    uint32_t results_count;
    struct file_job_data_set *data_sets;
    uint32_t data_sets_count;
    struct file_job_hint *throughput;
    uint32_t throughput_count;
    struct file_job_limits limits;
};

extern const struct cyaml_schema_value job_file_schema;

#endif
