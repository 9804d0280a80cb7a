/*
 * Market objection: who objects most to a split of a market, without its worth table.
 *
 * To MARKET_CORE_TABLE_MEMBERS_MAX members exactly: by the bounds of market_core.h, solving the
 * coalition that would object most by them until it does object so much. Above by local search
 * (members join and leave one at a time), with Σ max(0, u_i − x_i) over dual payoffs u as a bound
 * on what any coalition could object: the answer says how far the two are apart.
 *
 * Thread rule: as economics/games/coalition_lp.h.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_OBJECTION_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_OBJECTION_H

#include "base/arena.h"
#include "economics/market/market.h"

struct market_objection {
    bool *in;  /* [members] the coalition */
    double by; /* v(S) − x(S) of it; no coalition objects by more than `at_most` */
    double at_most;
    double total;  /* v(N) */
    double *alone; /* [members] v({i}) */
};

/* stop (nullable) is asked between solves. Results lie in the arena. members >= 2. */
MUST_USE enum status market_objection(const struct market *market, const double *split,
                                      bool (*stop)(void *context), void *context,
                                      struct arena *arena, struct market_objection *objection,
                                      struct fault *fault);

#endif
