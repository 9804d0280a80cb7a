/*
 * Clearing: a drawn federation's market cleared under any mechanism, and what each member truly has
 * of it. What the market experiments do again and again.
 *
 * Ownership: an arena of its own, reset with each clearing. Thread rule: one thread per struct.
 * Complexity: a plan and a split.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_CLEARING_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_CLEARING_H

#include "economics/experiments/federation.h"

struct clearing {
    const struct federation *federation;
    struct arena arena;
    struct federation_market market;
    struct plan plan;
    double *worth; /* [2^members of the market]; NULL: not made yet */
};

void clearing_init(struct clearing *clearing, const struct federation *federation);
void clearing_fini(struct clearing *clearing);

/* Market and plan of a report. */
MUST_USE enum status clearing_plan(struct clearing *clearing,
                                   const struct federation_report *report, struct fault *fault);

/* The mechanism's split of that plan; the table of worths is made once a plan. */
MUST_USE enum status clearing_split(struct clearing *clearing, const struct mechanism *mechanism,
                                    struct split *split, struct fault *fault);

/* utilities: [members] in credits per hour, by the truth. */
MUST_USE enum status clearing_utilities(struct clearing *clearing,
                                        const struct mechanism *mechanism, double *utilities,
                                        struct fault *fault);

#endif
