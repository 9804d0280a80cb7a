/*
 * Excess: looks through a worth table for the coalitions that are worst off under a split.
 *
 * e(S, x) = v(S) − x(S), divided by the coalition's size for per-capita concepts. Sums over players
 * are split into a low and a high half, so that the table is the only thing of size 2^n that is
 * read. Ties are broken by a fixed scrambling of the coalitions, so that what is found is varied
 * where a game is symmetric. Thread rule: pure. Complexity: O(2^n).
 */
#ifndef ENTENTE_ECONOMICS_GAMES_EXCESS_H
#define ENTENTE_ECONOMICS_GAMES_EXCESS_H

#include "economics/games/game.h"
#include "economics/games/span.h"

enum { EXCESS_KEPT_MAX = 48 };

struct excess_scan {
    const double *worth; /* [2^players] */
    uint32_t players;
    bool costs; /* the excess of a cost game: x(S) − c(S) */
    bool per_capita;
    const double *x;         /* [players] */
    double above;            /* only excesses greater than this */
    double dither;           /* excesses nearer than this count as ties */
    const struct span *span; /* coalitions in it are passed over; NULL: none */
    const uint8_t *skip;     /* [2^players] nonzero: passed over; NULL: none */
};

struct excess_list {
    uint32_t count; /* worst first */
    uint32_t coalition[EXCESS_KEPT_MAX];
    double excess[EXCESS_KEPT_MAX];
    double rank[EXCESS_KEPT_MAX]; /* excess, ties broken */
};

/* The proper non-empty coalitions with the greatest excess, at most `most` of them. */
void excess_worst(const struct excess_scan *scan, uint32_t most, struct excess_list *list);

#endif
