#include "economics/throughput/evaluate.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "economics/throughput/baselines.h"
#include "economics/throughput/model.h"
#include "economics/throughput/splitting.h"

const char *evaluate_method_name(enum evaluate_method method)
{
    static const char *const names[METHOD_COUNT] = {"entente", "pollux", "nearest"};
    assert(method < METHOD_COUNT);
    return names[method];
}

/* One prediction of one row; seconds NAN: there is none. */
struct guess {
    double seconds;
    bool covered;
};

struct guesses {
    struct guess *of[METHOD_COUNT]; /* each [row_count] */
};

static enum status guess_fold(const struct measurements *measurements, const struct fold *fold,
                              struct guesses *guesses, struct evaluation *evaluation,
                              struct fault *fault);
static enum status score_all(const struct measurements *measurements, const struct guesses *guesses,
                             struct arena *arena, struct evaluation *evaluation,
                             struct fault *fault);

enum status evaluate(const struct measurements *measurements, const struct split *split,
                     struct arena *arena, struct evaluation *evaluation, struct fault *fault)
{
    *evaluation = (struct evaluation){.pairs = NULL};
    struct guesses guesses;
    struct fold fold;
    enum status status = fold_init(&fold, measurements, split, arena, fault);
    for (int method = 0; method < METHOD_COUNT; method++) {
        guesses.of[method] =
            arena_alloc(arena, measurements->row_count, sizeof *guesses.of[method]);
        if (status == STATUS_OK && guesses.of[method] == NULL)
            status = fault_set(fault, STATUS_NO_MEMORY, "no memory to evaluate");
        for (uint32_t i = 0; status == STATUS_OK && i < measurements->row_count; i++)
            guesses.of[method][i].seconds = (double)NAN;
    }
    for (uint32_t f = 0; status == STATUS_OK && f < fold.count; f++) {
        status = fold_choose(&fold, f, fault);
        if (status == STATUS_OK && fold.test_count > 0 && fold.train_count > 0)
            status = guess_fold(measurements, &fold, &guesses, evaluation, fault);
    }
    if (status == STATUS_OK && evaluation->fits == 0)
        status = fault_set(fault, STATUS_INVALID,
                           "the split leaves nothing to predict: give more rows or another split");
    return status == STATUS_OK ? score_all(measurements, &guesses, arena, evaluation, fault)
                               : status;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NANOS_PER_CREDIT;
}

/* The pair of the training set, or UINT32_MAX. */
static uint32_t find_pair(const struct fit_set *set, const struct measurement *row)
{
    for (uint32_t p = 0; p < set->pair_count; p++)
        if (set->pairs[p].model == row->model && set->pairs[p].cluster == row->cluster)
            return p;
    return UINT32_MAX;
}

static enum status guess_ours(const struct measurements *measurements, const struct fold *fold,
                              struct arena *arena, struct guess *guesses,
                              struct evaluation *evaluation, struct fault *fault)
{
    const struct throughput_model *model;
    double const start = now_seconds();
    enum status status =
        model_fit(measurements, fold->train, fold->train_count, NULL, arena, &model, fault);
    evaluation->fit_seconds += now_seconds() - start;
    evaluation->fits++;
    for (uint32_t t = 0; status == STATUS_OK && t < fold->test_count; t++) {
        const struct measurement *row = &measurements->rows[fold->test[t]];
        struct prediction prediction;
        status =
            model_predict(model, row->model, row->cluster, &row->configuration, &prediction, fault);
        if (status == STATUS_OK)
            guesses[fold->test[t]] =
                (struct guess){prediction.seconds, row->seconds >= prediction.seconds_low &&
                                                       row->seconds <= prediction.seconds_high};
    }
    return status;
}

static enum status guess_baselines(const struct measurements *measurements, const struct fold *fold,
                                   struct arena *arena, struct guesses *guesses,
                                   struct fault *fault)
{
    struct fit_set set;
    struct pollux pollux;
    struct nearest_baseline nearest;
    enum status status =
        fit_set_make(measurements, fold->train, fold->train_count, NULL, arena, &set, fault);
    if (status == STATUS_OK)
        status = pollux_fit(&set, arena, &pollux, fault);
    if (status == STATUS_OK)
        status = nearest_prepare(&set, arena, &nearest, fault);
    for (uint32_t t = 0; status == STATUS_OK && t < fold->test_count; t++) {
        const struct measurement *row = &measurements->rows[fold->test[t]];
        uint32_t const pair = find_pair(&set, row);
        if (pair == UINT32_MAX)
            continue;
        guesses->of[METHOD_POLLUX][fold->test[t]].seconds =
            pollux_predict(&pollux, pair, &row->configuration);
        guesses->of[METHOD_NEAREST][fold->test[t]].seconds =
            nearest_predict(&nearest, pair, &row->configuration);
    }
    return status;
}

static enum status guess_fold(const struct measurements *measurements, const struct fold *fold,
                              struct guesses *guesses, struct evaluation *evaluation,
                              struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        guess_ours(measurements, fold, &arena, guesses->of[METHOD_OURS], evaluation, fault);
    if (status == STATUS_OK)
        status = guess_baselines(measurements, fold, &arena, guesses, fault);
    arena_fini(&arena);
    return status;
}

/* -- Scores ------------------------------------------------------------------------------------ */

static int compare_doubles(const void *left, const void *right)
{
    double const a = *(const double *)left;
    double const b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Over all rows, or those of one model and cluster. */
static struct score score_of(const struct measurements *measurements, const struct guess *guesses,
                             const struct evaluation_pair *only, bool interval, double *errors)
{
    struct score score = {0, (double)NAN, (double)NAN, (double)NAN};
    double sum = 0;
    uint32_t covered = 0;
    for (uint32_t i = 0; i < measurements->row_count; i++) {
        const struct measurement *row = &measurements->rows[i];
        if (isnan(guesses[i].seconds) ||
            (only != NULL && (!name_equal(&only->model, &measurements->models[row->model]) ||
                              !name_equal(&only->cluster, &measurements->clusters[row->cluster]))))
            continue;
        double const error = 100 * fabs(guesses[i].seconds - row->seconds) / row->seconds;
        errors[score.rows++] = error;
        sum += error;
        covered += guesses[i].covered ? 1 : 0;
    }
    if (score.rows == 0)
        return score;
    qsort(errors, score.rows, sizeof *errors, compare_doubles);
    score.median_ape = (errors[(score.rows - 1) / 2] + errors[score.rows / 2]) / 2;
    score.mean_ape = sum / score.rows;
    if (interval)
        score.coverage90 = 100.0 * covered / score.rows;
    return score;
}

static enum status score_all(const struct measurements *measurements, const struct guesses *guesses,
                             struct arena *arena, struct evaluation *evaluation,
                             struct fault *fault)
{
    double *errors = arena_alloc(arena, measurements->row_count, sizeof *errors);
    uint32_t const most = measurements->model_count * measurements->cluster_count;
    evaluation->pairs = arena_alloc(arena, most, sizeof *evaluation->pairs);
    if (errors == NULL || evaluation->pairs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for scores");
    for (int method = 0; method < METHOD_COUNT; method++)
        evaluation->overall[method] =
            score_of(measurements, guesses->of[method], NULL, method == METHOD_OURS, errors);
    for (uint32_t k = 0; k < most; k++) {
        struct evaluation_pair *pair = &evaluation->pairs[evaluation->pair_count];
        pair->model = measurements->models[k / measurements->cluster_count];
        pair->cluster = measurements->clusters[k % measurements->cluster_count];
        for (int method = 0; method < METHOD_COUNT; method++)
            pair->scores[method] =
                score_of(measurements, guesses->of[method], pair, method == METHOD_OURS, errors);
        if (pair->scores[METHOD_OURS].rows > 0)
            evaluation->pair_count++;
    }
    return STATUS_OK;
}
