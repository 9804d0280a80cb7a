/* The LP wrapper: what it answers, what it refuses, and that an error of GLPK's ends nothing else.
 */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "economics/lp/lp.h"

static struct lp_environment *environment;

static int open_environment(void **state)
{
    (void)state;
    return lp_environment_open(&environment, NULL) == STATUS_OK ? 0 : -1;
}

static int close_environment(void **state)
{
    (void)state;
    lp_environment_close(environment);
    environment = NULL;
    return 0;
}

static struct lp *opened(enum lp_direction direction)
{
    struct lp *lp = NULL;
    assert_ok(lp_open(environment, direction, &lp, NULL));
    return lp;
}

static void add_column(struct lp *lp, double objective)
{
    assert_ok(lp_add_column(lp, objective, (struct lp_bounds){0, HUGE_VAL}, NULL, 0, NULL));
}

/* maximise 3x + 2y, x + y <= 4, x + 3y <= 6 [a textbook's]: (4, 0), 12, duals 3 and 0. */
static struct lp *textbook(void)
{
    struct lp *lp = opened(LP_MAXIMISE);
    add_column(lp, 3);
    add_column(lp, 2);
    struct lp_entry const first[] = {{0, 1}, {1, 1}};
    struct lp_entry const second[] = {{0, 1}, {1, 3}};
    assert_ok(lp_add_row(lp, LP_AT_MOST, 4, first, 2, NULL));
    assert_ok(lp_add_row(lp, LP_AT_MOST, 6, second, 2, NULL));
    return lp;
}

static void solve(struct lp *lp, enum lp_answer expected)
{
    enum lp_answer answer = LP_STOPPED;
    assert_ok(lp_solve(lp, 10000, &answer, NULL));
    assert_int_equal(answer, expected);
}

static void an_optimum_comes_with_its_duals(void **state)
{
    (void)state;
    struct lp *lp = textbook();
    solve(lp, LP_OPTIMAL);
    assert_near(lp_objective(lp), 12, 1e-12);
    assert_near(lp_primal(lp, 0), 4, 1e-12);
    assert_near(lp_dual(lp, 0), 3, 1e-12);
    assert_near(lp_dual(lp, 1), 0, 1e-12);
    assert_near(lp_reduced_cost(lp, 1), -1, 1e-12); /* 2 − 3 */
    lp_close(lp);
}

static void no_solution_and_no_end_are_answers(void **state)
{
    (void)state;
    struct lp *lp = textbook();
    struct lp_entry const entry = {0, 1};
    assert_ok(lp_add_row(lp, LP_AT_LEAST, 5, &entry, 1, NULL)); /* x >= 5 against x + y <= 4 */
    solve(lp, LP_INFEASIBLE);
    lp_close(lp);
    lp = opened(LP_MAXIMISE);
    add_column(lp, 1);
    add_column(lp, 1);
    struct lp_entry const difference[] = {{0, 1}, {1, -1}};
    assert_ok(lp_add_row(lp, LP_AT_MOST, 1, difference, 2, NULL));
    solve(lp, LP_UNBOUNDED);
    lp_close(lp);
}

static void at_its_limit_it_stops_with_a_feasible_point(void **state)
{
    (void)state;
    struct lp *lp = textbook();
    enum lp_answer answer = LP_OPTIMAL;
    assert_ok(lp_solve(lp, 0, &answer, NULL));
    assert_int_equal(answer, LP_STOPPED);
    assert_true(lp_feasible(lp)); /* x = 0 */
    solve(lp, LP_OPTIMAL);        /* and goes on from there */
    lp_close(lp);
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    struct lp *lp = textbook();
    double const wrong[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < 3; i++) {
        struct lp_entry const entry = {0, wrong[i]};
        struct lp_bounds const bounds = {0, 1};
        assert_int_equal(lp_add_row(lp, LP_AT_MOST, 1, &entry, 1, NULL), STATUS_INVALID);
        assert_int_equal(lp_add_row(lp, LP_AT_MOST, wrong[i], NULL, 0, NULL), STATUS_INVALID);
        assert_int_equal(lp_add_column(lp, 1, bounds, &entry, 1, NULL), STATUS_INVALID);
        assert_int_equal(lp_add_column(lp, wrong[i], bounds, NULL, 0, NULL), STATUS_INVALID);
        assert_int_equal(lp_set_objective(lp, 0, wrong[i], NULL), STATUS_INVALID);
        assert_int_equal(lp_set_row_limit(lp, 0, wrong[i], NULL), STATUS_INVALID);
    }
    struct lp_bounds const crossed = {1, 0};
    assert_int_equal(lp_add_column(lp, 1, crossed, NULL, 0, NULL), STATUS_INVALID);
    solve(lp, LP_OPTIMAL); /* nothing of it got in */
    assert_near(lp_objective(lp), 12, 1e-12);
    lp_close(lp);
}

static void an_error_of_glpk_is_a_status_and_the_thread_goes_on(void **state)
{
    (void)state;
    struct lp *bystander = textbook();
    struct lp *lp = textbook();
    struct lp_entry const twice[] = {{0, 1}, {0, 1}}; /* against the contract; GLPK would abort */
    struct fault fault = {.text = ""};
    assert_int_equal(lp_add_row(lp, LP_AT_MOST, 1, twice, 2, &fault), STATUS_INTERNAL);
    assert_non_null(strstr(fault.text, "duplicate"));
    /* All problems of the environment are gone, and say so. */
    enum lp_answer answer;
    assert_int_equal(lp_solve(lp, 10, &answer, NULL), STATUS_INTERNAL);
    assert_int_equal(lp_solve(bystander, 10, &answer, &fault), STATUS_INTERNAL);
    assert_non_null(strstr(fault.text, "lost"));
    assert_false(lp_feasible(bystander));
    lp_close(lp);
    lp_close(bystander);
    /* New ones work. */
    lp = textbook();
    solve(lp, LP_OPTIMAL);
    lp_close(lp);
}

static void environments_of_a_thread_stand_side_by_side(void **state)
{
    (void)state;
    struct lp *outer = textbook();
    struct lp_environment *second = NULL;
    struct lp *inner = NULL;
    assert_ok(lp_environment_open(&second, NULL));
    assert_ok(lp_open(second, LP_MAXIMISE, &inner, NULL));
    add_column(inner, 1);
    solve(outer, LP_OPTIMAL);
    lp_close(inner);
    lp_environment_close(second);
    solve(outer, LP_OPTIMAL); /* not freed with the other one */
    /* An error in one is caught while another is open, and loses the problems of both. */
    assert_ok(lp_environment_open(&second, NULL));
    assert_ok(lp_open(second, LP_MAXIMISE, &inner, NULL));
    struct lp_entry const twice[] = {{0, 1}, {0, 1}};
    assert_int_equal(lp_add_row(outer, LP_AT_MOST, 1, twice, 2, NULL), STATUS_INTERNAL);
    enum lp_answer answer;
    assert_int_equal(lp_solve(inner, 10, &answer, NULL), STATUS_INTERNAL);
    lp_close(inner);
    lp_close(outer);
    lp_environment_close(second);
}

static void pins_keep_later_objectives_on_the_optimal_face(void **state)
{
    (void)state;
    /* x + y <= 4, y <= 3; maximise x + y: the face is a segment. Then maximise y on it. */
    struct lp *lp = opened(LP_MAXIMISE);
    add_column(lp, 1);
    assert_ok(lp_add_column(lp, 1, (struct lp_bounds){0, 3}, NULL, 0, NULL));
    struct lp_entry const sum[] = {{0, 1}, {1, 1}};
    assert_ok(lp_add_row(lp, LP_AT_MOST, 4, sum, 2, NULL));
    solve(lp, LP_OPTIMAL);
    assert_false(lp_pin(lp)); /* more than one point */
    assert_ok(lp_set_objective(lp, 0, 0, NULL));
    solve(lp, LP_OPTIMAL);
    assert_near(lp_primal(lp, 1), 3, 1e-12);
    assert_near(lp_primal(lp, 0), 1, 1e-12); /* x + y stayed 4 */
    assert_true(lp_pin(lp));
    lp_unpin(lp);
    lp_set_direction(lp, LP_MINIMISE);
    solve(lp, LP_OPTIMAL);
    assert_near(lp_primal(lp, 1), 0, 1e-12);
    lp_close(lp);
}

static void branch_and_bound_finds_the_whole_optimum(void **state)
{
    (void)state;
    /* Knapsack of 4: weights 3, 2, 2, values 5, 3, 3: the LP takes the first and a half (6.5),
     * whole things are worth 6. */
    struct lp *lp = opened(LP_MAXIMISE);
    double const values[] = {5, 3, 3};
    for (int i = 0; i < 3; i++)
        assert_ok(lp_add_column(lp, values[i], (struct lp_bounds){0, 1}, NULL, 0, NULL));
    struct lp_entry const weights[] = {{0, 3}, {1, 2}, {2, 2}};
    assert_ok(lp_add_row(lp, LP_AT_MOST, 4, weights, 3, NULL));
    solve(lp, LP_OPTIMAL);
    assert_near(lp_objective(lp), 6.5, 1e-12);
    bool found = false;
    assert_ok(lp_solve_binary(lp, 100, NULL, &found, NULL));
    assert_true(found);
    assert_near(lp_binary(lp, 0), 0, 1e-12);
    assert_near(lp_binary(lp, 1), 1, 1e-12);
    assert_near(lp_binary(lp, 2), 1, 1e-12);
    /* Without a node to search, what is known already is what is found. */
    double const start[] = {0, 1, 0, 0};
    assert_ok(lp_solve_binary(lp, 1, start, &found, NULL));
    assert_true(found);
    lp_close(lp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_optimum_comes_with_its_duals),
        cmocka_unit_test(no_solution_and_no_end_are_answers),
        cmocka_unit_test(at_its_limit_it_stops_with_a_feasible_point),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(an_error_of_glpk_is_a_status_and_the_thread_goes_on),
        cmocka_unit_test(environments_of_a_thread_stand_side_by_side),
        cmocka_unit_test(pins_keep_later_objectives_on_the_optimal_face),
        cmocka_unit_test(branch_and_bound_finds_the_whole_optimum),
    };
    return cmocka_run_group_tests(tests, open_environment, close_environment);
}
