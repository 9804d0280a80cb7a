#include "economics/throughput/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/throughput/probe.h"

#define COVERAGE 0.9
/* 90% of a Student-t with four degrees lies within this many of its scales. */
#define FACTOR_PRIOR 2.13
/* The prior counts as much as this many pairs (or twenty times as many placements). */
#define PRIOR_PAIRS 3.0

enum {
    FOLDS = 5,        /* one placement in so many is left out */
    BEYOND_SHARE = 3, /* rows over a third of a pair's largest number of GPUs are left out */
    PROBES = 3        /* rows that a cluster or model keeps */
};

/* Standardised errors of one kind of leaving out. */
struct scores {
    double *values; /* [count], capacity: rows × rounds */
    uint32_t count;
    uint32_t pairs;
};

struct trial {
    const struct fit_set *set;
    const struct fit_state *fitted;
    size_t memory_bytes_max;
    bool *keep;   /* by row */
    bool *target; /* pairs whose left-out rows count */
};

static enum status try_measured(struct trial *trial, struct scores *scores, struct fault *fault);
static enum status try_beyond(struct trial *trial, struct scores *scores, struct fault *fault);
static enum status try_sparse(struct trial *trial, bool clusters, struct scores *scores,
                              struct fault *fault);
static double factor_of(struct scores *scores);

enum status calibrate(const struct fit_set *set, const struct fit_state *fitted,
                      size_t memory_bytes_max, struct calibration *calibration,
                      struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, memory_bytes_max);
    struct trial trial = {set, fitted, memory_bytes_max,
                          arena_alloc(&arena, set->row_count, sizeof(bool)),
                          arena_alloc(&arena, set->pair_count, sizeof(bool))};
    struct scores scores[REACH_COUNT] = {{NULL, 0, 0}};
    enum status status = STATUS_OK;
    for (int r = 0; r < REACH_COUNT; r++) {
        scores[r].values = arena_alloc(&arena, (size_t)set->row_count * 2, sizeof(double));
        if (scores[r].values == NULL || trial.keep == NULL || trial.target == NULL)
            status = fault_set(fault, STATUS_NO_MEMORY, "no memory to calibrate intervals");
    }
    if (status == STATUS_OK)
        status = try_measured(&trial, &scores[REACH_MEASURED], fault);
    if (status == STATUS_OK)
        status = try_beyond(&trial, &scores[REACH_BEYOND], fault);
    if (status == STATUS_OK)
        status = try_sparse(&trial, true, &scores[REACH_SPARSE], fault);
    if (status == STATUS_OK)
        status = try_sparse(&trial, false, &scores[REACH_SPARSE], fault);
    for (int r = 0; status == STATUS_OK && r < REACH_COUNT; r++) {
        calibration->evidence[r] = scores[r].count;
        calibration->factor[r] = factor_of(&scores[r]);
    }
    /* Of a pair without a row nothing better is known than of one with a few. */
    calibration->factor[REACH_NEW] = calibration->factor[REACH_SPARSE];
    arena_fini(&arena);
    return status;
}

/* Fits without the rows that are not kept and scores those of target pairs. */
static enum status score(struct trial *trial, struct scores *scores, struct fault *fault)
{
    const struct fit_set *set = trial->set;
    struct arena arena;
    arena_init(&arena, trial->memory_bytes_max);
    struct fit_state state;
    enum status const status =
        fit_state_run(set, trial->keep, trial->fitted, &arena, &state, fault);
    for (uint32_t p = 0; status == STATUS_OK && p < set->pair_count; p++) {
        uint32_t const before = scores->count;
        const struct fit_pair *pair = &set->pairs[p];
        for (uint32_t i = pair->first; trial->target[p] && i < pair->first + pair->count; i++) {
            if (trial->keep[i])
                continue;
            const struct fit_row *row = &set->rows[i];
            struct fit_forecast const forecast = fit_state_forecast(
                &state, p, &row->input, row->source->configuration.batch);
            scores->values[scores->count++] =
                fabs(row->log_seconds - forecast.log_seconds) / forecast.deviation;
        }
        scores->pairs += scores->count > before ? 1 : 0;
    }
    arena_fini(&arena);
    return status;
}

/* One placement in FOLDS, spread by its number. */
static enum status try_measured(struct trial *trial, struct scores *scores, struct fault *fault)
{
    const struct fit_set *set = trial->set;
    for (uint32_t p = 0; p < set->pair_count; p++)
        trial->target[p] = true;
    for (uint32_t i = 0; i < set->row_count; i++)
        trial->keep[i] = set->rows[i].group % FOLDS != FOLDS / 2;
    return score(trial, scores, fault);
}

static enum status try_beyond(struct trial *trial, struct scores *scores, struct fault *fault)
{
    const struct fit_set *set = trial->set;
    for (uint32_t p = 0; p < set->pair_count; p++) {
        const struct fit_pair *pair = &set->pairs[p];
        uint32_t most = trial->fitted->pairs[p].gpus_max / BEYOND_SHARE;
        if (most < 2)
            most = 2;
        for (uint32_t i = pair->first; i < pair->first + pair->count; i++)
            trial->keep[i] = set->rows[i].source->configuration.gpus <= most;
        trial->target[p] = true;
    }
    return score(trial, scores, fault);
}

static enum status thin_pair(struct trial *trial, uint32_t p, struct fault *fault)
{
    const struct fit_pair *pair = &trial->set->pairs[p];
    struct arena arena;
    arena_init(&arena, trial->memory_bytes_max);
    struct configuration *available = arena_alloc(&arena, pair->count, sizeof *available);
    for (uint32_t i = 0; available != NULL && i < pair->count; i++)
        available[i] = trial->set->rows[pair->first + i].source->configuration;
    if (available != NULL)
        (void)probe_choose(available, pair->count, PROBES, &trial->keep[pair->first]);
    arena_fini(&arena);
    return available != NULL
               ? STATUS_OK
               : fault_set(fault, STATUS_NO_MEMORY, "no memory for %u rows", pair->count);
}

static enum status try_sparse(struct trial *trial, bool clusters, struct scores *scores,
                              struct fault *fault)
{
    const struct fit_set *set = trial->set;
    uint32_t const count = clusters ? set->cluster_count : set->model_count;
    uint32_t const tried = count < CALIBRATION_GROUPS_MAX ? count : CALIBRATION_GROUPS_MAX;
    enum status status = STATUS_OK;
    for (uint32_t t = 0; t < tried && status == STATUS_OK; t++) {
        /* spread over all where there are more than are tried */
        uint32_t const out = (uint32_t)((uint64_t)t * count / tried);
        memset(trial->keep, true, set->row_count * sizeof *trial->keep);
        for (uint32_t p = 0; p < set->pair_count && status == STATUS_OK; p++) {
            uint32_t const of = clusters ? set->pairs[p].cluster : set->pairs[p].model;
            trial->target[p] = of == out &&
                               trial->fitted->pairs[p].group_count >= FIT_PLACEMENTS_KNOWN;
            if (of == out)
                status = thin_pair(trial, p, fault);
        }
        if (status == STATUS_OK)
            status = score(trial, scores, fault);
    }
    return status;
}

static int compare_doubles(const void *left, const void *right)
{
    double const a = *(const double *)left;
    double const b = *(const double *)right;
    return (a > b) - (a < b);
}

static double factor_of(struct scores *scores)
{
    if (scores->count == 0)
        return FACTOR_PRIOR;
    qsort(scores->values, scores->count, sizeof *scores->values, compare_doubles);
    uint32_t const at = (uint32_t)(COVERAGE * (scores->count - 1));
    double const found = fmax(scores->values[at], 0.1);
    double const pairs = scores->pairs;
    return exp((pairs * log(found) + PRIOR_PAIRS * log(FACTOR_PRIOR)) / (pairs + PRIOR_PAIRS));
}
