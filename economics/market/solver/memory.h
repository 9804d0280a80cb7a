/*
 * Memory: what a session keeps between rounds: the price of each pool and policy row by name.
 * Internal to the solver.
 *
 * Prices are in credits (per GPU and round; per unit of a row), so that they hold whatever the
 * next market's size. One that a market doesn't mention is kept MEMORY_ROUNDS rounds more, in case
 * it comes back, then dropped: memory doesn't grow with time. Encoding: README.md. Thread rule: the
 * session's. Complexity: O(entries log entries).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_MEMORY_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_MEMORY_H

#include "base/domain/bytes.h"
#include "economics/market/market.h"

enum { MEMORY_ROUNDS = 8 };

/* A pool (owner, gpu) or a row (kind, owner, partner, which of those). */
struct memory_entry {
    uint8_t kind; /* 0: pool; 1 + row kind */
    uint32_t which;
    struct name first;
    struct name second;
    double rent;
    uint32_t absent; /* rounds */
};

struct memory {
    struct memory_entry *entries; /* [count] sorted */
    uint32_t count;
};

void memory_forget(struct memory *memory);

/* The rents known of this market's pools and rows, 0 where unknown; true where any is known. */
bool memory_recall(const struct memory *memory, const struct market *market, double *pool_rent,
                   double *row_rent);

MUST_USE enum status memory_keep(struct memory *memory, const struct market *market,
                                 const double *pool_rent, const double *row_rent,
                                 struct fault *fault);

MUST_USE enum status memory_save(const struct memory *memory, struct arena *arena,
                                 struct bytes *bytes, struct fault *fault);
MUST_USE enum status memory_load(struct memory *memory, struct bytes bytes, struct fault *fault);

#endif
