#include "economics/throughput/effects.h"

#include <stdlib.h>
#include <string.h>

/* A batch's median counts in full after many placements: n / (n + this). */
#define PSEUDO_PLACEMENTS 5.0
/* A model's effect counts in full when many pairs show it. */
#define PSEUDO_PAIRS 1.0

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_residuals(const void *left, const void *right)
{
    const struct batch_residual *a = left;
    const struct batch_residual *b = right;
    int const by_batch = compare(a->batch, b->batch);
    if (by_batch != 0)
        return by_batch;
    if (a->pair != b->pair)
        return a->pair < b->pair ? -1 : 1;
    return compare(a->residual, b->residual);
}

static double median_of(const struct batch_residual *sorted, uint32_t count)
{
    return (sorted[(count - 1) / 2].residual + sorted[count / 2].residual) / 2;
}

static double trust(uint32_t placements)
{
    return placements / (placements + PSEUDO_PLACEMENTS);
}

/* The end of the run of one batch and pair that starts here. */
static uint32_t run_end(const struct batch_residual *sorted, uint32_t start, uint32_t count)
{
    uint32_t end = start;
    while (end < count && sorted[end].pair == sorted[start].pair &&
           compare(sorted[end].batch, sorted[start].batch) == 0)
        end++;
    return end;
}

void effects_of_model(struct batch_residual *residuals, uint32_t count,
                      struct batch_effects *effects)
{
    effects->count = 0;
    if (count > 0)
        qsort(residuals, count, sizeof *residuals, compare_residuals);
    double sum = 0;
    double weight = 0;
    for (uint32_t start = 0, end; start < count; start = end) {
        end = run_end(residuals, start, count);
        double const own = trust(end - start);
        sum += own * median_of(&residuals[start], end - start);
        weight += own;
        if (end < count && compare(residuals[end].batch, residuals[start].batch) == 0)
            continue;
        effects->of[effects->count++] =
            (struct batch_effect){residuals[start].batch, sum / (weight + PSEUDO_PAIRS)};
        sum = 0;
        weight = 0;
    }
}

static struct batch_effect *find(const struct batch_effects *effects, double batch)
{
    uint32_t low = 0;
    uint32_t high = effects->count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        if (effects->of[middle].batch < batch)
            low = middle + 1;
        else
            high = middle;
    }
    return low < effects->count && compare(effects->of[low].batch, batch) == 0 ? &effects->of[low]
                                                                               : NULL;
}

double effects_at(const struct batch_effects *effects, double batch)
{
    const struct batch_effect *found = find(effects, batch);
    return found != NULL ? found->effect : 0;
}

void effects_of_pair(struct batch_residual *residuals, uint32_t count,
                     const struct batch_effects *model, struct batch_effects *effects)
{
    effects->count = model->count;
    memcpy(effects->of, model->of, model->count * sizeof *model->of);
    if (count > 0)
        qsort(residuals, count, sizeof *residuals, compare_residuals);
    for (uint32_t start = 0, end; start < count; start = end) {
        end = run_end(residuals, start, count);
        struct batch_effect *found = find(effects, residuals[start].batch);
        if (found != NULL)
            found->effect +=
                trust(end - start) * (median_of(&residuals[start], end - start) - found->effect);
    }
}
