/*
 * Market table: v(S) of every coalition of a market's members, as a worth table in credits.
 *
 * Thread rule: one LP environment per call on the calling thread. Complexity: 2^members LPs.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_TABLE_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_TABLE_H

#include "economics/market/market.h"

enum { MARKET_TABLE_PLAYERS_MAX = 20 };

/* worth[2^members], members <= MARKET_TABLE_PLAYERS_MAX. */
MUST_USE enum status market_table(const struct market *market, double *worth, struct fault *fault);

#endif
