#include "economics/games/span.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define SPAN_ZERO 1e-9

void span_init(struct span *span, uint32_t players)
{
    assert(players <= GAME_PLAYERS_MAX);
    *span = (struct span){.players = players};
}

/* What is left of the coalition's vector after the rows took their part. */
static void reduce(const struct span *span, uint32_t coalition, double *rest)
{
    for (uint32_t i = 0; i < span->players; i++)
        rest[i] = (double)(coalition >> i & 1);
    for (uint32_t r = 0; r < span->rank; r++) {
        double factor = rest[span->pivot[r]];
        if (factor == 0.0)
            continue;
        for (uint32_t i = 0; i < span->players; i++)
            rest[i] -= factor * span->row[r][i];
    }
}

static uint32_t largest(const struct span *span, const double *rest)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < span->players; i++)
        if (fabs(rest[i]) > fabs(rest[at]))
            at = i;
    return at;
}

bool span_contains(const struct span *span, uint32_t coalition)
{
    double rest[GAME_PLAYERS_MAX];
    reduce(span, coalition, rest);
    return fabs(rest[largest(span, rest)]) < SPAN_ZERO;
}

bool span_add(struct span *span, uint32_t coalition)
{
    double rest[GAME_PLAYERS_MAX];
    reduce(span, coalition, rest);
    uint32_t pivot = largest(span, rest);
    if (fabs(rest[pivot]) < SPAN_ZERO)
        return false;
    double scale = rest[pivot];
    for (uint32_t i = 0; i < span->players; i++)
        rest[i] = fabs(rest[i]) < SPAN_ZERO ? 0.0 : rest[i] / scale;
    for (uint32_t r = 0; r < span->rank; r++) {
        double factor = span->row[r][pivot];
        for (uint32_t i = 0; i < span->players && factor != 0.0; i++)
            span->row[r][i] -= factor * rest[i];
    }
    memcpy(span->row[span->rank], rest, sizeof rest);
    span->pivot[span->rank++] = pivot;
    return true;
}
