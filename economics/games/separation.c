#include "economics/games/separation.h"

#include <math.h>
#include <stdlib.h>

#include "economics/games/separation_internal.h"

enum { ITERATIONS_MAX = 10000000, TIES_MAX = 40 };

enum status separation_open(const struct input_game *input, double total,
                            struct separation **separation, struct fault *fault)
{
    struct separation *made = calloc(1, sizeof *made);
    *separation = NULL;
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to look for objections");
    made->input = input;
    made->players = input->game.players;
    made->scale = total > 0.0 ? total / made->players : 1.0;
    arena_init(&made->arena, ARENA_ROUND_BYTES);
    enum status status = lp_environment_open(&made->environment, fault);
    if (status == STATUS_OK)
        status = lp_open(made->environment, LP_MAXIMISE, &made->lp, fault);
    if (status == STATUS_OK)
        status = separation_build(made, fault);
    if (status != STATUS_OK) {
        separation_close(made);
        return status;
    }
    *separation = made;
    return STATUS_OK;
}

void separation_close(struct separation *separation)
{
    if (separation == NULL)
        return;
    lp_close(separation->lp);
    lp_environment_close(separation->environment);
    arena_fini(&separation->arena);
    free(separation);
}

static bool is_over(bool (*stop)(void *context), void *context)
{
    return stop != NULL && stop(context);
}

/* The relaxation, tightened until no row of job and host is broken. Its optimum bounds all. */
static enum status relax(struct separation *separation, bool (*stop)(void *context), void *context,
                         bool *optimal, struct fault *fault)
{
    uint32_t added = 1;
    enum status status = STATUS_OK;
    *optimal = false;
    for (uint32_t pass = 0; pass < TIES_MAX && added > 0 && status == STATUS_OK; pass++) {
        enum lp_answer answer = LP_STOPPED;
        status = lp_solve(separation->lp, ITERATIONS_MAX, &answer, fault);
        *optimal = status == STATUS_OK && answer == LP_OPTIMAL;
        if (!*optimal || is_over(stop, context))
            break;
        status = separation_tie(separation, &added, fault);
        *optimal = *optimal && added == 0;
    }
    return status;
}

enum status separation_find(struct separation *separation, const double *split,
                            bool (*stop)(void *context), void *context, struct separated *separated,
                            struct fault *fault)
{
    struct lp_mixed mixed = {.found = false};
    bool optimal = false;
    enum status status = STATUS_OK;
    separated->found = false;
    separated->exact = false;
    separated->at_most = HUGE_VAL;
    for (uint32_t i = 0; i < separation->players && status == STATUS_OK; i++)
        status = lp_set_objective(separation->lp, (int32_t)i, -split[i] / separation->scale, fault);
    if (status == STATUS_OK)
        status = relax(separation, stop, context, &optimal, fault);
    if (status != STATUS_OK || !optimal)
        return status;
    double const slack = SEPARATION_SLACK * separation->players;
    separated->at_most = (lp_objective(separation->lp) + slack) * separation->scale;
    if (is_over(stop, context))
        return STATUS_OK;
    status = lp_solve_mixed(separation->lp, separation->players, stop, context, &mixed, fault);
    if (status != STATUS_OK)
        return status;
    separated->at_most = fmin(separated->at_most, (mixed.bound + slack) * separation->scale);
    separated->exact = mixed.optimal;
    separated->found = mixed.found;
    for (uint32_t i = 0; i < separation->players && mixed.found; i++)
        separated->in[i] = lp_binary(separation->lp, (int32_t)i) > 0.5;
    return STATUS_OK;
}
