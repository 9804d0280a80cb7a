/* Alibaba's node and pod lists as an instance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "economics/market/market.h"
#include "economics/market/instance/trace.h"
#include "economics/market/instance/trace_csv.h"

enum { MODELS_MAX = 64, NODES_MAX = 1000000, PODS_MAX = MARKET_JOBS_MAX };

/* Training speed and cost of a T4 and of others relative to it. Assumptions: from public
 * benchmarks, rounded; the trace's G1 to G3 are not disclosed. Others: as a T4. */
static const struct kind {
    const char *model;
    double speed;
} kinds[] = {{"P100", 1.4}, {"V100M16", 2.6}, {"V100M32", 2.6}, {"A10", 2.1},
             {"G2", 2.1},   {"G3", 5.5},      {"A100", 5.5}};

#define T4_COST 0.0001 /* credits per GPU-second */

/* What a T4-second is worth, in its costs. */
static const struct quality {
    const char *qos;
    double worth;
} qualities[] = {{"LS", 3}, {"Guaranteed", 2.5}, {"Burstable", 2}, {"BE", 1.5}};

enum { NODE_SN, NODE_GPU, NODE_MODEL };
enum { POD_NAME, POD_GPUS, POD_SPEC, POD_QOS, POD_CREATED, POD_DELETED };

static const char *const node_columns[] = {"sn", "gpu", "model", NULL};
static const char *const pod_columns[] = {"name",          "num_gpu",       "gpu_spec", "qos",
                                          "creation_time", "deletion_time", NULL};

struct node {
    uint32_t gpus;
    uint32_t model;
};

struct pool {
    uint32_t gpus;
    uint32_t per_node; /* the least */
};

struct seen {
    struct name name;
    uint32_t line;
};

struct importing {
    const struct trace_options *options;
    struct arena *arena;
    FILE *to;
    struct trace_notes *notes;
    struct name models[MODELS_MAX];
    uint32_t model_count;
    struct node *nodes;
    uint32_t node_count;
    struct pool *pools; /* [members × MODELS_MAX] */
    struct seen *seen;  /* names so far of the file that is read */
    uint32_t seen_count;
};

static enum status read_nodes(struct importing *in, const char *path, struct fault *fault);
static enum status make_pools(struct importing *in, struct fault *fault);
static void write_pools(struct importing *in);
static enum status write_pods(struct importing *in, const char *path, struct fault *fault);

enum status trace_alibaba(const char *nodes, const char *pods, const struct trace_options *options,
                          struct arena *arena, FILE *to, struct trace_notes *notes,
                          struct fault *fault)
{
    *notes = (struct trace_notes){0};
    struct importing *in = arena_alloc(arena, 1, sizeof *in);
    if (in == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the trace");
    *in = (struct importing){.options = options, .arena = arena, .to = to, .notes = notes};
    enum status status = read_nodes(in, nodes, fault);
    if (status == STATUS_OK)
        status = make_pools(in, fault);
    if (status != STATUS_OK)
        return status;
    fputs("{\"round_seconds\": 300,\n", to);
    char(*names)[64] = arena_alloc(arena, options->members, sizeof *names);
    if (names == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the members");
    for (uint32_t m = 0; m < options->members; m++)
        snprintf(names[m], sizeof names[m], "m%u", m);
    trace_write_members((const char(*)[64])names, options->members, options->affinity, to);
    write_pools(in);
    status = write_pods(in, pods, fault);
    fputs("]}\n", to);
    return status;
}

static enum status open_list(struct importing *in, struct trace_csv *csv, const char *path,
                             const char *const *columns, uint32_t rows_max, struct fault *fault)
{
    struct bytes text = {0};
    enum status status = file_read(path, TRACE_BYTES_MAX, in->arena, &text, fault);
    if (status != STATUS_OK)
        return status;
    size_t rows = 1;
    for (size_t i = 0; i < text.size; i++)
        rows += text.data[i] == '\n';
    if (rows > rows_max)
        return fault_set(fault, STATUS_INVALID, "%s: more than %u rows", path, rows_max);
    in->seen = arena_alloc(in->arena, rows, sizeof *in->seen);
    in->nodes = in->nodes != NULL ? in->nodes : arena_alloc(in->arena, rows, sizeof *in->nodes);
    in->seen_count = 0;
    if (in->seen == NULL || in->nodes == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "%s: no memory for its rows", path);
    size_t required = 0;
    while (columns[required] != NULL)
        required++;
    return trace_csv_open(csv, path, text, columns, required, fault);
}

static int compare_seen(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    int const by_name = name_compare(&a->name, &b->name);
    return by_name != 0 ? by_name : (a->line > b->line) - (a->line < b->line);
}

static enum status refuse_twice(struct importing *in, const struct trace_csv *csv,
                                struct fault *fault)
{
    if (in->seen_count > 0)
        qsort(in->seen, in->seen_count, sizeof *in->seen, compare_seen);
    for (uint32_t i = 1; i < in->seen_count; i++)
        if (name_equal(&in->seen[i - 1].name, &in->seen[i].name))
            return fault_set(fault, STATUS_INVALID, "%s:%u: '%s' is there already, on line %u",
                             csv->name, in->seen[i].line, in->seen[i].name.text,
                             in->seen[i - 1].line);
    return STATUS_OK;
}

/* -- Nodes ------------------------------------------------------------------------------------- */

/* MODELS_MAX where it is none of ours. */
static uint32_t model_of(const struct importing *in, const char *text, size_t length)
{
    for (uint32_t k = 0; k < in->model_count; k++)
        if (strlen(in->models[k].text) == length && memcmp(in->models[k].text, text, length) == 0)
            return k;
    return MODELS_MAX;
}

static enum status read_node(struct importing *in, const struct trace_csv *csv, struct fault *fault)
{
    struct node *node = &in->nodes[in->node_count];
    struct seen *seen = &in->seen[in->seen_count++];
    struct name model;
    seen->line = csv->line;
    enum status status = trace_csv_name(csv, NODE_SN, &seen->name, fault);
    if (status == STATUS_OK)
        status = trace_csv_whole(csv, NODE_GPU, GPUS_PER_NODE_MAX, &node->gpus, fault);
    if (status != STATUS_OK || node->gpus == 0)
        return status;
    status = trace_csv_name(csv, NODE_MODEL, &model, fault);
    if (status != STATUS_OK)
        return status;
    node->model = model_of(in, model.text, strlen(model.text));
    if (node->model == MODELS_MAX) {
        if (in->model_count == MODELS_MAX)
            return trace_csv_fault(csv, NODE_MODEL, "more than 64 models", fault);
        node->model = in->model_count;
        in->models[in->model_count++] = model;
    }
    in->node_count++;
    return STATUS_OK;
}

static enum status read_nodes(struct importing *in, const char *path, struct fault *fault)
{
    struct trace_csv csv;
    bool there = true;
    enum status status = open_list(in, &csv, path, node_columns, NODES_MAX, fault);
    while (status == STATUS_OK && there) {
        status = trace_csv_next(&csv, &there, fault);
        if (status == STATUS_OK && there)
            status = read_node(in, &csv, fault);
    }
    return status == STATUS_OK ? refuse_twice(in, &csv, fault) : status;
}

static enum status make_pools(struct importing *in, struct fault *fault)
{
    uint32_t const members = in->options->members;
    in->pools = arena_alloc(in->arena, (size_t)members * MODELS_MAX, sizeof *in->pools);
    if (in->pools == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the pools");
    for (uint32_t n = 0; n < in->node_count; n++) {
        const struct node *node = &in->nodes[n];
        uint64_t const member = (uint64_t)n * members / in->node_count;
        struct pool *pool = &in->pools[member * MODELS_MAX + node->model];
        pool->gpus += node->gpus;
        if (pool->per_node == 0 || node->gpus < pool->per_node)
            pool->per_node = node->gpus;
        if (pool->gpus / pool->per_node >= NODES_PER_POOL_MAX)
            return fault_set(fault, STATUS_INVALID,
                             "more than %d nodes of '%s' at one member: take more --members",
                             NODES_PER_POOL_MAX, in->models[node->model].text);
    }
    return STATUS_OK;
}

static double speed_of(const struct importing *in, uint32_t model)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].model, in->models[model].text) == 0)
            return kinds[i].speed;
    return 1;
}

static void write_pools(struct importing *in)
{
    const char *comma = "";
    fputs(" \"pools\": [", in->to);
    for (uint32_t m = 0; m < in->options->members; m++)
        for (uint32_t k = 0; k < in->model_count; k++) {
            const struct pool *pool = &in->pools[(size_t)m * MODELS_MAX + k];
            if (pool->gpus == 0)
                continue;
            fprintf(in->to,
                    "%s\n  {\"id\": \"m%u/%s\", \"member\": \"m%u\", \"gpu\": \"%s\", \"gpus\": "
                    "%u, \"gpus_per_node\": %u, \"cost\": %.6f}",
                    comma, m, in->models[k].text, m, in->models[k].text, pool->gpus, pool->per_node,
                    T4_COST * speed_of(in, k));
            comma = ",";
        }
    fputs("],\n", in->to);
}

/* -- Pods -------------------------------------------------------------------------------------- */

struct pod {
    struct name name;
    uint32_t gpus;
    double created;
    double deleted;
    double worth;
    uint64_t models; /* bit k: may run on models[k] */
};

/* "V100M16|V100M32"; empty: any. A model that no node has allows nothing. */
static enum status read_spec(const struct importing *in, const struct trace_csv *csv,
                             struct pod *pod, struct fault *fault)
{
    const char *spec = trace_csv_text(csv, POD_SPEC);
    pod->models = spec[0] == '\0' ? UINT64_MAX : 0;
    for (const char *at = spec; *at != '\0';) {
        size_t const length = strcspn(at, "|");
        if (length == 0 || (at[length] == '|' && at[length + 1] == '\0'))
            return trace_csv_fault(csv, POD_SPEC, "an empty model beside |", fault);
        uint32_t const model = model_of(in, at, length);
        if (model < MODELS_MAX)
            pod->models |= UINT64_C(1) << model;
        at += length + (at[length] == '|');
    }
    return STATUS_OK;
}

static enum status read_pod(struct importing *in, const struct trace_csv *csv, struct pod *pod,
                            struct fault *fault)
{
    *pod = (struct pod){.worth = 2};
    enum status status = trace_csv_name(csv, POD_NAME, &pod->name, fault);
    in->seen[in->seen_count++] = (struct seen){.name = pod->name, .line = csv->line};
    if (status == STATUS_OK)
        status = trace_csv_whole(csv, POD_GPUS, GPUS_PER_NODE_MAX, &pod->gpus, fault);
    if (status == STATUS_OK)
        status = trace_csv_number(csv, POD_CREATED, 0, 1e12, &pod->created, fault);
    pod->deleted = HUGE_VAL; /* runs still */
    if (status == STATUS_OK && trace_csv_text(csv, POD_DELETED)[0] != '\0')
        status = trace_csv_number(csv, POD_DELETED, 0, 1e12, &pod->deleted, fault);
    for (size_t i = 0; i < sizeof qualities / sizeof qualities[0]; i++)
        if (strcmp(qualities[i].qos, trace_csv_text(csv, POD_QOS)) == 0)
            pod->worth = qualities[i].worth;
    return status == STATUS_OK ? read_spec(in, csv, pod, fault) : status;
}

static bool may_run(const struct importing *in, const struct pod *pod, uint32_t member,
                    uint32_t model)
{
    return (pod->models >> model & 1) != 0 &&
           in->pools[(size_t)member * MODELS_MAX + model].per_node >= pod->gpus;
}

static void write_pod(struct importing *in, const struct pod *pod)
{
    double const from = in->options->at >= 0 ? in->options->at : pod->created;
    double const remaining = fmax(0, pod->deleted - from);
    bool possible = false;
    fprintf(in->to, "%s\n  {\"id\": \"%s\", \"home\": \"m%u\", \"value\": %.9g, \"one_node\": true",
            in->notes->jobs > 0 ? "," : "", pod->name.text, in->notes->jobs % in->options->members,
            pod->worth * T4_COST);
    if (isfinite(remaining)) /* its GPUs' model isn't told: as if T4s */
        fprintf(in->to, ", \"work_left\": %.15g, \"remaining_seconds\": %.15g",
                remaining * pod->gpus, remaining);
    fputs(", \"configurations\": [", in->to);
    for (uint32_t m = 0; m < in->options->members; m++)
        for (uint32_t k = 0; k < in->model_count; k++) {
            if (!may_run(in, pod, m, k))
                continue;
            fprintf(in->to, "%s{\"pool\": \"m%u/%s\", \"gpus\": %u, \"throughput\": %.6g}",
                    possible ? ", " : "", m, in->models[k].text, pod->gpus,
                    speed_of(in, k) * pod->gpus);
            possible = true;
        }
    fputs("]}", in->to);
    in->notes->not_possible += !possible;
    in->notes->jobs++;
}

static enum status write_pods(struct importing *in, const char *path, struct fault *fault)
{
    struct trace_csv csv;
    bool there = true;
    double const at = in->options->at;
    enum status status = open_list(in, &csv, path, pod_columns, PODS_MAX, fault);
    fputs(" \"jobs\": [", in->to);
    while (status == STATUS_OK && there) {
        struct pod pod;
        status = trace_csv_next(&csv, &there, fault);
        if (status != STATUS_OK || !there)
            break;
        status = read_pod(in, &csv, &pod, fault);
        if (status != STATUS_OK)
            break;
        if (pod.gpus == 0)
            in->notes->without_gpus++;
        else if (at >= 0 && (at < pod.created || at >= pod.deleted))
            in->notes->not_then++;
        else
            write_pod(in, &pod);
    }
    return status == STATUS_OK ? refuse_twice(in, &csv, fault) : status;
}
