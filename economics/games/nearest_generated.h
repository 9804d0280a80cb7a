/*
 * Nearest core point without a table: the core point nearest in least squares to a given split, of
 * a market or a production game, by constraint generation.
 *
 *   min |x − from|²  s.t.  x(N) = v(N),  x(S) >= v(S) for the coalitions generated so far
 *
 * Each is solved by Hildreth's method [Hildreth 1957]; coalitions that object to its x are found by
 * local search, and when there are none by the mixed-integer program of separation.h. x is nearest
 * where nobody objects: it is nearest under fewer constraints and meets them all.
 *
 * Ownership: results lie in the arena. Thread rule: opens LP environments.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_NEAREST_GENERATED_H
#define ENTENTE_ECONOMICS_GAMES_NEAREST_GENERATED_H

#include "economics/games/input.h"

struct nearest_generated {
    double *x;      /* [players] */
    double at_most; /* no coalition objects by more; HUGE_VAL: not known */
    bool certified; /* that is nothing, to SEPARATION_SLACK of v(N) */
    uint32_t count; /* of coalitions generated */
};

/* stop is nullable. players >= 2. */
MUST_USE enum status nearest_generate(const struct input_game *input, const double *from,
                                      bool (*stop)(void *context), void *context,
                                      struct arena *arena, struct nearest_generated *nearest,
                                      struct fault *fault);

#endif
