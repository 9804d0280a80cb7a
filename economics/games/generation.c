#include "economics/games/generation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "economics/games/climbing.h"
#include "economics/games/separation.h"
#include "economics/lp/lp.h"

#define BROKEN 1e-9 /* of v(N): a coalition that is short by less breaks nothing */

enum { ITERATIONS_MAX = 10000000, STARTS = 4 };

struct generation {
    const struct input_game *input;
    bool (*stop)(void *context);
    void *context;
    uint32_t n;
    double total;
    double scale; /* v(N) / n: the master's unit */
    struct oracle oracle;
    struct lp_environment *environment;
    struct lp *master; /* columns x, ε */
    struct separation *separation;
    struct rng rng;
    struct lp_entry *entries; /* [n + 1] */
    double *x;                /* [n] the master's split */
    double *prices;           /* [n] dual payoffs of all */
    bool *in;                 /* [n] a coalition at hand */
    bool *latest;             /* [n] the one added last */
    double epsilon;           /* of the master */
    struct market_core *core;
};

static enum status open_generation(struct generation *g, struct arena *arena, struct fault *fault);
static enum status first_coalitions(struct generation *g, struct fault *fault);
static enum status solve_master(struct generation *g, struct fault *fault);
static enum status search(struct generation *g, uint32_t *added, struct fault *fault);
static enum status separate(struct generation *g, uint32_t *added, struct fault *fault);
static void close_generation(struct generation *g);

static bool is_over(const struct generation *g)
{
    return g->stop != NULL && g->stop(g->context);
}

static bool met(const struct generation *g, double slack)
{
    return g->core->upper - g->core->lower <= 2.0 * slack * g->total;
}

enum status generation_least_core(const struct input_game *input, bool (*stop)(void *context),
                                  void *context, struct arena *arena, struct market_core *core,
                                  struct fault *fault)
{
    struct generation g = {
        .input = input, .stop = stop, .context = context, .n = input->game.players, .core = core};
    *core = (struct market_core){.lower = (double)-INFINITY, .upper = 0.0};
    enum status status = open_generation(&g, arena, fault);
    if (status == STATUS_OK && g.total > 0.0)
        status = first_coalitions(&g, fault);
    for (uint32_t pass = 0; pass < GENERATION_PASSES_MAX && status == STATUS_OK && g.total > 0.0;
         pass++) {
        uint32_t added = 0;
        status = solve_master(&g, fault);
        if (status != STATUS_OK || met(&g, BROKEN) || is_over(&g))
            break;
        status = search(&g, &added, fault);
        if (status == STATUS_OK && added == 0 && !is_over(&g))
            status = separate(&g, &added, fault);
        if (added == 0)
            break;
    }
    close_generation(&g);
    if (g.total <= 0.0) /* no coalition reaches anything */
        core->lower = core->upper = 0.0;
    core->lower = fmin(core->lower, core->upper);
    core->exact = status == STATUS_OK && (met(&g, SEPARATION_SLACK) || g.total <= 0.0);
    core->tolerance = met(&g, BROKEN) ? 2.0 * BROKEN : 2.0 * SEPARATION_SLACK;
    core->epsilon = core->exact && !met(&g, BROKEN) ? core->lower : core->upper;
    return status;
}

/* --- Opening */

static bool reserve(struct generation *g, struct arena *arena)
{
    g->core->split = arena_alloc(arena, g->n, sizeof *g->core->split);
    g->entries = arena_alloc(arena, g->n + 1u, sizeof *g->entries);
    g->x = arena_alloc(arena, g->n, sizeof *g->x);
    g->prices = arena_alloc(arena, g->n, sizeof *g->prices);
    g->in = arena_alloc(arena, g->n, sizeof *g->in);
    g->latest = arena_alloc(arena, g->n, sizeof *g->latest);
    return g->core->split != NULL && g->entries != NULL && g->x != NULL && g->prices != NULL &&
           g->in != NULL && g->latest != NULL;
}

/* v(N) and Owen's payoffs at the prices where the simplex stopped: ε <= 0 is proved. */
static enum status solve_grand(struct generation *g, struct fault *fault)
{
    for (uint32_t i = 0; i < g->n; i++)
        oracle_set(&g->oracle, i, true);
    enum status status = oracle_worth(&g->oracle, &g->total, fault);
    if (status == STATUS_OK &&
        (g->oracle.payoffs == NULL || !g->oracle.payoffs(g->oracle.state, g->prices)))
        return fault_set(fault, STATUS_INTERNAL, "the game's linear program gave no prices");
    double paid = 0.0;
    for (uint32_t i = 0; i < g->n; i++)
        paid += g->prices[i];
    for (uint32_t i = 0; i < g->n; i++) /* they add up but for rounding */
        g->core->split[i] = g->total > 0.0 ? g->prices[i] + (g->total - paid) / g->n : 0.0;
    g->core->total = g->total;
    g->scale = g->total / g->n;
    return status;
}

/* x without bounds, ε too; x(N) = v(N). */
static enum status open_master(struct generation *g, struct fault *fault)
{
    static const struct lp_bounds any = {(double)-INFINITY, (double)INFINITY};
    enum status status = lp_environment_open(&g->environment, fault);
    if (status == STATUS_OK)
        status = lp_open(g->environment, LP_MINIMISE, &g->master, fault);
    for (uint32_t i = 0; i <= g->n && status == STATUS_OK; i++)
        status = lp_add_column(g->master, i < g->n ? 0.0 : 1.0, any, NULL, 0, fault);
    for (uint32_t i = 0; i < g->n; i++)
        g->entries[i] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
    if (status == STATUS_OK)
        status = lp_add_row(g->master, LP_EQUAL, g->n, g->entries, g->n, fault);
    if (status == STATUS_OK)
        lp_keep_scale(g->master);
    return status;
}

static enum status open_generation(struct generation *g, struct arena *arena, struct fault *fault)
{
    if (!reserve(g, arena))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the least core");
    rng_init(&g->rng, 1, 1);
    enum status status = oracle_open(g->input, &g->oracle, fault);
    if (status == STATUS_OK)
        status = solve_grand(g, fault);
    return status == STATUS_OK ? open_master(g, fault) : status;
}

static void close_generation(struct generation *g)
{
    separation_close(g->separation);
    lp_close(g->master);
    lp_environment_close(g->environment);
    oracle_close(&g->oracle);
}

/* --- The master */

/* x(S) + ε >= v(S) of in[]. */
static enum status add_coalition(struct generation *g, double worth, struct fault *fault)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->in[i])
            g->entries[count++] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
    g->entries[count++] = (struct lp_entry){.index = (int32_t)g->n, .value = 1.0};
    memcpy(g->latest, g->in, g->n * sizeof *g->in);
    g->core->solved++;
    return lp_add_row(g->master, LP_AT_LEAST, worth / g->scale, g->entries, count, fault);
}

static enum status first_coalitions(struct generation *g, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < 2 * g->n && status == STATUS_OK; k++) {
        double worth = 0.0;
        for (uint32_t i = 0; i < g->n; i++) {
            g->in[i] = (i == k / 2) == (k % 2 == 0);
            oracle_set(&g->oracle, i, g->in[i]);
        }
        status = oracle_worth(&g->oracle, &worth, fault);
        if (status == STATUS_OK)
            status = add_coalition(g, worth, fault);
    }
    return status;
}

static enum status solve_master(struct generation *g, struct fault *fault)
{
    enum lp_answer answer = LP_STOPPED;
    enum status status = lp_solve(g->master, ITERATIONS_MAX, &answer, fault);
    if (status != STATUS_OK)
        return status;
    if (answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "the least core's LP has no optimum");
    for (uint32_t i = 0; i < g->n; i++)
        g->x[i] = lp_primal(g->master, (int32_t)i) * g->scale;
    g->epsilon = lp_objective(g->master) * g->scale;
    g->core->lower = fmax(g->core->lower, g->epsilon - BROKEN * g->total);
    return STATUS_OK;
}

/* --- Coalitions that break it */

/* in[] after a climb at `split`: does it break the master at its own split? */
static enum status take(struct generation *g, const double *split, double excess, uint32_t *added,
                        struct fault *fault)
{
    double worth = excess;
    double at_master = excess;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->in[i]) {
            worth += split[i];
            at_master += split[i] - g->x[i];
        }
    if (at_master <= g->epsilon + BROKEN * g->total)
        return STATUS_OK;
    (*added)++;
    return add_coalition(g, worth, fault);
}

/* Who is paid too little by the prices; who was left out last; two at random. */
static void choose_start(struct generation *g, uint32_t start)
{
    for (uint32_t i = 0; i < g->n; i++)
        g->in[i] = start == 0   ? g->prices[i] > g->x[i]
                   : start == 1 ? g->latest[i]
                                : rng_below(&g->rng, 2) == 0;
}

/* At the master's split, and half-way to the best one: a deeper cut. [Ben-Ameur & Neto 2007] */
static enum status search(struct generation *g, uint32_t *added, struct fault *fault)
{
    double *middle = calloc(g->n, sizeof *middle);
    enum status status = STATUS_OK;
    if (middle == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the least core");
    for (uint32_t i = 0; i < g->n; i++)
        middle[i] = 0.5 * (g->x[i] + g->core->split[i]);
    for (uint32_t k = 0; k < 2 * STARTS && status == STATUS_OK && !is_over(g); k++) {
        const double *split = k % 2 == 0 ? middle : g->x;
        struct climbing climbing = {.oracle = &g->oracle,
                                    .split = split,
                                    .scale = g->total,
                                    .stop = g->stop,
                                    .context = g->context,
                                    .in = g->in};
        choose_start(g, k / 2);
        status = climbing_run(&climbing, fault);
        if (status == STATUS_OK && climbing.size > 0 && climbing.size < g->n)
            status = take(g, split, climbing.excess, added, fault);
    }
    free(middle);
    return status;
}

/* The program's bound at the master's split is proven; its coalition is the next. */
static enum status separate(struct generation *g, uint32_t *added, struct fault *fault)
{
    struct separated separated = {.in = g->in};
    enum status status = STATUS_OK;
    if (g->separation == NULL)
        status = separation_open(g->input, g->total, &g->separation, fault);
    if (status == STATUS_OK)
        status = separation_find(g->separation, g->x, g->stop, g->context, &separated, fault);
    if (status != STATUS_OK)
        return status;
    if (separated.at_most < g->core->upper) {
        g->core->upper = separated.at_most;
        memcpy(g->core->split, g->x, g->n * sizeof *g->x);
    }
    if (!separated.found)
        return STATUS_OK;
    struct climbing climbing = {
        .oracle = &g->oracle, .split = g->x, .scale = g->total, .in = g->in};
    status = climbing_evaluate(&climbing, fault);
    return status == STATUS_OK ? take(g, g->x, climbing.excess, added, fault) : status;
}
