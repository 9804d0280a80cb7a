/*
 * See nucleolus.h. One stage: solve the LP over the rows generated so far, look through the table
 * for coalitions that do worse, add the worst, repeat until none; then fix what is tight by its
 * dual. Ours beyond the cited sequence: rows on demand, and the cached span.
 */
#include "economics/games/nucleolus.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/games/span.h"
#include "economics/lp/lp.h"

#define VIOLATED      1e-9 /* of the scaled table: a coalition worse off than t by more than this */
#define TIGHT_BY_DUAL 1e-7

enum { ROWS_ADDED_PER_PASS = 48, ROWS_MAX = 16384, PASSES_MAX = 4096, ITERATIONS_MAX = 200000 };

/* A coalition that takes part in the LP: not yet fixed, x(S) + weight t >= v(S); or fixed, x(S) =
 * v(S) − level. */
struct row {
    uint32_t coalition;
    double limit;
    bool fixed;
};

struct solver {
    const struct game *game; /* a value game, scaled */
    struct nucleolus_settings settings;
    struct span span; /* of the fixed coalitions */
    uint8_t *decided; /* [2^n] in the span, or in the LP already */
    double *sums;     /* [2^n] x(S) */
    struct row *rows; /* [row_count] */
    uint32_t row_count;
    struct lp_environment *environment;
    double *x;
    double *duals; /* [ROWS_MAX] */
    double level;  /* t of the last LP */
};

static enum status begin(struct solver *solver, const struct game *scaled, struct arena *arena,
                         double *x, struct fault *fault);
static enum status optimise_stage(struct solver *solver, struct fault *fault);
static enum status fix_tight(struct solver *solver, struct fault *fault);
static enum status scale_table(const struct game *game, struct arena *arena, struct game *scaled,
                               double *scale, struct fault *fault);
static bool has_imputation(const struct game *values);
static void finish(const struct game *game, double scale, double *x);

enum status game_nucleolus(const struct game *game, struct nucleolus_settings settings,
                           struct arena *arena, double *x, enum game_answer *answer,
                           struct fault *fault)
{
    struct game scaled;
    double scale;
    struct solver solver = {.settings = settings};
    enum status status = scale_table(game, arena, &scaled, &scale, fault);
    if (status != STATUS_OK)
        return status;
    *answer =
        settings.individually_rational && !has_imputation(&scaled) ? GAME_UNDEFINED : GAME_SOLVED;
    if (*answer == GAME_UNDEFINED)
        return STATUS_OK;
    status = begin(&solver, &scaled, arena, x, fault);
    while (status == STATUS_OK && solver.span.rank < game->players) {
        status = optimise_stage(&solver, fault);
        if (status == STATUS_OK)
            status = fix_tight(&solver, fault);
    }
    lp_environment_close(solver.environment);
    if (status == STATUS_OK)
        finish(game, scale, x);
    return status;
}

enum status game_least_core(const struct game *game, struct arena *arena, double *x,
                            double *epsilon, struct fault *fault)
{
    struct game scaled;
    double scale;
    struct solver solver = {0};
    enum status status = scale_table(game, arena, &scaled, &scale, fault);
    if (status == STATUS_OK)
        status = begin(&solver, &scaled, arena, x, fault);
    if (status != STATUS_OK)
        return status;
    if (game->players > 1)
        status = optimise_stage(&solver, fault);
    lp_environment_close(solver.environment);
    *epsilon = solver.level * scale;
    if (status == STATUS_OK)
        finish(game, scale, x);
    return status;
}

/* --- the steps
 * ---------------------------------------------------------------------------------------------------
 */

/* A table of zeros stays as it is. */
static enum status scale_table(const struct game *game, struct arena *arena, struct game *scaled,
                               double *scale, struct fault *fault)
{
    uint32_t coalitions = game_coalitions(game);
    double *worth = arena_alloc(arena, coalitions, sizeof *worth);
    if (worth == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         coalitions);
    *scale = 0.0;
    for (uint32_t s = 1; s < coalitions; s++)
        *scale = fmax(*scale, fabs(game->worth[s]));
    if (*scale == 0.0)
        *scale = 1.0;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    for (uint32_t s = 1; s < coalitions; s++)
        worth[s] = sign * game->worth[s] / *scale;
    *scaled = (struct game){.kind = GAME_VALUE, .players = game->players, .worth = worth};
    return STATUS_OK;
}

static bool has_imputation(const struct game *values)
{
    double alone = 0.0;
    for (uint32_t i = 0; i < values->players; i++)
        alone += values->worth[1u << i];
    return nearly_at_most(alone, values->worth[game_grand(values)], TOLERANCE_LP);
}

static void finish(const struct game *game, double scale, double *x)
{
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    for (uint32_t i = 0; i < game->players; i++)
        x[i] *= sign * scale;
}

static void add_row(struct solver *solver, uint32_t coalition)
{
    assert(solver->row_count < ROWS_MAX);
    solver->decided[coalition] = 1;
    solver->rows[solver->row_count++] =
        (struct row){.coalition = coalition, .limit = solver->game->worth[coalition]};
}

/* Efficiency is the first fixed row; single players and their complements start the generation. */
static enum status begin(struct solver *solver, const struct game *scaled, struct arena *arena,
                         double *x, struct fault *fault)
{
    uint32_t coalitions = game_coalitions(scaled);
    uint32_t grand = game_grand(scaled);
    solver->game = scaled;
    solver->x = x;
    solver->decided = arena_alloc(arena, coalitions, sizeof *solver->decided);
    solver->sums = arena_alloc(arena, coalitions, sizeof *solver->sums);
    solver->rows = arena_alloc(arena, ROWS_MAX, sizeof *solver->rows);
    solver->duals = arena_alloc(arena, ROWS_MAX, sizeof *solver->duals);
    if (solver->decided == NULL || solver->sums == NULL || solver->rows == NULL ||
        solver->duals == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         coalitions);
    span_init(&solver->span, scaled->players);
    span_add(&solver->span, grand);
    solver->decided[0] = 1;
    add_row(solver, grand);
    solver->rows[0].fixed = true;
    for (uint32_t i = 0; i < scaled->players; i++) {
        if (solver->decided[1u << i] == 0)
            add_row(solver, 1u << i);
        if (solver->decided[grand ^ (1u << i)] == 0)
            add_row(solver, grand ^ (1u << i));
    }
    x[0] = scaled->worth[grand]; /* the answer of a single player */
    return lp_environment_open(&solver->environment, fault);
}

static double weight_of(const struct solver *solver, uint32_t coalition)
{
    return solver->settings.per_capita ? (double)__builtin_popcount(coalition) : 1.0;
}

/* Columns: x_0 .. x_{n−1}, t. */
static enum status build(struct solver *solver, struct lp *lp, struct fault *fault)
{
    uint32_t n = solver->game->players;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double lower = solver->settings.individually_rational ? solver->game->worth[1u << i]
                                                              : (double)-INFINITY;
        status = lp_add_column(lp, 0.0, (struct lp_bounds){lower, INFINITY}, NULL, 0, fault);
    }
    if (status == STATUS_OK)
        status = lp_add_column(lp, 1.0, (struct lp_bounds){-INFINITY, INFINITY}, NULL, 0, fault);
    for (uint32_t r = 0; r < solver->row_count && status == STATUS_OK; r++) {
        const struct row *row = &solver->rows[r];
        struct lp_entry entries[GAME_PLAYERS_MAX + 1];
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++)
            if ((row->coalition >> i & 1) != 0)
                entries[count++] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
        if (!row->fixed)
            entries[count++] =
                (struct lp_entry){.index = (int32_t)n, .value = weight_of(solver, row->coalition)};
        status =
            lp_add_row(lp, row->fixed ? LP_EQUAL : LP_AT_LEAST, row->limit, entries, count, fault);
    }
    return status;
}

static enum status solve(struct solver *solver, struct fault *fault)
{
    struct lp *lp;
    enum lp_answer answer = LP_STOPPED;
    enum status status = lp_open(solver->environment, LP_MINIMISE, &lp, fault);
    if (status != STATUS_OK)
        return status;
    status = build(solver, lp, fault);
    if (status == STATUS_OK)
        status = lp_solve(lp, ITERATIONS_MAX, &answer, fault);
    if (status == STATUS_OK && answer != LP_OPTIMAL)
        status = fault_set(fault, STATUS_INTERNAL,
                           "nucleolus: a stage's LP has no optimum (answer %d)", (int)answer);
    if (status == STATUS_OK) {
        for (uint32_t i = 0; i < solver->game->players; i++)
            solver->x[i] = lp_primal(lp, (int32_t)i);
        solver->level = lp_primal(lp, (int32_t)solver->game->players);
        for (uint32_t r = 0; r < solver->row_count; r++)
            solver->duals[r] = lp_dual(lp, (int32_t)r);
    }
    lp_close(lp);
    return status;
}

/* Keeps the worst ROWS_ADDED_PER_PASS of what it is shown, worst first. */
struct worst {
    uint32_t coalition[ROWS_ADDED_PER_PASS];
    double excess[ROWS_ADDED_PER_PASS];
    uint32_t count;
};

static void show(struct worst *worst, uint32_t coalition, double excess)
{
    if (worst->count == ROWS_ADDED_PER_PASS && excess <= worst->excess[ROWS_ADDED_PER_PASS - 1])
        return;
    if (worst->count < ROWS_ADDED_PER_PASS)
        worst->count++;
    uint32_t at = worst->count - 1;
    for (; at > 0 && worst->excess[at - 1] < excess; at--) {
        worst->coalition[at] = worst->coalition[at - 1];
        worst->excess[at] = worst->excess[at - 1];
    }
    worst->coalition[at] = coalition;
    worst->excess[at] = excess;
}

/* Coalitions in the span have their excess fixed with it: seen once, they are marked and never
 * looked at again. */
static void find_worst(struct solver *solver, struct worst *worst)
{
    const struct game *game = solver->game;
    game_split_sums(game->players, solver->x, solver->sums);
    *worst = (struct worst){0};
    for (uint32_t s = 1; s < game_coalitions(game); s++) {
        if (solver->decided[s] != 0)
            continue;
        double excess = (game->worth[s] - solver->sums[s]) / weight_of(solver, s);
        if (excess <= solver->level + VIOLATED)
            continue;
        if (span_contains(&solver->span, s))
            solver->decided[s] = 1;
        else
            show(worst, s, excess);
    }
}

static enum status optimise_stage(struct solver *solver, struct fault *fault)
{
    for (uint32_t pass = 0; pass < PASSES_MAX; pass++) {
        enum status status = solve(solver, fault);
        if (status != STATUS_OK)
            return status;
        struct worst worst;
        find_worst(solver, &worst);
        if (worst.count == 0)
            return STATUS_OK;
        if (solver->row_count + worst.count > ROWS_MAX)
            break;
        for (uint32_t k = 0; k < worst.count; k++)
            add_row(solver, worst.coalition[k]);
    }
    return fault_set(fault, STATUS_INTERNAL,
                     "nucleolus: more than %d rows or %d passes in one stage", ROWS_MAX,
                     PASSES_MAX);
}

/* Drops rows that the fixed ones decide now; a row's place in the table stays marked. */
static void drop_decided(struct solver *solver)
{
    uint32_t kept = 0;
    for (uint32_t r = 0; r < solver->row_count; r++) {
        struct row row = solver->rows[r];
        if (row.fixed || !span_contains(&solver->span, row.coalition))
            solver->rows[kept++] = row;
    }
    solver->row_count = kept;
}

static enum status fix_tight(struct solver *solver, struct fault *fault)
{
    uint32_t fixed = 0;
    for (uint32_t r = 0; r < solver->row_count; r++) {
        struct row *row = &solver->rows[r];
        if (row->fixed || solver->duals[r] <= TIGHT_BY_DUAL ||
            !span_add(&solver->span, row->coalition))
            continue;
        row->limit =
            solver->game->worth[row->coalition] - solver->level * weight_of(solver, row->coalition);
        row->fixed = true;
        fixed++;
    }
    if (fixed == 0)
        return fault_set(fault, STATUS_INTERNAL,
                         "nucleolus: no coalition is tight by its dual at level %.9g",
                         solver->level);
    drop_decided(solver);
    return STATUS_OK;
}

enum status game_objection(const struct game *game, const double *x, struct arena *arena,
                           struct game_objection *objection, struct fault *fault)
{
    double *sums = arena_alloc(arena, game_coalitions(game), sizeof *sums);
    if (sums == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         game_coalitions(game));
    game_split_sums(game->players, x, sums);
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    *objection = (struct game_objection){.coalition = 0, .by = (double)-INFINITY};
    for (uint32_t s = 1; s < game_grand(game); s++) {
        double by = sign * (game->worth[s] - sums[s]);
        if (by > objection->by)
            *objection = (struct game_objection){.coalition = s, .by = by};
    }
    return STATUS_OK;
}
