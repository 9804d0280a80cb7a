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
    struct credits budget;        /* of the home: what its leases may cost at most, together */
};

/* The price the market counts with: the higher of marginal cost and reserve. */
struct price option_cost(const struct pool_offer *pool);

/* What stands against it (static text); or "", and throughput, worth, value and price_room in
 * *column. */
const char *option_judge(const struct option *option, struct market_column *column);

/* What is predicted there. */
struct throughput_estimate option_estimate(const struct option *option);

/* What a lease can cost at most: at the bid's price, for the round and the grace after it, though
 * the job may end sooner; credits. */
double option_cap(const struct market_column *column, int64_t round_ms, int64_t grace_ms);

/* What a home may spend in this round: its funds, or its own limit where that is lower; >= 0. */
struct credits option_budget(const struct offer *home, struct credits funds);

/* Runs there already, on that many GPUs. */
bool option_held(const struct option *option);

enum { OPTION_COUNTS_MAX = 48 };

/* The GPU counts tried: powers of two from gpus_min to gpus_max, both ends, and the count held now.
 * Ascending; returns how many. */
uint32_t option_counts(const struct demand *demand, uint32_t gpus_max,
                       uint32_t counts[static OPTION_COUNTS_MAX]);

#endif
