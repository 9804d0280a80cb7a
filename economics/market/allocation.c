#include "economics/market/allocation.h"

#include <math.h>

enum { NO_ROW = -1, ENTRIES_MAX = 64, ITERATIONS_BASE = 100000, ITERATIONS_PER_ROW = 200 };

/* The LP while it is open, and where the market's things are in it. */
struct program {
    const struct prepared *prepared;
    struct lp *lp;
    struct arena arena;
    int32_t *pool_row;   /* [pool_count] */
    int32_t *row_row;    /* [row_count] */
    uint32_t *column_of; /* [lp columns] the market's column */
    uint32_t columns;
    uint32_t rows;
    double scale; /* objective = worth in micro-credits × scale */
};

static enum status program_open(struct program *program, const struct prepared *prepared,
                                struct lp_environment *environment, const uint64_t *mask,
                                struct fault *fault);
static void program_close(struct program *program);

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* Solves; the answer must be an optimum, since 0 is feasible and every share bounded. */
static enum status program_solve(struct program *program, struct fault *fault)
{
    enum lp_answer answer;
    uint64_t const most = ITERATIONS_BASE + (uint64_t)program->rows * ITERATIONS_PER_ROW;
    enum status const status =
        lp_solve(program->lp, most > INT32_MAX ? INT32_MAX : (uint32_t)most, &answer, fault);
    if (status != STATUS_OK)
        return status;
    if (answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "the market's LP has no optimum (answer %d)",
                         (int)answer);
    return STATUS_OK;
}

static double worth_of(const struct program *program)
{
    return lp_objective(program->lp) / program->scale / MICROS_PER_CREDIT;
}

static double on_grid(double share)
{
    double const clipped = fmin(fmax(share, 0), 1);
    return round(clipped / ALLOCATION_SHARE_GRID) * ALLOCATION_SHARE_GRID;
}

static void read_solution(const struct program *program, struct allocation *allocation)
{
    const struct market *market = program->prepared->market;
    for (uint32_t c = 0; c < program->columns; c++)
        allocation->share[program->column_of[c]] = on_grid(lp_primal(program->lp, (int32_t)c));
    double const credits = 1 / program->scale / MICROS_PER_CREDIT;
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (program->pool_row[p] != NO_ROW)
            allocation->pool_dual[p] =
                fmax(0, lp_dual(program->lp, program->pool_row[p])) * credits;
    for (uint32_t r = 0; r < market->row_count; r++)
        if (program->row_row[r] != NO_ROW)
            allocation->row_dual[r] = fmax(0, lp_dual(program->lp, program->row_row[r])) * credits;
}

enum status allocation_solve(const struct prepared *prepared, struct lp_environment *environment,
                             struct arena *arena, struct allocation *allocation,
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
    struct program program;
    enum status status = program_open(&program, prepared, environment, NULL, fault);
    if (status == STATUS_OK && program.columns > 0) {
        status = program_solve(&program, fault);
        if (status == STATUS_OK) {
            read_solution(&program, allocation);
            allocation->worth_credits = worth_of(&program);
            allocation->iterations = lp_iterations(program.lp);
        }
    }
    program_close(&program);
    return status;
}

enum status allocation_worth(const struct prepared *prepared, struct lp_environment *environment,
                             const uint64_t *mask, double *worth_credits, uint64_t *iterations,
                             struct fault *fault)
{
    *worth_credits = 0;
    struct program program;
    enum status status = program_open(&program, prepared, environment, mask, fault);
    if (status == STATUS_OK && program.columns > 0) {
        status = program_solve(&program, fault);
        if (status == STATUS_OK) {
            *worth_credits = worth_of(&program);
            *iterations += lp_iterations(program.lp);
        }
    }
    program_close(&program);
    return status;
}

enum status allocation_whole(const struct prepared *prepared, struct lp_environment *environment,
                             uint32_t nodes_max, bool *chosen, bool *found, struct fault *fault)
{
    *found = false;
    struct program program;
    enum status status = program_open(&program, prepared, environment, NULL, fault);
    if (status == STATUS_OK && program.columns > 0) {
        status = program_solve(&program, fault);
        if (status == STATUS_OK)
            status = lp_solve_binary(program.lp, nodes_max, found, fault);
        for (uint32_t c = 0; status == STATUS_OK && *found && c < program.columns; c++)
            chosen[program.column_of[c]] = lp_binary(program.lp, (int32_t)c) > 0.5;
    }
    program_close(&program);
    return status;
}

/* -- Making the LP --------------------------------------------------------------------------- */

static enum status mark_usable(struct program *program, const uint64_t *mask, struct fault *fault);
static enum status add_rows(struct program *program, const uint64_t *mask, struct fault *fault);
static enum status add_columns(struct program *program, struct fault *fault);

static enum status program_open(struct program *program, const struct prepared *prepared,
                                struct lp_environment *environment, const uint64_t *mask,
                                struct fault *fault)
{
    *program = (struct program){.prepared = prepared, .scale = 1};
    arena_init(&program->arena, ARENA_ROUND_BYTES);
    enum status status = mark_usable(program, mask, fault);
    if (status != STATUS_OK || program->columns == 0)
        return status;
    status = lp_open(environment, LP_MAXIMISE, &program->lp, fault);
    if (status == STATUS_OK)
        status = add_rows(program, mask, fault);
    if (status == STATUS_OK)
        status = add_columns(program, fault);
    return status;
}

static void program_close(struct program *program)
{
    lp_close(program->lp);
    arena_fini(&program->arena);
}

/* Which columns the LP has, and which pools and rows they need. */
static enum status mark_usable(struct program *program, const uint64_t *mask, struct fault *fault)
{
    const struct prepared *prepared = program->prepared;
    const struct market *market = prepared->market;
    program->pool_row = arena_alloc(&program->arena, market->pool_count, sizeof(int32_t));
    program->row_row = arena_alloc(&program->arena, market->row_count, sizeof(int32_t));
    program->column_of = arena_alloc(&program->arena, market->column_count, sizeof(uint32_t));
    if (program->pool_row == NULL || program->row_row == NULL || program->column_of == NULL)
        return no_room(fault);
    for (uint32_t p = 0; p < market->pool_count; p++)
        program->pool_row[p] = NO_ROW;
    for (uint32_t r = 0; r < market->row_count; r++)
        program->row_row[r] = NO_ROW;
    int64_t largest = 1;
    for (uint32_t k = 0; k < market->column_count; k++) {
        if (!prepared_usable(prepared, k, mask))
            continue;
        program->column_of[program->columns++] = k;
        program->pool_row[market->columns[k].pool] = 0;
        for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++)
            program->row_row[prepared->row_entries[e].index] = 0;
        if (market->columns[k].worth.micros > largest)
            largest = market->columns[k].worth.micros;
    }
    int exponent;
    (void)frexp((double)largest, &exponent);
    program->scale = ldexp(1, -exponent);
    return STATUS_OK;
}

static enum status add_row(struct program *program, double limit, int32_t *at, struct fault *fault)
{
    *at = (int32_t)program->rows++;
    return lp_add_row(program->lp, LP_AT_MOST, limit, NULL, 0, fault);
}

static enum status add_rows(struct program *program, const uint64_t *mask, struct fault *fault)
{
    const struct market *market = program->prepared->market;
    enum status status = STATUS_OK;
    for (uint32_t p = 0; p < market->pool_count && status == STATUS_OK; p++)
        if (program->pool_row[p] != NO_ROW)
            status = add_row(program, market->pools[p].gpu_count, &program->pool_row[p], fault);
    for (uint32_t r = 0; r < market->row_count && status == STATUS_OK; r++)
        if (program->row_row[r] != NO_ROW)
            status = add_row(program, prepared_limit(program->prepared, r, mask),
                             &program->row_row[r], fault);
    return status;
}

static enum status add_column(struct program *program, uint32_t k, int32_t job_row,
                              struct fault *fault)
{
    const struct prepared *prepared = program->prepared;
    const struct market_column *column = &prepared->market->columns[k];
    struct lp_entry entries[ENTRIES_MAX];
    uint32_t count = 0;
    entries[count++] =
        (struct lp_entry){.index = program->pool_row[column->pool], .value = column->gpus};
    if (job_row != NO_ROW)
        entries[count++] = (struct lp_entry){.index = job_row, .value = 1};
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        if (count == ENTRIES_MAX)
            return fault_set(fault, STATUS_INVALID, "columns[%u]: in more than %d policy rows", k,
                             ENTRIES_MAX - 2);
        entries[count++] =
            (struct lp_entry){.index = program->row_row[prepared->row_entries[e].index],
                              .value = prepared->row_entries[e].value};
    }
    return lp_add_column(program->lp, (double)column->worth.micros * program->scale,
                         (struct lp_bounds){0, job_row != NO_ROW ? HUGE_VAL : 1}, entries, count,
                         fault);
}

static enum status add_columns(struct program *program, struct fault *fault)
{
    const struct market *market = program->prepared->market;
    enum status status = STATUS_OK;
    int32_t job_row = NO_ROW;
    for (uint32_t c = 0; c < program->columns && status == STATUS_OK; c++) {
        uint32_t const k = program->column_of[c];
        uint32_t const job = market->columns[k].job;
        bool const first = c == 0 || market->columns[program->column_of[c - 1]].job != job;
        bool const more =
            c + 1 < program->columns && market->columns[program->column_of[c + 1]].job == job;
        if (first)
            job_row = NO_ROW;
        if (first && more)
            status = add_row(program, 1, &job_row, fault);
        if (status == STATUS_OK)
            status = add_column(program, k, job_row, fault);
    }
    return status;
}
