#include "economics/games/objection.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/climbing.h"
#include "economics/games/market_core.h"
#include "economics/games/separation.h"

struct objecting {
    const struct input_game *input;
    const double *split;
    bool (*stop)(void *context);
    void *context;
    struct arena *arena;
    struct market_objection *found;
    struct oracle oracle;
    bool *in;       /* [players] */
    double *prices; /* [players] dual payoffs of all */
};

static enum status search(struct objecting *o, struct fault *fault);
static enum status decide(struct objecting *o, struct fault *fault);

static bool is_over(const struct objecting *o)
{
    return o->stop != NULL && o->stop(o->context);
}

/* Somebody objects for certain, or nobody by more than the program can tell. */
static bool decided(const struct objecting *o)
{
    double const nothing = SEPARATION_SLACK * fmax(o->found->total, 0.0);
    return o->found->by > nothing || o->found->at_most <= nothing;
}

enum status objection_find(const struct input_game *input, const double *split,
                           bool (*stop)(void *context), void *context, struct arena *arena,
                           struct market_objection *objection, struct fault *fault)
{
    uint32_t const n = input->game.players;
    struct objecting o = {.input = input,
                          .split = split,
                          .stop = stop,
                          .context = context,
                          .arena = arena,
                          .found = objection};
    enum status status = STATUS_OK;
    assert(n >= 2);
    o.in = arena_alloc(arena, n, sizeof *o.in);
    o.prices = arena_alloc(arena, n, sizeof *o.prices);
    if (o.in == NULL || o.prices == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to look for an objection");
    if (input->instance != NULL)
        status = market_objection(&input->instance->market, split, stop, context, arena, objection,
                                  fault);
    else
        status = search(&o, fault);
    bool const exact = input->instance != NULL && n <= MARKET_CORE_TABLE_MEMBERS_MAX;
    if (status == STATUS_OK && !exact && !decided(&o) && !is_over(&o))
        status = decide(&o, fault);
    oracle_close(&o.oracle);
    return status;
}

/* --- A production game, by local search */

static void remember(struct objecting *o, double by)
{
    if (by <= o->found->by)
        return;
    o->found->by = by;
    memcpy(o->found->in, o->in, o->input->game.players * sizeof *o->in);
}

static enum status measure(struct objecting *o, struct climbing *climbing, bool climb,
                           struct fault *fault)
{
    enum status status = climb ? climbing_run(climbing, fault) : climbing_evaluate(climbing, fault);
    if (status == STATUS_OK && climbing->size > 0 && climbing->size < o->input->game.players)
        remember(o, climbing->excess);
    return status;
}

/* v(N), and who must be paid how much by its prices: what others get too little bounds objections.
 */
static enum status price_all(struct objecting *o, struct fault *fault)
{
    uint32_t const n = o->input->game.players;
    for (uint32_t i = 0; i < n; i++)
        oracle_set(&o->oracle, i, true);
    enum status status = oracle_worth(&o->oracle, &o->found->total, fault);
    if (status == STATUS_OK &&
        (o->oracle.payoffs == NULL || !o->oracle.payoffs(o->oracle.state, o->prices)))
        return fault_set(fault, STATUS_INTERNAL, "the game's linear program gave no prices");
    for (uint32_t i = 0; i < n; i++)
        o->found->at_most += fmax(0.0, o->prices[i] - o->split[i]);
    return status;
}

/* From single players, all but one, and those whom prices pay more than the split. */
static enum status climb_all(struct objecting *o, struct fault *fault)
{
    uint32_t const n = o->input->game.players;
    struct climbing climbing = {.oracle = &o->oracle,
                                .split = o->split,
                                .scale = fabs(o->found->total),
                                .stop = o->stop,
                                .context = o->context,
                                .in = o->in};
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < 2 * n && status == STATUS_OK; k++) {
        for (uint32_t i = 0; i < n; i++)
            o->in[i] = (i == k / 2) == (k % 2 == 0);
        status = measure(o, &climbing, false, fault);
        if (k % 2 == 0)
            o->found->alone[k / 2] = climbing.excess + o->split[k / 2];
    }
    memcpy(o->in, o->found->in, n * sizeof *o->in);
    if (status == STATUS_OK)
        status = measure(o, &climbing, true, fault);
    for (uint32_t i = 0; i < n; i++)
        o->in[i] = o->prices[i] > o->split[i];
    if (status == STATUS_OK && !is_over(o))
        status = measure(o, &climbing, true, fault);
    return status;
}

static enum status search(struct objecting *o, struct fault *fault)
{
    uint32_t const n = o->input->game.players;
    *o->found = (struct market_objection){.in = arena_alloc(o->arena, n, sizeof *o->found->in),
                                          .alone = arena_alloc(o->arena, n, sizeof(double)),
                                          .by = (double)-INFINITY};
    if (o->found->in == NULL || o->found->alone == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory to look for an objection");
    enum status status = oracle_open(o->input, &o->oracle, fault);
    if (status == STATUS_OK)
        status = price_all(o, fault);
    if (status == STATUS_OK)
        status = climb_all(o, fault);
    o->found->at_most = fmax(o->found->at_most, o->found->by);
    return status;
}

/* --- By the program */

static enum status decide(struct objecting *o, struct fault *fault)
{
    struct separation *separation = NULL;
    struct separated separated = {.in = o->in};
    enum status status = separation_open(o->input, o->found->total, &separation, fault);
    if (status == STATUS_OK)
        status = separation_find(separation, o->split, o->stop, o->context, &separated, fault);
    separation_close(separation);
    if (status != STATUS_OK)
        return status;
    o->found->at_most = fmin(o->found->at_most, separated.at_most);
    if (separated.found && o->oracle.state == NULL)
        status = oracle_open(o->input, &o->oracle, fault);
    if (separated.found && status == STATUS_OK) {
        struct climbing climbing = {
            .oracle = &o->oracle, .split = o->split, .scale = o->found->total, .in = o->in};
        status = measure(o, &climbing, false, fault);
    }
    o->found->at_most = fmax(o->found->at_most, o->found->by);
    return status;
}
