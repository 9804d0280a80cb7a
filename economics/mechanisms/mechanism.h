/*
 * Mechanism: how a federation clears its market and shares the gain, {name, allocate, split} in one
 * table, for the broker and for experiments.
 *
 *   allocate  market -> plan: placements and prices
 *   split     market, plan -> what each member should have of the surplus
 *
 * Owen's mechanism pays by the plan's prices alone. Any other adds side payments: for each member
 * the split's share less what prices give it. A split is of v(N), the LP's optimum; whole GPUs
 * realise somewhat less, so it is scaled to the plan's surplus, in whole micro-credits that add up
 * to it (largest remainder). Under VCG the shares add up to more than the surplus: the rest is
 * `funded` by an account outside the split.
 *
 * split_find() decides what is wanted; split_fit() what can be paid: no member pays more than its
 * purse, and what is missing is taken from those who would receive, in proportion. What is stated
 * is what is paid: payoffs and ε are of the fitted payments. Where a split can't be had (undefined,
 * or too much work for so many members) nothing is paid beside the prices, and `remark` says why.
 *
 * Guarantee: same market, plan and purses, same payments, bit for bit. Ownership: results lie in
 * the arena. Thread rule: no LP environment may be open on the calling thread. Complexity: a table
 * of 2^members worths within MECHANISM_TABLE_WORK_MAX, else a sample or a few LPs.
 */
#ifndef ENTENTE_ECONOMICS_MECHANISMS_MECHANISM_H
#define ENTENTE_ECONOMICS_MECHANISMS_MECHANISM_H

#include "economics/market/plan.h"

/* Coalitions × columns of a worth table that a round may spend: seconds on two cores. */
#define MECHANISM_TABLE_WORK_MAX UINT64_C(1000000000)

enum {
    MECHANISM_MEMBERS_MAX = 1000, /* above, prices alone are paid */
    SPLIT_REMARK_MAX = 256
};

struct split {
    bool paid;                     /* by the split; false: by prices alone */
    struct credits *wanted;        /* [member_count] what each should have; NULL where not paid */
    const double *worth;           /* [2^members] the table, NULL: none */
    struct credits *side;          /* [member_count] beside the prices: > 0 received */
    struct credits *payoff;        /* [member_count] u_i with them */
    struct credits funded;         /* wanted beyond the surplus */
    struct credits funding;        /* of it, what the funding account pays; Σ side == funding */
    struct credits epsilon;        /* max_S v(S) − u(S) of the payoffs, or a bound on it */
    bool epsilon_exact;            /* every coalition's worth was computed */
    uint64_t coalition;            /* who would gain ε; 0: nobody, or not known */
    char remark[SPLIT_REMARK_MAX]; /* "" nothing to say */
};

struct mechanism {
    const char *name;    /* "owen" */
    const char *summary; /* for people: a line */
    const char *concept; /* of economics/games, where the split is one of a worth table */
    bool funded;         /* its split needs a funding account */
    enum status (*allocate)(const struct market *market, struct session *session,
                            const struct session_options *options, struct arena *arena,
                            struct plan *plan, struct fault *fault);
    /* NULL: what prices give. Fills paid, wanted, funded, worth, or a remark. */
    enum status (*split)(const struct mechanism *mechanism, const struct market *market,
                         const struct plan *plan, struct arena *arena, struct split *split,
                         struct fault *fault);
};

extern const struct mechanism mechanisms[];
extern const size_t mechanism_count;

/* INVALID with the nearest name and all of them. */
MUST_USE enum status mechanism_find(const char *name, const struct mechanism **mechanism,
                                    struct fault *fault);

/* What each should have. worth: [2^members] as from market_table(), where the caller has it; NULL:
 * it is made where the split needs it and it is not too much work. */
MUST_USE enum status split_find(const struct mechanism *mechanism, const struct market *market,
                                const struct plan *plan, const double *worth, struct arena *arena,
                                struct split *split, struct fault *fault);

/* Who pays at most what. */
struct split_purses {
    const struct credits *member; /* [member_count] >= 0; NULL: no bounds */
    int32_t funder;               /* the member that funds; MARKET_NONE: somebody outside */
    struct credits outside;       /* what the outside funder can pay */
};

/* What a stored round needs to be shared again in the same way. */
struct split_terms {
    const struct mechanism *mechanism;
    struct split_purses purses;
};

/* What can be paid, and what that leaves each. */
MUST_USE enum status split_fit(const struct market *market, const struct plan *plan,
                               const struct split_purses *purses, struct arena *arena,
                               struct split *split, struct fault *fault);

#endif
