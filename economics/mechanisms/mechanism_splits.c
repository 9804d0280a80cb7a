/* See mechanism_splits.h. Each rule finds weights, which share the plan's surplus. */
#include "economics/mechanisms/mechanism_splits.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/apportion.h"
#include "economics/games/coalition_lp.h"
#include "economics/games/concepts.h"
#include "economics/games/market_table.h"

__extension__ typedef __int128 wide;

void split_refuse(struct split *split, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(split->remark, sizeof split->remark, format, arguments);
    va_end(arguments);
    split->paid = false;
    split->wanted = NULL;
}

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

static int64_t *weights_new(const struct market *market, struct arena *arena)
{
    return arena_alloc(arena, market->member_count, sizeof(int64_t));
}

/* --- weights -> what each should have */

/* The plan's surplus in proportion to the weights. */
static enum status share(const struct market *market, const struct plan *plan,
                         const int64_t *weights, struct arena *arena, struct split *split,
                         struct fault *fault)
{
    int64_t *parts = weights_new(market, arena);
    int64_t any = 0;
    split->wanted = arena_alloc(arena, market->member_count, sizeof *split->wanted);
    if (parts == NULL || split->wanted == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; i < market->member_count; i++) {
        if (weights[i] < 0) {
            split_refuse(split, "member %s would owe", market->members[i].name.text);
            return STATUS_OK;
        }
        any |= weights[i];
    }
    if (any == 0) {
        split_refuse(split, "all shares are zero");
        return STATUS_OK;
    }
    apportion(plan->objective.micros, weights, market->member_count, parts);
    for (uint32_t i = 0; i < market->member_count; i++)
        split->wanted[i].micros = parts[i];
    split->paid = true;
    return STATUS_OK;
}

/* Whole micro-credits; rounding below zero is zero. */
static enum status weigh(const struct market *market, const double *x, struct arena *arena,
                         int64_t **weights, struct fault *fault)
{
    *weights = weights_new(market, arena);
    if (*weights == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; i < market->member_count; i++) {
        struct credits rounded;
        if (!credits_from_double(x[i], &rounded))
            return fault_set(fault, STATUS_INTERNAL, "the share of %s is out of range",
                             market->members[i].name.text);
        (*weights)[i] = rounded.micros;
    }
    return STATUS_OK;
}

/* --- rules that need little */

enum status split_equal(const struct mechanism *mechanism, const struct market *market,
                        const struct plan *plan, struct arena *arena, struct split *split,
                        struct fault *fault)
{
    (void)mechanism;
    int64_t *weights = weights_new(market, arena);
    if (weights == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; i < market->member_count; i++)
        weights[i] = 1;
    return share(market, plan, weights, arena, split, fault);
}

enum status split_proportional(const struct mechanism *mechanism, const struct market *market,
                               const struct plan *plan, struct arena *arena, struct split *split,
                               struct fault *fault)
{
    (void)mechanism;
    int64_t *weights = weights_new(market, arena);
    int64_t any = 0;
    if (weights == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; i < market->member_count; i++) {
        weights[i] = plan->members[i].alone.micros;
        any |= weights[i];
    }
    if (any != 0)
        return share(market, plan, weights, arena, split, fault);
    split_refuse(split, "undefined: nobody reaches anything alone");
    return STATUS_OK;
}

enum status split_egalitarian(const struct mechanism *mechanism, const struct market *market,
                              const struct plan *plan, struct arena *arena, struct split *split,
                              struct fault *fault)
{
    (void)mechanism;
    int64_t const n = market->member_count;
    int64_t *weights = weights_new(market, arena);
    int64_t rest = plan->bound.micros;
    if (weights == NULL)
        return no_memory(fault);
    for (int64_t i = 0; i < n; i++)
        rest -= plan->members[i].alone.micros;
    rest = rest < 0 ? 0 : rest; /* worths alone are rounded one by one */
    for (int64_t i = 0; i < n; i++)
        weights[i] = plan->members[i].alone.micros + rest / n + (i < rest % n ? 1 : 0);
    return share(market, plan, weights, arena, split, fault);
}

/* v(N) and every v(N∖i), by one LP and two warm ones a member. */
static enum status find_additions(struct coalition_lp *lp, uint32_t members, double *x,
                                  struct fault *fault)
{
    double grand = 0.0;
    for (uint32_t i = 0; i < members; i++)
        coalition_lp_set(lp, i, 1.0);
    enum status status = coalition_lp_solve(lp, &grand, fault);
    for (uint32_t i = 0; i < members && status == STATUS_OK; i++) {
        double without = 0.0;
        coalition_lp_set(lp, i, 0.0);
        status = coalition_lp_solve(lp, &without, fault);
        coalition_lp_set(lp, i, 1.0);
        x[i] = grand - without;
    }
    return status;
}

enum status split_vcg(const struct mechanism *mechanism, const struct market *market,
                      const struct plan *plan, struct arena *arena, struct split *split,
                      struct fault *fault)
{
    (void)mechanism;
    struct coalition_lp *lp = NULL;
    int64_t *weights = NULL;
    double *x = arena_alloc(arena, market->member_count, sizeof *x);
    split->wanted = arena_alloc(arena, market->member_count, sizeof *split->wanted);
    if (x == NULL || split->wanted == NULL)
        return no_memory(fault);
    enum status status = coalition_lp_open(market, &lp, fault);
    if (status == STATUS_OK)
        status = find_additions(lp, market->member_count, x, fault);
    coalition_lp_close(lp);
    if (status == STATUS_OK)
        status = weigh(market, x, arena, &weights, fault);
    if (status != STATUS_OK)
        return status;
    split->funded.micros = -plan->objective.micros;
    for (uint32_t i = 0; i < market->member_count; i++) {
        split->wanted[i].micros =
            (int64_t)((wide)weights[i] * plan->objective.micros / plan->bound.micros);
        split->funded.micros += split->wanted[i].micros;
    }
    split->paid = true;
    if (split->funded.micros > 0)
        return STATUS_OK;
    split->funded.micros = 0; /* nobody adds more than is there: rounding alone left something */
    return share(market, plan, weights, arena, split, fault);
}

/* --- rules of worth tables */

/* A market as the games' input; `names` are not printed. */
static enum status as_game(const struct market *market, struct arena *arena,
                           struct instance *instance, struct input_game *game, struct fault *fault)
{
    const char **names = arena_alloc(arena, market->member_count, sizeof *names);
    if (names == NULL)
        return no_memory(fault);
    for (uint32_t i = 0; i < market->member_count; i++)
        names[i] = market->members[i].name.text;
    *instance = (struct instance){.market = *market, .member_ids = names};
    *game = (struct input_game){
        .family = "market",
        .players = names,
        .game = {.kind = GAME_VALUE, .players = market->member_count},
        .instance = instance,
        .arena = arena,
    };
    return STATUS_OK;
}

bool split_affordable(const struct market *market)
{
    uint64_t const columns = (uint64_t)market->column_count + market->pool_count + 1;
    return market->member_count <= MARKET_TABLE_PLAYERS_MAX &&
           columns <= MECHANISM_TABLE_WORK_MAX >> market->member_count;
}

enum status split_table(const struct market *market, struct arena *arena, struct split *split,
                        struct fault *fault)
{
    double *worth = arena_alloc(arena, (size_t)1 << market->member_count, sizeof *worth);
    if (worth == NULL)
        return no_memory(fault);
    split->worth = worth;
    return market_table(market, 0, worth, fault);
}

/* There already, or not too much work. */
static bool tabled(const struct market *market, const struct split *split)
{
    return split->worth != NULL || split_affordable(market);
}

static enum status solve(const struct mechanism *mechanism, struct subject *subject,
                         struct concept_answer *answer, struct fault *fault)
{
    const struct concept *concept = NULL;
    enum status status = concept_find(mechanism->concept, &concept, fault);
    if (status == STATUS_OK)
        concept_answer(concept, subject, answer);
    return status;
}

/* The concept's split, shared; its remark where there is none. */
static enum status answer(const struct mechanism *mechanism, const struct market *market,
                          const struct plan *plan, struct subject *subject, struct split *split,
                          struct fault *fault)
{
    struct concept_answer found;
    int64_t *weights = NULL;
    enum status status = solve(mechanism, subject, &found, fault);
    if (status != STATUS_OK)
        return status;
    split->worth = subject->input->game.worth;
    if (found.split == NULL) {
        split_refuse(split, "%.200s", found.remark);
        return STATUS_OK;
    }
    if (split->worth == NULL)
        snprintf(split->remark, sizeof split->remark, "%.200s", found.remark);
    status = weigh(market, found.split, subject->arena, &weights, fault);
    if (status == STATUS_OK)
        status = share(market, plan, weights, subject->arena, split, fault);
    return status;
}

static enum status run(const struct mechanism *mechanism, const struct market *market,
                       const struct plan *plan, uint64_t pairs, struct arena *arena,
                       struct split *split, struct fault *fault)
{
    struct instance instance;
    struct input_game game;
    struct arena scratch;
    enum status status = as_game(market, arena, &instance, &game, fault);
    if (status != STATUS_OK)
        return status;
    game.game.worth = split->worth;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    struct subject subject = {
        .input = &game,
        .arena = arena,
        .scratch = &scratch,
        .sampling = {.pairs_max = pairs},
    };
    status = answer(mechanism, market, plan, &subject, split, fault);
    arena_fini(&scratch);
    return status;
}

enum status split_tabled(const struct mechanism *mechanism, const struct market *market,
                         const struct plan *plan, struct arena *arena, struct split *split,
                         struct fault *fault)
{
    if (tabled(market, split))
        return run(mechanism, market, plan, 0, arena, split, fault);
    split_refuse(split,
                 "%s needs the worth of every coalition: %u members with %u configurations are "
                 "too many in a round",
                 mechanism->name, market->member_count, market->column_count);
    return STATUS_OK;
}

enum status split_shapley(const struct mechanism *mechanism, const struct market *market,
                          const struct plan *plan, struct arena *arena, struct split *split,
                          struct fault *fault)
{
    static const struct mechanism sampled = {.name = "shapley", .concept = "shapley-sampled"};
    uint64_t const columns = (uint64_t)market->column_count + market->pool_count + 1;
    uint64_t pairs = MECHANISM_TABLE_WORK_MAX / (2 * columns * market->member_count);
    if (tabled(market, split))
        return run(mechanism, market, plan, 0, arena, split, fault);
    pairs = pairs < SPLIT_PAIRS_MAX ? pairs : SPLIT_PAIRS_MAX;
    if (pairs >= SAMPLING_PAIRS_MIN)
        return run(&sampled, market, plan, pairs, arena, split, fault);
    split_refuse(split, "%u members with %u configurations are too many to estimate in a round",
                 market->member_count, market->column_count);
    return STATUS_OK;
}
