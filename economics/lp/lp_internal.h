/*
 * LP, inside: what environment, building and solving share. Internal to economics/lp.
 *
 * A call into GLPK that may fail is made between lp_arm() and lp_disarm(), after
 * setjmp(environment->recover) in the same frame:
 *
 *     if (setjmp(environment->recover) != 0)
 *         return lp_lost(environment, fault);
 *     lp_arm(environment);
 *     glp_...
 *     lp_disarm(environment);
 */
#ifndef ENTENTE_ECONOMICS_LP_LP_INTERNAL_H
#define ENTENTE_ECONOMICS_LP_LP_INTERNAL_H

#include <glpk.h>
#include <setjmp.h>

#include "economics/lp/lp.h"

enum { LP_WORDS_MAX = 256 };

struct lp_environment {
    jmp_buf recover;
    bool armed;          /* recover is set, in a frame that is still there */
    uint64_t generation; /* raised when GLPK's state is thrown away: older problems are lost */
    char words[LP_WORDS_MAX];
    struct lp_environment *outer; /* opened earlier in the same thread */
};

struct lp {
    struct lp_environment *environment;
    uint64_t generation;
    glp_prob *problem; /* dangling once the generations differ */
    bool scaled;
    int rows;
    int columns;
    struct lp_bounds *row_bounds; /* as given, for lp_unpin */
    struct lp_bounds *column_bounds;
    int row_room;
    int column_room;
    int *indices; /* GLPK counts from 1: entries are copied here */
    double *values;
    uint32_t entry_room;
};

void lp_arm(struct lp_environment *environment);
void lp_disarm(struct lp_environment *environment);

/* INTERNAL, with GLPK's words. */
enum status lp_lost(struct lp_environment *environment, struct fault *fault);

/* False once GLPK failed after the problem was opened. */
bool lp_alive(const struct lp *lp);
enum status lp_refuse_lost(struct fault *fault);

void lp_put_row_bounds(struct lp *lp, int row, struct lp_bounds bounds);
void lp_put_column_bounds(struct lp *lp, int column, struct lp_bounds bounds);

#endif
