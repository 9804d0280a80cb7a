/*
 * Fairness: plans that share the gain otherwise than by its sum.
 *
 * U_i = Σ_{j of i} w x is what member i's own jobs are worth in the plan. Members none of whose
 * configurations are worth anything are left out: no plan gives them more than 0.
 *
 *   max-min       lexicographic: the least U_i is as great as can be, then the next least, ...
 *   proportional  Σ log U_i is as great as can be [Kelly 1997]
 *
 * Both are found by mixing vertices of the market's LP (Dantzig-Wolfe; simplicial decomposition):
 * a session is asked for the best plan under member weights, its plan joins the mix, and the mix is
 * improved, until the session's bound proves how near it is. So every plan stated is feasible and
 * every gap certified:
 *
 *   max-min       for weights y >= 0, Σ y = 1, no plan's least U exceeds max Σ y U
 *   proportional  log is concave: Σ log U* − Σ log U <= Σ (U*_i / U_i) − n <= max Σ U'_i / U_i − n
 *
 * Identical jobs are merged into classes first (classes.h): exact, and most of the time saved.
 *
 * Ownership: results lie in the arena. Thread rule: the session's; it is left cold (its prices were
 * of weighted worths). Complexity: FAIRNESS_ROUNDS_MAX solves a level.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_FAIRNESS_FAIRNESS_H
#define ENTENTE_ECONOMICS_MARKET_FAIRNESS_FAIRNESS_H

#include "economics/market/solver/session.h"

enum {
    FAIRNESS_ROUNDS_MAX = 400, /* solves, over all levels */
    FAIRNESS_LEVELS_MAX = 4096 /* a level fixes at least one member */
};

#define FAIRNESS_GAP 1e-4 /* relative: near enough */

struct fairness {
    double *utility; /* [member_count] U_i, credits a round */
    double *ceiling; /* [member_count] max-min: no plan gives more, given what lower levels have */
    uint32_t *level; /* [member_count] max-min: from 0 on; UINT32_MAX: left out, or not reached */
    uint32_t levels;
    uint32_t member_count; /* that take part */
    double value;          /* max-min: the least U; proportional: Σ log U */
    double upper_bound;    /* of value, of any plan */
    double gap;            /* max-min: (bound − value) / bound; proportional: bound − value */
    bool complete;         /* every level was reached within FAIRNESS_ROUNDS_MAX */
    uint32_t rounds;       /* solves */
    uint64_t iterations;
    struct session_use *uses; /* [use_count] by column */
    uint32_t use_count;
};

MUST_USE enum status fairness_max_min(const struct market *market, struct session *session,
                                      const struct session_options *options, struct arena *arena,
                                      struct fairness *fairness, struct fault *fault);
MUST_USE enum status fairness_proportional(const struct market *market, struct session *session,
                                           const struct session_options *options,
                                           struct arena *arena, struct fairness *fairness,
                                           struct fault *fault);

#endif
