#include "economics/market/allocation.h"

#include <math.h>

enum { NO_ROW = -1, ENTRIES_MAX = 64, ITERATIONS_BASE = 100000, ITERATIONS_PER_ROW = 200 };

/* Rows are divided by their limit. All of a row's entries below this together use less of it than
 * a solver's tolerance. */
#define NEGLIGIBLE_PART 1e-12

/* The LP while it is open, and where the market's things are in it. */
struct market_lp {
    const struct prepared *prepared;
    const bool *only; /* NULL: all columns that are usable */
    struct lp *lp;
    struct arena arena;
    int32_t *pool_row;   /* [pool_count] */
    int32_t *row_row;    /* [row_count] */
    uint32_t *column_of; /* [lp columns] the market's column */
    uint32_t columns;
    uint32_t rows;
    bool rescaled; /* by GLPK, instead of left as it is */
    double scale;  /* objective = worth in micro-credits × scale */
};

static enum status market_lp_open(struct market_lp *mlp, const struct prepared *prepared,
                                  struct lp_environment *environment, const uint64_t *mask,
                                  struct fault *fault);
static void market_lp_close(struct market_lp *mlp);

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* Solves; the answer must be an optimum, since 0 is feasible and every share bounded. */
static enum status market_lp_solve(struct market_lp *mlp, struct fault *fault)
{
    enum lp_answer answer;
    uint64_t const most = ITERATIONS_BASE + (uint64_t)mlp->rows * ITERATIONS_PER_ROW;
    enum status const status =
        lp_solve(mlp->lp, most > INT32_MAX ? INT32_MAX : (uint32_t)most, &answer, fault);
    if (status != STATUS_OK)
        return status;
    if (answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "the market's LP has no optimum (answer %d)",
                         (int)answer);
    return STATUS_OK;
}

static double worth_of(const struct market_lp *mlp)
{
    return lp_objective(mlp->lp) / mlp->scale / MICROS_PER_CREDIT;
}

static double on_grid(double share)
{
    double const clipped = fmin(fmax(share, 0), 1);
    return round(clipped / ALLOCATION_SHARE_GRID) * ALLOCATION_SHARE_GRID;
}

static void read_solution(const struct market_lp *mlp, struct allocation *allocation)
{
    const struct market *market = mlp->prepared->market;
    double micros = 0;
    for (uint32_t c = 0; c < mlp->columns; c++) {
        uint32_t const k = mlp->column_of[c];
        allocation->share[k] = on_grid(lp_primal(mlp->lp, (int32_t)c));
        micros += allocation->share[k] * (double)market->columns[k].worth.micros;
    }
    allocation->worth_credits = micros / MICROS_PER_CREDIT;
    double const credits = 1 / mlp->scale / MICROS_PER_CREDIT;
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (mlp->pool_row[p] != NO_ROW)
            allocation->pool_dual[p] =
                fmax(0, lp_dual(mlp->lp, mlp->pool_row[p])) * credits / market->pools[p].gpu_count;
    for (uint32_t r = 0; r < market->row_count; r++)
        if (mlp->row_row[r] != NO_ROW)
            allocation->row_dual[r] =
                fmax(0, lp_dual(mlp->lp, mlp->row_row[r])) * credits / market->rows[r].limit;
}

enum status allocation_solve(const struct prepared *prepared, struct lp_environment *environment,
                             bool rescaled, struct arena *arena, struct allocation *allocation,
                             struct fault *fault)
{
    const struct market *market = prepared->market;
    *allocation = (struct allocation){
        .share = arena_alloc(arena, market->column_count, sizeof(double)),
        .pool_dual = arena_alloc(arena, market->pool_count, sizeof(double)),
        .row_dual = arena_alloc(arena, market->row_count, sizeof(double)),
    };
    if (allocation->share == NULL || allocation->pool_dual == NULL || allocation->row_dual == NULL)
        return no_room(fault);
    struct market_lp open = {.rescaled = rescaled};
    enum status status = market_lp_open(&open, prepared, environment, NULL, fault);
    if (status == STATUS_OK && open.columns > 0) {
        status = market_lp_solve(&open, fault);
        if (status == STATUS_OK) {
            read_solution(&open, allocation);
            allocation->iterations = lp_iterations(open.lp);
        }
    }
    market_lp_close(&open);
    return status;
}

enum status allocation_worth(const struct prepared *prepared, struct lp_environment *environment,
                             const uint64_t *mask, double *worth_credits, uint64_t *iterations,
                             struct fault *fault)
{
    *worth_credits = 0;
    struct market_lp open = {.only = NULL};
    enum status status = market_lp_open(&open, prepared, environment, mask, fault);
    if (status == STATUS_OK && open.columns > 0) {
        status = market_lp_solve(&open, fault);
        if (status == STATUS_OK) {
            *worth_credits = worth_of(&open);
            *iterations += lp_iterations(open.lp);
        }
    }
    market_lp_close(&open);
    return status;
}

/* The plan known already, in the order of the LP's columns, as GLPK counts. */
static const double *start_of(struct market_lp *mlp, const int32_t *now)
{
    const struct market *market = mlp->prepared->market;
    double *start = arena_alloc(&mlp->arena, (size_t)mlp->columns + 1, sizeof *start);
    for (uint32_t c = 0; start != NULL && c < mlp->columns; c++) {
        uint32_t const k = mlp->column_of[c];
        start[c + 1] = now[market->columns[k].job] == (int32_t)k ? 1 : 0;
    }
    return start;
}

enum status allocation_whole(const struct prepared *prepared, struct lp_environment *environment,
                             struct allocation_choice *choice, struct fault *fault)
{
    choice->found = false;
    struct market_lp open = {.only = choice->columns, .rescaled = true};
    enum status status = market_lp_open(&open, prepared, environment, NULL, fault);
    if (status == STATUS_OK && open.columns > 0) {
        status = market_lp_solve(&open, fault);
        if (status == STATUS_OK)
            status = lp_solve_binary(open.lp, choice->nodes_max, start_of(&open, choice->now),
                                     &choice->found, fault);
        for (uint32_t c = 0; status == STATUS_OK && choice->found && c < open.columns; c++)
            choice->columns[open.column_of[c]] = lp_binary(open.lp, (int32_t)c) > 0.5;
    }
    market_lp_close(&open);
    return status;
}

/* -- Making the LP --------------------------------------------------------------------------- */

static enum status mark_usable(struct market_lp *mlp, const uint64_t *mask, struct fault *fault);
static enum status add_rows(struct market_lp *mlp, struct fault *fault);
static enum status add_columns(struct market_lp *mlp, struct fault *fault);

static enum status market_lp_open(struct market_lp *mlp, const struct prepared *prepared,
                                  struct lp_environment *environment, const uint64_t *mask,
                                  struct fault *fault)
{
    *mlp = (struct market_lp){
        .prepared = prepared, .only = mlp->only, .rescaled = mlp->rescaled, .scale = 1};
    arena_init(&mlp->arena, ARENA_ROUND_BYTES);
    enum status status = mark_usable(mlp, mask, fault);
    if (status != STATUS_OK || mlp->columns == 0)
        return status;
    status = lp_open(environment, LP_MAXIMISE, &mlp->lp, fault);
    if (status == STATUS_OK && !mlp->rescaled)
        lp_keep_scale(mlp->lp);
    if (status == STATUS_OK)
        status = add_rows(mlp, fault);
    if (status == STATUS_OK)
        status = add_columns(mlp, fault);
    return status;
}

static void market_lp_close(struct market_lp *mlp)
{
    lp_close(mlp->lp);
    arena_fini(&mlp->arena);
}

/* Which columns the LP has, and which pools and rows they need. */
static enum status mark_usable(struct market_lp *mlp, const uint64_t *mask, struct fault *fault)
{
    const struct prepared *prepared = mlp->prepared;
    const struct market *market = prepared->market;
    mlp->pool_row = arena_alloc(&mlp->arena, market->pool_count, sizeof(int32_t));
    mlp->row_row = arena_alloc(&mlp->arena, market->row_count, sizeof(int32_t));
    mlp->column_of = arena_alloc(&mlp->arena, market->column_count, sizeof(uint32_t));
    if (mlp->pool_row == NULL || mlp->row_row == NULL || mlp->column_of == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < market->pool_count; p++)
        mlp->pool_row[p] = NO_ROW;
    for (uint32_t r = 0; r < market->row_count; r++)
        mlp->row_row[r] = NO_ROW;
    int64_t largest = 1;
    for (uint32_t k = 0; k < market->column_count; k++) {
        if ((mlp->only != NULL && !mlp->only[k]) || !prepared_usable(prepared, k, mask))
            continue;
        mlp->column_of[mlp->columns++] = k;
        mlp->pool_row[market->columns[k].pool] = 0;
        for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++)
            mlp->row_row[prepared->row_entries[e].index] = 0;
        if (market->columns[k].worth.micros > largest)
            largest = market->columns[k].worth.micros;
    }
    int exponent;
    (void)frexp((double)largest, &exponent);
    mlp->scale = ldexp(1, -exponent);
    return STATUS_OK;
}

static enum status add_row(struct market_lp *mlp, double limit, int32_t *at, struct fault *fault)
{
    *at = (int32_t)mlp->rows++;
    return lp_add_row(mlp->lp, LP_AT_MOST, limit, NULL, 0, fault);
}

static enum status add_rows(struct market_lp *mlp, struct fault *fault)
{
    const struct market *market = mlp->prepared->market;
    enum status status = STATUS_OK;
    for (uint32_t p = 0; p < market->pool_count && status == STATUS_OK; p++)
        if (mlp->pool_row[p] != NO_ROW)
            status = add_row(mlp, 1, &mlp->pool_row[p], fault);
    for (uint32_t r = 0; r < market->row_count && status == STATUS_OK; r++)
        if (mlp->row_row[r] != NO_ROW)
            status = add_row(mlp, 1, &mlp->row_row[r], fault);
    return status;
}

static enum status add_column(struct market_lp *mlp, uint32_t k, int32_t job_row,
                              struct fault *fault)
{
    const struct prepared *prepared = mlp->prepared;
    const struct market_column *column = &prepared->market->columns[k];
    struct lp_entry entries[ENTRIES_MAX];
    uint32_t count = 0;
    entries[count++] = (struct lp_entry){.index = mlp->pool_row[column->pool],
                                         .value = (double)column->gpus /
                                                  prepared->market->pools[column->pool].gpu_count};
    if (job_row != NO_ROW)
        entries[count++] = (struct lp_entry){.index = job_row, .value = 1};
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        if (count == ENTRIES_MAX)
            return fault_set(fault, STATUS_INVALID, "columns[%u]: in more than %d policy rows", k,
                             ENTRIES_MAX - 2);
        const struct lp_entry *entry = &prepared->row_entries[e];
        double const part = entry->value / prepared->market->rows[entry->index].limit;
        if (part > NEGLIGIBLE_PART)
            entries[count++] =
                (struct lp_entry){.index = mlp->row_row[entry->index], .value = part};
    }
    return lp_add_column(mlp->lp, (double)column->worth.micros * mlp->scale,
                         (struct lp_bounds){0, job_row != NO_ROW ? HUGE_VAL : 1}, entries, count,
                         fault);
}

static enum status add_columns(struct market_lp *mlp, struct fault *fault)
{
    const struct market *market = mlp->prepared->market;
    enum status status = STATUS_OK;
    int32_t job_row = NO_ROW;
    for (uint32_t c = 0; c < mlp->columns && status == STATUS_OK; c++) {
        uint32_t const k = mlp->column_of[c];
        uint32_t const job = market->columns[k].job;
        bool const first = c == 0 || market->columns[mlp->column_of[c - 1]].job != job;
        bool const more = c + 1 < mlp->columns && market->columns[mlp->column_of[c + 1]].job == job;
        if (first)
            job_row = NO_ROW;
        if (first && more)
            status = add_row(mlp, 1, &job_row, fault);
        if (status == STATUS_OK)
            status = add_column(mlp, k, job_row, fault);
    }
    return status;
}
