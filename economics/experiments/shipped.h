/*
 * Shipped: the experiments that come with Entente, each in a file of its own. Constants.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_SHIPPED_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_SHIPPED_H

#include "economics/experiments/experiment.h"

extern const struct experiment experiment_capacity_sharing;
extern const struct experiment experiment_misreporting;
extern const struct experiment experiment_formation;
extern const struct experiment experiment_mechanisms;
extern const struct experiment experiment_replay;

#endif
