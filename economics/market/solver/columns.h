/*
 * Columns: a market laid out for speed. Internal to the solver.
 *
 * Only columns that may be used, job by job, as parallel arrays: 16 bytes a column and 12 a policy
 * row's entry, so that a pass over millions of columns runs at the memory's speed. Resources are
 * pools (index p) and then policy rows (pool_count + r), each scaled to a capacity of 1: a column
 * takes n / K of its pool and a / b of its rows. Worth is scaled by a power of two to at most 1.
 *
 * Left out: worth <= 0, pools without GPUs, rows with a limit of 0, and entries that take less than
 * COLUMNS_NEGLIGIBLE of their row. [Money enters as integers, and the certificate is made of the
 * market's own numbers again: certify.h.]
 *
 * Ownership: arrays are the struct's; the market is borrowed. Thread rule: immutable once made.
 * Complexity: O(columns + entries).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_COLUMNS_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_COLUMNS_H

#include "economics/market/market.h"
#include "economics/market/solver/team.h"

#define COLUMNS_NEGLIGIBLE 1e-12

enum { COLUMNS_ENTRIES_MAX = 62 /* policy rows of one column */ };

struct columns {
    const struct market *market;
    uint32_t job_count;
    uint32_t column_count;
    uint32_t pool_count;
    uint32_t resource_count;
    uint32_t *first;       /* [job_count + 1] into the columns */
    uint32_t *original;    /* [column_count] the market's column */
    double *worth;         /* [column_count] scaled, > 0 */
    uint32_t *pool_gpus;   /* [column_count] pool << 16 | gpus − 1 */
    uint32_t *first_entry; /* [column_count + 1] */
    uint32_t *entry_resource;
    double *entry_part; /* of the row's limit */
    double *unit;       /* [resource_count] what one GPU is of its pool; 1 for rows */
    double scale;       /* worth = micro-credits × scale */
    struct arena arena;
};

/* member_weight: NULL, or what the worth of each member's jobs is multiplied by. */
MUST_USE enum status columns_make(const struct market *market, const double *member_weight,
                                  struct columns *columns, struct fault *fault);
void columns_fini(struct columns *columns);

static inline uint32_t columns_pool(const struct columns *columns, uint32_t k)
{
    return columns->pool_gpus[k] >> 16;
}

static inline uint32_t columns_gpus(const struct columns *columns, uint32_t k)
{
    return (columns->pool_gpus[k] & 0xffff) + 1;
}

/* Adds what a share of the column takes of each resource, of capacity 1. */
static inline void columns_use(const struct columns *columns, uint32_t k, double share,
                               double *usage)
{
    uint32_t const pool = columns_pool(columns, k);
    usage[pool] += share * (columns_gpus(columns, k) * columns->unit[pool]);
    for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++)
        usage[columns->entry_resource[e]] += share * columns->entry_part[e];
}

/* What is left of a column's worth at these prices; gpu_price[p] = price[p] × unit[p]. */
static inline double columns_value(const struct columns *columns, uint32_t k,
                                   const double *gpu_price, const double *price)
{
    uint32_t const pool_gpus = columns->pool_gpus[k];
    double value =
        columns->worth[k] - (double)((pool_gpus & 0xffff) + 1) * gpu_price[pool_gpus >> 16];
    uint32_t const end = columns->first_entry[k + 1];
    for (uint32_t e = columns->first_entry[k]; e < end; e++)
        value -= columns->entry_part[e] * price[columns->entry_resource[e]];
    return value;
}

#endif
