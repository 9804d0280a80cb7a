/*
 * Efficiency: how much an example is worth at a batch size: large batches average away noise that
 * is no longer there [McCandlish et al. 2018; Pollux, OSDI'21, §3.1].
 *
 * With gradient noise scale φ (examples) measured at batch M0, an example in a batch of M moves
 * training on by (φ + M0)/(φ + M) of one in a batch of M0; goodput = examples/s × that. Thread
 * rule: pure. Complexity: O(1).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_EFFICIENCY_H
#define ENTENTE_ECONOMICS_THROUGHPUT_EFFICIENCY_H

#include <assert.h>

struct noise_scale {
    double examples;   /* φ >= 0 */
    double base_batch; /* M0 > 0, over all workers */
};

/* 1 at the base batch; batch > 0 over all workers and passes. */
static inline double statistical_efficiency(const struct noise_scale *noise, double batch)
{
    assert(noise->base_batch > 0 && batch > 0 && noise->examples >= 0);
    return (noise->examples + noise->base_batch) / (noise->examples + batch);
}

#endif
