/*
 * Manifest: what a directory of results is: manifest.json (version, experiment, seeds, arms,
 * replications, intervals, machine, time taken) and configuration.yaml (the file, as it was).
 *
 * Thread rule: one thread. Complexity: O(size of the design).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_MANIFEST_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_MANIFEST_H

#include "economics/experiments/lab.h"

/* FNV-1a over version, experiment, seed and the configuration's bytes: equal means the same runs.
 */
uint64_t manifest_identity(const struct design *design);

MUST_USE enum status manifest_write(const struct design *design, const struct lab_options *options,
                                    const struct lab_outcome *outcome, int64_t took_ms,
                                    struct fault *fault);

#endif
