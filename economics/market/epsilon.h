/*
 * Epsilon: how much the group that would gain most by leaving would gain: max_S v(S) − u(S), for
 * payoffs u from anywhere.
 *
 * v(S) is the market's LP on S, solved anew for each coalition; nothing of a plan's own certificate
 * is used. So payoffs recovered from a ledger can be judged against the stored bids. Thread rule:
 * as plan_make(). Complexity: 2^members LPs.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_EPSILON_H
#define ENTENTE_ECONOMICS_MARKET_EPSILON_H

#include "economics/market/plan.h"

struct market_excess {
    struct credits
        by; /* >= 0; 0: nobody would do better alone (tolerance of the LP: a micro-credit) */
    uint64_t coalition; /* bit i: member i; 0 where by is 0 */
};

/* v(S) − u(S), >= 0, rounded up to whole micro-credits but for what a floating-point LP can't know.
 */
int64_t market_excess_micros(double worth_credits, int64_t payoff_micros);

/* payoffs[member_count]. EXHAUSTED above PLAN_ENUMERATE_MEMBERS_MAX members, where all coalitions
 * are too many. */
MUST_USE enum status market_greatest_excess(const struct market *market,
                                            const struct credits *payoffs,
                                            struct market_excess *excess, struct fault *fault);

#endif
