#include "economics/games/market_relaxation.h"

#include <math.h>
#include <stdlib.h>

#include "economics/lp/lp.h"

#define WHOLE 1e-9 /* a part this near 0 or 1 is that */
#define MET   1e-8 /* of v(N): master and value nearer than this have met */

enum { STEPS_MAX = 3000, ITERATIONS_MAX = 10000000 };

/* Columns z and t, all in units of v(N) / n. */
struct master {
    struct lp *lp;
    struct lp_entry *entries; /* [members + 1] */
    double *payoffs;          /* [members] */
    double unit;
};

static enum status open_master(struct master *master, struct lp_environment *environment,
                               uint32_t members, struct fault *fault)
{
    static const struct lp_bounds part = {0.0, 1.0};
    enum status status = lp_open(environment, LP_MAXIMISE, &master->lp, fault);
    for (uint32_t i = 0; i <= members && status == STATUS_OK; i++)
        status =
            lp_add_column(master->lp, i < members ? 0.0 : 1.0,
                          i < members ? part : (struct lp_bounds){0.0, HUGE_VAL}, NULL, 0, fault);
    return status;
}

/* t <= Σ (u_i − x_i) z_i. */
static enum status add_cut(struct master *master, uint32_t members, const double *split,
                           struct fault *fault)
{
    for (uint32_t i = 0; i < members; i++)
        master->entries[i] = (struct lp_entry){
            .index = (int32_t)i, .value = (split[i] - master->payoffs[i]) / master->unit};
    master->entries[members] = (struct lp_entry){.index = (int32_t)members, .value = 1.0};
    return lp_add_row(master->lp, LP_AT_MOST, 0.0, master->entries, members + 1, fault);
}

/* The master's point, solved for real; its prices are the next cut. Not solved, for trouble with
 * the numbers: the bound stands. */
static enum status step(struct master *master, struct coalition_lp *lp, uint32_t members,
                        const double *split, double *bound, double *value, bool *solved,
                        struct fault *fault)
{
    enum lp_answer answer = LP_STOPPED;
    enum status status = lp_solve(master->lp, ITERATIONS_MAX, &answer, fault);
    *solved = false;
    if (status != STATUS_OK || answer != LP_OPTIMAL)
        return status;
    *bound = lp_objective(master->lp) * master->unit;
    double paid = 0.0;
    for (uint32_t i = 0; i < members; i++) {
        double part = lp_primal(master->lp, (int32_t)i);
        part = part < WHOLE ? 0.0 : part > 1.0 - WHOLE ? 1.0 : part;
        coalition_lp_set(lp, i, part);
        paid += part * split[i];
    }
    *solved = coalition_lp_solve(lp, value, NULL) == STATUS_OK &&
              coalition_lp_payoffs(lp, master->payoffs);
    *value -= paid;
    return *solved ? add_cut(master, members, split, fault) : STATUS_OK;
}

static enum status search(struct master *master, struct coalition_lp *lp, uint32_t members,
                          const double *split, double total, double enough,
                          bool (*stop)(void *context), void *context, double *at_most,
                          struct fault *fault)
{
    double worth;
    for (uint32_t i = 0; i < members; i++)
        coalition_lp_set(lp, i, 1.0);
    enum status status = coalition_lp_solve(lp, &worth, fault);
    if (status == STATUS_OK && !coalition_lp_payoffs(lp, master->payoffs))
        return STATUS_OK; /* no prices, no bound */
    if (status == STATUS_OK)
        status = add_cut(master, members, split, fault);
    for (uint32_t k = 0; k < STEPS_MAX && status == STATUS_OK; k++) {
        double bound = HUGE_VAL;
        double value = 0.0;
        bool solved = false;
        status = step(master, lp, members, split, &bound, &value, &solved, fault);
        if (status == STATUS_OK)
            *at_most = fmin(*at_most, bound);
        if (!solved || *at_most <= enough || *at_most - value <= MET * total ||
            (stop != NULL && stop(context)))
            break;
    }
    return status;
}

enum status market_relaxation(struct coalition_lp *lp, uint32_t members, const double *split,
                              double total, double enough, bool (*stop)(void *context),
                              void *context, double *at_most, struct fault *fault)
{
    struct lp_environment *environment = NULL;
    struct master master = {.entries = calloc(members + 1u, sizeof *master.entries),
                            .payoffs = calloc(members, sizeof *master.payoffs),
                            .unit = total / members};
    enum status status = STATUS_OK;
    if (master.entries == NULL || master.payoffs == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for a relaxation");
    coalition_lp_relax(lp, true);
    if (status == STATUS_OK && total > 0.0)
        status = lp_environment_open(&environment, fault);
    if (status == STATUS_OK && total > 0.0)
        status = open_master(&master, environment, members, fault);
    if (status == STATUS_OK && total > 0.0)
        status = search(&master, lp, members, split, total, enough, stop, context, at_most, fault);
    lp_close(master.lp);
    lp_environment_close(environment);
    coalition_lp_relax(lp, false);
    free(master.entries);
    free(master.payoffs);
    return status;
}
