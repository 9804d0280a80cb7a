#include "economics/throughput/delivery.h"

#include <math.h>
#include <stdlib.h>

/* One-sided 95%. */
#define SURE 1.645
/* From absolute deviations' median to a normal's deviation. */
#define MAD_TO_DEVIATION 1.4826
/* Predictions themselves are off by a few percent: a job's log ratio is never surer than this. */
#define JOB_DEVIATION_MIN 0.05
/* Less than this much missing is no discount. */
#define LOSS_LEAST 0.05
/* The prior, that it delivers in full, counts as half a job of today. */
#define PRIOR_JOBS 0.5

/* A number and how much it counts. */
struct weighed {
    double value;
    double weight;
};

static int compare_pools(const struct pool_id *a, const struct pool_id *b)
{
    int const by_member = name_compare(&a->member, &b->member);
    return by_member != 0 ? by_member : name_compare(&a->gpu, &b->gpu);
}

static int compare_evidence(const void *left, const void *right)
{
    const struct delivery_evidence *a = left;
    const struct delivery_evidence *b = right;
    int order = compare_pools(&a->pool, &b->pool);
    if (order == 0)
        order = name_compare(&a->home, &b->home);
    if (order == 0)
        order = name_compare(&a->job, &b->job);
    if (order == 0)
        order = (a->log_ratio > b->log_ratio) - (a->log_ratio < b->log_ratio);
    return order;
}

static int compare_weighed(const void *left, const void *right)
{
    double const a = ((const struct weighed *)left)->value;
    double const b = ((const struct weighed *)right)->value;
    return (a > b) - (a < b);
}

/* Sorts. count >= 1. */
static double weighted_median(struct weighed *of, uint32_t count)
{
    double sum = 0;
    double half = 0;
    qsort(of, count, sizeof *of, compare_weighed);
    for (uint32_t i = 0; i < count; i++)
        sum += of[i].weight;
    for (uint32_t i = 0; i < count; i++) {
        half += of[i].weight;
        if (2 * half >= sum)
            return of[i].value;
    }
    return of[count - 1].value;
}

/* One home's jobs at one pool: evidence[0..count) in order. */
static struct delivery judge_home(const struct delivery_evidence *evidence, uint32_t count,
                                  struct weighed *scratch)
{
    struct delivery found = {
        .pool = evidence->pool, .home = evidence->home, .factor = 1, .homes = 1};
    double weight = 0;
    for (uint32_t i = 0, end; i < count; i = end) {
        int64_t youngest_ms = evidence[i].age_ms;
        for (end = i; end < count && name_equal(&evidence[end].job, &evidence[i].job); end++)
            youngest_ms = evidence[end].age_ms < youngest_ms ? evidence[end].age_ms : youngest_ms;
        double const ages = (double)(youngest_ms > 0 ? youngest_ms : 0);
        scratch[found.jobs] = (struct weighed){evidence[i + (end - i) / 2].log_ratio,
                                               exp2(-ages / (double)DELIVERY_HALF_LIFE_MS)};
        weight += scratch[found.jobs++].weight;
    }
    if (found.jobs < DELIVERY_JOBS_MIN)
        return found;
    double const middle = weighted_median(scratch, found.jobs);
    for (uint32_t i = 0; i < found.jobs; i++)
        scratch[i].value = fabs(scratch[i].value - middle);
    double const deviation =
        fmax(MAD_TO_DEVIATION * weighted_median(scratch, found.jobs), JOB_DEVIATION_MIN);
    if (middle + SURE * deviation / sqrt(found.jobs) > log1p(-LOSS_LEAST))
        return found;
    double const drawn = middle * weight / (weight + PRIOR_JOBS);
    found.factor = fmin(1, fmax(DELIVERY_FACTOR_MIN, exp(drawn)));
    return found;
}

static int compare_factors(const void *left, const void *right)
{
    double const a = *(const double *)left;
    double const b = *(const double *)right;
    return (a > b) - (a < b);
}

/* What counts for everybody, from the homes' own; jobs 0: too few homes have a say. */
static struct delivery judge_pool(const struct delivery *homes, uint32_t count, double *scratch)
{
    struct delivery found = {.pool = homes->pool, .factor = 1};
    for (uint32_t i = 0; i < count; i++) {
        if (homes[i].jobs < DELIVERY_JOBS_MIN || name_equal(&homes[i].home, &homes[i].pool.member))
            continue;
        scratch[found.homes++] = homes[i].factor;
        found.jobs += homes[i].jobs;
    }
    if (found.homes < DELIVERY_HOMES_MIN)
        return (struct delivery){.pool = homes->pool, .factor = 1};
    qsort(scratch, found.homes, sizeof *scratch, compare_factors);
    found.factor = scratch[found.homes / 2];
    return found;
}

/* The pool's homes were written from `first` on; their common word goes before them. */
static void close_pool(struct delivery *deliveries, uint32_t first, uint32_t *count,
                       double *scratch)
{
    struct delivery const all = judge_pool(&deliveries[first], *count - first, scratch);
    if (all.jobs == 0)
        return;
    for (uint32_t i = *count; i > first; i--)
        deliveries[i] = deliveries[i - 1];
    deliveries[first] = all;
    ++*count;
}

enum status delivery_estimate(struct delivery_evidence *evidence, uint32_t count,
                              struct arena *arena, struct delivery **deliveries,
                              uint32_t *delivery_count, struct fault *fault)
{
    /* at most one a home and pool, and one more a pool */
    struct delivery *made = arena_alloc(arena, (size_t)count * 2, sizeof *made);
    struct weighed *scratch = arena_alloc(arena, count, sizeof *scratch);
    double *factors = arena_alloc(arena, count, sizeof *factors);
    uint32_t used = 0;
    uint32_t pool_first = 0;
    *deliveries = made;
    *delivery_count = 0;
    if (made == NULL || scratch == NULL || factors == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to judge how hosts deliver");
    if (count > 0)
        qsort(evidence, count, sizeof *evidence, compare_evidence);
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && name_equal(&evidence[end].home, &evidence[i].home) &&
                      compare_pools(&evidence[end].pool, &evidence[i].pool) == 0;)
            end++;
        made[used++] = judge_home(&evidence[i], end - i, scratch);
        bool const last =
            end == count || compare_pools(&evidence[end].pool, &evidence[i].pool) != 0;
        if (!last)
            continue;
        close_pool(made, pool_first, &used, factors);
        pool_first = used;
    }
    *delivery_count = used;
    return STATUS_OK;
}

static const struct delivery *find(const struct delivery *deliveries, uint32_t count,
                                   const struct pool_id *pool, const struct name *home)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        int order = compare_pools(pool, &deliveries[middle].pool);
        if (order == 0)
            order = name_compare(home, &deliveries[middle].home);
        if (order == 0)
            return &deliveries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

double delivery_factor(const struct delivery *deliveries, uint32_t count,
                       const struct pool_id *pool, const struct name *home)
{
    static const struct name everybody;
    const struct delivery *own = find(deliveries, count, pool, home);
    if (own != NULL && own->jobs >= DELIVERY_JOBS_MIN)
        return own->factor;
    const struct delivery *all = find(deliveries, count, pool, &everybody);
    return all != NULL ? all->factor : 1;
}
