#include "economics/lp/lp_internal.h"

#include <assert.h>
#include <math.h>

#include "base/tolerance.h"

/* Tight first; where the numbers don't allow that, GLPK's own tolerance from a fresh basis. */
static const double tolerances[] = {TOLERANCE_LP, 1e-7};

static int simplex(struct lp *lp, uint32_t iterations_max, double tolerance)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.meth = GLP_PRIMAL;
    options.tol_bnd = tolerance;
    options.tol_dj = tolerance;
    options.it_lim = iterations_max > INT32_MAX ? INT32_MAX : (int)iterations_max;
    return glp_simplex(lp->problem, &options);
}

/* GLPK's return code and solution status in our words; false: numerical trouble, try otherwise. */
static bool understand(const struct lp *lp, int code, enum lp_answer *answer)
{
    if (code == GLP_EITLIM) {
        *answer = LP_STOPPED;
        return true;
    }
    if (code != 0)
        return false;
    switch (glp_get_status(lp->problem)) {
    case GLP_OPT: *answer = LP_OPTIMAL; return true;
    case GLP_NOFEAS: *answer = LP_INFEASIBLE; return true;
    case GLP_UNBND: *answer = LP_UNBOUNDED; return true;
    default: return false;
    }
}

enum status lp_solve(struct lp *lp, uint32_t iterations_max, enum lp_answer *answer,
                     struct fault *fault)
{
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lp_lost(environment, fault);
    lp_arm(environment);
    if (!lp->scaled)
        glp_scale_prob(lp->problem, GLP_SF_AUTO);
    lp->scaled = true;
    bool understood = false;
    for (size_t i = 0; i < sizeof tolerances / sizeof tolerances[0] && !understood; i++) {
        if (i > 0)
            glp_std_basis(lp->problem);
        understood = understand(lp, simplex(lp, iterations_max, tolerances[i]), answer);
    }
    lp_disarm(environment);
    if (!understood)
        return fault_set(fault, STATUS_INTERNAL,
                         "GLPK's simplex found neither an optimum nor why there is none "
                         "(%d rows, %d columns)",
                         lp->rows, lp->columns);
    return STATUS_OK;
}

/* A reduced cost that is a rounding error keeps its variable free to move. */
static bool nonzero(double reduced_cost)
{
    return fabs(reduced_cost) > TOLERANCE_LP;
}

static double kept_at(int status, struct lp_bounds bounds)
{
    return status == GLP_NU ? bounds.upper : bounds.lower;
}

/* Fixes one nonbasic variable; true where it (now) can't move. */
static bool pinned(int status, double reduced_cost)
{
    return status == GLP_BS || status == GLP_NS || nonzero(reduced_cost);
}

bool lp_pin(struct lp *lp)
{
    assert(lp_alive(lp));
    bool point = true;
    for (int row = 0; row < lp->rows; row++) {
        int const status = glp_get_row_stat(lp->problem, row + 1);
        if (!pinned(status, glp_get_row_dual(lp->problem, row + 1)))
            point = false;
        else if (status == GLP_NL || status == GLP_NU) {
            double const at = kept_at(status, lp->row_bounds[row]);
            lp_put_row_bounds(lp, row, (struct lp_bounds){at, at});
        }
    }
    for (int column = 0; column < lp->columns; column++) {
        int const status = glp_get_col_stat(lp->problem, column + 1);
        if (!pinned(status, glp_get_col_dual(lp->problem, column + 1)))
            point = false;
        else if (status == GLP_NL || status == GLP_NU) {
            double const at = kept_at(status, lp->column_bounds[column]);
            lp_put_column_bounds(lp, column, (struct lp_bounds){at, at});
        }
    }
    return point;
}

void lp_unpin(struct lp *lp)
{
    if (!lp_alive(lp))
        return;
    for (int row = 0; row < lp->rows; row++)
        lp_put_row_bounds(lp, row, lp->row_bounds[row]);
    for (int column = 0; column < lp->columns; column++)
        lp_put_column_bounds(lp, column, lp->column_bounds[column]);
}

/* What the search is told on its way. */
struct search {
    uint32_t nodes_seen;
    uint32_t nodes_max;
    const double *start; /* [1 + columns], as GLPK counts; NULL once told */
};

static void guide(glp_tree *tree, void *info)
{
    struct search *search = info;
    if (glp_ios_reason(tree) == GLP_ISELECT && ++search->nodes_seen > search->nodes_max)
        glp_ios_terminate(tree);
    if (glp_ios_reason(tree) == GLP_IHEUR && search->start != NULL) {
        glp_ios_heur_sol(tree, search->start);
        search->start = NULL;
    }
}

enum status lp_solve_binary(struct lp *lp, uint32_t nodes_max, const double *start, bool *found,
                            struct fault *fault)
{
    *found = false;
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    struct search search = {.nodes_max = nodes_max, .start = start};
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lp_lost(environment, fault);
    lp_arm(environment);
    for (int column = 1; column <= lp->columns; column++)
        glp_set_col_kind(lp->problem, column, GLP_BV);
    glp_iocp options;
    glp_init_iocp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.cb_func = guide;
    options.cb_info = &search;
    int const code = glp_intopt(lp->problem, &options);
    int const status = glp_mip_status(lp->problem);
    lp_disarm(environment);
    if (code != 0 && code != GLP_ESTOP)
        return STATUS_OK; /* numerical trouble: nothing found */
    *found = status == GLP_OPT || status == GLP_FEAS;
    return STATUS_OK;
}
