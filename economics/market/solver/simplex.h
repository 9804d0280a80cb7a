/*
 * Simplex: the market's LP by the primal simplex method for generalised upper bounds [Dantzig &
 * Van Slyke 1967]. Internal to the solver.
 *
 * Each job's columns (and being idle) add up to at most one round: such a row needs no row of the
 * basis, only a key column. What is left is a kernel of as many rows as resources are tight, some
 * hundreds where the LP has tens of thousands of rows. The solution is feasible at all times, so
 * that it may stop at any.
 *
 * Capacity that is left may be given a worth (`floor`): started at prices known to be near, only
 * what they got wrong takes iterations; then the floors are let go. [ours]
 *
 * Right-hand sides are shortened by up to SIMPLEX_SHORTENED, each by a part of its own, so that no
 * two run out at once: a basis never stalls, and the shortened solution is one of the true market.
 * simplex_restore() puts the true ones back where the last basis allows.
 *
 * Ownership: the struct's arrays. Thread rule: one thread. Complexity: an iteration O(columns of
 * SIMPLEX_CHUNK jobs + kernel update).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_SIMPLEX_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_SIMPLEX_H

#include "economics/market/solver/columns.h"
#include "economics/market/solver/kernel.h"

#define SIMPLEX_SHORTENED 1e-7

#define SIMPLEX_IDLE UINT32_MAX /* as a column: the job runs nowhere */

enum { SIMPLEX_NONE = -1, SIMPLEX_CHUNK = 32 };

/* A basic column that isn't its job's key. */
struct simplex_slot {
    uint32_t column;
    uint32_t job;
    int32_t next; /* of the same job */
    double share;
};

/* What an entering column or slack does to everything, per unit. */
struct simplex_move {
    double *d;           /* [slots] a basic share falls by */
    double *used;        /* [resource_count] usage of slack resources grows by */
    uint32_t *resources; /* [touched] */
    uint32_t resource_count;
    double *rest; /* [job_count] a key's share grows by */
    uint32_t *jobs;
    uint32_t job_count;
    bool *resource_touched;
    bool *job_touched;
};

struct simplex {
    const struct columns *columns;
    uint32_t *key;     /* [job_count] */
    int32_t *job_slot; /* [job_count] the first of its slots */
    double *rest;      /* [job_count] the key's share */
    double *full;      /* [resource_count] capacity: 1, or what a block has of it */
    double *capacity;  /* [resource_count] the same, shortened */
    double *usage;     /* [resource_count] */
    double *floor;     /* [resource_count] worth of capacity that is left */
    double *price;     /* [resource_count] */
    double *typical;   /* [resource_count] what one column uses, about */
    double *gpu_price; /* [pool_count] */
    int32_t *tight_at; /* [resource_count] its slot, or SIMPLEX_NONE: slack */
    struct simplex_slot *slots;
    uint32_t *tight; /* [slots] resources */
    double *row;     /* [slots] scratch */
    double *work;    /* [slots] scratch */
    uint32_t slot_room;
    struct kernel kernel;
    struct simplex_move move;
    double tolerance; /* reduced costs below this don't enter */
    uint64_t iterations;
    bool stuck; /* no memory, or the kernel's limit: the solution stands as it is */
    struct arena arena;
};

MUST_USE enum status simplex_make(const struct columns *columns, struct simplex *simplex,
                                  struct fault *fault);
void simplex_fini(struct simplex *simplex);

/* From each job's choice (a column or SIMPLEX_IDLE), which keeps all capacities; those: NULL for 1
 * each. */
void simplex_start(struct simplex *simplex, const uint32_t *choice, const double *capacity,
                   const double *floor);

/* Capacity that is left is worth this from now on. */
void simplex_set_floor(struct simplex *simplex, const double *floor);

/* Iterates over these jobs' columns until none of them improves, or until `iterations_max` in all,
 * or Σ w x >= enough. */
void simplex_run(struct simplex *simplex, const uint32_t *jobs, uint32_t count,
                 uint64_t iterations_max, double enough);

/* Prices and shares computed afresh from the basis. */
void simplex_refresh(struct simplex *simplex);

/* The true right-hand sides, where the basis stays feasible. */
void simplex_restore(struct simplex *simplex);

/* Σ w x, in scaled worth. O(jobs). */
double simplex_worth(const struct simplex *simplex);

/* -- Shared by the files of this module -------------------------------------------------------- */

double simplex_value(const struct simplex *simplex, uint32_t column);
void simplex_touch(struct simplex *simplex, uint32_t resource, double by);
void simplex_add_difference(struct simplex *simplex, uint32_t column, uint32_t key, double factor);
void simplex_clear_move(struct simplex *simplex);
void simplex_set_price(struct simplex *simplex, uint32_t resource, double price);

/* reduced: by how much a unit of it raises the worth. */
void simplex_enter_column(struct simplex *simplex, uint32_t job, uint32_t column, double reduced);
void simplex_enter_slack(struct simplex *simplex, uint32_t l, double reduced);

#endif
