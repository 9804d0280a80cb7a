/*
 * Division: how each job divides its round: its main column, and others of the few jobs that have
 * several. Internal to the solver.
 *
 * Ownership: arrays are the struct's. Thread rule: immutable while blocks read it.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_DIVISION_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_DIVISION_H

#include "economics/market/solver/columns.h"

#define DIVISION_IDLE UINT32_MAX

struct division_extra {
    uint32_t job;
    uint32_t column;
    double share;
};

struct division {
    uint32_t *main;                /* [job_count] column or DIVISION_IDLE */
    double *rest;                  /* [job_count] the main column's share */
    bool *mixed;                   /* [job_count] it has extras, or a share below 1 */
    struct division_extra *extras; /* [extra_count] by job ascending within what made them */
    uint32_t extra_count;
    uint32_t extra_room;
};

bool division_make(const struct columns *columns, struct division *division); /* false: no memory */
void division_fini(struct division *division);
bool division_add(struct division *division, struct division_extra extra); /* false: no memory */

/* Everybody wholly at its choice. */
void division_start(struct division *division, const struct columns *columns,
                    const uint32_t *choice);

/* What is used of each resource, of capacity 1. */
void division_usage(const struct division *division, const struct columns *columns, double *usage);

/* Σ w x, scaled. */
double division_worth(const struct division *division, const struct columns *columns);

#endif
