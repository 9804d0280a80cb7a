/*
 * Objection: who objects most to a split of a market or a production game, without its worth table.
 *
 * Markets as in market_objection.h; production games by local search, with the dual payoffs of all
 * as a first bound. Where that leaves open whether anybody objects, the mixed-integer program of
 * separation.h decides, if it is given the time. Thread rule: opens LP environments.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_OBJECTION_H
#define ENTENTE_ECONOMICS_GAMES_OBJECTION_H

#include "economics/games/input.h"
#include "economics/games/market_objection.h"

/* stop (nullable) is asked between solves. Results lie in the arena. players >= 2. */
MUST_USE enum status objection_find(const struct input_game *input, const double *split,
                                    bool (*stop)(void *context), void *context, struct arena *arena,
                                    struct market_objection *objection, struct fault *fault);

#endif
