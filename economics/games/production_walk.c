#include "economics/games/production_walk.h"

#include <math.h>
#include <stdlib.h>

#include "economics/games/production_internal.h"

struct production_walk {
    const struct production *production;
    struct lp_environment *environment;
    struct lp *lp;
    bool in[PRODUCTION_PLAYERS_MAX];
    bool stale[PRODUCTION_ROWS_MAX]; /* the row's limit is to be summed afresh */
};

enum status production_walk_open(const struct production *production, struct production_walk **walk,
                                 struct fault *fault)
{
    struct production_walk *made = calloc(1, sizeof *made);
    double worth;
    *walk = NULL;
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a production game");
    made->production = production;
    enum status status = lp_environment_open(&made->environment, fault);
    if (status == STATUS_OK)
        status = lp_open(made->environment, LP_MAXIMISE, &made->lp, fault);
    if (status == STATUS_OK)
        status = production_build(production, made->lp, fault);
    if (status == STATUS_OK)
        status = production_solve(made->lp, &worth, fault);
    if (status != STATUS_OK) {
        production_walk_close(made);
        return status;
    }
    *walk = made;
    return STATUS_OK;
}

void production_walk_close(struct production_walk *walk)
{
    if (walk == NULL)
        return;
    lp_close(walk->lp);
    lp_environment_close(walk->environment);
    free(walk);
}

void production_walk_set(struct production_walk *walk, uint32_t player, bool in)
{
    if (walk->in[player] == in)
        return;
    walk->in[player] = in;
    for (uint32_t r = 0; r < walk->production->resources; r++)
        if (production_owned(walk->production, player, r) != 0.0)
            walk->stale[r] = true;
}

/* Limits are summed afresh, so that no error builds up. */
enum status production_walk_worth(struct production_walk *walk, double *worth, struct fault *fault)
{
    const struct production *production = walk->production;
    enum status status = STATUS_OK;
    for (uint32_t r = 0; r < production->resources && status == STATUS_OK; r++) {
        double supply = 0.0;
        if (!walk->stale[r])
            continue;
        for (uint32_t i = 0; i < production->players; i++)
            supply += walk->in[i] ? production_owned(production, i, r) : 0.0;
        status = lp_set_row_limit(walk->lp, (int32_t)r, supply, fault);
        walk->stale[r] = false;
    }
    return status == STATUS_OK ? production_solve(walk->lp, worth, fault) : status;
}

void production_walk_payoffs(const struct production_walk *walk, double *payoffs)
{
    const struct production *production = walk->production;
    for (uint32_t i = 0; i < production->players; i++)
        payoffs[i] = 0.0;
    for (uint32_t r = 0; r < production->resources; r++) {
        double const price = fmax(0.0, lp_dual(walk->lp, (int32_t)r));
        for (uint32_t i = 0; i < production->players; i++)
            payoffs[i] += price * production_owned(production, i, r);
    }
}
