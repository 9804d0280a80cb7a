#include "economics/lp/lp.h"

#include <assert.h>
#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"

enum { WORDS_MAX = 256, GROW_MIN = 64 };

struct lp_environment {
    jmp_buf recover;
    bool armed;          /* recover is set, in a frame that is still there */
    uint64_t generation; /* raised when GLPK's state is thrown away: older problems are lost */
    char words[WORDS_MAX];
};

struct lp {
    struct lp_environment *environment;
    uint64_t generation;
    glp_prob *problem; /* dangling once the generations differ */
    bool scaled;
    int rows;
    int columns;
    struct lp_bounds *row_bounds; /* as given, for lp_unpin */
    struct lp_bounds *column_bounds;
    int row_room;
    int column_room;
    int *indices; /* GLPK counts from 1: entries are copied here */
    double *values;
    uint32_t entry_room;
};

/* -- Environment: GLPK's errors become statuses ------------------------------------------- */

/* GLPK says what is wrong on its terminal, then calls the error hook. Nonzero: not printed. */
static int keep_words(void *info, const char *text)
{
    struct lp_environment *environment = info;
    size_t const used = strlen(environment->words);
    snprintf(environment->words + used, WORDS_MAX - used, "%s", text);
    for (char *c = environment->words + used; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return 1;
}

static void install_hooks(struct lp_environment *environment);

/* After an error GLPK's environment must be thrown away whole (its manual, glp_error_hook). */
static void recover(void *info)
{
    struct lp_environment *environment = info;
    environment->generation++;
    glp_error_hook(NULL, NULL);
    glp_free_env();
    install_hooks(environment);
    if (environment->armed)
        longjmp(environment->recover, 1);
    abort(); /* an error in a call that cannot fail: a defect of ours */
}

static void install_hooks(struct lp_environment *environment)
{
    glp_term_hook(keep_words, environment);
    glp_error_hook(recover, environment);
}

enum status lp_environment_open(struct lp_environment **environment, struct fault *fault)
{
    *environment = calloc(1, sizeof **environment);
    if (*environment == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an LP environment");
    install_hooks(*environment);
    return STATUS_OK;
}

void lp_environment_close(struct lp_environment *environment)
{
    if (environment == NULL)
        return;
    glp_error_hook(NULL, NULL);
    glp_term_hook(NULL, NULL);
    glp_free_env();
    free(environment);
}

static enum status lost(struct lp_environment *environment, struct fault *fault)
{
    environment->armed = false;
    return fault_set(fault, STATUS_INTERNAL, "GLPK failed: %s", environment->words);
}

static bool alive(const struct lp *lp)
{
    return lp->generation == lp->environment->generation;
}

static enum status refuse_lost(struct fault *fault)
{
    return fault_set(fault, STATUS_INTERNAL,
                     "this LP was lost when GLPK failed earlier: open it again");
}

static void arm(struct lp_environment *environment)
{
    environment->armed = true;
    environment->words[0] = '\0';
}

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
        return lost(environment, fault);
    }
    arm(environment);
    opened->generation = environment->generation;
    opened->problem = glp_create_prob();
    glp_set_obj_dir(opened->problem, glpk_direction(direction));
    environment->armed = false;
    *lp = opened;
    return STATUS_OK;
}

void lp_close(struct lp *lp)
{
    if (lp == NULL)
        return;
    if (alive(lp))
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

static void put_row_bounds(struct lp *lp, int row, struct lp_bounds bounds)
{
    glp_set_row_bnds(lp->problem, row + 1, glpk_kind(bounds), bounds.lower, bounds.upper);
}

static void put_column_bounds(struct lp *lp, int column, struct lp_bounds bounds)
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
    if (!alive(lp))
        return refuse_lost(fault);
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
        return lost(environment, fault);
    arm(environment);
    glp_add_rows(lp->problem, 1);
    lp->row_bounds[lp->rows] = row_bounds(kind, limit);
    put_row_bounds(lp, lp->rows, lp->row_bounds[lp->rows]);
    glp_set_mat_row(lp->problem, lp->rows + 1, used, lp->indices, lp->values);
    lp->rows++;
    environment->armed = false;
    return STATUS_OK;
}

enum status lp_add_column(struct lp *lp, double objective, struct lp_bounds bounds,
                          const struct lp_entry *entries, uint32_t count, struct fault *fault)
{
    if (!alive(lp))
        return refuse_lost(fault);
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
        return lost(environment, fault);
    arm(environment);
    glp_add_cols(lp->problem, 1);
    lp->column_bounds[lp->columns] = bounds;
    put_column_bounds(lp, lp->columns, bounds);
    glp_set_obj_coef(lp->problem, lp->columns + 1, objective);
    glp_set_mat_col(lp->problem, lp->columns + 1, used, lp->indices, lp->values);
    lp->columns++;
    environment->armed = false;
    return STATUS_OK;
}

void lp_set_direction(struct lp *lp, enum lp_direction direction)
{
    if (alive(lp))
        glp_set_obj_dir(lp->problem, glpk_direction(direction));
}

enum status lp_set_objective(struct lp *lp, int32_t column, double objective, struct fault *fault)
{
    assert(column >= 0 && column < lp->columns);
    if (!alive(lp))
        return refuse_lost(fault);
    if (!isfinite(objective))
        return fault_set(fault, STATUS_INVALID, "the objective of column %d is not a finite number",
                         column);
    glp_set_obj_coef(lp->problem, column + 1, objective);
    return STATUS_OK;
}

enum status lp_set_row_limit(struct lp *lp, int32_t row, double limit, struct fault *fault)
{
    assert(row >= 0 && row < lp->rows);
    if (!alive(lp))
        return refuse_lost(fault);
    if (!isfinite(limit))
        return fault_set(fault, STATUS_INVALID, "the limit of row %d is not a finite number", row);
    struct lp_bounds *bounds = &lp->row_bounds[row];
    if (isfinite(bounds->lower))
        bounds->lower = limit;
    if (isfinite(bounds->upper))
        bounds->upper = limit;
    put_row_bounds(lp, row, *bounds);
    return STATUS_OK;
}

/* -- Solving --------------------------------------------------------------------------------- */

/* Tight first; where the numbers don't allow that, GLPK's own tolerance from a fresh basis. */
static const double tolerances[] = {TOLERANCE_LP, 1e-7};

static int simplex(struct lp *lp, uint32_t iterations_max, double tolerance)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.meth = GLP_PRIMAL;
    options.tol_bnd = tolerance;
    options.tol_dj = tolerance;
    options.it_lim = iterations_max > INT32_MAX ? INT32_MAX : (int)iterations_max;
    return glp_simplex(lp->problem, &options);
}

/* GLPK's return code and solution status in our words; false: numerical trouble, try otherwise. */
static bool understand(const struct lp *lp, int code, enum lp_answer *answer)
{
    if (code == GLP_EITLIM) {
        *answer = LP_STOPPED;
        return true;
    }
    if (code != 0)
        return false;
    switch (glp_get_status(lp->problem)) {
    case GLP_OPT: *answer = LP_OPTIMAL; return true;
    case GLP_NOFEAS: *answer = LP_INFEASIBLE; return true;
    case GLP_UNBND: *answer = LP_UNBOUNDED; return true;
    default: return false;
    }
}

enum status lp_solve(struct lp *lp, uint32_t iterations_max, enum lp_answer *answer,
                     struct fault *fault)
{
    if (!alive(lp))
        return refuse_lost(fault);
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lost(environment, fault);
    arm(environment);
    if (!lp->scaled)
        glp_scale_prob(lp->problem, GLP_SF_AUTO);
    lp->scaled = true;
    bool understood = false;
    for (size_t i = 0; i < sizeof tolerances / sizeof tolerances[0] && !understood; i++) {
        if (i > 0)
            glp_std_basis(lp->problem);
        understood = understand(lp, simplex(lp, iterations_max, tolerances[i]), answer);
    }
    environment->armed = false;
    if (!understood)
        return fault_set(fault, STATUS_INTERNAL,
                         "GLPK's simplex found neither an optimum nor why there is none "
                         "(%d rows, %d columns)",
                         lp->rows, lp->columns);
    return STATUS_OK;
}

/* A reduced cost that is a rounding error keeps its variable free to move. */
static bool nonzero(double reduced_cost)
{
    return fabs(reduced_cost) > TOLERANCE_LP;
}

static double kept_at(int status, struct lp_bounds bounds)
{
    return status == GLP_NU ? bounds.upper : bounds.lower;
}

/* Fixes one nonbasic variable; true where it (now) can't move. */
static bool pinned(int status, double reduced_cost)
{
    return status == GLP_BS || status == GLP_NS || nonzero(reduced_cost);
}

bool lp_pin(struct lp *lp)
{
    assert(alive(lp));
    bool point = true;
    for (int row = 0; row < lp->rows; row++) {
        int const status = glp_get_row_stat(lp->problem, row + 1);
        if (!pinned(status, glp_get_row_dual(lp->problem, row + 1)))
            point = false;
        else if (status == GLP_NL || status == GLP_NU) {
            double const at = kept_at(status, lp->row_bounds[row]);
            put_row_bounds(lp, row, (struct lp_bounds){at, at});
        }
    }
    for (int column = 0; column < lp->columns; column++) {
        int const status = glp_get_col_stat(lp->problem, column + 1);
        if (!pinned(status, glp_get_col_dual(lp->problem, column + 1)))
            point = false;
        else if (status == GLP_NL || status == GLP_NU) {
            double const at = kept_at(status, lp->column_bounds[column]);
            put_column_bounds(lp, column, (struct lp_bounds){at, at});
        }
    }
    return point;
}

void lp_unpin(struct lp *lp)
{
    if (!alive(lp))
        return;
    for (int row = 0; row < lp->rows; row++)
        put_row_bounds(lp, row, lp->row_bounds[row]);
    for (int column = 0; column < lp->columns; column++)
        put_column_bounds(lp, column, lp->column_bounds[column]);
}

struct node_count {
    uint32_t seen;
    uint32_t max;
};

static void count_nodes(glp_tree *tree, void *info)
{
    struct node_count *nodes = info;
    if (glp_ios_reason(tree) == GLP_ISELECT && ++nodes->seen > nodes->max)
        glp_ios_terminate(tree);
}

enum status lp_solve_binary(struct lp *lp, uint32_t nodes_max, bool *found, struct fault *fault)
{
    *found = false;
    if (!alive(lp))
        return refuse_lost(fault);
    struct node_count nodes = {.max = nodes_max};
    struct lp_environment *environment = lp->environment;
    if (setjmp(environment->recover) != 0)
        return lost(environment, fault);
    arm(environment);
    for (int column = 1; column <= lp->columns; column++)
        glp_set_col_kind(lp->problem, column, GLP_BV);
    glp_iocp options;
    glp_init_iocp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.cb_func = count_nodes;
    options.cb_info = &nodes;
    int const code = glp_intopt(lp->problem, &options);
    int const status = glp_mip_status(lp->problem);
    environment->armed = false;
    if (code != 0 && code != GLP_ESTOP)
        return STATUS_OK; /* numerical trouble: nothing found */
    *found = status == GLP_OPT || status == GLP_FEAS;
    return STATUS_OK;
}

/* -- Reading --------------------------------------------------------------------------------- */

double lp_binary(const struct lp *lp, int32_t column)
{
    assert(alive(lp) && column >= 0 && column < lp->columns);
    return glp_mip_col_val(lp->problem, column + 1);
}

bool lp_feasible(const struct lp *lp)
{
    return alive(lp) && glp_get_prim_stat(lp->problem) == GLP_FEAS;
}

double lp_objective(const struct lp *lp)
{
    assert(alive(lp));
    return glp_get_obj_val(lp->problem);
}

double lp_primal(const struct lp *lp, int32_t column)
{
    assert(alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_prim(lp->problem, column + 1);
}

double lp_dual(const struct lp *lp, int32_t row)
{
    assert(alive(lp) && row >= 0 && row < lp->rows);
    return glp_get_row_dual(lp->problem, row + 1);
}

double lp_reduced_cost(const struct lp *lp, int32_t column)
{
    assert(alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_dual(lp->problem, column + 1);
}

uint64_t lp_iterations(const struct lp *lp)
{
    assert(alive(lp));
    return (uint64_t)glp_get_it_cnt(lp->problem);
}

bool lp_column_pinned(const struct lp *lp, int32_t column)
{
    assert(alive(lp) && column >= 0 && column < lp->columns);
    return glp_get_col_stat(lp->problem, column + 1) == GLP_NS;
}
