/*
 * Mechanism, splits: what each member should have, by rule. Internal to economics/mechanisms; the
 * rules of the table in mechanism.c, with its contract.
 */
#ifndef ENTENTE_ECONOMICS_MECHANISMS_MECHANISM_SPLITS_H
#define ENTENTE_ECONOMICS_MECHANISMS_MECHANISM_SPLITS_H

#include "economics/mechanisms/mechanism.h"

enum { SPLIT_PAIRS_MAX = 4096 }; /* of orders, where Shapley is estimated */

#define SPLIT_RULE(name)                                                                           \
    enum status name(const struct mechanism *mechanism, const struct market *market,               \
                     const struct plan *plan, struct arena *arena, struct split *split,            \
                     struct fault *fault)

SPLIT_RULE(split_shapley); /* by table, else estimated from a fixed number of orders */
SPLIT_RULE(split_tabled);  /* a concept of a worth table */
SPLIT_RULE(split_proportional);
SPLIT_RULE(split_equal);
SPLIT_RULE(split_egalitarian);
SPLIT_RULE(split_vcg);

/* Is the worth of every coalition not too much work for a round? */
bool split_affordable(const struct market *market);
/* Makes that table. */
MUST_USE enum status split_table(const struct market *market, struct arena *arena,
                                 struct split *split, struct fault *fault);

/* Not paid, and why. */
void split_refuse(struct split *split, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
