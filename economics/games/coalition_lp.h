/*
 * Coalition LP: the market's linear program as members join and leave: v(S) by warm dual simplex.
 *
 * Every column of a market takes part in one job's row (Σ x <= 1) and in a few others (its pool,
 * policy rows). So the working basis is pools and policy rows only, with one key column a job
 * [Dantzig & Van Slyke 1967: generalised upper bounding]. A member that joins or leaves changes
 * right-hand sides only: the basis stays dual feasible, and the dual simplex goes on from where it
 * is; the first one starts with each job's best column as key and all slacks: no phase one.
 *
 * Guarantee: the worth is the LP's optimum to about 1e-12 of the market's size; the same sequence
 * of calls gives the same bits. Where the simplex meets trouble it starts afresh, then asks GLPK
 * (market_worth). Ownership: the market is borrowed. Thread rule: one thread per struct; for GLPK
 * the thread must have no LP environment open. Complexity: a join or leave O(pivots × (columns +
 * rows²)), rows = pools + policy rows.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_COALITION_LP_H
#define ENTENTE_ECONOMICS_GAMES_COALITION_LP_H

#include "economics/market/market.h"

struct coalition_lp;

enum { COALITION_LP_ROWS_MAX = 8192 };

/* Nobody is in. EXHAUSTED above COALITION_LP_ROWS_MAX pools and rows. */
MUST_USE enum status coalition_lp_open(const struct market *market, struct coalition_lp **lp,
                                       struct fault *fault);
void coalition_lp_close(struct coalition_lp *lp); /* NULL is fine */

/* How much of what a member has is there: 0 it is out, 1 it is in; anything else for ranges. */
void coalition_lp_set(struct coalition_lp *lp, uint32_t member, double part);

/* Back to the first basis: what follows no longer depends on what came before. */
void coalition_lp_restart(struct coalition_lp *lp);

/* v of what is in, in credits. */
MUST_USE enum status coalition_lp_solve(struct coalition_lp *lp, double *worth_credits,
                                        struct fault *fault);

/* After a solve that did not need GLPK: what each member's resources (all of them, in or out) are
 * worth at the dual prices; [member_count], credits. False: there are no duals. */
bool coalition_lp_payoffs(const struct coalition_lp *lp, double *payoffs);

/* Whether GLPK may be asked where the simplex meets trouble (as at first); else that is INTERNAL.
 */
void coalition_lp_relax(struct coalition_lp *lp, bool relaxed);

uint64_t coalition_lp_pivots(const struct coalition_lp *lp);  /* of all solves */
uint64_t coalition_lp_rescues(const struct coalition_lp *lp); /* solves that GLPK had to do */

#endif
