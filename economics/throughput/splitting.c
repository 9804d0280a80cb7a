#include "economics/throughput/splitting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "economics/throughput/probe.h"

/* Folds are the same in every run. */
#define FOLD_SEED 6

static const struct split_rule {
    const char *name;
    bool numbered;
} split_rules[] = {
    [SPLIT_IN_SAMPLE] = {"in-sample", false},    [SPLIT_FOLDS] = {"folds", false},
    [SPLIT_EXTRAPOLATE] = {"extrapolate", true}, [SPLIT_LEAVE_CLUSTER] = {"leave-cluster", true},
    [SPLIT_LEAVE_MODEL] = {"leave-model", true},
};

enum status split_parse(const char *text, struct split *split, struct fault *fault)
{
    for (size_t i = 0; i < sizeof split_rules / sizeof split_rules[0]; i++) {
        size_t const length = strlen(split_rules[i].name);
        if (strncmp(text, split_rules[i].name, length) != 0)
            continue;
        const char *rest = text + length;
        *split = (struct split){(enum split_kind)i, 0};
        if (!split_rules[i].numbered && *rest == '\0')
            return STATUS_OK;
        if (!split_rules[i].numbered || *rest != ':' || rest[1] < '0' || rest[1] > '9')
            continue;
        char *end;
        errno = 0;
        unsigned long const number = strtoul(rest + 1, &end, 10);
        if (*end != '\0' || errno != 0 || number == 0 || number > THROUGHPUT_GPUS_MAX)
            continue;
        split->number = (uint32_t)number;
        return STATUS_OK;
    }
    return fault_set(
        fault, STATUS_INVALID,
        "split '%.60s': give in-sample, folds, extrapolate:GPUS, leave-cluster:ROWS or "
        "leave-model:ROWS",
        text);
}

struct placed {
    const struct measurement *row;
    uint32_t index;
};

static int compare_placed(const void *left, const void *right)
{
    const struct placed *x = left;
    const struct placed *y = right;
    const struct measurement *a = x->row;
    const struct measurement *b = y->row;
    uint32_t const keys_a[] = {a->model,
                               a->cluster,
                               a->configuration.nodes,
                               a->configuration.gpus,
                               a->configuration.gpus_on_fullest,
                               a->configuration.servers};
    uint32_t const keys_b[] = {b->model,
                               b->cluster,
                               b->configuration.nodes,
                               b->configuration.gpus,
                               b->configuration.gpus_on_fullest,
                               b->configuration.servers};
    for (size_t k = 0; k < sizeof keys_a / sizeof keys_a[0]; k++)
        if (keys_a[k] != keys_b[k])
            return keys_a[k] < keys_b[k] ? -1 : 1;
    return 0;
}

/* Whole placements of a pair go round the folds, from a random one and in random order. */
static enum status deal_placements(struct fold *fold, struct fault *fault)
{
    uint32_t const rows = fold->measurements->row_count;
    struct placed *placed = arena_alloc(fold->arena, rows, sizeof *placed);
    fold->part = arena_alloc(fold->arena, rows, sizeof *fold->part);
    if (placed == NULL || fold->part == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for folds");
    for (uint32_t i = 0; i < rows; i++)
        placed[i] = (struct placed){&fold->measurements->rows[i], i};
    qsort(placed, rows, sizeof *placed, compare_placed);
    struct rng rng;
    rng_init(&rng, FOLD_SEED, 0);
    uint32_t deck[EVALUATE_FOLDS];
    uint32_t dealt = EVALUATE_FOLDS;
    for (uint32_t i = 0; i < rows; i++) {
        if (i == 0 || compare_placed(&placed[i - 1], &placed[i]) != 0)
            dealt++;
        if (dealt >= EVALUATE_FOLDS) {
            for (uint32_t k = 0; k < EVALUATE_FOLDS; k++) {
                uint32_t const at = (uint32_t)rng_below(&rng, k + 1);
                deck[k] = deck[at];
                deck[at] = k;
            }
            dealt = 0;
        }
        fold->part[placed[i].index] = deck[dealt];
    }
    return STATUS_OK;
}

enum status fold_init(struct fold *fold, const struct measurements *measurements,
                      const struct split *split, struct arena *arena, struct fault *fault)
{
    *fold =
        (struct fold){.measurements = measurements, .split = *split, .arena = arena, .count = 1};
    fold->train = arena_alloc(arena, measurements->row_count, sizeof *fold->train);
    fold->test = arena_alloc(arena, measurements->row_count, sizeof *fold->test);
    if (fold->train == NULL || fold->test == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for folds");
    switch (split->kind) {
    case SPLIT_IN_SAMPLE:
    case SPLIT_EXTRAPOLATE: return STATUS_OK;
    case SPLIT_LEAVE_CLUSTER: fold->count = measurements->cluster_count; return STATUS_OK;
    case SPLIT_LEAVE_MODEL: fold->count = measurements->model_count; return STATUS_OK;
    case SPLIT_FOLDS: fold->count = EVALUATE_FOLDS; break;
    }
    return deal_placements(fold, fault);
}

static void put(struct fold *fold, uint32_t row, bool train, bool test)
{
    if (train)
        fold->train[fold->train_count++] = row;
    if (test)
        fold->test[fold->test_count++] = row;
}

/* The rows of one pair: those probe.h chooses are kept, the others tried. */
static enum status leave_pair(struct fold *fold, struct probe *probe, uint32_t model,
                              uint32_t cluster, struct fault *fault)
{
    const struct measurements *of = fold->measurements;
    uint32_t *rows = arena_alloc(fold->arena, of->row_count, sizeof *rows);
    struct configuration *available = arena_alloc(fold->arena, of->row_count, sizeof *available);
    bool *chosen = arena_alloc(fold->arena, of->row_count, sizeof *chosen);
    if (rows == NULL || available == NULL || chosen == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for folds");
    uint32_t count = 0;
    for (uint32_t i = 0; i < of->row_count; i++)
        if (of->rows[i].model == model && of->rows[i].cluster == cluster) {
            rows[count] = i;
            available[count++] = of->rows[i].configuration;
        }
    (void)probe_choose(probe, available, count, fold->split.number, chosen);
    for (uint32_t i = 0; i < count; i++)
        put(fold, rows[i], chosen[i], !chosen[i]);
    return STATUS_OK;
}

static enum status leave_out(struct fold *fold, uint32_t at, struct fault *fault)
{
    const struct measurements *of = fold->measurements;
    bool const clusters = fold->split.kind == SPLIT_LEAVE_CLUSTER;
    for (uint32_t i = 0; i < of->row_count; i++)
        if ((clusters ? of->rows[i].cluster : of->rows[i].model) != at)
            put(fold, i, true, false);
    struct probe probe;
    probe_begin(&probe, clusters ? PROBE_NEW_PAIR : PROBE_NEW_MODEL);
    enum status status = STATUS_OK;
    uint32_t const others = clusters ? of->model_count : of->cluster_count;
    for (uint32_t other = 0; other < others && status == STATUS_OK; other++)
        status = leave_pair(fold, &probe, clusters ? other : at, clusters ? at : other, fault);
    return status;
}

enum status fold_choose(struct fold *fold, uint32_t at, struct fault *fault)
{
    const struct measurements *of = fold->measurements;
    fold->train_count = 0;
    fold->test_count = 0;
    if (fold->split.kind == SPLIT_LEAVE_CLUSTER || fold->split.kind == SPLIT_LEAVE_MODEL)
        return leave_out(fold, at, fault);
    for (uint32_t i = 0; i < of->row_count; i++) {
        bool out = false;
        if (fold->split.kind == SPLIT_FOLDS)
            out = fold->part[i] == at;
        else if (fold->split.kind == SPLIT_EXTRAPOLATE)
            out = of->rows[i].configuration.gpus > fold->split.number;
        put(fold, i, !out, out || fold->split.kind == SPLIT_IN_SAMPLE);
    }
    return STATUS_OK;
}
