#include "economics/throughput/table.h"

#include <math.h>
#include <stdlib.h>

/* Adding GPUs beyond what was measured never pays in full: each doubling keeps this much of the
 * speed per GPU. */
#define EFFICIENCY_PER_DOUBLING 0.95

/* One stated point of a curve, wherever it came from. */
struct point {
    double gpus;
    double examples_per_second;
};

/* The points of a curve next to the count asked for; at most the last two below it. */
struct neighbours {
    struct point before_lower; /* gpus 0: there is none */
    struct point lower;
    struct point upper;
};

static int compare_key(const struct throughput_row *row, const struct name *model,
                       const struct name *gpu)
{
    int const by_model = name_compare(&row->model, model);
    return by_model != 0 ? by_model : name_compare(&row->gpu, gpu);
}

static int compare_rows(const void *left, const void *right)
{
    const struct throughput_row *a = left;
    const struct throughput_row *b = right;
    int const by_key = compare_key(a, &b->model, &b->gpu);
    if (by_key != 0)
        return by_key;
    return (a->gpus > b->gpus) - (a->gpus < b->gpus);
}

enum status throughput_table_prepare(struct throughput_row *rows, uint32_t row_count,
                                     struct fault *fault)
{
    for (uint32_t i = 0; i < row_count; i++) {
        const struct throughput_row *row = &rows[i];
        if (row->gpus == 0 || !isfinite(row->examples_per_second) || row->examples_per_second <= 0)
            return fault_set(fault, STATUS_INVALID,
                             "throughput of %s on %u %s: give at least one GPU and a positive "
                             "number of examples per second",
                             row->model.text, row->gpus, row->gpu.text);
    }
    if (row_count > 0)
        qsort(rows, row_count, sizeof *rows, compare_rows);
    for (uint32_t i = 1; i < row_count; i++)
        if (compare_rows(&rows[i - 1], &rows[i]) == 0)
            return fault_set(fault, STATUS_INVALID,
                             "throughput of %s on %u %s is stated twice: keep one",
                             rows[i].model.text, rows[i].gpus, rows[i].gpu.text);
    return STATUS_OK;
}

static void meet(struct neighbours *near, struct point point, double gpus)
{
    if (point.gpus <= gpus && point.gpus > near->lower.gpus) {
        near->before_lower = near->lower;
        near->lower = point;
    } else if (point.gpus < near->lower.gpus && point.gpus > near->before_lower.gpus) {
        near->before_lower = point;
    } else if (point.gpus > gpus && (near->upper.gpus == 0 || point.gpus < near->upper.gpus)) {
        near->upper = point;
    }
}

/* log θ is taken as linear in log n between (and, with `slope`, beyond) two points. */
static double slope_between(struct point a, struct point b)
{
    return log(b.examples_per_second / a.examples_per_second) / log(b.gpus / a.gpus);
}

static double at_power(struct point from, double slope, double gpus)
{
    return from.examples_per_second * pow(gpus / from.gpus, slope);
}

static double beyond(const struct neighbours *near, double gpus)
{
    double slope = 1;
    if (near->before_lower.gpus > 0)
        slope = slope_between(near->before_lower, near->lower);
    if (slope > 1)
        slope = 1; /* measured super-linear speed-up is not promised further */
    if (slope < 0)
        slope = 0; /* nor is a slow-down: nobody has to use the GPUs that hurt */
    return at_power(near->lower, slope + log2(EFFICIENCY_PER_DOUBLING), gpus);
}

static double read_curve(const struct neighbours *near, double gpus)
{
    if (near->lower.gpus == 0)
        return near->upper.gpus == 0 ? 0
                                     : near->upper.examples_per_second * gpus / near->upper.gpus;
    if (near->lower.gpus == gpus)
        return near->lower.examples_per_second;
    if (near->upper.gpus == 0)
        return beyond(near, gpus);
    return at_power(near->lower, slope_between(near->lower, near->upper), gpus);
}

/* First row that is not below the key. */
static uint32_t first_row(const struct throughput_table *table, const struct name *model,
                          const struct name *gpu)
{
    uint32_t low = 0;
    uint32_t high = table->row_count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        if (compare_key(&table->rows[middle], model, gpu) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double throughput_predict(const struct throughput_table *table, const struct demand *demand,
                          const struct name *gpu, uint32_t gpus)
{
    struct neighbours near = {.lower = {0}};
    bool stated = false;
    for (uint32_t i = 0; i < demand->hint_count; i++) {
        const struct throughput_hint *hint = &demand->hints[i];
        if (!name_equal(&hint->gpu, gpu))
            continue;
        stated = true;
        meet(&near, (struct point){hint->gpus, hint->examples_per_second}, gpus);
    }
    if (!stated && table != NULL && !name_empty(&demand->model)) {
        uint32_t row = first_row(table, &demand->model, gpu);
        for (; row < table->row_count && compare_key(&table->rows[row], &demand->model, gpu) == 0;
             row++)
            meet(&near, (struct point){table->rows[row].gpus, table->rows[row].examples_per_second},
                 gpus);
    }
    return read_curve(&near, gpus);
}
