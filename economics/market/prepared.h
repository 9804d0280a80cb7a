/*
 * Prepared: a market made ready to be solved: each column's costs and policy rows at hand, and who
 * may use it in which coalition. Internal to the solver.
 *
 * Ownership: arrays lie in the arena given; the market is borrowed. Thread rule: immutable after
 * prepared_make(). Complexity: O(columns + entries).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_PREPARED_H
#define ENTENTE_ECONOMICS_MARKET_PREPARED_H

#include "economics/lp/lp.h"
#include "economics/market/market.h"

/* Sums of nano-credits over a whole market don't fit 64 bits. */
__extension__ typedef __int128 wide;

enum { NANOS_PER_MICRO = NANOS_PER_CREDIT / MICROS_PER_CREDIT };

struct prepared {
    const struct market *market;
    uint32_t *first_of_column;    /* [column_count + 1] into row_entries */
    struct lp_entry *row_entries; /* by column: policy row and coefficient, > 0 */
    double *row_largest;          /* [row_count] largest coefficient; 1 where there is none */
    struct credits *cost;         /* [column_count] the pool's cost of n_k GPUs a round */
};

MUST_USE enum status prepared_make(const struct market *market, struct arena *arena,
                                   struct prepared *prepared, struct fault *fault);

/* A coalition: bit i of mask[i / 64]; NULL: all members. */
static inline bool coalition_has(const uint64_t *mask, int32_t member)
{
    return mask == NULL || (mask[member / 64] >> (member % 64) & 1) != 0;
}

/* b_r for this coalition: 0 where its owner, or its partner, is not in. */
double prepared_limit(const struct prepared *prepared, uint32_t row, const uint64_t *mask);

/* May be positive in the coalition's LP: worth > 0, everyone present, no capacity of zero. */
bool prepared_usable(const struct prepared *prepared, uint32_t column, const uint64_t *mask);

#endif
