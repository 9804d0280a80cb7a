#include "economics/throughput/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/throughput/probe.h"

#define COVERAGE 0.9
/* 90% of a Student-t with four degrees (the noise of a measurement) lies within this many of its
 * scales; of a normal (what is not known of the parameters, which matters most far off). */
#define FACTOR_NOISE 2.13
#define FACTOR_FAR   1.645
/* The prior counts as much as the left-out rows of this many pairs. */
#define PRIOR_PAIRS 1.0

enum {
    FOLDS = 5,            /* one placement in so many is left out */
    BEYOND_SHARE = 3,     /* rows over a third of a pair's largest number of GPUs are left out, */
    BEYOND_KEPT_GPUS = 4, /* but never those of so few */
};

const uint32_t calibration_rows[SPARSE_TRIALS] = {2, 5, 10};

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
    bool *keep;      /* by row */
    bool *target;    /* pairs whose left-out rows count */
    uint32_t probes; /* rows of a pair that try_sparse keeps */
};

static enum status try_measured(struct trial *trial, struct scores *scores, struct fault *fault);
static enum status try_beyond(struct trial *trial, struct scores *scores, struct fault *fault);
static enum status try_sparse(struct trial *trial, double *factor, struct interval_factors *factors,
                              struct scores *scores, struct fault *fault);
static double factor_of(struct scores *scores, double prior);

enum status calibrate(const struct fit_set *set, const struct fit_state *fitted,
                      size_t memory_bytes_max, struct interval_factors *factors,
                      struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, memory_bytes_max);
    struct trial trial = {set,
                          fitted,
                          memory_bytes_max,
                          arena_alloc(&arena, set->row_count, sizeof(bool)),
                          arena_alloc(&arena, set->pair_count, sizeof(bool)),
                          0};
    struct scores scores = {arena_alloc(&arena, (size_t)set->row_count * 2, sizeof(double)), 0, 0};
    enum status status = STATUS_OK;
    memset(factors, 0, sizeof *factors);
    if (scores.values == NULL || trial.keep == NULL || trial.target == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to calibrate intervals");
    if (status == STATUS_OK)
        status = try_measured(&trial, &scores, fault);
    factors->evidence[REACH_MEASURED] = scores.count;
    factors->measured = factor_of(&scores, FACTOR_NOISE);
    if (status == STATUS_OK)
        status = try_beyond(&trial, &scores, fault);
    factors->evidence[REACH_BEYOND] = scores.count;
    factors->beyond = factor_of(&scores, FACTOR_FAR);
    for (int t = 0; t < SPARSE_TRIALS && status == STATUS_OK; t++) {
        trial.probes = calibration_rows[t];
        status = try_sparse(&trial, &factors->sparse[t], factors, &scores, fault);
    }
    arena_fini(&arena);
    return status;
}

/* Fits without the rows that are not kept and scores those of target pairs that are then as far as
 * `reach` says. */
static enum status score(struct trial *trial, enum throughput_reach reach, struct scores *scores,
                         struct fault *fault)
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
            const struct fit_row *row = &set->rows[i];
            if (trial->keep[i] ||
                fit_reach(&state.pairs[p].coverage, &row->source->configuration) != reach)
                continue;
            struct fit_forecast const forecast = fit_state_forecast(&state, row);
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
    return score(trial, REACH_MEASURED, scores, fault);
}

static enum status try_beyond(struct trial *trial, struct scores *scores, struct fault *fault)
{
    const struct fit_set *set = trial->set;
    for (uint32_t p = 0; p < set->pair_count; p++) {
        const struct fit_pair *pair = &set->pairs[p];
        uint32_t most = trial->fitted->pairs[p].coverage.gpus_max / BEYOND_SHARE;
        if (most < BEYOND_KEPT_GPUS)
            most = BEYOND_KEPT_GPUS;
        for (uint32_t i = pair->first; i < pair->first + pair->count; i++)
            trial->keep[i] = set->rows[i].source->configuration.gpus <= most;
        trial->target[p] = true;
    }
    return score(trial, REACH_BEYOND, scores, fault);
}

static enum status thin_pair(struct trial *trial, struct probe *probe, uint32_t p,
                             struct fault *fault)
{
    const struct fit_pair *pair = &trial->set->pairs[p];
    struct arena arena;
    arena_init(&arena, trial->memory_bytes_max);
    struct configuration *available = arena_alloc(&arena, pair->count, sizeof *available);
    for (uint32_t i = 0; available != NULL && i < pair->count; i++)
        available[i] = trial->set->rows[pair->first + i].source->configuration;
    if (available != NULL)
        (void)probe_choose(probe, available, pair->count, trial->probes, &trial->keep[pair->first]);
    arena_fini(&arena);
    return available != NULL
               ? STATUS_OK
               : fault_set(fault, STATUS_NO_MEMORY, "no memory for %u rows", pair->count);
}

static enum status leave_out(struct trial *trial, bool clusters, struct scores *scores,
                             struct fault *fault)
{
    const struct fit_set *set = trial->set;
    uint32_t const count = clusters ? set->cluster_count : set->model_count;
    uint32_t const tried = count < CALIBRATION_GROUPS_MAX ? count : CALIBRATION_GROUPS_MAX;
    enum status status = STATUS_OK;
    for (uint32_t t = 0; t < tried && status == STATUS_OK; t++) {
        /* spread over all where there are more than are tried */
        uint32_t const out = (uint32_t)((uint64_t)t * count / tried);
        struct probe probe;
        probe_begin(&probe, clusters ? PROBE_NEW_PAIR : PROBE_NEW_MODEL);
        memset(trial->keep, true, set->row_count * sizeof *trial->keep);
        for (uint32_t p = 0; p < set->pair_count && status == STATUS_OK; p++) {
            uint32_t const of = clusters ? set->pairs[p].cluster : set->pairs[p].model;
            trial->target[p] = of == out && trial->fitted->pairs[p].coverage.rows >= FIT_ROWS_KNOWN;
            if (of == out)
                status = thin_pair(trial, &probe, p, fault);
        }
        if (status == STATUS_OK)
            status = score(trial, REACH_SPARSE, scores, fault);
    }
    return status;
}

/* New clusters and new models together, since a question does not say which it is. */
static enum status try_sparse(struct trial *trial, double *factor, struct interval_factors *factors,
                              struct scores *scores, struct fault *fault)
{
    enum status status = leave_out(trial, true, scores, fault);
    if (status == STATUS_OK)
        status = leave_out(trial, false, scores, fault);
    factors->evidence[REACH_SPARSE] += scores->count;
    *factor = factor_of(scores, FACTOR_FAR);
    return status;
}

static int compare_doubles(const void *left, const void *right)
{
    double const a = *(const double *)left;
    double const b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Also empties the scores. */
static double factor_of(struct scores *scores, double prior)
{
    if (scores->count == 0)
        return prior;
    qsort(scores->values, scores->count, sizeof *scores->values, compare_doubles);
    double const pairs = scores->pairs;
    double const found = fmax(scores->values[(uint32_t)(COVERAGE * (scores->count - 1))], 0.1);
    scores->count = 0;
    scores->pairs = 0;
    return exp((pairs * log(found) + PRIOR_PAIRS * log(prior)) / (pairs + PRIOR_PAIRS));
}
