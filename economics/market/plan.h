/*
 * Plan: the pure half of a round, market -> plan: allocate (the market's LP, by a session), whole
 * GPUs packed on nodes, prices, split, certificate.
 *
 *   maximise Σ w x                              [Owen 1975]
 *   s.t.     Σ_k x_jk   <= 1    (λ_j)
 *            Σ n_k x_jk <= K_p  (μ_p)
 *            Σ a_r x    <= b_r  (π_r),  x >= 0
 *
 * Duals: the average of two points of the optimal face, least and greatest total pool rent, each
 * made unique by a fixed lexicographic order (rents.h), rounded to nano-credits and made to cover
 * every column. No home pays more than its price_room, nor more than w plus cost; the shortfall is
 * taken from the rents (posting.h). What is reported is what is posted, and
 * epsilon = max_S v(S) − u(S) is computed on it: exactly to PLAN_ENUMERATE_MEMBERS_MAX members,
 * above that bounded by Σ max(0, owen_i − u_i), and says which.
 *
 * Above PLAN_SMALL_COLUMNS the duals are those where the solver ended (solver/README.md), and the
 * bound is what they prove: the optimum to 1e-6, or with its gap.
 *
 * Guarantee: same market (and options and state kept), same plan, bit for bit, for any number of
 * threads, on any compiler and build type. Ownership: everything in plan lies in the arena. Thread
 * rule: a session is one thread's at a time; no other shared state. Complexity: solver/README.md.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_PLAN_H
#define ENTENTE_ECONOMICS_MARKET_PLAN_H

#include "economics/market/market.h"
#include "economics/market/solver/session.h"

enum {
    PLAN_ENUMERATE_MEMBERS_MAX = 10,
    PLAN_SMALL_COLUMNS = 50000 /* up to here the midpoint of the face, and branch and bound */
};

/* One beneficiary's part of a placement's price: the pool's owner, or the owner of a binding policy
 * row. */
struct plan_share {
    int32_t member;
    struct price price; /* per GPU-second */
};

/* A job that gets whole GPUs this round. */
struct plan_placement {
    uint32_t column;
    struct lease_node *nodes; /* the named GPUs */
    uint32_t node_count;
    bool renewed;       /* runs there already, on these very GPUs */
    bool waits;         /* some of these GPUs are held by a job that loses them in this round */
    struct price price; /* what home pays per GPU-second: the sum of the shares */
    /* [share_count] They sum to price. The pool owner's is the first, and covers the pool's cost.
     */
    struct plan_share *shares;
    uint32_t share_count;
    struct credits payment; /* price × GPUs × the time held, at most τ (market_column_ms) */
};

struct plan_member {
    /* u_i at plan: own jobs' worth plus cost less payments, plus receipts less cost. */
    struct credits payoff;
    struct credits owen;  /* the LP's core point, rounded so that they sum to the bound */
    struct credits alone; /* v({i}) */
};

struct plan {
    double *lp_share;                  /* [column_count] x of the LP optimum */
    double *pool_rent_credits;         /* [pool_count] μ_p, credits per GPU and round */
    double *job_surplus_credits;       /* [job_count] λ_j */
    double *row_rent_credits;          /* [row_count] π_r */
    struct price *pool_price;          /* [pool_count] c_p + μ_p / τ */
    struct plan_placement *placements; /* [placement_count] by column ascending */
    uint32_t placement_count;
    struct plan_member *members; /* [member_count] */
    struct credits objective;    /* Σ w of the placements */
    struct credits bound;        /* the LP optimum, or a bound of it: no plan is worth more */
    struct credits epsilon;      /* 0: the posted transfers are in the core */
    bool epsilon_exact;
    uint64_t iterations; /* of all LPs */
    enum session_method method;
    bool lp_optimal; /* bound is the LP's optimum, to 1e-6 */
    bool warm;       /* something that the session kept was used */
    uint64_t passes; /* over all columns */
    double seconds[SESSION_PHASE_COUNT];
};

/* INVALID: the market breaks a rule. INTERNAL: GLPK failed (with its words). */
MUST_USE enum status plan_make(const struct market *market, struct arena *arena, struct plan *plan,
                               struct fault *fault);

/* The same with a session's help: started from what it kept, which is replaced by what this round
 * found. The plan is a function of market, options (but for threads) and what the session kept. */
MUST_USE enum status plan_make_with(const struct market *market, struct session *session,
                                    const struct session_options *options, struct arena *arena,
                                    struct plan *plan, struct fault *fault);

/*
 * Verifies by code of its own: feasibility of placements (GPUs, nodes, one column a job, rows),
 * dual feasibility over EVERY column, objective = bound − gap, transfers sum to zero, payoffs sum
 * to the objective. CORRUPT with what fails. O(size).
 */
MUST_USE enum status plan_check(const struct market *market, const struct plan *plan,
                                struct fault *fault);

/*
 * Splits a payment over a placement's shares, in proportion to their prices and to the
 * micro-credit; what rounding leaves is the first share's (the pool owner's). The metered payment
 * of a lease is split by the same call. amounts: [share_count].
 */
void plan_split_payment(const struct plan_share *shares, uint32_t share_count,
                        struct credits payment, struct credits *amounts);

/* v(S) of the members whose bit is set in mask[member / 64]; credits. For experiments, splits and
 * tests. */
MUST_USE enum status market_worth(const struct market *market, const uint64_t *mask,
                                  double *worth_credits, struct fault *fault);

#endif
