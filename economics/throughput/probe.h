/*
 * Probe: which few configurations to measure of a model on a cluster where little is known.
 *
 * The order: one GPU; several nodes (three or more where there are: two alone behave unlike more);
 * one node; a larger batch on one GPU; the most GPUs. Each is the nearest, in logarithms, of what is
 * available. A peer that profiles a job asks the same question. Thread rule: pure. Complexity:
 * O(wanted × available).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H
#define ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H

#include "economics/throughput/measurement.h"

enum { PROBES_MAX = 64 };

/* Marks up to `wanted` of the available configurations, in the order above and, beyond its five,
 * the farthest from those marked; returns how many (fewer where fewer are available). */
uint32_t probe_choose(const struct configuration *available, uint32_t count, uint32_t wanted,
                      bool *chosen);

#endif
