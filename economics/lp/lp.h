/*
 * LP: linear programs, solved by GLPK's primal simplex. The only home of glpk.h.
 *
 * "The call failed" is a status; "the problem is infeasible" is an answer. Every number is checked
 * before GLPK sees it (it accepts NaN and answers wrongly with confidence). An error inside GLPK,
 * which would abort the process, is caught: the call returns INTERNAL with GLPK's words, and every
 * problem of that thread is lost from then on (each further call on them says so).
 *
 * Limits are iterations and nodes, never seconds: a replay repeats them. Same calls, same answer,
 * bit for bit.
 *
 * Ownership: an environment stands for GLPK's state of one thread; problems are opened in it and
 * closed before it. Thread rule: GLPK keeps its state per thread: environment and problems are used
 * in the thread that opened them, alone. A thread may have several open; the last one closed frees
 * GLPK's memory of the thread (problems made past this module included).
 */
#ifndef ENTENTE_ECONOMICS_LP_LP_H
#define ENTENTE_ECONOMICS_LP_LP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

struct lp_environment;
struct lp;

enum { LP_ROWS_MAX = 4000000, LP_COLUMNS_MAX = 64000000 };

enum lp_direction { LP_MAXIMISE, LP_MINIMISE };
enum lp_row_kind { LP_AT_MOST, LP_AT_LEAST, LP_EQUAL };

enum lp_answer {
    LP_OPTIMAL,
    LP_INFEASIBLE,
    LP_UNBOUNDED,
    LP_STOPPED /* at the limit; lp_primal() is feasible where lp_feasible() says so */
};

/* A nonzero: of a row, index is the column; of a column, the row. Both count from 0. */
struct lp_entry {
    int32_t index;
    double value;
};

struct lp_bounds {
    double lower; /* finite or -INFINITY */
    double upper; /* finite or INFINITY; >= lower */
};

MUST_USE enum status lp_environment_open(struct lp_environment **environment, struct fault *fault);
void lp_environment_close(struct lp_environment *environment); /* NULL is fine */

MUST_USE enum status lp_open(struct lp_environment *environment, enum lp_direction direction,
                             struct lp **lp, struct fault *fault);
void lp_close(struct lp *lp); /* NULL is fine */

/* Appends. Entries name existing columns (rows), each once. INVALID where a number isn't finite.
 * Amortised O(count). */
MUST_USE enum status lp_add_row(struct lp *lp, enum lp_row_kind kind, double limit,
                                const struct lp_entry *entries, uint32_t count,
                                struct fault *fault);
MUST_USE enum status lp_add_column(struct lp *lp, double objective, struct lp_bounds bounds,
                                   const struct lp_entry *entries, uint32_t count,
                                   struct fault *fault);

/* Changes between solves; the basis is kept, so that the next solve starts where the last ended. */
void lp_set_direction(struct lp *lp, enum lp_direction direction);
MUST_USE enum status lp_set_objective(struct lp *lp, int32_t column, double objective,
                                      struct fault *fault);
MUST_USE enum status lp_set_row_limit(struct lp *lp, int32_t row, double limit,
                                      struct fault *fault);

/* The caller's numbers are well scaled (bounds and coefficients near 1): GLPK leaves them alone.
 * Before the first solve. */
void lp_keep_scale(struct lp *lp);

/* Primal simplex from the present basis (the first time: scaled, all slack). */
MUST_USE enum status lp_solve(struct lp *lp, uint32_t iterations_max, enum lp_answer *answer,
                              struct fault *fault);

/*
 * After LP_OPTIMAL: keeps what follows on the optimal face, by fixing every nonbasic variable and
 * row with a nonzero reduced cost where it is. True when the face is one point. Sequential
 * objectives with a pin after each solve give the lexicographic optimum. lp_unpin() lets go.
 */
bool lp_pin(struct lp *lp);
void lp_unpin(struct lp *lp);

/*
 * Branch and bound with all columns 0 or 1, after an LP_OPTIMAL. start: a solution known already,
 * [1 + columns] with start[1] the first column's, or NULL. `found` false: none within the limit.
 */
MUST_USE enum status lp_solve_binary(struct lp *lp, uint32_t nodes_max, const double *start,
                                     bool *found, struct fault *fault);
double lp_binary(const struct lp *lp, int32_t column);

/* How far a search over some binary columns came. */
struct lp_mixed {
    bool found;   /* a solution: lp_binary() reads it, objective is its */
    bool optimal; /* none is better, to GLPK's 1e-7 or so */
    double objective;
    double bound; /* no solution is better than this */
};

/* Branch and bound with the first `binaries` columns 0 or 1, by pseudo-costs, after an LP_OPTIMAL.
 * stop (nullable) is asked at every node; after it `bound` is that of the nodes left. */
MUST_USE enum status lp_solve_mixed(struct lp *lp, uint32_t binaries, bool (*stop)(void *context),
                                    void *context, struct lp_mixed *mixed, struct fault *fault);

/* Of the last solve. */
bool lp_feasible(const struct lp *lp);
double lp_objective(const struct lp *lp);
double lp_primal(const struct lp *lp, int32_t column);
double lp_dual(const struct lp *lp, int32_t row);
double lp_reduced_cost(const struct lp *lp, int32_t column);
uint64_t lp_iterations(const struct lp *lp); /* of all solves of this problem */
bool lp_column_pinned(const struct lp *lp, int32_t column);

#endif
