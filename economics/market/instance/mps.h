/*
 * MPS: the full LP of a market, every allowed configuration in it, for any other solver.
 *
 * Free MPS, minimising: `cost` is −Σ w x in credits, so that the optimum is minus the market's.
 *
 *     j<J>          Σ x <= 1          job J            (its dual: the job's surplus)
 *     p<P>          Σ n x <= GPUs     pool P           (rent per GPU and round)
 *     r<R>          Σ a x <= limit    policy row R     (rent per unit)
 *     x<J>_<P>_<N>  >= 0              job J on N GPUs of pool P
 *
 * J, P and R count from 0 in the market's order: jobs by home and id, pools by member and gpu, rows
 * by member and kind. Comment lines (*) at the top say which is which.
 *
 * Thread rule: one thread. Complexity: O(columns + entries), streamed; 12 bytes a column and 16 an
 * entry besides the market.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_MPS_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_MPS_H

#include <stdio.h>

#include "economics/market/instance/instance.h"

/* IO, NO_MEMORY. */
MUST_USE enum status mps_write(const struct instance *instance, FILE *to, struct fault *fault);

#endif
