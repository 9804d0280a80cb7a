/*
 * Apportion: an amount shared in whole units by weights, by largest remainder [Hamilton's method].
 *
 * Floors first; what they leave goes, a unit each, to the largest remainders (ties: the earlier).
 * Thread rule: pure. Complexity: O(count), times the units that floors leave (fewer than count).
 */
#ifndef ENTENTE_BASE_APPORTION_H
#define ENTENTE_BASE_APPORTION_H

#include <stdint.h>

/* amount >= 0 and all weights >= 0; where the weights sum to 0 amount must be 0 (asserted). The
 * parts sum to amount. */
void apportion(int64_t amount, const int64_t *weights, uint32_t count, int64_t *parts);

#endif
