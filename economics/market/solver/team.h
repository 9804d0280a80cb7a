/*
 * Team: a few threads that share out numbered parts of one piece of work, again and again.
 *
 * Which thread does which part is chance; so that results are not, a part writes only what is its
 * own (or adds integers). With one thread, or where none can be started, the caller does all parts
 * itself. Ownership: the team belongs to the caller of team_open(). Thread rule: one caller at a
 * time. Complexity: two switches of thread a run.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_TEAM_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_TEAM_H

#include <stdint.h>

#include "base/fault.h"

struct team;

/* worker: 0 to team_size() − 1, each at one part at a time. */
typedef void team_function(void *context, uint32_t part, uint32_t worker);

/* threads: 1 to 64, the caller's included. */
MUST_USE enum status team_open(uint32_t threads, struct team **team, struct fault *fault);
void team_close(struct team *team); /* NULL is fine */
uint32_t team_size(const struct team *team);

/* Returns when all parts are done. */
void team_run(struct team *team, team_function *function, void *context, uint32_t parts);

#endif
