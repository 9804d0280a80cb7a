/*
 * Fitting, the set: rows in the order in which fits walk them, with what the law needs of each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/throughput/fitting.h"

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_placements(const struct measurement *a, const struct measurement *b)
{
    if (a->model != b->model)
        return a->model < b->model ? -1 : 1;
    if (a->cluster != b->cluster)
        return a->cluster < b->cluster ? -1 : 1;
    const struct configuration *x = &a->configuration;
    const struct configuration *y = &b->configuration;
    if (x->nodes != y->nodes)
        return x->nodes < y->nodes ? -1 : 1;
    if (x->gpus != y->gpus)
        return x->gpus < y->gpus ? -1 : 1;
    if (x->gpus_on_fullest != y->gpus_on_fullest)
        return x->gpus_on_fullest < y->gpus_on_fullest ? -1 : 1;
    return compare_numbers(x->servers, y->servers);
}

static int compare_rows(const void *left, const void *right)
{
    const struct measurement *a = ((const struct fit_row *)left)->source;
    const struct measurement *b = ((const struct fit_row *)right)->source;
    int const by_placement = compare_placements(a, b);
    if (by_placement != 0)
        return by_placement;
    int const by_batch = compare_numbers(a->configuration.batch, b->configuration.batch);
    if (by_batch != 0)
        return by_batch;
    int const by_seconds = compare_numbers(a->seconds, b->seconds);
    return by_seconds != 0 ? by_seconds : compare_numbers(a->line, b->line);
}

static int compare_doubles(const void *left, const void *right)
{
    return compare_numbers(*(const double *)left, *(const double *)right);
}

/* A cluster's link is what its rows say in the middle, unless it is given. */
static enum status find_links(struct fit_set *set, const double *given, struct arena *arena,
                              struct fault *fault)
{
    double *seen = arena_alloc(arena, set->row_count, sizeof *seen);
    if (seen == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u links", set->row_count);
    for (uint32_t c = 0; c < set->cluster_count; c++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < set->row_count; i++) {
            const struct measurement *of = set->rows[i].source;
            if (of->cluster != c || !(of->configuration.network_gbps > 0))
                continue;
            seen[count++] = of->configuration.network_gbps;
        }
        if (count > 0)
            qsort(seen, count, sizeof *seen, compare_doubles);
        set->link_gbps[c] = count > 0 ? seen[count / 2] : 0;
        if (given != NULL && given[c] > 0)
            set->link_gbps[c] = given[c];
    }
    return STATUS_OK;
}

/* Mean log batch by model, over rows. */
static void find_centres(struct fit_set *set)
{
    double count[THROUGHPUT_MODELS_MAX + 1] = {0};
    memset(set->centre, 0, sizeof set->centre);
    for (uint32_t i = 0; i < set->row_count; i++) {
        const struct measurement *of = set->rows[i].source;
        double const log_batch = log(of->configuration.batch);
        set->centre[of->model] += log_batch;
        count[of->model]++;
        set->centre[THROUGHPUT_MODELS_MAX] += log_batch;
        count[THROUGHPUT_MODELS_MAX]++;
    }
    for (int m = 0; m <= THROUGHPUT_MODELS_MAX; m++)
        set->centre[m] = count[m] > 0 ? set->centre[m] / count[m] : 0;
}

static void number_rows(struct fit_set *set)
{
    for (uint32_t i = 0; i < set->row_count; i++) {
        struct fit_row *row = &set->rows[i];
        const struct measurement *of = row->source;
        bool const new_group = i == 0 || compare_placements(set->rows[i - 1].source, of) != 0;
        bool const new_pair = i == 0 || set->rows[i - 1].source->model != of->model ||
                              set->rows[i - 1].source->cluster != of->cluster;
        if (new_pair)
            set->pairs[set->pair_count++] = (struct fit_pair){of->model, of->cluster, i, 0};
        set->group_count += new_group ? 1 : 0;
        set->pairs[set->pair_count - 1].count++;
        row->pair = set->pair_count - 1;
        row->group = set->group_count - 1;
        struct configuration configuration = of->configuration;
        if (configuration.network_gbps == 0)
            configuration.network_gbps = set->link_gbps[of->cluster];
        row->input = form_prepare(&configuration, set->centre[of->model]);
        row->log_seconds = log(of->seconds);
    }
}

enum status fit_set_make(const struct measurements *measurements, const uint32_t *rows,
                         uint32_t row_count, const double *link_gbps, struct arena *arena,
                         struct fit_set *set, struct fault *fault)
{
    memset(set, 0, sizeof *set);
    set->model_count = measurements->model_count;
    set->cluster_count = measurements->cluster_count;
    set->rows = arena_alloc(arena, row_count, sizeof *set->rows);
    uint32_t const pairs_most = set->model_count * set->cluster_count;
    set->pairs = arena_alloc(arena, pairs_most, sizeof *set->pairs);
    if (set->rows == NULL || set->pairs == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to fit %u rows", row_count);
    set->row_count = row_count;
    for (uint32_t i = 0; i < row_count; i++)
        set->rows[i].source = &measurements->rows[rows[i]];
    qsort(set->rows, row_count, sizeof *set->rows, compare_rows);
    enum status const status = find_links(set, link_gbps, arena, fault);
    if (status != STATUS_OK)
        return status;
    find_centres(set);
    number_rows(set);
    return STATUS_OK;
}
