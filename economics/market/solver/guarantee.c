#include "economics/market/solver/guarantee.h"

#include <math.h>
#include <stdlib.h>

#include "base/tolerance.h"
#include "economics/lp/lp.h"
#include "economics/market/solver/fallback.h"
#include "economics/market/solver/standalone.h"

enum { MASTER_ITERATIONS = 100000 };

/* The floors give way by this part, so that rounding doesn't shut the first plan out. */
#define FLOOR_SLACK 1e-9

struct plan_of_mix {
    struct session_use *uses;
    uint32_t use_count;
    double worth;
};

struct guaranteeing {
    const struct market *market;
    struct session *session; /* of weighted worths: its own */
    struct session_options options;
    struct arena arena; /* the plans' */
    struct lp_environment *environment;
    struct lp *master;
    int32_t *row;    /* [member_count] of the master; -1: reaches nothing alone */
    int32_t sum_row; /* Σ α = 1 */
    double *alone;   /* [member_count] credits */
    double *utility; /* [member_count] scratch */
    double *weight;  /* [member_count] */
    double scale;    /* of worths in the master */
    struct plan_of_mix plans[GUARANTEE_ROUNDS + 2];
    uint32_t plan_count;
    double bound; /* credits: no guaranteed plan is worth more */
};

static enum status prepare(struct guaranteeing *g, const struct session_result *welfare,
                           struct fault *fault);
static enum status ask(struct guaranteeing *g, bool *better, struct session_result *result,
                       struct fault *fault);
static enum status report(const struct guaranteeing *g, struct arena *arena,
                          struct session_result *result, struct fault *fault);

enum status guarantee_find(const struct market *market, const struct session_options *options,
                           struct arena *arena, struct session_result *result, struct fault *fault)
{
    struct guaranteeing *g = calloc(1, sizeof *g);
    if (g == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a guaranteed plan");
    g->market = market;
    g->options = *options;
    g->options.guarantee_standalone = false;
    g->bound = result->upper_bound_credits;
    arena_init(&g->arena, ARENA_ROUND_BYTES);
    enum status status = session_open(&g->session, fault);
    if (status == STATUS_OK)
        status = lp_environment_open(&g->environment, fault);
    if (status == STATUS_OK)
        status = prepare(g, result, fault);
    bool better = true;
    for (int round = 0; round < GUARANTEE_ROUNDS && status == STATUS_OK && better; round++)
        status = ask(g, &better, result, fault);
    if (status == STATUS_OK)
        status = report(g, arena, result, fault);
    lp_close(g->master);
    lp_environment_close(g->environment);
    session_close(g->session);
    arena_fini(&g->arena);
    free(g);
    return status;
}

/* -- Plans in the master ----------------------------------------------------------------------- */

static void find_utility(const struct guaranteeing *g, struct plan_of_mix *plan)
{
    plan->worth = 0;
    for (uint32_t i = 0; i < g->market->member_count; i++)
        g->utility[i] = 0;
    for (uint32_t u = 0; u < plan->use_count; u++) {
        const struct market_column *column = &g->market->columns[plan->uses[u].column];
        double const worth = plan->uses[u].share * (double)column->worth.micros / MICROS_PER_CREDIT;
        g->utility[g->market->jobs[column->job].home] += worth;
        plan->worth += worth;
    }
}

static enum status add_plan(struct guaranteeing *g, struct session_use *uses, uint32_t use_count,
                            struct fault *fault)
{
    uint32_t const members = g->market->member_count;
    struct plan_of_mix *plan = &g->plans[g->plan_count++];
    struct lp_entry *entries = calloc((size_t)members + 1, sizeof *entries);
    if (entries == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a guaranteed plan");
    *plan = (struct plan_of_mix){.uses = uses, .use_count = use_count};
    find_utility(g, plan);
    uint32_t count = 0;
    entries[count++] = (struct lp_entry){.index = g->sum_row, .value = 1};
    for (uint32_t i = 0; i < members; i++)
        if (g->row[i] >= 0 && g->utility[i] > 0)
            entries[count++] =
                (struct lp_entry){.index = g->row[i], .value = g->utility[i] / g->alone[i]};
    enum status const status = lp_add_column(
        g->master, plan->worth * g->scale, (struct lp_bounds){0, HUGE_VAL}, entries, count, fault);
    free(entries);
    return status;
}

static enum status add_rows(struct guaranteeing *g, struct fault *fault)
{
    int32_t rows = 0;
    enum status status = lp_add_row(g->master, LP_EQUAL, 1, NULL, 0, fault);
    g->sum_row = rows++;
    for (uint32_t i = 0; i < g->market->member_count && status == STATUS_OK; i++) {
        g->row[i] = g->alone[i] > 0 ? rows++ : -1;
        if (g->row[i] >= 0)
            status = lp_add_row(g->master, LP_AT_LEAST, 1 - FLOOR_SLACK, NULL, 0, fault);
    }
    return status;
}

static enum status prepare(struct guaranteeing *g, const struct session_result *welfare,
                           struct fault *fault)
{
    uint32_t const members = g->market->member_count;
    struct standalone alone;
    uint32_t const threads = g->options.threads > 0 ? g->options.threads : 1;
    enum status status = standalone_find(g->market, threads, &g->arena, &alone, fault);
    if (status != STATUS_OK)
        return status;
    g->row = arena_alloc(&g->arena, members, sizeof *g->row);
    g->utility = arena_alloc(&g->arena, members, sizeof *g->utility);
    g->weight = arena_alloc(&g->arena, members, sizeof *g->weight);
    g->alone = alone.worth_credits;
    g->scale = g->bound > 0 ? 1 / g->bound : 1;
    if (g->row == NULL || g->utility == NULL || g->weight == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    status = lp_open(g->environment, LP_MAXIMISE, &g->master, fault);
    if (status == STATUS_OK)
        status = add_rows(g, fault);
    if (status == STATUS_OK)
        status = add_plan(g, alone.uses, alone.use_count, fault);
    return status == STATUS_OK ? add_plan(g, welfare->uses, welfare->use_count, fault) : status;
}

/* -- Rounds ------------------------------------------------------------------------------------ */

static enum status solve_master(struct guaranteeing *g, struct fault *fault)
{
    enum lp_answer answer;
    enum status const status = lp_solve(g->master, MASTER_ITERATIONS, &answer, fault);
    if (status == STATUS_OK && answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "the mix of guaranteed plans has no optimum");
    return status;
}

/* 1 + π_i / v_i of the scaled rows; returns Σ π v. */
static double weigh(struct guaranteeing *g)
{
    double floors = 0;
    for (uint32_t i = 0; i < g->market->member_count; i++) {
        double const dual = g->row[i] >= 0 ? fmax(0, -lp_dual(g->master, g->row[i])) / g->scale : 0;
        g->weight[i] = 1 + (g->row[i] >= 0 ? dual / g->alone[i] : 0);
        floors += dual;
    }
    return floors;
}

static enum status ask(struct guaranteeing *g, bool *better, struct session_result *result,
                       struct fault *fault)
{
    struct session_result weighted;
    enum status status = solve_master(g, fault);
    if (status != STATUS_OK)
        return status;
    double const now = lp_objective(g->master) / g->scale;
    *better = g->bound - now > GUARANTEE_GAP * fmax(g->bound, 1e-6);
    if (!*better)
        return STATUS_OK;
    double const floors = weigh(g);
    g->options.member_weight = g->weight;
    status = session_solve(g->session, g->market, &g->options, &g->arena, &weighted, fault);
    if (status != STATUS_OK)
        return status;
    result->iterations += weighted.iterations;
    result->passes += weighted.passes;
    g->bound = fmin(g->bound, weighted.upper_bound_credits - floors);
    *better = weighted.objective_credits - floors > now * (1 + GUARANTEE_GAP / 10);
    return add_plan(g, weighted.uses, weighted.use_count, fault);
}

/* -- The mix ----------------------------------------------------------------------------------- */

static enum status report(const struct guaranteeing *g, struct arena *arena,
                          struct session_result *result, struct fault *fault)
{
    double *share = calloc((size_t)g->market->column_count + 1, sizeof *share);
    if (share == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a guaranteed plan");
    uint32_t count = 0;
    /* the last plan may have joined after the master was solved: it has no part */
    for (uint32_t t = 0; t < g->plan_count; t++) {
        double const part = fmin(fmax(lp_primal(g->master, (int32_t)t), 0), 1);
        for (uint32_t u = 0; part > 0 && u < g->plans[t].use_count; u++) {
            count += share[g->plans[t].uses[u].column] == 0;
            share[g->plans[t].uses[u].column] += part * g->plans[t].uses[u].share;
        }
    }
    result->uses = arena_alloc(arena, count, sizeof *result->uses);
    result->use_count = 0;
    double micros = 0;
    for (uint32_t k = 0; result->uses != NULL && k < g->market->column_count; k++) {
        if (share[k] <= 0)
            continue;
        micros += share[k] * (double)g->market->columns[k].worth.micros;
        result->uses[result->use_count++] = (struct session_use){.column = k, .share = share[k]};
    }
    free(share);
    if (result->uses == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    result->objective_credits = micros / MICROS_PER_CREDIT;
    result->upper_bound_credits = g->bound;
    session_judge(result);
    return STATUS_OK;
}
