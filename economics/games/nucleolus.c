/*
 * See nucleolus.h. One stage is solved from its dual side: columns are coalitions, rows are the
 * players and the sum of weights, so that a coalition found violated joins a warm basis of n + 1
 * rows:
 *
 *   maximise Σ λ_S z(S) + Σ μ_F f(F)   s.t.  Σ_{S∋i} λ_S + Σ_{F∋i} μ_F + ρ_i = 0 for each player i,
 *            Σ weight_S λ_S = 1,  λ, ρ >= 0,  μ free
 *
 * The rows' duals are the split and t. Ours beyond the cited sequence: columns on demand by passes
 * over the table; coalitions in the span passed over by a probe (span.h).
 */
#include "economics/games/nucleolus.h"

#include <assert.h>
#include <math.h>

#include "economics/games/excess.h"
#include "economics/games/span.h"
#include "economics/games/surplus.h"
#include "economics/lp/lp.h"

#define VIOLATED      1e-9  /* of the surplus: a coalition worse off than t by more than this */
#define TIGHT_BY_DUAL 1e-7  /* a weight above this is no rounding error; weights sum to 1 */
#define NOTHING       1e-12 /* of the surplus: an excess up to this is rounding */
#define TIES          1e-8

enum {
    COLUMNS_MAX = 16384,
    COLUMNS_CARRIED = 512, /* into the next stage */
    PASSES_MAX = 8192,
    ITERATIONS_MAX = 1000000
};

/* A coalition in the LP. */
struct column {
    uint32_t coalition;
    double worth;
};

struct solver {
    const struct surplus *surplus;
    struct nucleolus_settings settings;
    uint32_t players;
    struct span span;                      /* of the fixed coalitions */
    struct column fixed[GAME_PLAYERS_MAX]; /* x(S) = worth here; [span.rank] */
    struct column *columns;                /* [column_count] not fixed: x(S) + weight t >= worth */
    uint32_t column_count;
    uint8_t *present;                  /* [2^n] in columns */
    double *weights;                   /* [COLUMNS_MAX] λ of the last LP */
    double rational[GAME_PLAYERS_MAX]; /* ρ */
    struct lp_environment *environment;
    struct lp *lp;
    int32_t first; /* LP column of columns[0] */
    double x[GAME_PLAYERS_MAX];
    double level; /* t of the last LP */
};

static enum status begin(struct solver *solver, const struct surplus *surplus, struct arena *arena,
                         struct fault *fault);
static enum status optimise_stage(struct solver *solver, struct fault *fault);
static enum status fix_tight(struct solver *solver, struct fault *fault);

enum status game_nucleolus(const struct game *game, struct nucleolus_settings settings,
                           struct arena *arena, double *x, enum game_answer *answer,
                           struct fault *fault)
{
    struct surplus surplus;
    struct solver solver = {.settings = settings};
    *answer = GAME_SOLVED;
    enum status status = surplus_of(game, settings.individually_rational, arena, &surplus, fault);
    if (status != STATUS_OK)
        return status;
    if (settings.individually_rational && surplus.negative)
        *answer = GAME_UNDEFINED;
    if (*answer == GAME_UNDEFINED)
        return STATUS_OK;
    if (!surplus.inessential) {
        status = begin(&solver, &surplus, arena, fault);
        while (status == STATUS_OK && solver.span.rank < game->players) {
            status = optimise_stage(&solver, fault);
            if (status == STATUS_OK)
                status = fix_tight(&solver, fault);
        }
        lp_close(solver.lp);
        lp_environment_close(solver.environment);
    }
    if (status == STATUS_OK)
        surplus_back(&surplus, solver.x, x);
    return status;
}

static void report_least_core(const struct solver *solver, struct least_core *core);

enum status game_least_core(const struct game *game, struct arena *arena, struct least_core *core,
                            struct fault *fault)
{
    struct surplus surplus;
    struct solver solver = {0};
    *core = (struct least_core){.has_epsilon = game->players > 1};
    enum status status = surplus_of(game, false, arena, &surplus, fault);
    if (status != STATUS_OK)
        return status;
    if (core->has_epsilon) {
        status = begin(&solver, &surplus, arena, fault);
        if (status == STATUS_OK)
            status = optimise_stage(&solver, fault);
        if (status == STATUS_OK)
            report_least_core(&solver, core);
        lp_close(solver.lp);
        lp_environment_close(solver.environment);
    }
    if (status == STATUS_OK)
        surplus_back(&surplus, solver.x, core->x);
    return status;
}

/* --- The steps ------------------------------------------------------------------------------- */

static void report_least_core(const struct solver *solver, struct least_core *core)
{
    bool nothing = fabs(solver->level) <= NOTHING + solver->surplus->noise;
    core->epsilon = nothing ? 0.0 : solver->level * solver->surplus->scale;
    for (uint32_t c = 0; c < solver->column_count && core->count <= GAME_PLAYERS_MAX; c++)
        if (solver->weights[c] > 0.0) {
            core->coalition[core->count] = solver->columns[c].coalition;
            core->weight[core->count++] = solver->weights[c];
        }
}

static void fix(struct solver *solver, uint32_t coalition, double worth)
{
    if (span_add(&solver->span, coalition))
        solver->fixed[solver->span.rank - 1] =
            (struct column){.coalition = coalition, .worth = worth};
}

static enum status begin(struct solver *solver, const struct surplus *surplus, struct arena *arena,
                         struct fault *fault)
{
    uint32_t grand = game_grand(&surplus->game);
    solver->surplus = surplus;
    solver->players = surplus->game.players;
    solver->present = arena_alloc(arena, game_coalitions(&surplus->game), 1);
    solver->columns = arena_alloc(arena, COLUMNS_MAX, sizeof *solver->columns);
    solver->weights = arena_alloc(arena, COLUMNS_MAX, sizeof *solver->weights);
    if (solver->present == NULL || solver->columns == NULL || solver->weights == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for a table of %u coalitions",
                         game_coalitions(&surplus->game));
    span_init(&solver->span, solver->players);
    fix(solver, grand, surplus->game.worth[grand]);
    return lp_environment_open(&solver->environment, fault);
}

static enum status add_lp_column(struct solver *solver, uint32_t coalition, double objective,
                                 double weight, double lower, struct fault *fault)
{
    struct lp_entry entries[GAME_PLAYERS_MAX + 1];
    uint32_t count = 0;
    for (uint32_t i = 0; i < solver->players; i++)
        if ((coalition >> i & 1) != 0)
            entries[count++] = (struct lp_entry){.index = (int32_t)i, .value = 1.0};
    if (weight != 0.0)
        entries[count++] = (struct lp_entry){.index = (int32_t)solver->players, .value = weight};
    return lp_add_column(solver->lp, objective, (struct lp_bounds){lower, (double)INFINITY},
                         entries, count, fault);
}

static enum status add_column(struct solver *solver, struct column column, struct fault *fault)
{
    assert(solver->column_count < COLUMNS_MAX);
    solver->present[column.coalition] = 1;
    solver->columns[solver->column_count++] = column;
    double weight =
        solver->settings.per_capita ? (double)__builtin_popcount(column.coalition) : 1.0;
    return add_lp_column(solver, column.coalition, column.worth, weight, 0.0, fault);
}

/* A coalition outside the span and its complement make the stage's LP feasible; so do those of
 * every single player, and at least one of them is outside. */
static enum status add_singles(struct solver *solver, struct fault *fault)
{
    const struct game *game = &solver->surplus->game;
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < 2 * solver->players && status == STATUS_OK; k++) {
        uint32_t single = 1u << k / 2;
        uint32_t coalition = k % 2 == 0 ? single : game_grand(game) ^ single;
        if (solver->present[coalition] == 0 && !span_contains(&solver->span, coalition))
            status = add_column(
                solver, (struct column){.coalition = coalition, .worth = game->worth[coalition]},
                fault);
    }
    return status;
}

/* Rows, fixed coalitions, rationality, then what the last stage left. */
static enum status open_stage(struct solver *solver, struct fault *fault)
{
    uint32_t n = solver->players;
    uint32_t carried = solver->column_count;
    lp_close(solver->lp);
    solver->lp = NULL;
    solver->column_count = 0;
    enum status status = lp_open(solver->environment, LP_MAXIMISE, &solver->lp, fault);
    for (uint32_t i = 0; i <= n && status == STATUS_OK; i++)
        status = lp_add_row(solver->lp, LP_EQUAL, i < n ? 0.0 : 1.0, NULL, 0, fault);
    for (uint32_t f = 0; f < solver->span.rank && status == STATUS_OK; f++)
        status = add_lp_column(solver, solver->fixed[f].coalition, solver->fixed[f].worth, 0.0,
                               (double)-INFINITY, fault);
    bool rational = solver->settings.individually_rational;
    for (uint32_t i = 0; rational && i < n && status == STATUS_OK; i++)
        status = add_lp_column(solver, 1u << i, 0.0, 0.0, 0.0, fault);
    solver->first = (int32_t)(solver->span.rank + (rational ? n : 0));
    for (uint32_t c = 0; c < carried && status == STATUS_OK; c++)
        status = add_column(solver, solver->columns[c], fault);
    return status == STATUS_OK ? add_singles(solver, fault) : status;
}

static enum status solve(struct solver *solver, struct fault *fault)
{
    enum lp_answer answer = LP_STOPPED;
    enum status status = lp_solve(solver->lp, ITERATIONS_MAX, &answer, fault);
    if (status == STATUS_OK && answer != LP_OPTIMAL)
        status = fault_set(fault, STATUS_INTERNAL,
                           "nucleolus: a stage's LP has no optimum (answer %d)", (int)answer);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < solver->players; i++)
        solver->x[i] = lp_dual(solver->lp, (int32_t)i);
    solver->level = lp_dual(solver->lp, (int32_t)solver->players);
    return STATUS_OK;
}

static void read_weights(struct solver *solver)
{
    for (uint32_t c = 0; c < solver->column_count; c++)
        solver->weights[c] = lp_primal(solver->lp, solver->first + (int32_t)c);
    for (uint32_t i = 0; solver->settings.individually_rational && i < solver->players; i++)
        solver->rational[i] = lp_primal(solver->lp, (int32_t)(solver->span.rank + i));
}

static enum status optimise_stage(struct solver *solver, struct fault *fault)
{
    const struct game *game = &solver->surplus->game;
    enum status status = open_stage(solver, fault);
    for (uint32_t pass = 0; pass < PASSES_MAX && status == STATUS_OK; pass++) {
        status = solve(solver, fault);
        if (status != STATUS_OK)
            return status;
        struct excess_scan scan = {.worth = game->worth,
                                   .players = solver->players,
                                   .per_capita = solver->settings.per_capita,
                                   .x = solver->x,
                                   .above = solver->level + solver->surplus->noise + VIOLATED,
                                   .dither = TIES,
                                   .span = &solver->span,
                                   .skip = solver->present};
        struct excess_list worst;
        excess_worst(&scan, EXCESS_KEPT_MAX, &worst);
        if (worst.count == 0) {
            read_weights(solver);
            return STATUS_OK;
        }
        if (solver->column_count + worst.count > COLUMNS_MAX)
            break;
        for (uint32_t k = 0; k < worst.count && status == STATUS_OK; k++)
            status = add_column(solver,
                                (struct column){.coalition = worst.coalition[k],
                                                .worth = game->worth[worst.coalition[k]]},
                                fault);
    }
    if (status != STATUS_OK)
        return status;
    return fault_set(fault, STATUS_INTERNAL,
                     "nucleolus: more than %d coalitions or %d passes in one stage", COLUMNS_MAX,
                     PASSES_MAX);
}

static double sum_over(const struct solver *solver, uint32_t coalition)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < solver->players; i++)
        sum += (coalition >> i & 1) != 0 ? solver->x[i] : 0.0;
    return sum;
}

/* Columns that are decided now leave; of the others the worst off stay, at most COLUMNS_CARRIED. */
static void drop_columns(struct solver *solver)
{
    double margin = solver->column_count > COLUMNS_CARRIED ? TIES : (double)INFINITY;
    uint32_t kept = 0;
    for (uint32_t c = 0; c < solver->column_count; c++) {
        struct column column = solver->columns[c];
        double weight =
            solver->settings.per_capita ? (double)__builtin_popcount(column.coalition) : 1.0;
        double excess = (column.worth - sum_over(solver, column.coalition)) / weight;
        bool stays = kept < COLUMNS_CARRIED && excess >= solver->level - margin &&
                     !span_contains(&solver->span, column.coalition);
        solver->present[column.coalition] = 0;
        if (stays)
            solver->columns[kept++] = column;
    }
    solver->column_count = kept;
}

static enum status fix_tight(struct solver *solver, struct fault *fault)
{
    uint32_t before = solver->span.rank;
    for (uint32_t c = 0; c < solver->column_count; c++) {
        struct column column = solver->columns[c];
        double weight =
            solver->settings.per_capita ? (double)__builtin_popcount(column.coalition) : 1.0;
        if (solver->weights[c] > TIGHT_BY_DUAL)
            fix(solver, column.coalition, column.worth - solver->level * weight);
    }
    for (uint32_t i = 0; solver->settings.individually_rational && i < solver->players; i++)
        if (solver->rational[i] > TIGHT_BY_DUAL)
            fix(solver, 1u << i, 0.0);
    if (solver->span.rank == before)
        return fault_set(fault, STATUS_INTERNAL,
                         "nucleolus: no coalition is tight by its dual at level %.9g",
                         solver->level);
    drop_columns(solver);
    return STATUS_OK;
}
