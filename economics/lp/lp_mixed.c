/* Branch and bound over some of the columns, with the bound that is left when it is stopped. */
#include "economics/lp/lp_internal.h"

/* What the search is told, and tells. */
struct watching {
    bool (*stop)(void *context);
    void *context;
    double bound; /* of the nodes not yet looked at */
};

static void watch(glp_tree *tree, void *info)
{
    struct watching *watching = info;
    if (glp_ios_reason(tree) != GLP_ISELECT)
        return;
    int const best = glp_ios_best_node(tree);
    if (best != 0)
        watching->bound = glp_ios_node_bound(tree, best);
    if (watching->stop != NULL && watching->stop(watching->context))
        glp_ios_terminate(tree);
}

enum status lp_solve_mixed(struct lp *lp, uint32_t binaries, bool (*stop)(void *context),
                           void *context, struct lp_mixed *mixed, struct fault *fault)
{
    *mixed = (struct lp_mixed){.found = false};
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    struct watching watching = {
        .stop = stop, .context = context, .bound = glp_get_obj_val(lp->problem)};
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lp_lost(environment, fault);
    lp_arm(environment);
    for (int column = 1; column <= (int)binaries; column++)
        glp_set_col_kind(lp->problem, column, GLP_BV);
    glp_iocp options;
    glp_init_iocp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.br_tech = GLP_BR_PCH;
    options.cb_func = watch;
    options.cb_info = &watching;
    int const code = glp_intopt(lp->problem, &options);
    int const status = glp_mip_status(lp->problem);
    for (int column = 1; column <= (int)binaries; column++)
        glp_set_col_kind(lp->problem, column, GLP_CV);
    lp_disarm(environment);
    mixed->found = status == GLP_OPT || status == GLP_FEAS;
    mixed->optimal = code == 0 && status == GLP_OPT;
    mixed->objective = mixed->found ? glp_mip_obj_val(lp->problem) : 0.0;
    mixed->bound = mixed->optimal ? mixed->objective : watching.bound;
    return STATUS_OK;
}
