/*
 * Market Owen: Owen's split of a market, the one that the broker's rounds pay by default, and what
 * each member gets least and most over the optimal dual prices.
 *
 * The split is the average of the two extreme points of DESIGN §3 (economics/market/rents.h), in
 * the core at any number of members. A member's range: raise (lower) all that it brings by a
 * little; the optimal duals of that are those of the market at which the member gets least (most),
 * as long as they pay out exactly v(N) in the market itself, else by less.
 *
 * Ownership: results lie in the arena. Thread rule: no LP environment may be open on the thread.
 * Complexity: the market's LP, and two warm solves a member.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_OWEN_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_OWEN_H

#include "economics/games/production.h"
#include "economics/market/market.h"

/* `ranged` false: the numbers' accuracy did not allow to find a member's range; least and greatest
 * are not meaningful. */
MUST_USE enum status market_owen(const struct market *market, struct arena *arena,
                                 struct owen *owen, bool *ranged, struct fault *fault);

#endif
