/*
 * Separation: the coalition that objects most to a split, of a market or a production game with too
 * many players for a table, by a mixed-integer program over membership. [DESIGN §4]
 *
 *   max  c z − x y    z: what a coalition makes, y in {0, 1}: who is in it, 1 <= Σ y <= n − 1
 *   s.t. A z <= Σ_i b_i y_i
 *
 * A limit that needs two members binds by each of them. In a market a job's part at one host is at
 * most that host's y: these rows are added as the relaxation breaks them, and they close most of
 * the gap. The same program serves many splits: objective coefficients change, rows stay.
 *
 * The bound is GLPK's, to about 1e-7 of v(N), hence SEPARATION_SLACK. Ownership: the game is
 * borrowed. Thread rule: holds an LP environment: the thread that opened it. Complexity: branch and
 * bound; seconds to 50 players, may be hours at 200: give it a stop.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_SEPARATION_H
#define ENTENTE_ECONOMICS_GAMES_SEPARATION_H

#include "economics/games/input.h"

#define SEPARATION_SLACK 1e-6 /* of v(N): what is less than this is nothing */

struct separation;

/* total: v(N), the scale. */
MUST_USE enum status separation_open(const struct input_game *input, double total,
                                     struct separation **separation, struct fault *fault);
void separation_close(struct separation *separation); /* NULL is fine */

struct separated {
    bool *in; /* [players] the caller's: a proper coalition that objects; where `found` */
    bool found;
    double at_most; /* no proper coalition objects by more: v(S) − x(S), slack included */
    bool exact;     /* the search was not stopped */
};

/* stop is nullable. */
MUST_USE enum status separation_find(struct separation *separation, const double *split,
                                     bool (*stop)(void *context), void *context,
                                     struct separated *separated, struct fault *fault);

#endif
