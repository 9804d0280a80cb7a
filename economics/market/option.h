/*
 * Option: one configuration of a job, (pool, GPUs), judged: what stands against it, and what it is
 * worth. Internal to collect.
 *
 * Pure; O(hints + data sets + log of the table) each. Numbers out of range are clamped, never
 * wrapped: what a member sends can make its own job worthless, not the round fail.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_OPTION_H
#define ENTENTE_ECONOMICS_MARKET_OPTION_H

#include "economics/market/collect.h"

struct option {
    const struct collect_input *input;
    const struct demand *demand;
    const struct offer *home; /* NULL: the home has sent no offer */
    const struct offer *host;
    const struct pool_offer *pool;
    uint32_t gpus;
    uint32_t usable_gpus;         /* of the pool in this round */
    uint32_t usable_gpus_of_node; /* of its fullest node */
};

/* The price the market counts with: the higher of marginal cost and reserve. */
struct price option_cost(const struct pool_offer *pool);

/* "" where nothing stands against it; static text. */
const char *option_obstacle(const struct option *option);

/* Fills throughput, worth, value and price_room of an option without obstacle. */
void option_judge(const struct option *option, struct market_column *column);

/* Runs there already, on that many GPUs. */
bool option_held(const struct option *option);

enum { OPTION_COUNTS_MAX = 48 };

/* The GPU counts tried: powers of two from gpus_min to gpus_max, both ends, and the count held now.
 * Ascending; returns how many. */
uint32_t option_counts(const struct demand *demand, uint32_t gpus_max,
                       uint32_t counts[static OPTION_COUNTS_MAX]);

#endif
