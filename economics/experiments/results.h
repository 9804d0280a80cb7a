/*
 * Results: from the journal to what people read: results.csv (tidy: one observation a line),
 * summary.csv (means with intervals), comparisons.csv (paired differences) and results.sqlite (all
 * of them).
 *
 * Same records, same files, byte for byte, whatever the order in which they were made. Comparisons
 * are paired by replication (common random numbers): each series against the experiment's baseline
 * in the same arm, and each arm against the first. Intervals are the configuration's; none is
 * corrected for how many there are.
 *
 * Thread rule: one thread. Complexity: O(observations log arms); memory of one arm and the first.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_H

#include "economics/experiments/design.h"
#include "economics/experiments/journal.h"

/* Writes the four files into directory. The journal is sorted and has every arm's first
 * `replications` records. */
MUST_USE enum status results_write(const struct design *design, const struct journal *journal,
                                   uint32_t replications, const char *directory,
                                   struct fault *fault);

/*
 * How far the watched metric is from the half-width asked for: the largest, over arms, series and
 * subjects, of its half-width over the wanted one; at most 1 means "narrow enough". A relative
 * target of a mean of 0 is met only by a half-width of 0.
 */
MUST_USE enum status results_half_width(const struct design *design, const struct journal *journal,
                                        uint32_t replications, double *ratio, struct fault *fault);

#endif
