/*
 * Span: the linear span of coalitions' membership vectors, grown one at a time; answers "is this
 * coalition decided by those?".
 *
 * Rows are kept reduced (Gauss-Jordan, pivots 1). Membership vectors are 0/1, so entries stay
 * small; SPAN_ZERO separates zero from not. Thread rule: one thread. Complexity: O(n × rank) per
 * question.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_SPAN_H
#define ENTENTE_ECONOMICS_GAMES_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "economics/games/game.h"

struct span {
    uint32_t players;
    uint32_t rank;
    double row[GAME_PLAYERS_MAX][GAME_PLAYERS_MAX];
    uint32_t pivot[GAME_PLAYERS_MAX];
};

void span_init(struct span *span, uint32_t players);
bool span_contains(const struct span *span, uint32_t coalition);

/* False where it was in the span already. */
bool span_add(struct span *span, uint32_t coalition);

#endif
