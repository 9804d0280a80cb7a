/*
 * Gangs, inside: moves that can be taken back, and what they are worth. Internal to gangs.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_GANGS_INTERNAL_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_GANGS_INTERNAL_H

#include "economics/market/solver/gangs.h"

enum { GANGS_JOURNAL_MAX = 64 };

/* A column that may fill a hole, with what it loses at the rents. */
struct gangs_filler {
    uint32_t column;
    float loss_credits;
};

struct gangs_move {
    uint32_t job;
    int32_t from; /* or PACKING_NONE */
    int32_t to;   /* or PACKING_NONE */
};

struct gangs {
    const struct prepared *prepared;
    const struct market *market;
    const struct rents *rents;
    struct packing *packing;
    struct gangs_filler *fillers; /* by pool, then loss, then column */
    size_t *first;                /* [pool_count + 1] into fillers */
    uint32_t *order;              /* [pool_count] dearest first */
    struct gangs_move journal[GANGS_JOURNAL_MAX];
    uint32_t moves;
    double gained; /* credits, by the journal's moves */
};

static inline int32_t gangs_column(const struct gangs *g, uint32_t job)
{
    return g->packing->state.column[job];
}

/* Credits per GPU and round. */
double gangs_rent(const struct gangs *g, uint32_t pool);

/* λ_j + rents − w >= 0 of a column; of PACKING_NONE λ_j. Credits. */
double gangs_loss(const struct gangs *g, uint32_t job, int32_t column);

/* The job gets another column, or none; false, and nothing changed, where it doesn't fit or the
 * journal is full. */
bool gangs_move(struct gangs *g, uint32_t job, int32_t to);

/* Takes back all but the first `keep` moves. */
void gangs_undo(struct gangs *g, uint32_t keep);

/* The job's most worthy column that fits, where that is worth more than what it has. */
bool gangs_move_best(struct gangs *g, uint32_t job);

bool gangs_make_fillers(struct gangs *g); /* false: no memory */

/* Fills holes by chains whose columns lose at most this part of the rent that they bring. */
void gangs_fill(struct gangs *g, double part);

/* One column into the pool, by its gain; returns whether, and which pool it left a hole in. */
bool gangs_fill_once(struct gangs *g, uint32_t pool, double part, int32_t *left_pool);

/* Jobs that lose most take the places of those that lose least by leaving. False: no memory. */
bool gangs_displace(struct gangs *g);

#endif
