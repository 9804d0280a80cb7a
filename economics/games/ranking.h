/*
 * Ranking: a table's coalitions by descending excess under a split, as far down as asked for.
 * Internal to the certificate (kohlberg.c); the solver doesn't use it.
 *
 * Only the head is sorted: its length grows sixteenfold whenever the reader comes to its end.
 * Thread rule: one thread. Complexity: O(2^n) per growth, plus sorting the head.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_RANKING_H
#define ENTENTE_ECONOMICS_GAMES_RANKING_H

#include "economics/games/game.h"

struct ranked {
    double excess;
    uint32_t coalition;
};

struct ranking {
    uint32_t coalitions; /* 2^n */
    double *excess;      /* [coalitions] */
    struct ranked *head; /* [head_count] sorted */
    uint32_t head_count;
    uint32_t head_room;
    bool complete; /* every proper coalition is in the head */
};

/* Takes excess[2^n] (borrowed; entries 0 and 2^n − 1 are left out). */
MUST_USE enum status ranking_open(struct ranking *ranking, double *excess, uint32_t coalitions,
                                  struct fault *fault);
void ranking_close(struct ranking *ranking);

/* The head grows; what was in it stays where it was. */
MUST_USE enum status ranking_grow(struct ranking *ranking, struct fault *fault);

#endif
