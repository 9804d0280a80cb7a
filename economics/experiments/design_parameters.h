/*
 * Design's parameters: the values and ranges under `parameters:`, checked against what the
 * experiment says of each. Internal to design.
 *
 * Ownership: values lie in the arena. Thread rule: one thread. Complexity: O(values).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_DESIGN_PARAMETERS_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_DESIGN_PARAMETERS_H

#include "base/nearest.h"
#include "base/yaml_tree.h"
#include "economics/experiments/design.h"

/* Fills fixed and axes. parameters: NULL where the file has none; root stands for the file. */
MUST_USE enum status design_read_parameters(const struct yaml_tree *parameters,
                                            const struct yaml_tree *root, struct arena *arena,
                                            struct design *into, struct fault *fault);

/* The number of the metric that the node names. */
MUST_USE enum status design_find_metric(const struct design *design, const struct yaml_tree *node,
                                        uint16_t *metric, struct fault *fault);

#endif
