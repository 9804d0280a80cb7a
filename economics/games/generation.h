/*
 * Generation: the least core of a market or a production game with too many players for a table,
 * by constraint generation. [DESIGN §4]
 *
 *   min ε  s.t.  x(N) = v(N),  x(S) + ε >= v(S) for the coalitions generated so far
 *
 * Its optimum is a lower bound of ε at any moment, since every worth in it is true. Coalitions that
 * break it are found by local search (players join and leave one at a time), and when that finds
 * none by the mixed-integer program of separation.h, whose bound at the split makes an upper one.
 * Before that Owen's split proves ε <= 0. Where the two meet ε is certified; a stop returns the
 * proven interval, and the split whose bound is the upper end.
 *
 * Ownership: the split lies in the arena. Thread rule: opens LP environments. Complexity: a few
 * hundred coalitions and about as many small LPs; then the separation's.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_GENERATION_H
#define ENTENTE_ECONOMICS_GAMES_GENERATION_H

#include "economics/games/input.h"
#include "economics/games/market_core.h"

enum { GENERATION_PASSES_MAX = 20000 };

/* stop is nullable. players >= 2. core->exact: to SEPARATION_SLACK of v(N). */
MUST_USE enum status generation_least_core(const struct input_game *input,
                                           bool (*stop)(void *context), void *context,
                                           struct arena *arena, struct market_core *core,
                                           struct fault *fault);

#endif
