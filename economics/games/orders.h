/*
 * Orders: random orders of players and what each adds to those before it. Internal to sampling.
 *
 * Thread rule: one thread per struct. Complexity: a worth a player.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_ORDERS_H
#define ENTENTE_ECONOMICS_GAMES_ORDERS_H

#include "base/rng.h"
#include "economics/games/oracle.h"

/* A random order; before[i]: how many come before i. Both [players]. [Fisher & Yates] */
void orders_draw(struct rng *rng, uint32_t players, uint32_t *order, double *before);

/* Adds half of what each player adds to those before it, in that order and in its reverse. */
MUST_USE enum status orders_gains(struct oracle *oracle, const uint32_t *order, double *gain,
                                  struct fault *fault);

#endif
