/*
 * Probe: which few configurations to measure of a model on a cluster where little is known.
 *
 * Greedy I-optimal design [Cook & Nachtsheim 1980; Atkinson, Donev & Tobias 2007, ch. 10]: each
 * next configuration is the one whose measurement, under the law (form.h) around its prior
 * (pooling.h), lowers the mean variance of log step time over all that are available by most. A
 * peer that profiles a job asks the same question. Thread rule: pure. Complexity: O(wanted ×
 * available × 12²).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H
#define ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H

#include "economics/throughput/measurement.h"

/* Marks up to `wanted` of the available configurations; returns how many (fewer where fewer are
 * available). */
uint32_t probe_choose(const struct configuration *available, uint32_t count, uint32_t wanted,
                      bool *chosen);

#endif
