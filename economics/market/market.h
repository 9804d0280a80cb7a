/*
 * Market: one round's instance as plain data, the snapshot from which a plan is computed.
 *
 * Members own pools and jobs; a job has columns, one for each configuration it may run in; policy
 * rows bind columns together. All that decides the plan is here, with predictions and worths as
 * integers, so that a stored market replays to the same plan. [Owen 1975]: with the pools, jobs and
 * rows of a coalition S only, its LP gives v(S).
 *
 * Order: members by name, pools by (owner, gpu), jobs by (home, id), columns by (job, pool, gpus),
 * rows by (owner, kind), entries by (row, column). market_validate() checks it; the solver asserts
 * it. Units: worth in micro-credits a round; prices in nano-credits a GPU-second. Ownership: arrays
 * are borrowed (an arena's or the caller's). Thread rule: immutable while solved; any number of
 * readers.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_MARKET_H
#define ENTENTE_ECONOMICS_MARKET_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/domain/lease.h"
#include "base/domain/name.h"
#include "base/domain/offer.h"
#include "base/fault.h"
#include "base/units.h"

enum {
    MARKET_MEMBERS_MAX = 4096,
    MARKET_POOLS_MAX = 65536,
    MARKET_JOBS_MAX = 2000000,
    MARKET_COLUMNS_MAX = 64000000,
    MARKET_ROWS_MAX = 1000000,
    MARKET_ENTRIES_MAX = 256000000,
    MARKET_GPUS_PER_COLUMN_MAX = 65536,
    MARKET_ROUND_MS_MAX = 7 * 24 * 3600 * 1000, /* a week */
    MARKET_NONE = -1
};

/* A thousand million credits: no one column is worth, or costs, more a round. */
#define MARKET_WORTH_MICROS_MAX INT64_C(1000000000000000)

/* Coefficients and limits of rows are 0 or in this range. */
#define MARKET_COEFFICIENT_MIN 1e-12
#define MARKET_COEFFICIENT_MAX 1e18

struct market_member {
    struct name name;
};

struct market_node {
    uint64_t gpus; /* mask: usable in this round: free, or held by a job of this round */
};

struct market_pool {
    int32_t owner;
    struct name gpu;
    uint32_t gpu_count; /* K_p: bits of all nodes' masks */
    uint32_t gpus_per_node;
    struct price cost; /* c_p, the reserve price where that is higher */
    struct market_node *nodes;
    uint32_t node_count;
};

struct market_job {
    struct name job;
    int32_t home;
    uint32_t first_column;
    uint32_t column_count;
    bool one_node;
    int32_t held_column;           /* the column it runs in now; MARKET_NONE */
    struct lease_node *held_nodes; /* its GPUs there; part of the pool's node masks */
    uint32_t held_node_count;
    uint32_t age_rounds; /* rounds it has waited: breaks ties when packing */
};

struct market_column {
    uint32_t job;
    uint32_t pool;
    uint32_t gpus;                     /* n_k >= 1 */
    int64_t micro_examples_per_second; /* θ, predicted, 1e-6 examples/s */
    /* Where worth > 0: the pool's cost of n_k GPUs for the time held <= price_room <= value, and
     * worth <= value − that cost. */
    struct credits worth; /* w_jk a round; columns with w <= 0 may be there and are never used */
    /* a v min(τ θ, work left): what the home would pay at most, were the move free. */
    struct credits value;
    /* Least of value and price limit, as the most home pays a round; >= 0. */
    struct credits price_room;
    /* How long it would hold its GPUs, at most τ: cost, bid and payment are for this long; 0: the
     * whole round. Capacity and rents count whole rounds. */
    int64_t held_ms;
};

enum market_row_kind {
    MARKET_ROW_FOREIGN_GPUS,
    MARKET_ROW_LINK_BYTES,
    MARKET_ROW_BUDGET,
    MARKET_ROW_KIND_COUNT
};

/* Σ coefficient × x <= limit; limit 0, or MARKET_COEFFICIENT_MIN to _MAX. owner's right-hand side;
 * pair rows are usable only with partner present too. */
struct market_row {
    enum market_row_kind kind;
    int32_t owner;
    int32_t partner; /* MARKET_NONE */
    double limit;
    uint32_t first_entry;
    uint32_t entry_count;
};

struct market_entry {
    uint32_t column;
    double coefficient; /* 0, or MARKET_COEFFICIENT_MIN to _MAX */
};

struct market {
    int64_t round_ms; /* τ */
    uint32_t member_count;
    struct market_member *members;
    uint32_t pool_count;
    struct market_pool *pools;
    uint32_t job_count;
    struct market_job *jobs;
    uint32_t column_count;
    struct market_column *columns;
    uint32_t row_count;
    struct market_row *rows;
    uint32_t entry_count;
    struct market_entry *entries;
};

/* For how long a round the column's cost, bid and payment count. */
static inline int64_t market_column_ms(const struct market *market,
                                       const struct market_column *column)
{
    return column->held_ms > 0 ? column->held_ms : market->round_ms;
}

/* INVALID with the path of what is wrong ("jobs[3].first_column: ..."). O(size). */
MUST_USE enum status market_validate(const struct market *market, struct fault *fault);

#endif
