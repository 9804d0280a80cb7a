/*
 * Market table: v(S) of every coalition of a market's members, as a worth table in credits.
 *
 * Members are put in order of what their joining costs in pivots; the dear ones make the items of
 * work, the cheap ones are walked through in Gray-code order, warm, within an item. Items are
 * solved on all cores. Guarantee: the same market gives the same bits at any number of threads,
 * since each item starts afresh. Complexity: 2^members coalition LPs, of a few pivots each.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_MARKET_TABLE_H
#define ENTENTE_ECONOMICS_GAMES_MARKET_TABLE_H

#include "economics/market/market.h"

enum {
    MARKET_TABLE_PLAYERS_MAX = 20,
    MARKET_TABLE_THREADS_MAX = 64,
    MARKET_TABLE_KEPT_PLAYERS_MIN = 14
};

/* worth[2^members], members <= MARKET_TABLE_PLAYERS_MAX. threads 0: as many as cores. The calling
 * thread must have no LP environment open. */
MUST_USE enum status market_table(const struct market *market, uint32_t threads, double *worth,
                                  struct fault *fault);

/* How a long table is watched, ended early and gone on with. A zeroed one: none of that. */
struct table_work {
    bool (*stop)(void *context); /* asked between items, from any of the threads */
    void (*progress)(void *context, uint32_t done, uint32_t items); /* from the calling thread */
    void *context;
    bool keep; /* in files: table_cache.h */
};

/* The same on all cores; what was kept is not made again. EXHAUSTED where it was stopped: what is
 * done is kept where `keep` says so, else lost. */
MUST_USE enum status market_table_run(const struct market *market, const struct table_work *work,
                                      double *worth, struct fault *fault);

#endif
