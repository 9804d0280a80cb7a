/*
 * Improving: single moves and swaps that raise a packing's worth. Internal to rounding, whose note
 * says what it does. Complexity: ROUNDING_TRIES_MAX tries at most.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_IMPROVING_H
#define ENTENTE_ECONOMICS_MARKET_IMPROVING_H

#include "economics/market/packing.h"

void improving_run(const struct prepared *prepared, struct packing *packing);

#endif
