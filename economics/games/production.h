/*
 * Production: linear production games [Owen 1975]. Members bring resources; v(S) is the best value
 * of goods made from what S brings:
 *
 *   v(S) = max c x  s.t.  A x <= Σ_{i in S} b_i,  x >= 0
 *
 * Owen's split pays every member its resources at the optimal dual prices of the grand coalition;
 * it is in the core. Where the optimal duals aren't unique, each member's payoff has a range over
 * the optimal face, and the vertex at which a solver stops is an accident: the split given is the
 * mean of the points where each member in turn gets the most, which is on the face too.
 *
 * Ownership: arrays are borrowed. Thread rule: one LP environment per call on the calling thread.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_PRODUCTION_H
#define ENTENTE_ECONOMICS_GAMES_PRODUCTION_H

#include "economics/games/game.h"

enum { PRODUCTION_PLAYERS_MAX = 200, PRODUCTION_ROWS_MAX = 4096, PRODUCTION_GOODS_MAX = 65536 };

struct production {
    uint32_t players;
    uint32_t resources;
    uint32_t goods;
    const double *use;   /* A: [resources × goods], row by row */
    const double *value; /* c: [goods] */
    const double *owned; /* b: [players × resources], member by member; >= 0 */
};

/* INVALID: a number isn't finite or owned < 0; a good of positive value needs no resource, so that
 * v(S) has no bound (the LP says so). */
MUST_USE enum status production_validate(const struct production *production, struct fault *fault);

/* worth[2^players], players <= GAME_PLAYERS_MAX: one warm LP a coalition, in Gray-code order. */
MUST_USE enum status production_table(const struct production *production, double *worth,
                                      struct fault *fault);

struct owen {
    double *split;    /* [players] */
    double *least;    /* [players] over the optimal dual face */
    double *greatest; /* [players] */
    double total;     /* v(N) */
    bool unique;      /* least and greatest agree for all */
};

/* In the arena. 2 players + 1 LPs. */
MUST_USE enum status production_owen(const struct production *production, struct arena *arena,
                                     struct owen *owen, struct fault *fault);

#endif
