/* What the searches over dual bounds share (see market_core.h). Internal to economics/games. */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_CORE_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_CORE_INTERNAL_H

#include "economics/games/coalition_lp.h"

/* An upper bound on every coalition's worth, exact where it was solved. */
struct market_bounds {
    uint32_t members; /* <= MARKET_CORE_TABLE_MEMBERS_MAX */
    struct coalition_lp *lp;
    double *bound;   /* [2^members] >= v */
    uint8_t *exact;  /* [2^members] bound is v */
    double *payoffs; /* [members] of the last coalition solved, at its prices */
    double *low;     /* sums of payoffs over the low members */
    double total;    /* v(N) */
    uint64_t solved;
};

/* Everybody, each alone and all but each are solved. */
MUST_USE enum status market_bounds_open(const struct market *market, struct market_bounds *bounds,
                                        struct fault *fault);
void market_bounds_close(struct market_bounds *bounds);

/* Makes the coalition's bound exact, and lowers others'. O(2^members) where it is news. */
MUST_USE enum status market_bounds_solve(struct market_bounds *bounds, uint32_t coalition,
                                         struct fault *fault);

#endif
