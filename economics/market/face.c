#include "economics/market/face.h"

#include <math.h>
#include <string.h>

#include "base/tolerance.h"

enum { NONE = -1, CUT_ROUNDS_MAX = 200, ITERATIONS_MAX = 200000 };

/* Above the grid's rounding, below any share that matters. */
#define SHARE_POSITIVE (2 * ALLOCATION_SHARE_GRID)
#define FULL           (1 - 1e-7)
#define TIGHT          1e-7
#define VIOLATED       1e-9

struct face {
    const struct prepared *prepared;
    const double *share;
    struct arena arena;
    struct lp *lp;
    double scale; /* of worths: micro-credits to about 1 */
    int32_t variables;
    int32_t pool_variables;  /* the first ones */
    int32_t *pool_variable;  /* [pool_count] or NONE */
    int32_t *row_variable;   /* [row_count] or NONE */
    double *first_objective; /* [variables] K_p of pools, 0 of rows */
    int32_t *base;           /* [job_count] a used column of a job served in full, else NONE */
    bool *present;           /* [column_count] its constraint is in the LP */
    double *y;               /* [variables] a point */
    double *dense;           /* [variables] scratch, zero between uses */
    struct lp_entry *sparse; /* [variables] scratch */
};

static enum status face_open(struct face *face, struct lp_environment *environment,
                             struct fault *fault);
static enum status find_variables(struct face *face, struct fault *fault);
static enum status find_bases(struct face *face, struct fault *fault);
static enum status start_constraints(struct face *face, struct fault *fault);
static enum status extreme(struct face *face, enum lp_direction direction, bool *found,
                           struct fault *fault);

static void add_point(const struct face *face, double *pool_rent, double *row_rent)
{
    const struct market *market = face->prepared->market;
    double const credits = 1 / face->scale / MICROS_PER_CREDIT;
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (face->pool_variable[p] != NONE)
            pool_rent[p] += face->y[face->pool_variable[p]] * credits / 2;
    for (uint32_t r = 0; r < market->row_count; r++)
        if (face->row_variable[r] != NONE)
            row_rent[r] +=
                face->y[face->row_variable[r]] * credits / face->prepared->row_largest[r] / 2;
}

enum status face_average(const struct prepared *prepared, const struct allocation *allocation,
                         struct lp_environment *environment, double *pool_rent, double *row_rent,
                         bool *found, uint64_t *iterations, struct fault *fault)
{
    struct face face = {.prepared = prepared, .share = allocation->share};
    arena_init(&face.arena, ARENA_ROUND_BYTES);
    memset(pool_rent, 0, prepared->market->pool_count * sizeof *pool_rent);
    memset(row_rent, 0, prepared->market->row_count * sizeof *row_rent);
    *found = true;
    enum status status = find_variables(&face, fault);
    if (status == STATUS_OK && face.variables > 0) {
        status = face_open(&face, environment, fault);
        enum lp_direction const directions[] = {LP_MINIMISE, LP_MAXIMISE};
        for (int d = 0; d < 2 && status == STATUS_OK && *found; d++) {
            status = extreme(&face, directions[d], found, fault);
            if (status == STATUS_OK && *found)
                add_point(&face, pool_rent, row_rent);
        }
        if (status == STATUS_OK)
            *iterations += lp_iterations(face.lp);
    }
    lp_close(face.lp);
    arena_fini(&face.arena);
    return status;
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* -- Which pools and rows may have a rent ------------------------------------------------------ */

static enum status find_variables(struct face *face, struct fault *fault)
{
    const struct prepared *prepared = face->prepared;
    const struct market *market = prepared->market;
    face->pool_variable = arena_alloc(&face->arena, market->pool_count, sizeof(int32_t));
    face->row_variable = arena_alloc(&face->arena, market->row_count, sizeof(int32_t));
    double *pool_used = arena_alloc(&face->arena, market->pool_count, sizeof(double));
    double *row_used = arena_alloc(&face->arena, market->row_count, sizeof(double));
    if (face->pool_variable == NULL || face->row_variable == NULL || pool_used == NULL ||
        row_used == NULL)
        return no_room(fault);
    int64_t largest = 1;
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        if (column->worth.micros > largest && prepared_usable(prepared, k, NULL))
            largest = column->worth.micros;
        if (face->share[k] == 0)
            continue;
        pool_used[column->pool] += column->gpus * face->share[k];
        for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++)
            row_used[prepared->row_entries[e].index] +=
                prepared->row_entries[e].value * face->share[k];
    }
    int exponent;
    (void)frexp((double)largest, &exponent);
    face->scale = ldexp(1, -exponent);
    for (uint32_t p = 0; p < market->pool_count; p++) {
        double const gpus = market->pools[p].gpu_count;
        face->pool_variable[p] =
            gpus > 0 && pool_used[p] >= gpus * (1 - TIGHT) ? face->variables++ : NONE;
    }
    face->pool_variables = face->variables;
    for (uint32_t r = 0; r < market->row_count; r++) {
        double const limit = market->rows[r].limit;
        face->row_variable[r] =
            limit > 0 && row_used[r] >= limit * (1 - TIGHT) ? face->variables++ : NONE;
    }
    return STATUS_OK;
}

static enum status face_open(struct face *face, struct lp_environment *environment,
                             struct fault *fault)
{
    const struct market *market = face->prepared->market;
    size_t const variables = (size_t)face->variables;
    face->first_objective = arena_alloc(&face->arena, variables, sizeof(double));
    face->y = arena_alloc(&face->arena, variables, sizeof(double));
    face->dense = arena_alloc(&face->arena, variables, sizeof(double));
    face->sparse = arena_alloc(&face->arena, variables, sizeof(struct lp_entry));
    face->base = arena_alloc(&face->arena, market->job_count, sizeof(int32_t));
    face->present = arena_alloc(&face->arena, market->column_count, sizeof(bool));
    if (face->first_objective == NULL || face->y == NULL || face->dense == NULL ||
        face->sparse == NULL || face->base == NULL || face->present == NULL)
        return no_room(fault);
    double most = 1;
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (face->pool_variable[p] != NONE && market->pools[p].gpu_count > most)
            most = market->pools[p].gpu_count;
    for (uint32_t p = 0; p < market->pool_count; p++)
        if (face->pool_variable[p] != NONE)
            face->first_objective[face->pool_variable[p]] = market->pools[p].gpu_count / most;
    enum status status = lp_open(environment, LP_MINIMISE, &face->lp, fault);
    for (int32_t v = 0; v < face->variables && status == STATUS_OK; v++)
        status = lp_add_column(face->lp, 0, (struct lp_bounds){0, HUGE_VAL}, NULL, 0, fault);
    if (status == STATUS_OK)
        status = find_bases(face, fault);
    return status == STATUS_OK ? start_constraints(face, fault) : status;
}

static enum status find_bases(struct face *face, struct fault *fault)
{
    (void)fault;
    const struct market *market = face->prepared->market;
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        double total = 0;
        int32_t most = NONE;
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            total += face->share[k];
            if (face->share[k] > SHARE_POSITIVE &&
                (most == NONE || face->share[k] > face->share[most]))
                most = (int32_t)k;
        }
        face->base[j] = total >= FULL ? most : NONE;
    }
    return STATUS_OK;
}

/* -- Constraints: one for a column, against its job's base ------------------------------------- */

static void add_rent_terms(struct face *face, uint32_t k, double sign)
{
    const struct prepared *prepared = face->prepared;
    const struct market_column *column = &prepared->market->columns[k];
    int32_t const pool = face->pool_variable[column->pool];
    if (pool != NONE)
        face->dense[pool] += sign * column->gpus;
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        int32_t const row = prepared->row_entries[e].index;
        if (face->row_variable[row] != NONE)
            face->dense[face->row_variable[row]] +=
                sign * (prepared->row_entries[e].value / prepared->row_largest[row]);
    }
}

/* Σ dense y (kind) limit; dense is emptied. */
static enum status add_constraint(struct face *face, enum lp_row_kind kind, double limit,
                                  struct fault *fault)
{
    uint32_t count = 0;
    for (int32_t v = 0; v < face->variables; v++) {
        if (face->dense[v] != 0)
            face->sparse[count++] = (struct lp_entry){.index = v, .value = face->dense[v]};
        face->dense[v] = 0;
    }
    if (count == 0) /* nothing to choose here; slackness says that it holds */
        return STATUS_OK;
    return lp_add_row(face->lp, kind, limit, face->sparse, count, fault);
}

static double worth(const struct face *face, uint32_t k)
{
    return (double)face->prepared->market->columns[k].worth.micros * face->scale;
}

/* rent_k + λ_j >= w_k, where λ_j = w_base − rent_base or 0; equal where k is used. */
static enum status constrain_column(struct face *face, uint32_t k, struct fault *fault)
{
    int32_t const base = face->base[face->prepared->market->columns[k].job];
    face->present[k] = true;
    if (base == (int32_t)k)
        return STATUS_OK;
    double limit = worth(face, k);
    add_rent_terms(face, k, 1);
    if (base != NONE) {
        add_rent_terms(face, (uint32_t)base, -1);
        limit -= worth(face, (uint32_t)base);
    }
    return add_constraint(face, face->share[k] > SHARE_POSITIVE ? LP_EQUAL : LP_AT_LEAST, limit,
                          fault);
}

/* λ_j >= 0 of jobs served in full, and the equalities of all used columns: they bound the face. */
static enum status start_constraints(struct face *face, struct fault *fault)
{
    const struct market *market = face->prepared->market;
    enum status status = STATUS_OK;
    for (uint32_t j = 0; j < market->job_count && status == STATUS_OK; j++) {
        if (face->base[j] == NONE)
            continue;
        add_rent_terms(face, (uint32_t)face->base[j], 1);
        status = add_constraint(face, LP_AT_MOST, worth(face, (uint32_t)face->base[j]), fault);
    }
    for (uint32_t k = 0; k < market->column_count && status == STATUS_OK; k++)
        if (face->share[k] > SHARE_POSITIVE)
            status = constrain_column(face, k, fault);
    return status;
}

static double rent_at(const struct face *face, uint32_t k)
{
    const struct prepared *prepared = face->prepared;
    const struct market_column *column = &prepared->market->columns[k];
    int32_t const pool = face->pool_variable[column->pool];
    double rent = pool != NONE ? column->gpus * face->y[pool] : 0;
    for (uint32_t e = prepared->first_of_column[k]; e < prepared->first_of_column[k + 1]; e++) {
        int32_t const row = prepared->row_entries[e].index;
        if (face->row_variable[row] != NONE)
            rent += prepared->row_entries[e].value / prepared->row_largest[row] *
                    face->y[face->row_variable[row]];
    }
    return rent;
}

/* Adds each job's most violated column; *added counts them. */
static enum status add_violated(struct face *face, uint32_t *added, struct fault *fault)
{
    const struct market *market = face->prepared->market;
    *added = 0;
    for (int32_t v = 0; v < face->variables; v++)
        face->y[v] = fmax(0, lp_primal(face->lp, v));
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        int32_t const base = face->base[j];
        double surplus = 0;
        if (base != NONE)
            surplus = fmax(0, worth(face, (uint32_t)base) - rent_at(face, (uint32_t)base));
        double most = VIOLATED;
        int32_t worst = NONE;
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            if (face->present[k] || !prepared_usable(face->prepared, k, NULL))
                continue;
            double const violation = worth(face, k) - rent_at(face, k) - surplus;
            if (violation > most) {
                most = violation;
                worst = (int32_t)k;
            }
        }
        if (worst == NONE)
            continue;
        enum status const status = constrain_column(face, (uint32_t)worst, fault);
        if (status != STATUS_OK)
            return status;
        ++*added;
    }
    return STATUS_OK;
}

/* -- An extreme point ---------------------------------------------------------------------------
 */

static enum status solve_stage(struct face *face, bool *optimal, struct fault *fault)
{
    enum lp_answer answer;
    enum status const status = lp_solve(face->lp, ITERATIONS_MAX, &answer, fault);
    *optimal = status == STATUS_OK && answer == LP_OPTIMAL;
    return status;
}

static enum status set_objective(struct face *face, int32_t only, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (int32_t v = 0; v < face->variables && status == STATUS_OK; v++) {
        double const stage = v == only ? 1 : 0;
        status =
            lp_set_objective(face->lp, v, only == NONE ? face->first_objective[v] : stage, fault);
    }
    return status;
}

/* Total rent first; with `whole`, then each variable in turn, until one point is left. */
static enum status lexicographic(struct face *face, bool whole, bool *optimal, struct fault *fault)
{
    lp_unpin(face->lp);
    bool point = false;
    int32_t const last = whole ? face->variables : 0;
    for (int32_t stage = NONE; stage < last && !point; stage++) {
        if (stage != NONE && lp_column_pinned(face->lp, stage))
            continue;
        enum status status = set_objective(face, stage, fault);
        if (status == STATUS_OK)
            status = solve_stage(face, optimal, fault);
        if (status != STATUS_OK || !*optimal)
            return status;
        point = lp_pin(face->lp);
    }
    return STATUS_OK;
}

static enum status extreme(struct face *face, enum lp_direction direction, bool *found,
                           struct fault *fault)
{
    lp_set_direction(face->lp, direction);
    bool whole = false; /* most constraints turn up for the total already: cheaper */
    for (uint32_t round = 0; round < CUT_ROUNDS_MAX; round++) {
        bool optimal = false;
        enum status status = lexicographic(face, whole, &optimal, fault);
        if (status != STATUS_OK || !optimal) {
            *found = false;
            return status;
        }
        uint32_t added;
        status = add_violated(face, &added, fault);
        if (status != STATUS_OK)
            return status;
        if (added == 0 && whole)
            return STATUS_OK;
        whole = whole || added == 0;
    }
    *found = false;
    return STATUS_OK;
}
