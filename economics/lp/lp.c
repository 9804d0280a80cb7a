#include "economics/lp/lp.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "economics/lp/lp_internal.h"

enum { GROW_MIN = 64 };

/* -- Building -------------------------------------------------------------------------------- */

static int glpk_direction(enum lp_direction direction)
{
    return direction == LP_MAXIMISE ? GLP_MAX : GLP_MIN;
}

enum status lp_open(struct lp_environment *environment, enum lp_direction direction, struct lp **lp,
                    struct fault *fault)
{
    struct lp *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an LP");
    opened->environment = environment;
    if (setjmp(environment->recover) != 0) {
        free(opened);
        return lp_lost(environment, fault);
    }
    lp_arm(environment);
    opened->generation = environment->generation;
    opened->problem = glp_create_prob();
    glp_set_obj_dir(opened->problem, glpk_direction(direction));
    lp_disarm(environment);
    *lp = opened;
    return STATUS_OK;
}

void lp_close(struct lp *lp)
{
    if (lp == NULL)
        return;
    if (lp_alive(lp))
        glp_delete_prob(lp->problem);
    free(lp->row_bounds);
    free(lp->column_bounds);
    free(lp->indices);
    free(lp->values);
    free(lp);
}

static bool grow_bounds(struct lp_bounds **bounds, int *room, int count)
{
    if (count < *room)
        return true;
    int const wider = *room == 0 ? GROW_MIN : *room * 2;
    struct lp_bounds *more = realloc(*bounds, (size_t)wider * sizeof *more);
    if (more == NULL)
        return false;
    *bounds = more;
    *room = wider;
    return true;
}

static bool grow_entries(struct lp *lp, uint32_t count)
{
    if (count < lp->entry_room)
        return true;
    uint32_t const wider = count * 2 + GROW_MIN;
    int *indices = realloc(lp->indices, wider * sizeof *indices);
    if (indices != NULL)
        lp->indices = indices;
    double *values = realloc(lp->values, wider * sizeof *values);
    if (values != NULL)
        lp->values = values;
    if (indices == NULL || values == NULL)
        return false;
    lp->entry_room = wider;
    return true;
}

/* To GLPK's arrays, which start at 1; zeros are left out. -1 where a number isn't finite. */
static int copy_entries(struct lp *lp, const struct lp_entry *entries, uint32_t count, int limit)
{
    int used = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert(entries[i].index >= 0 && entries[i].index < limit);
        if (!isfinite(entries[i].value))
            return -1;
        if (entries[i].value == 0)
            continue;
        used++;
        lp->indices[used] = entries[i].index + 1;
        lp->values[used] = entries[i].value;
    }
    return used;
}

static int glpk_kind(struct lp_bounds bounds)
{
    if (isinf(bounds.lower))
        return isinf(bounds.upper) ? GLP_FR : GLP_UP;
    if (isinf(bounds.upper))
        return GLP_LO;
    return bounds.lower < bounds.upper ? GLP_DB : GLP_FX;
}

void lp_put_row_bounds(struct lp *lp, int row, struct lp_bounds bounds)
{
    glp_set_row_bnds(lp->problem, row + 1, glpk_kind(bounds), bounds.lower, bounds.upper);
}

void lp_put_column_bounds(struct lp *lp, int column, struct lp_bounds bounds)
{
    glp_set_col_bnds(lp->problem, column + 1, glpk_kind(bounds), bounds.lower, bounds.upper);
}

static struct lp_bounds row_bounds(enum lp_row_kind kind, double limit)
{
    return (struct lp_bounds){.lower = kind == LP_AT_MOST ? -HUGE_VAL : limit,
                              .upper = kind == LP_AT_LEAST ? HUGE_VAL : limit};
}

enum status lp_add_row(struct lp *lp, enum lp_row_kind kind, double limit,
                       const struct lp_entry *entries, uint32_t count, struct fault *fault)
{
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    if (!isfinite(limit))
        return fault_set(fault, STATUS_INVALID, "the limit of row %d is not a finite number",
                         lp->rows);
    if (lp->rows >= LP_ROWS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "more than %d rows", LP_ROWS_MAX);
    if (!grow_bounds(&lp->row_bounds, &lp->row_room, lp->rows) || !grow_entries(lp, count))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a row");
    int const used = copy_entries(lp, entries, count, lp->columns);
    if (used < 0)
        return fault_set(fault, STATUS_INVALID, "a coefficient of row %d is not a finite number",
                         lp->rows);
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lp_lost(environment, fault);
    lp_arm(environment);
    glp_add_rows(lp->problem, 1);
    lp->row_bounds[lp->rows] = row_bounds(kind, limit);
    lp_put_row_bounds(lp, lp->rows, lp->row_bounds[lp->rows]);
    glp_set_mat_row(lp->problem, lp->rows + 1, used, lp->indices, lp->values);
    lp->rows++;
    lp_disarm(environment);
    return STATUS_OK;
}

enum status lp_add_column(struct lp *lp, double objective, struct lp_bounds bounds,
                          const struct lp_entry *entries, uint32_t count, struct fault *fault)
{
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    if (!isfinite(objective) || isnan(bounds.lower) || isnan(bounds.upper) ||
        bounds.lower > bounds.upper)
        return fault_set(fault, STATUS_INVALID,
                         "column %d needs a finite objective and lower <= upper", lp->columns);
    if (lp->columns >= LP_COLUMNS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "more than %d columns", LP_COLUMNS_MAX);
    if (!grow_bounds(&lp->column_bounds, &lp->column_room, lp->columns) || !grow_entries(lp, count))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a column");
    int const used = copy_entries(lp, entries, count, lp->rows);
    if (used < 0)
        return fault_set(fault, STATUS_INVALID, "a coefficient of column %d is not a finite number",
                         lp->columns);
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lp_lost(environment, fault);
    lp_arm(environment);
    glp_add_cols(lp->problem, 1);
    lp->column_bounds[lp->columns] = bounds;
    lp_put_column_bounds(lp, lp->columns, bounds);
    glp_set_obj_coef(lp->problem, lp->columns + 1, objective);
    glp_set_mat_col(lp->problem, lp->columns + 1, used, lp->indices, lp->values);
    lp->columns++;
    lp_disarm(environment);
    return STATUS_OK;
}

void lp_keep_scale(struct lp *lp)
{
    lp->scaled = true;
}

void lp_set_direction(struct lp *lp, enum lp_direction direction)
{
    if (lp_alive(lp))
        glp_set_obj_dir(lp->problem, glpk_direction(direction));
}

enum status lp_set_objective(struct lp *lp, int32_t column, double objective, struct fault *fault)
{
    assert(column >= 0 && column < lp->columns);
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    if (!isfinite(objective))
        return fault_set(fault, STATUS_INVALID, "the objective of column %d is not a finite number",
                         column);
    glp_set_obj_coef(lp->problem, column + 1, objective);
    return STATUS_OK;
}

enum status lp_set_row_limit(struct lp *lp, int32_t row, double limit, struct fault *fault)
{
    assert(row >= 0 && row < lp->rows);
    if (!lp_alive(lp))
        return lp_refuse_lost(fault);
    if (!isfinite(limit))
        return fault_set(fault, STATUS_INVALID, "the limit of row %d is not a finite number", row);
    struct lp_bounds *bounds = &lp->row_bounds[row];
    if (isfinite(bounds->lower))
        bounds->lower = limit;
    if (isfinite(bounds->upper))
        bounds->upper = limit;
    lp_put_row_bounds(lp, row, *bounds);
    return STATUS_OK;
}

/* -- Reading --------------------------------------------------------------------------------- */

double lp_binary(const struct lp *lp, int32_t column)
{
    assert(lp_alive(lp) && column >= 0 && column < lp->columns);
    return glp_mip_col_val(lp->problem, column + 1);
}

bool lp_feasible(const struct lp *lp)
{
    return lp_alive(lp) && glp_get_prim_stat(lp->problem) == GLP_FEAS;
}

double lp_objective(const struct lp *lp)
{
    assert(lp_alive(lp));
    return glp_get_obj_val(lp->problem);
}

double lp_primal(const struct lp *lp, int32_t column)
{
    assert(lp_alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_prim(lp->problem, column + 1);
}

double lp_dual(const struct lp *lp, int32_t row)
{
    assert(lp_alive(lp) && row >= 0 && row < lp->rows);
    return glp_get_row_dual(lp->problem, row + 1);
}

double lp_reduced_cost(const struct lp *lp, int32_t column)
{
    assert(lp_alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_dual(lp->problem, column + 1);
}

uint64_t lp_iterations(const struct lp *lp)
{
    assert(lp_alive(lp));
    return (uint64_t)glp_get_it_cnt(lp->problem);
}

bool lp_column_pinned(const struct lp *lp, int32_t column)
{
    assert(lp_alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_stat(lp->problem, column + 1) == GLP_NS;
}
