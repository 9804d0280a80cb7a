/*
 * Wild market: a random market's numbers spread over all of their range: worths from a micro-credit
 * to a thousand million credits, limits from 1e-11 to 1e17, coefficients down to 1e-16 of them.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_WILD_MARKET_H
#define ENTENTE_TESTS_ECONOMICS_WILD_MARKET_H

#include <math.h>
#include <stdlib.h>

#include "tests/economics/random_market.h"

static inline int64_t wild_micros(struct rng *rng)
{
    int64_t micros = 1 + (int64_t)rng_below(rng, 9);
    for (uint64_t digits = rng_below(rng, 15); digits > 0; digits--)
        micros *= 10;
    return micros;
}

static inline double wild_coefficient(struct rng *rng, int low, int high)
{
    double number = 1 + rng_unit(rng) * 8;
    int const exponent = low + (int)rng_below(rng, (uint64_t)(high - low));
    for (int i = 0; i < abs(exponent); i++)
        number = exponent < 0 ? number / 10 : number * 10;
    return number;
}

static inline void make_wild(uint64_t seed, uint64_t stream, struct market *market)
{
    struct rng rng;
    rng_init(&rng, seed, stream + 1000000);
    for (uint32_t k = 0; k < market->column_count; k++) {
        struct market_column *column = &market->columns[k];
        struct credits cost;
        if (column->worth.micros <= 0 ||
            !price_amount(market->pools[column->pool].cost, column->gpus,
                          market_column_ms(market, column), &cost))
            continue;
        column->worth.micros = wild_micros(&rng) / 100 + 1;
        column->value.micros = column->worth.micros + cost.micros;
        if (column->value.micros > MARKET_WORTH_MICROS_MAX)
            column->worth.micros = 0;
        column->price_room.micros =
            cost.micros + (int64_t)rng_below(&rng, (uint64_t)column->worth.micros + 1);
    }
    for (uint32_t r = 0; r < market->row_count; r++)
        if (market->rows[r].limit > 0)
            market->rows[r].limit = wild_coefficient(&rng, -11, 17);
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            double const a = market->rows[r].limit * wild_coefficient(&rng, -16, 0);
            market->entries[market->rows[r].first_entry + e].coefficient =
                a < MARKET_COEFFICIENT_MIN ? 0 : fmin(a, MARKET_COEFFICIENT_MAX);
        }
}

#endif
