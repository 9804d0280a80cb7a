/*
 * Checking: a plan verified by code of its own: nothing here is shared with the solver but the
 * structs. Internal to plan_check: feasibility and duals in plan_check.c, money in
 * plan_check_money.c.
 *
 * Complexity: O(size of market and plan). Thread rule: one thread per struct.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_CHECKING_CHECKING_H
#define ENTENTE_ECONOMICS_MARKET_CHECKING_CHECKING_H

#include "economics/market/plan.h"

struct checking {
    const struct market *market;
    const struct plan *plan;
    uint64_t *taken;      /* [nodes of all pools] GPUs placed so far */
    uint64_t *leaving;    /* [nodes] held by jobs that lose them */
    uint32_t *first_node; /* [pool_count] */
    int32_t *placed;      /* [job_count] its placement, or MARKET_NONE */
    double *row_rent;     /* [column_count] Σ a π */
    int64_t *payoff;      /* [member_count] recomputed */
};

/* CORRUPT, with the placement's path. */
enum status checking_wrong(struct fault *fault, uint32_t placement, const char *what);

const struct market_column *checking_column(const struct checking *c, uint32_t placement);

/* Σ w x of the LP's shares, credits. */
double checking_lp_worth(const struct checking *c);

/* Each pays what its shares add up to, within its room; payoffs are what that leaves; ε is no less
 * than what coalitions of all and of one can claim. */
MUST_USE enum status checking_prices(struct checking *c, struct fault *fault);
MUST_USE enum status checking_payoffs(struct checking *c, struct fault *fault);
MUST_USE enum status checking_epsilon(struct checking *c, struct fault *fault);

#endif
