/*
 * Market core: the least core of a market without its worth table.
 *
 * By duality v(T) is at most what T's resources are worth at ANY dual feasible prices, so each
 * coalition solved bounds all the others: a table of upper bounds, ub >= v, that is exact where it
 * was solved. The least core of the bounds is solved; the coalitions that bind in it are solved for
 * real, their prices lower the bounds; until all that bind are exact. Then the split is within ε of
 * every coalition's bound, hence of its worth, and the binding coalitions' true worths prove that
 * no smaller ε will do. [ours; a Benders decomposition over the table]
 *
 * Stopped early, ε lies between `lower` (balancing weights on true worths) and `upper` (the split
 * on bounds): both proven. Above MARKET_CORE_TABLE_MEMBERS_MAX members see generation.h.
 *
 * Thread rule: as economics/games/coalition_lp.h. Complexity: O(2^n) for each coalition solved, of
 * which there are a few hundred.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_CORE_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_CORE_H

#include "base/arena.h"
#include "economics/market/market.h"

enum { MARKET_CORE_TABLE_MEMBERS_MAX = 24 };

struct market_core {
    double *split;  /* [members] of the least core, or with the excess `upper` at most */
    double total;   /* v(N) */
    double lower;   /* <= ε */
    double upper;   /* >= ε */
    bool exact;     /* they agree, to `tolerance` of v(N) */
    double epsilon; /* where they do */
    double tolerance;
    uint64_t solved; /* coalitions */
};

/* members <= MARKET_CORE_TABLE_MEMBERS_MAX. stop (nullable) is asked between passes. The split lies
 * in the arena; scratch is emptied. */
MUST_USE enum status market_least_core(const struct market *market, bool (*stop)(void *context),
                                       void *context, struct arena *arena, struct arena *scratch,
                                       struct market_core *core, struct fault *fault);

#endif
