/* The configuration file as it is written, for libcyaml: absent values are NULL. Private to
 * config*.c. */
#ifndef ENTENTE_PEER_CONFIG_SCHEMA_H
#define ENTENTE_PEER_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/yaml.h"

struct file_pair {
    char *name;
    char *value;
};

struct file_pool {
    char *gpu;
    uint32_t nodes;
    uint32_t gpus_per_node;
    uint32_t *first_device;
    double *cost;
    double *reserve;
    uint32_t *foreign_gpus_max;
    bool *accept_unenforced;
    char **variables;
    uint32_t variables_count;
};

struct file_affinity {
    char *member;
    double value;
};

struct file_data_set {
    char *name;
    char *path;
};

struct file_executor {
    bool *sandbox;
    char *bwrap;
    char *memory;
    char *scratch;
    char *staging;
    uint32_t *processes;
    bool *network;
    uint32_t *first_uid;
};

struct file_peer_config {
    char *member;
    char *state_directory;
    char *listen;
    char *advertise;
    char *broker;
    char *socket;
    char *socket_group;
    char *stop_grace;
    char *broker_away;
    char *profile;
    char *start_patience;
    char *jobs_on_exit;
    double *default_affinity;
    double *budget_per_round;
    struct file_pool *pools;
    uint32_t pools_count;
    struct file_affinity *affinities;
    uint32_t affinities_count;
    struct file_data_set *data_sets;
    uint32_t data_sets_count;
    struct file_executor executor;
};

extern const struct cyaml_schema_value peer_config_schema;

#endif
