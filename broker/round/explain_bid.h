/*
 * Explain, bid: the value per example at which a waiting job would have been placed.
 *
 * At the round's duals a configuration k is worth its rents where w_k + (f − 1) value_k >= n_k μ_p
 * + Σ a π: f is the factor on the bid, since w is linear in the value. The least f over k is the
 * candidate; a market with that bid, collected and solved anew, proves it. Thread rule: pure.
 */
#ifndef ENTENTE_BROKER_ROUND_EXPLAIN_BID_H
#define ENTENTE_BROKER_ROUND_EXPLAIN_BID_H

#include "broker/round/round.h"

/* n_k μ_p + Σ a π of a column, credits a round. O(entries). */
double explain_rent_credits(const struct round *round, uint32_t column);

/* *value_nanos: 0 where no bid was found. */
MUST_USE enum status explain_winning_bid(const struct round *round, const struct market_job *job,
                                         const struct demand *demand, int64_t *value_nanos,
                                         struct fault *fault);

#endif
