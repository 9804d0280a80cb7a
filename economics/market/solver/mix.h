/*
 * Mix: how each job divides its round: its main column, and others of the few jobs that have
 * several. Internal to the solver.
 *
 * Ownership: arrays are the struct's. Thread rule: immutable while blocks read it.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_MIX_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_MIX_H

#include "economics/market/solver/columns.h"

#define MIX_IDLE UINT32_MAX

struct mix_extra {
    uint32_t job;
    uint32_t column;
    double share;
};

struct mix {
    uint32_t *main;           /* [job_count] column or MIX_IDLE */
    double *rest;             /* [job_count] the main column's share */
    bool *mixed;              /* [job_count] it has extras, or a share below 1 */
    struct mix_extra *extras; /* [extra_count] by job ascending within what made them */
    uint32_t extra_count;
    uint32_t extra_room;
};

bool mix_make(const struct columns *columns, struct mix *mix); /* false: no memory */
void mix_fini(struct mix *mix);
bool mix_add(struct mix *mix, struct mix_extra extra); /* false: no memory */

/* Everybody wholly at its choice. */
void mix_start(struct mix *mix, const struct columns *columns, const uint32_t *choice);

/* What is used of each resource, of capacity 1. */
void mix_usage(const struct mix *mix, const struct columns *columns, double *usage);

/* Σ w x, scaled. */
double mix_worth(const struct mix *mix, const struct columns *columns);

#endif
