#include "peer/config.h"

#include <grp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/config_schema.h"
#include "peer/files/file_reading.h"

enum { MEMBER_BYTES_MAX = NAME_BYTES_MAX - 1 - 20 /* a dash and any 64-bit number */ };

static void read_places(struct reading *reading, const struct file_peer_config *file,
                        struct peer_config *config);
static void read_socket(struct reading *reading, const struct file_peer_config *file,
                        struct peer_config *config);
static void read_pools(struct reading *reading, const struct file_peer_config *file,
                       struct peer_config *config);
static void read_affinities(struct reading *reading, const struct file_peer_config *file,
                            struct peer_config *config);
static void read_data_sets(struct reading *reading, const struct file_peer_config *file,
                           struct peer_config *config);
static void read_executor(struct reading *reading, const struct file_executor *file,
                          struct config_executor *executor);
static void read_times(struct reading *reading, const struct file_peer_config *file,
                       struct peer_config *config);

enum status peer_config_load(const char *file, struct arena *arena, struct peer_config *config,
                             struct fault *fault)
{
    void *data = NULL;
    enum status status = yaml_load(file, &peer_config_schema, arena, &data, fault);
    if (status != STATUS_OK)
        return status;
    const struct file_peer_config *loaded = data;
    struct reading reading = {.file = file, .arena = arena, .fault = fault};
    *config = (struct peer_config){0};
    read_places(&reading, loaded, config);
    read_socket(&reading, loaded, config);
    read_pools(&reading, loaded, config);
    read_affinities(&reading, loaded, config);
    read_data_sets(&reading, loaded, config);
    read_executor(&reading, &loaded->executor, &config->executor);
    read_times(&reading, loaded, config);
    return reading.status;
}

static void read_places(struct reading *reading, const struct file_peer_config *file,
                        struct peer_config *config)
{
    config->member = file_reading_member(reading, "member", file->member);
    if (strlen(config->member.text) > MEMBER_BYTES_MAX)
        file_reading_refuse(reading, "member",
                            "is longer than %d letters: jobs are named MEMBER-NUMBER",
                            MEMBER_BYTES_MAX);
    file_reading_path(reading, "state_directory", file->state_directory, config->state_directory);
    file_reading_address(reading, "listen", file->listen, config->listen);
    if (file->advertise != NULL)
        file_reading_address(reading, "advertise", file->advertise, config->advertised);
    file_reading_address(reading, "broker", file->broker, config->broker);
    bool everywhere =
        strncmp(config->listen, "0.0.0.0:", 8) == 0 || strncmp(config->listen, "[::]:", 5) == 0;
    if (everywhere && config->advertised[0] == '\0')
        file_reading_refuse(reading, "listen",
                            "'%s' is no address that others can dial: say which with 'advertise'",
                            config->listen);
}

static void read_socket(struct reading *reading, const struct file_peer_config *file,
                        struct peer_config *config)
{
    config->socket_gid = -1;
    if (file->socket != NULL)
        file_reading_path(reading, "socket", file->socket, config->socket);
    else if (snprintf(config->socket, FILE_PATH_MAX, "%s/peer.sock", config->state_directory) >=
             FILE_PATH_MAX)
        file_reading_refuse(reading, "state_directory", "the path is too long for a socket in it");
    if (file->socket_group == NULL)
        return;
    const struct group *group = getgrnam(file->socket_group);
    if (group == NULL)
        file_reading_refuse(reading, "socket_group", "this machine has no group '%.80s'",
                            file->socket_group);
    else
        config->socket_gid = (int64_t)group->gr_gid;
}

static void read_pool(struct reading *reading, const struct file_pool *file, uint32_t index,
                      struct config_pool *pool)
{
    char key[YAML_PATH_MAX];
#define KEY(member) (snprintf(key, sizeof key, "pools[%u].%s", index, member), key)
    pool->gpu = file_reading_name(reading, KEY("gpu"), file->gpu);
    pool->nodes = file_reading_count(reading, KEY("nodes"), &file->nodes, 1, 1, NODES_PER_POOL_MAX);
    pool->gpus_per_node = file_reading_count(reading, KEY("gpus_per_node"), &file->gpus_per_node, 1,
                                             1, GPUS_PER_NODE_MAX);
    pool->first_device =
        file_reading_count(reading, KEY("first_device"), file->first_device, 0, 0, 65535);
    pool->cost = file_reading_price(reading, KEY("cost"), file->cost);
    pool->reserve = file_reading_price(reading, KEY("reserve"), file->reserve);
    pool->foreign_gpus_max = file->foreign_gpus_max != NULL ? *file->foreign_gpus_max : UINT32_MAX;
    pool->accept_unenforced = file->accept_unenforced != NULL && *file->accept_unenforced;
    pool->variables = file_reading_alloc(reading, file->variables_count, sizeof *pool->variables);
    for (uint32_t v = 0; v < file->variables_count && pool->variables != NULL; v++)
        pool->variables[pool->variable_count++] =
            file_reading_variable(reading, KEY("variables"), file->variables[v]);
#undef KEY
}

static int compare_pools(const void *a, const void *b)
{
    const struct config_pool *left = a, *right = b;
    return name_compare(&left->gpu, &right->gpu);
}

static void read_pools(struct reading *reading, const struct file_peer_config *file,
                       struct peer_config *config)
{
    config->pools = file_reading_alloc(reading, file->pools_count, sizeof *config->pools);
    if (config->pools == NULL)
        return;
    for (uint32_t p = 0; p < file->pools_count; p++)
        read_pool(reading, &file->pools[p], p, &config->pools[p]);
    config->pool_count = file->pools_count;
    if (config->pool_count > 0)
        qsort(config->pools, config->pool_count, sizeof *config->pools, compare_pools);
    for (uint32_t p = 1; p < config->pool_count; p++)
        if (name_equal(&config->pools[p - 1].gpu, &config->pools[p].gpu))
            file_reading_refuse(reading, "pools",
                                "there are two pools of kind %s: one pool holds all GPUs of a kind",
                                config->pools[p].gpu.text);
}

static int compare_affinities(const void *a, const void *b)
{
    const struct affinity *left = a, *right = b;
    return name_compare(&left->host, &right->host);
}

static uint32_t share_ppm(struct reading *reading, const char *key, const double *value,
                          double default_value)
{
    return (uint32_t)lround(file_reading_number(reading, key, value, default_value, 0.0, 1.0) *
                            PPM);
}

static void read_affinities(struct reading *reading, const struct file_peer_config *file,
                            struct peer_config *config)
{
    config->default_affinity_ppm =
        share_ppm(reading, "default_affinity", file->default_affinity, 1.0);
    config->affinities =
        file_reading_alloc(reading, file->affinities_count, sizeof *config->affinities);
    for (uint32_t a = 0; a < file->affinities_count && config->affinities != NULL; a++) {
        char key[YAML_PATH_MAX];
        snprintf(key, sizeof key, "affinities[%u].member", a);
        config->affinities[a].host = file_reading_member(reading, key, file->affinities[a].member);
        snprintf(key, sizeof key, "affinities[%u].value", a);
        config->affinities[a].value_ppm = share_ppm(reading, key, &file->affinities[a].value, 1.0);
        config->affinity_count++;
    }
    if (config->affinity_count > 0)
        qsort(config->affinities, config->affinity_count, sizeof *config->affinities,
              compare_affinities);
    for (uint32_t a = 1; a < config->affinity_count; a++)
        if (name_equal(&config->affinities[a - 1].host, &config->affinities[a].host))
            file_reading_refuse(reading, "affinities", "member %s is there twice",
                                config->affinities[a].host.text);
    config->budget_per_round = (struct credits){-1};
    if (file->budget_per_round != NULL &&
        !credits_from_double(file_reading_number(reading, "budget_per_round",
                                                 file->budget_per_round, 0.0, 0.0, 1e12),
                             &config->budget_per_round))
        file_reading_refuse(reading, "budget_per_round", "is too large");
}

static void read_data_sets(struct reading *reading, const struct file_peer_config *file,
                           struct peer_config *config)
{
    config->data_sets =
        file_reading_alloc(reading, file->data_sets_count, sizeof *config->data_sets);
    for (uint32_t d = 0; d < file->data_sets_count && config->data_sets != NULL; d++) {
        char key[YAML_PATH_MAX], path[FILE_PATH_MAX] = "";
        snprintf(key, sizeof key, "data_sets[%u].name", d);
        config->data_sets[d].name = file_reading_name(reading, key, file->data_sets[d].name);
        snprintf(key, sizeof key, "data_sets[%u].path", d);
        file_reading_path(reading, key, file->data_sets[d].path, path);
        config->data_sets[d].path = arena_copy_text(reading->arena, path, strlen(path));
        config->data_set_count++;
    }
}

static void read_executor(struct reading *reading, const struct file_executor *file,
                          struct config_executor *executor)
{
    executor->sandbox = file->sandbox == NULL || *file->sandbox;
    executor->bwrap = file->bwrap;
    executor->memory_bytes = file_reading_size(reading, "executor.memory", file->memory, 0);
    executor->scratch_bytes = file_reading_size(reading, "executor.scratch", file->scratch, 0);
    executor->staging_bytes = file_reading_size(reading, "executor.staging", file->staging, 0);
    executor->processes =
        file_reading_count(reading, "executor.processes", file->processes, 0, 1, 1000000);
    executor->network = file->network != NULL && *file->network;
    executor->first_uid =
        file_reading_count(reading, "executor.first_uid", file->first_uid, 0, 0, 0x7fffffff);
}

static void read_times(struct reading *reading, const struct file_peer_config *file,
                       struct peer_config *config)
{
    config->stop_grace_ms =
        file_reading_duration(reading, "stop_grace", file->stop_grace, 30 * MS_PER_SECOND, 100);
    config->broker_away_ms =
        file_reading_duration(reading, "broker_away", file->broker_away, 60 * MS_PER_SECOND, 100);
    config->profile_ms =
        file_reading_duration(reading, "profile", file->profile, 15 * MS_PER_SECOND, 0);
    config->start_patience_ms = file_reading_duration(
        reading, "start_patience", file->start_patience, 600 * MS_PER_SECOND, MS_PER_SECOND);
    const char *on_exit = file->jobs_on_exit != NULL ? file->jobs_on_exit : "keep";
    config->stop_jobs_on_exit = strcmp(on_exit, "stop") == 0;
    if (!config->stop_jobs_on_exit && strcmp(on_exit, "keep") != 0)
        file_reading_refuse(reading, "jobs_on_exit", "'%.40s' is neither keep nor stop", on_exit);
}

const struct config_pool *config_pool_find(const struct peer_config *config, const struct name *gpu)
{
    for (uint32_t p = 0; p < config->pool_count; p++)
        if (name_equal(&config->pools[p].gpu, gpu))
            return &config->pools[p];
    return NULL;
}

const struct config_data_set *config_data_set_find(const struct peer_config *config,
                                                   const struct name *name)
{
    for (uint32_t d = 0; d < config->data_set_count; d++)
        if (name_equal(&config->data_sets[d].name, name))
            return &config->data_sets[d];
    return NULL;
}
