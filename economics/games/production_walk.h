/*
 * Production walk: a production game's LP as members join and leave, warm. Internal to
 * economics/games.
 *
 * Thread rule: holds an LP environment: the thread that opened it, and no other environment there.
 * Complexity of a join or leave: O(players × resources of the member) and a warm LP.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_PRODUCTION_WALK_H
#define ENTENTE_ECONOMICS_GAMES_PRODUCTION_WALK_H

#include "economics/games/production.h"

struct production_walk;

/* Nobody is in. INVALID where some good can be made without end. */
MUST_USE enum status production_walk_open(const struct production *production,
                                          struct production_walk **walk, struct fault *fault);
void production_walk_close(struct production_walk *walk); /* NULL is fine */
void production_walk_set(struct production_walk *walk, uint32_t player, bool in);
MUST_USE enum status production_walk_worth(struct production_walk *walk, double *worth,
                                           struct fault *fault);
/* After a worth: each player's resources at the dual prices; [players]. */
void production_walk_payoffs(const struct production_walk *walk, double *payoffs);

#endif
