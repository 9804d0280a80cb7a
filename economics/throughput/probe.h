/*
 * Probe: which few configurations to measure of a model on a cluster where little is known.
 *
 * Greedy I-optimal design [Cook & Nachtsheim 1980; Atkinson, Donev & Tobias 2007, ch. 10]: each
 * next configuration is the one whose measurement, under the law (form.h) around its prior
 * (pooling.h), lowers the mean variance of log step time over all that are available by most. A
 * peer that profiles a job asks the same question. Thread rule: pure. Complexity: O(wanted ×
 * available × 24²).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H
#define ENTENTE_ECONOMICS_THROUGHPUT_PROBE_H

#include "economics/throughput/form.h"

/* A new model on several known clusters has something in common: what one pair's measurements tell
 * of that, the next pair's need not. Pairs of a new cluster are asked each for itself: asked
 * together, the rows chosen forecast worse, on every set of clusters tried (README.md). */
struct probe {
    double common[FORM_PARAMETERS * FORM_PARAMETERS]; /* covariance, given all that was chosen */
    double own[FORM_PARAMETERS];                      /* variance of a pair besides */
};

enum probe_new { PROBE_NEW_PAIR, PROBE_NEW_MODEL };

void probe_begin(struct probe *probe, enum probe_new what);

/* Marks up to `wanted` of the configurations available of the next pair; returns how many (fewer
 * where fewer are available). */
uint32_t probe_choose(struct probe *probe, const struct configuration *available, uint32_t count,
                      uint32_t wanted, bool *chosen);

#endif
