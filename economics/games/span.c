#include "economics/games/span.h"

#include <assert.h>
#include <string.h>

#include "base/rng.h"

__extension__ typedef unsigned __int128 product;

enum { PROBE_SEED = 20261123 };

static uint64_t times(uint64_t a, uint64_t b)
{
    product whole = (product)a * b;
    uint64_t sum = (uint64_t)(whole & SPAN_PRIME) + (uint64_t)(whole >> 61);
    return sum >= SPAN_PRIME ? sum - SPAN_PRIME : sum;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a >= b ? a - b : a + SPAN_PRIME - b;
}

/* a^(p−2) [Fermat]. */
static uint64_t inverse(uint64_t a)
{
    uint64_t result = 1;
    for (uint64_t power = SPAN_PRIME - 2; power > 0; power >>= 1) {
        if ((power & 1) != 0)
            result = times(result, a);
        a = times(a, a);
    }
    return result;
}

void span_init(struct span *span, uint32_t players)
{
    assert(players <= GAME_PLAYERS_MAX);
    *span = (struct span){.players = players};
}

/* What is left of the coalition's vector after the rows took their part. */
static void reduce(const struct span *span, uint32_t coalition, uint64_t *rest)
{
    for (uint32_t i = 0; i < span->players; i++)
        rest[i] = coalition >> i & 1;
    for (uint32_t r = 0; r < span->rank; r++) {
        uint64_t factor = rest[span->pivot[r]];
        for (uint32_t i = 0; i < span->players && factor != 0; i++)
            rest[i] = minus(rest[i], times(factor, span->row[r][i]));
    }
}

/* players where all are zero. */
static uint32_t first_nonzero(const struct span *span, const uint64_t *rest)
{
    uint32_t at = 0;
    while (at < span->players && rest[at] == 0)
        at++;
    return at;
}

bool span_contains(const struct span *span, uint32_t coalition)
{
    uint64_t rest[GAME_PLAYERS_MAX];
    reduce(span, coalition, rest);
    return first_nonzero(span, rest) == span->players;
}

bool span_add(struct span *span, uint32_t coalition)
{
    uint64_t rest[GAME_PLAYERS_MAX] = {0};
    reduce(span, coalition, rest);
    uint32_t pivot = first_nonzero(span, rest);
    if (pivot == span->players)
        return false;
    uint64_t scale = inverse(rest[pivot]);
    for (uint32_t i = 0; i < span->players; i++)
        rest[i] = times(rest[i], scale);
    for (uint32_t r = 0; r < span->rank; r++) {
        uint64_t factor = span->row[r][pivot];
        for (uint32_t i = 0; i < span->players && factor != 0; i++)
            span->row[r][i] = minus(span->row[r][i], times(factor, rest[i]));
    }
    memcpy(span->row[span->rank], rest, sizeof rest);
    span->pivot[span->rank++] = pivot;
    return true;
}

/* Free at the players without a pivot; each pivot's entry follows from its row. */
void span_probe(const struct span *span, uint64_t *probe)
{
    struct rng rng;
    rng_init(&rng, PROBE_SEED, span->rank);
    for (uint32_t i = 0; i < span->players; i++)
        probe[i] = rng_below(&rng, SPAN_PRIME);
    for (uint32_t r = 0; r < span->rank; r++)
        probe[span->pivot[r]] = 0;
    for (uint32_t r = 0; r < span->rank; r++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < span->players; i++)
            if (i != span->pivot[r] && span->row[r][i] != 0)
                sum = span_plus(sum, times(span->row[r][i], probe[i]));
        probe[span->pivot[r]] = minus(0, sum);
    }
}
