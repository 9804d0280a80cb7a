/*
 * Span: the linear span of coalitions' membership vectors, grown one at a time; answers "is this
 * coalition decided by those?", for one coalition and for all 2^n at once.
 *
 * Exact: computed modulo the prime 2^61 − 1. A 0/1 matrix of at most 24 columns has no minor above
 * 2^35 [Hadamard 1893], so the rank modulo that prime is the rank over the rationals.
 *
 * The probe is a random vector that is orthogonal (modulo the prime) to everything in the span. A
 * coalition's sum over it is zero for all in the span, and for one outside with a chance of 2^-61:
 * one addition a coalition instead of an elimination. Thread rule: one thread. Complexity: O(n ×
 * rank) per question, per addition O(n × rank) and per probe O(n × rank).
 */
#ifndef ENTENTE_ECONOMICS_GAMES_SPAN_H
#define ENTENTE_ECONOMICS_GAMES_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "economics/games/game.h"

#define SPAN_PRIME ((UINT64_C(1) << 61) - 1)

struct span {
    uint32_t players;
    uint32_t rank;
    uint64_t row[GAME_PLAYERS_MAX]
                [GAME_PLAYERS_MAX]; /* reduced: 1 at its own pivot, 0 at others' */
    uint32_t pivot[GAME_PLAYERS_MAX];
};

void span_init(struct span *span, uint32_t players);
bool span_contains(const struct span *span, uint32_t coalition);

/* False where it was in the span already. */
bool span_add(struct span *span, uint32_t coalition);

/* probe[players], each below SPAN_PRIME; the same for the same span. */
void span_probe(const struct span *span, uint64_t *probe);

/* a + b of two sums over probes, each below SPAN_PRIME. */
static inline uint64_t span_plus(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum >= SPAN_PRIME ? sum - SPAN_PRIME : sum;
}

#endif
