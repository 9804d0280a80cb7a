/*
 * Naming: the GPUs of each packed job by node and number. Internal to the solver.
 *
 * Renewed jobs have theirs; then one-node jobs on their node; then the others, on one node where
 * one has room (best fit), else on the nodes with most free. Within a node GPUs that nobody holds
 * go first, so that few placements wait for another job to leave.
 *
 * Ownership: node lists lie in the arena given. Complexity: O(jobs × nodes of their pool).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_NAMING_H
#define ENTENTE_ECONOMICS_MARKET_NAMING_H

#include "economics/market/packing.h"
#include "economics/market/plan.h"

/* Fills column, nodes, renewed and waits of each placement, by column ascending. A job that would
 * need more than NODES_PER_LEASE_MAX nodes is taken out of the packing. */
MUST_USE enum status naming_run(const struct prepared *prepared, struct packing *packing,
                                struct arena *arena, struct plan *plan, struct fault *fault);

#endif
