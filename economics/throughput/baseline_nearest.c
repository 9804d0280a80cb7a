/*
 * Baselines: the nearest measured configuration.
 */
#include <math.h>
#include <stdlib.h>

#include "economics/throughput/baselines.h"

static double distance(const struct configuration *a, const struct configuration *b)
{
    return fabs(log((double)a->gpus / b->gpus)) + fabs(log((double)a->nodes / b->nodes)) +
           fabs(log(a->batch / b->batch));
}

static const struct fit_row *nearest_row(const struct fit_set *set, uint32_t pair,
                                         const struct configuration *configuration)
{
    const struct fit_pair *of = &set->pairs[pair];
    const struct fit_row *best = NULL;
    double least = HUGE_VAL;
    for (uint32_t i = of->first; i < of->first + of->count; i++) {
        double const away = distance(&set->rows[i].source->configuration, configuration);
        if (away < least) {
            least = away;
            best = &set->rows[i];
        }
    }
    return best;
}

static int compare_doubles(const void *left, const void *right)
{
    double const a = *(const double *)left;
    double const b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Median over the pair's own rows of log(own / nearest of the other). */
static double ratio_of(const struct fit_set *set, uint32_t pair, uint32_t other, double *scratch)
{
    const struct fit_pair *of = &set->pairs[pair];
    for (uint32_t i = 0; i < of->count; i++) {
        const struct fit_row *row = &set->rows[of->first + i];
        scratch[i] =
            row->log_seconds - nearest_row(set, other, &row->source->configuration)->log_seconds;
    }
    qsort(scratch, of->count, sizeof *scratch, compare_doubles);
    return (scratch[(of->count - 1) / 2] + scratch[of->count / 2]) / 2;
}

static uint32_t placements_of(const struct fit_set *set, const struct fit_pair *of)
{
    return set->rows[of->first + of->count - 1].group - set->rows[of->first].group + 1;
}

enum status nearest_prepare(const struct fit_set *set, struct arena *arena,
                            struct nearest_baseline *nearest, struct fault *fault)
{
    size_t const pairs = set->pair_count;
    *nearest = (struct nearest_baseline){set, arena_alloc(arena, pairs * pairs, sizeof(double)),
                                         arena_alloc(arena, pairs, sizeof(uint32_t))};
    double *scratch = arena_alloc(arena, set->row_count, sizeof *scratch);
    if (nearest->log_ratio == NULL || nearest->placements == NULL || scratch == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a baseline");
    for (uint32_t p = 0; p < pairs; p++) {
        nearest->placements[p] = placements_of(set, &set->pairs[p]);
        bool const sparse = nearest->placements[p] < FIT_PLACEMENTS_KNOWN;
        for (uint32_t q = 0; q < pairs; q++)
            nearest->log_ratio[p * pairs + q] =
                sparse && p != q && set->pairs[p].model == set->pairs[q].model
                    ? ratio_of(set, p, q, scratch)
                    : (double)NAN;
    }
    return STATUS_OK;
}

double nearest_predict(const struct nearest_baseline *nearest, uint32_t pair,
                       const struct configuration *configuration)
{
    const struct fit_set *set = nearest->set;
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t q = 0; q < set->pair_count; q++) {
        double const ratio = nearest->log_ratio[(size_t)pair * set->pair_count + q];
        if (isnan(ratio) || nearest->placements[q] < FIT_PLACEMENTS_KNOWN)
            continue;
        sum += ratio + nearest_row(set, q, configuration)->log_seconds;
        count++;
    }
    return count > 0 ? exp(sum / count) : exp(nearest_row(set, pair, configuration)->log_seconds);
}
