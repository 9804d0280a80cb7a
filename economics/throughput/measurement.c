#include "economics/throughput/measurement.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { ROWS_AT_FIRST = 1024 };

struct configuration configuration_even(uint32_t gpus, uint32_t nodes, double batch)
{
    assert(nodes > 0);
    return (struct configuration){.gpus = gpus,
                                  .nodes = nodes,
                                  .gpus_on_fullest = (gpus + nodes - 1) / nodes,
                                  .batch = batch,
                                  .accumulation = 1};
}

static bool within(double value, double least, double most)
{
    return isfinite(value) && value >= least && value <= most;
}

enum status configuration_check(const struct configuration *of, struct fault *fault)
{
    if (of->gpus < 1 || of->gpus > THROUGHPUT_GPUS_MAX)
        return fault_set(fault, STATUS_INVALID, "%u GPUs: give 1 to %u", of->gpus,
                         THROUGHPUT_GPUS_MAX);
    if (of->nodes < 1 || of->nodes > of->gpus)
        return fault_set(fault, STATUS_INVALID,
                         "%u nodes for %u GPUs: give one node at least and a GPU on each",
                         of->nodes, of->gpus);
    if (of->gpus_on_fullest < (of->gpus + of->nodes - 1) / of->nodes ||
        of->gpus_on_fullest > of->gpus - of->nodes + 1)
        return fault_set(fault, STATUS_INVALID,
                         "%u GPUs on the fullest of %u nodes can't be: there are %u GPUs",
                         of->gpus_on_fullest, of->nodes, of->gpus);
    if (!within(of->batch, 1e-9, THROUGHPUT_BATCH_MAX))
        return fault_set(fault, STATUS_INVALID, "batch %g: give a positive number, %g at most",
                         of->batch, THROUGHPUT_BATCH_MAX);
    if (of->accumulation < 1 || of->accumulation > THROUGHPUT_ACCUMULATION_MAX)
        return fault_set(fault, STATUS_INVALID, "accumulation %u: give 1 to %u passes a step",
                         of->accumulation, THROUGHPUT_ACCUMULATION_MAX);
    if (of->servers > THROUGHPUT_GPUS_MAX)
        return fault_set(fault, STATUS_INVALID, "%u parameter servers: give %u at most",
                         of->servers, THROUGHPUT_GPUS_MAX);
    if (of->network_gbps != 0 && !within(of->network_gbps, 1e-6, THROUGHPUT_NETWORK_GBPS_MAX))
        return fault_set(fault, STATUS_INVALID,
                         "network of %g Gbit/s: give a positive number, %g at most",
                         of->network_gbps, THROUGHPUT_NETWORK_GBPS_MAX);
    return STATUS_OK;
}

void measurements_init(struct measurements *set, struct arena *arena)
{
    memset(set, 0, sizeof *set);
    set->arena = arena;
}

/* The index of a name, added where it is new; UINT32_MAX where the list is full. */
static uint32_t intern(struct name *names, uint32_t *count, uint32_t most, const struct name *name)
{
    for (uint32_t i = 0; i < *count; i++)
        if (name_equal(&names[i], name))
            return i;
    if (*count == most)
        return UINT32_MAX;
    names[*count] = *name;
    return (*count)++;
}

static enum status grow(struct measurements *set, struct fault *fault)
{
    if (set->row_count < set->row_capacity)
        return STATUS_OK;
    uint32_t const capacity = set->row_capacity == 0 ? ROWS_AT_FIRST : set->row_capacity * 2;
    struct measurement *rows = arena_alloc(set->arena, capacity, sizeof *rows);
    if (rows == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u measurements", capacity);
    if (set->row_count > 0)
        memcpy(rows, set->rows, set->row_count * sizeof *rows);
    set->rows = rows;
    set->row_capacity = capacity;
    return STATUS_OK;
}

enum status measurements_add(struct measurements *set, const char *model, const char *cluster,
                             const struct measurement *row, struct fault *fault)
{
    struct name model_name;
    struct name cluster_name;
    enum status status = name_parse(&model_name, "model", model, fault);
    if (status == STATUS_OK)
        status = name_parse(&cluster_name, "cluster", cluster, fault);
    if (status == STATUS_OK)
        status = configuration_check(&row->configuration, fault);
    if (status != STATUS_OK)
        return status;
    if (!within(row->seconds, THROUGHPUT_SECONDS_MIN, THROUGHPUT_SECONDS_MAX))
        return fault_set(fault, STATUS_INVALID, "a step of %g s: no step takes that (%g to %g)",
                         row->seconds, THROUGHPUT_SECONDS_MIN, THROUGHPUT_SECONDS_MAX);
    if (set->row_count == THROUGHPUT_ROWS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "over %u measurements: give fewer",
                         THROUGHPUT_ROWS_MAX);
    status = grow(set, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t const m = intern(set->models, &set->model_count, THROUGHPUT_MODELS_MAX, &model_name);
    uint32_t const c =
        intern(set->clusters, &set->cluster_count, THROUGHPUT_CLUSTERS_MAX, &cluster_name);
    if (m == UINT32_MAX || c == UINT32_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "over %u models or %u clusters: split the data",
                         THROUGHPUT_MODELS_MAX, THROUGHPUT_CLUSTERS_MAX);
    set->rows[set->row_count] = *row;
    set->rows[set->row_count].model = (uint16_t)m;
    set->rows[set->row_count].cluster = (uint16_t)c;
    set->row_count++;
    return STATUS_OK;
}
