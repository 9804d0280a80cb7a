/* What the files of production games share. Internal to economics/games. */
#ifndef ENTENTE_ECONOMICS_GAMES_PRODUCTION_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_PRODUCTION_INTERNAL_H

#include "economics/games/production.h"
#include "economics/lp/lp.h"

static inline double production_owned(const struct production *production, uint32_t player,
                                      uint32_t resource)
{
    return production->owned[player * production->resources + resource];
}

/* The LP with nothing on its right-hand sides. */
MUST_USE enum status production_build(const struct production *production, struct lp *lp,
                                      struct fault *fault);

/* INVALID where some good can be made without end. */
MUST_USE enum status production_solve(struct lp *lp, double *worth, struct fault *fault);

#endif
