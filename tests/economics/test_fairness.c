/* Fair plans: the known answers of small markets, the same optimum as one LP written out, and money
 * that adds up. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/tolerance.h"
#include "economics/lp/lp.h"
#include "economics/market/fairness/classes.h"
#include "economics/market/instance/generate.h"
#include "economics/market/instance/instance.h"
#include "economics/market/outcome/outcome.h"
#include "economics/market/outcome/repricing.h"
#include "tests/economics/small_market.h"

enum { SEEDS = 6 };

/* A host with one GPU, and two rivals who make 10 and 6 credits of a whole round on it. */
static void make_rivals(struct small *small)
{
    small_init(small, 3);
    small_pool(small, 0, 1, 1);
    small_job(small, 1);
    small_column(small, 0, 1, 10);
    small_job(small, 2);
    small_column(small, 0, 1, 6);
}

static struct fairness fair(const struct market *market, bool max_min, struct arena *arena)
{
    struct session_options const options = {.method = SESSION_EXACT};
    struct session *session;
    struct fairness fairness;
    struct fault fault = {.text = ""};
    assert_ok(session_open(&session, &fault));
    enum status const status =
        max_min ? fairness_max_min(market, session, &options, arena, &fairness, &fault)
                : fairness_proportional(market, session, &options, arena, &fairness, &fault);
    if (status != STATUS_OK)
        fail_msg("%s", fault.text);
    session_close(session);
    assert_true(fairness.complete);
    return fairness;
}

static void max_min_gives_rivals_the_same(void **state)
{
    (void)state;
    struct small small;
    make_rivals(&small);
    struct fairness const fairness = fair(&small.market, true, &small.arena);
    /* 10 x = 6 (1 - x): x = 3/8 */
    assert_near(fairness.utility[1], 3.75, 1e-5);
    assert_near(fairness.utility[2], 3.75, 1e-5);
    assert_near(fairness.value, 3.75, 1e-5);
    assert_int_equal(fairness.member_count, 2); /* the host has no jobs */
    small_fini(&small);
}

static void proportional_fairness_gives_rivals_half_the_round_each(void **state)
{
    (void)state;
    struct small small;
    make_rivals(&small);
    struct fairness const fairness = fair(&small.market, false, &small.arena);
    /* log 10 x + log 6 (1 - x) is greatest at x = 1/2 [Kelly 1997] */
    assert_near(fairness.utility[1], 5, 1e-3);
    assert_near(fairness.utility[2], 3, 1e-3);
    assert_true(fairness.gap <= FAIRNESS_GAP * 2);
    small_fini(&small);
}

/* Who shares with nobody is not held down by those who do. */
static void max_min_is_lexicographic(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 4);
    small_pool(&small, 0, 1, 1);
    small_pool(&small, 3, 1, 1);
    small_job(&small, 1);
    small_column(&small, 0, 1, 10);
    small_job(&small, 2);
    small_column(&small, 0, 1, 6);
    small_job(&small, 3);
    small_column(&small, 1, 1, 100);
    struct fairness const fairness = fair(&small.market, true, &small.arena);
    assert_near(fairness.utility[1], 3.75, 1e-5);
    assert_near(fairness.utility[2], 3.75, 1e-5);
    assert_near(fairness.utility[3], 100, 1e-5);
    assert_int_equal(fairness.level[1], 0);
    assert_int_equal(fairness.level[3], 1);
    assert_int_equal(fairness.levels, 2);
    small_fini(&small);
}

/* -- Against one LP written out ---------------------------------------------------------------- */

struct made {
    struct arena arena;
    struct instance instance;
};

static void make(struct made *made, uint64_t seed)
{
    char *text = NULL;
    size_t size = 0;
    struct fault fault = {.text = ""};
    struct generate_parameters const parameters = {.datacenters = 4, .jobs = 30, .seed = seed};
    arena_init(&made->arena, ARENA_ROUND_BYTES);
    FILE *to = open_memstream(&text, &size);
    assert_ok(generate_write(&parameters, &made->arena, to, &fault));
    fclose(to);
    if (instance_parse("made", text, size, &made->arena, &made->instance, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    free(text);
}

static bool takes_part(const struct market *market, uint32_t member)
{
    for (uint32_t k = 0; k < market->column_count; k++)
        if (market->jobs[market->columns[k].job].home == (int32_t)member &&
            market->columns[k].worth.micros > 0)
            return true;
    return false;
}

static void add_market_rows(struct lp *lp, const struct market *market)
{
    for (uint32_t j = 0; j < market->job_count; j++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, 1, NULL, 0, NULL));
    for (uint32_t p = 0; p < market->pool_count; p++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, market->pools[p].gpu_count, NULL, 0, NULL));
    for (uint32_t r = 0; r < market->row_count; r++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, 1, NULL, 0, NULL)); /* divided by its limit */
    for (uint32_t i = 0; i < market->member_count; i++)
        assert_ok(lp_add_row(lp, LP_AT_LEAST, 0, NULL, 0, NULL)); /* U_i - t >= 0 */
}

/* maximise t: the least U can be at most that. */
static double least_utility(const struct market *market)
{
    struct lp_environment *environment;
    struct lp *lp;
    enum lp_answer answer;
    struct lp_bounds const free_above = {.lower = 0, .upper = HUGE_VAL};
    struct lp_entry *entries =
        calloc((size_t)market->row_count + market->member_count + 4, sizeof *entries);
    int32_t const first_row = (int32_t)(market->job_count + market->pool_count);
    int32_t const first_member = first_row + (int32_t)market->row_count;
    uint32_t count = 0;
    assert_ok(lp_environment_open(&environment, NULL));
    assert_ok(lp_open(environment, LP_MAXIMISE, &lp, NULL));
    add_market_rows(lp, market);
    for (uint32_t i = 0; i < market->member_count; i++)
        if (takes_part(market, i))
            entries[count++] = (struct lp_entry){.index = first_member + (int32_t)i, .value = -1};
    assert_ok(lp_add_column(lp, 1, free_above, entries, count, NULL));
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        if (column->worth.micros <= 0)
            continue;
        count = 0;
        entries[count++] = (struct lp_entry){.index = (int32_t)column->job, .value = 1};
        entries[count++] = (struct lp_entry){.index = (int32_t)(market->job_count + column->pool),
                                             .value = column->gpus};
        for (uint32_t r = 0; r < market->row_count; r++)
            for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
                const struct market_entry *entry =
                    &market->entries[market->rows[r].first_entry + e];
                if (entry->column == k)
                    entries[count++] =
                        (struct lp_entry){.index = first_row + (int32_t)r,
                                          .value = entry->coefficient / market->rows[r].limit};
            }
        entries[count++] = (struct lp_entry){.index = first_member + market->jobs[column->job].home,
                                             .value = credits_to_double(column->worth)};
        assert_ok(lp_add_column(lp, 0, free_above, entries, count, NULL));
    }
    assert_ok(lp_solve(lp, 1000000, &answer, NULL));
    assert_int_equal(answer, LP_OPTIMAL);
    double const t = lp_objective(lp);
    lp_close(lp);
    lp_environment_close(environment);
    free(entries);
    return t;
}

static double log_sum(const struct market *market, const double *utility)
{
    double sum = 0;
    for (uint32_t i = 0; i < market->member_count; i++)
        if (takes_part(market, i))
            sum += log(utility[i]);
    return sum;
}

static void the_least_utility_is_that_of_one_lp_written_out(void **state)
{
    (void)state;
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        struct made made;
        make(&made, seed);
        const struct market *market = &made.instance.market;
        double const least = least_utility(market);
        struct fairness const fairness = fair(market, true, &made.arena);
        double found = HUGE_VAL;
        for (uint32_t i = 0; i < market->member_count; i++)
            if (takes_part(market, i))
                found = fmin(found, fairness.utility[i]);
        if (fabs(found - least) > 2 * FAIRNESS_GAP * fmax(least, 1e-3) ||
            fairness.upper_bound < least * (1 - 1e-6))
            fail_msg("seed %llu: least utility %.9g, the LP's %.9g, bound %.9g",
                     (unsigned long long)seed, found, least, fairness.upper_bound);
        arena_fini(&made.arena);
    }
}

static void no_other_plan_beats_the_proportional_bound(void **state)
{
    (void)state;
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        struct made made;
        make(&made, seed);
        const struct market *market = &made.instance.market;
        struct fairness const proportional = fair(market, false, &made.arena);
        struct fairness const max_min = fair(market, true, &made.arena);
        double const other = log_sum(market, max_min.utility);
        assert_near(proportional.value, log_sum(market, proportional.utility), 1e-6);
        if (proportional.value < other - proportional.gap - 1e-6 ||
            proportional.gap > FAIRNESS_GAP * proportional.member_count * 1.01)
            fail_msg("seed %llu: %.9g (gap %.3g), max-min's plan has %.9g",
                     (unsigned long long)seed, proportional.value, proportional.gap, other);
        arena_fini(&made.arena);
    }
}

/* -- Money and classes ------------------------------------------------------------------------- */

static void any_plan_pays_what_it_is_worth_and_says_how_far_from_the_core_it_is(void **state)
{
    (void)state;
    struct made made;
    make(&made, support_seed(3));
    const struct market *market = &made.instance.market;
    struct session_options const options = {.method = SESSION_EXACT};
    struct session *session;
    struct session_result result;
    struct repricing repricing;
    assert_ok(session_open(&session, NULL));
    assert_ok(session_solve(session, market, &options, &made.arena, &result, NULL));
    for (uint32_t u = 0; u < result.use_count; u++)
        result.uses[u].share /= 2; /* a poor plan */
    assert_ok(repricing_make(market, &result, result.uses, result.use_count, &made.arena,
                             &repricing, NULL));
    double sum = 0;
    double owen = 0;
    double epsilon = 0;
    for (uint32_t i = 0; i < market->member_count; i++) {
        sum += repricing.payoff[i];
        owen += repricing.owen[i];
        epsilon += fmax(0, repricing.owen[i] - repricing.payoff[i]);
    }
    assert_near(sum, result.objective_credits / 2, 1e-9);
    assert_near(owen, result.upper_bound_credits, 1e-6);
    assert_near(repricing.epsilon, epsilon, 1e-12);
    assert_true(epsilon >= (owen - sum) * (1 - 1e-9)); /* what the plan lacks, somebody lacks */
    session_close(session);
    arena_fini(&made.arena);
}

static void identical_jobs_are_one_and_nothing_else_changes(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 3);
    small_pool(&small, 0, 2, 4);
    for (int32_t home = 1; home < 3; home++)
        for (int i = 0; i < 6; i++) {
            small_job(&small, home);
            small_column(&small, 0, 2, home == 1 ? 4 : 3 + (i == 5)); /* the last one differs */
        }
    struct classes classes;
    struct session *session;
    struct session_result whole;
    struct session_result merged;
    struct session_options const options = {.method = SESSION_EXACT};
    assert_ok(classes_make(&small.market, &small.arena, &classes, NULL));
    assert_int_equal(classes.merged.job_count, 3);
    assert_ok(market_validate(&classes.merged, &small.fault));
    assert_ok(session_open(&session, NULL));
    assert_ok(session_solve(session, &small.market, &options, &small.arena, &whole, &small.fault));
    session_forget(session);
    assert_ok(
        session_solve(session, &classes.merged, &options, &small.arena, &merged, &small.fault));
    assert_near(merged.objective_credits, whole.objective_credits, 1e-9);
    double shares[SMALL_MAX] = {0};
    for (uint32_t u = 0; u < merged.use_count; u++)
        classes_spread(&classes, merged.uses[u], 1, shares);
    double worth = 0;
    double gpus = 0;
    for (uint32_t k = 0; k < small.market.column_count; k++) {
        worth += shares[k] * credits_to_double(small.columns[k].worth);
        gpus += shares[k] * small.columns[k].gpus;
        assert_true(shares[k] <= 1 + 1e-9);
    }
    assert_near(worth, whole.objective_credits, 1e-9);
    assert_true(gpus <= 8 + 1e-9);
    session_close(session);
    small_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_min_gives_rivals_the_same),
        cmocka_unit_test(proportional_fairness_gives_rivals_half_the_round_each),
        cmocka_unit_test(max_min_is_lexicographic),
        cmocka_unit_test(the_least_utility_is_that_of_one_lp_written_out),
        cmocka_unit_test(no_other_plan_beats_the_proportional_bound),
        cmocka_unit_test(any_plan_pays_what_it_is_worth_and_says_how_far_from_the_core_it_is),
        cmocka_unit_test(identical_jobs_are_one_and_nothing_else_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
