/*
 * Plans of hundreds of random markets, against GLPK on the full LP written here, and against all
 * coalitions.
 */
#include "tests/support/support.h"

#include <glpk.h>
#include <math.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/market/plan.h"
#include "tests/economics/random_market.h"

enum { MARKETS = 600, GLPK_ENTRIES_MAX = 4096 };

static bool member_in(uint32_t coalition, int32_t member)
{
    return (coalition >> member & 1) != 0;
}

/* The whole LP of a coalition: every job, pool and row, every column with worth > 0, no tricks. */
static double full_lp(const struct market *market, uint32_t coalition)
{
    if (market->column_count == 0)
        return 0;
    glp_prob *lp = glp_create_prob();
    glp_term_out(GLP_OFF);
    glp_set_obj_dir(lp, GLP_MAX);
    int const pool_at = (int)market->job_count + 1;
    int const row_at = pool_at + (int)market->pool_count;
    glp_add_rows(lp, row_at - 1 + (int)market->row_count);
    glp_add_cols(lp, (int)market->column_count);
    for (int j = 1; j < pool_at; j++)
        glp_set_row_bnds(lp, j, GLP_UP, 0, 1);
    for (uint32_t p = 0; p < market->pool_count; p++)
        glp_set_row_bnds(lp, pool_at + (int)p, GLP_UP, 0, market->pools[p].gpu_count);
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        bool const there = member_in(coalition, row->owner) &&
                           (row->partner == MARKET_NONE || member_in(coalition, row->partner));
        glp_set_row_bnds(lp, row_at + (int)r, GLP_UP, 0, there ? row->limit : 0);
    }
    static int rows[GLPK_ENTRIES_MAX];
    static int columns[GLPK_ENTRIES_MAX];
    static double values[GLPK_ENTRIES_MAX];
    int count = 0;
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        bool const there = column->worth.micros > 0 &&
                           member_in(coalition, market->pools[column->pool].owner) &&
                           member_in(coalition, market->jobs[column->job].home);
        glp_set_col_bnds(lp, (int)k + 1, there ? GLP_LO : GLP_FX, 0, 0);
        glp_set_obj_coef(lp, (int)k + 1, (double)column->worth.micros);
        count++;
        rows[count] = (int)column->job + 1;
        columns[count] = (int)k + 1;
        values[count] = 1;
        count++;
        rows[count] = pool_at + (int)column->pool;
        columns[count] = (int)k + 1;
        values[count] = column->gpus;
    }
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            count++;
            rows[count] = row_at + (int)r;
            columns[count] = (int)entry->column + 1;
            values[count] = entry->coefficient;
        }
    assert_true(count < GLPK_ENTRIES_MAX);
    glp_load_matrix(lp, count, rows, columns, values);
    glp_scale_prob(lp, GLP_SF_AUTO);
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    assert_int_equal(glp_simplex(lp, &options), 0);
    assert_int_equal(glp_get_status(lp), GLP_OPT);
    double const micros = glp_get_obj_val(lp);
    glp_delete_prob(lp);
    return micros;
}

struct one {
    uint64_t seed;
    uint64_t stream;
    struct arena arena;
    struct market market;
    struct plan plan;
};

static void fail_one(const struct one *one, const char *what)
{
    fail_msg("seed %llu stream %llu: %s", (unsigned long long)one->seed,
             (unsigned long long)one->stream, what);
}

static void plan_one(struct one *one, uint64_t stream)
{
    one->seed = support_seed(20191);
    one->stream = stream;
    arena_init(&one->arena, ARENA_MESSAGE_BYTES);
    random_market(one->seed, stream, &one->arena, &one->market);
    struct fault fault = {.text = ""};
    if (plan_make(&one->market, &one->arena, &one->plan, &fault) != STATUS_OK)
        fail_one(one, fault.text);
}

/* LP worths are in floating point, and the bound carries half a nano-credit a GPU. */
static bool near_micros(double a, double b)
{
    return fabs(a - b) <= 2 + 1e-6 * fmax(fabs(a), fabs(b));
}

static void every_plan_passes_its_check_and_reaches_plain_glpks_optimum(void **state)
{
    (void)state;
    uint32_t gaps = 0;
    for (uint64_t s = 0; s < MARKETS; s++) {
        struct one one;
        struct fault fault = {.text = ""};
        plan_one(&one, s);
        if (plan_check(&one.market, &one.plan, &fault) != STATUS_OK)
            fail_one(&one, fault.text);
        double const optimum = full_lp(&one.market, UINT32_MAX);
        if (!near_micros(optimum, (double)one.plan.bound.micros)) {
            print_error("plain GLPK %.3f, bound %lld\n", optimum, (long long)one.plan.bound.micros);
            fail_one(&one, "the bound is not the optimum");
        }
        gaps += one.plan.objective.micros < one.plan.bound.micros;
        arena_fini(&one.arena);
    }
    print_message("%u of %d plans below their bound\n", gaps, MARKETS);
}

static void owens_payoffs_are_in_the_core_and_epsilon_is_the_worst_excess(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < MARKETS; s++) {
        struct one one;
        plan_one(&one, s);
        double worst = 0;
        for (uint32_t coalition = 0; coalition < 1u << one.market.member_count; coalition++) {
            double const worth = full_lp(&one.market, coalition);
            double owen = 0;
            double payoff = 0;
            for (int32_t i = 0; i < (int32_t)one.market.member_count; i++) {
                if (!member_in(coalition, i))
                    continue;
                owen += (double)one.plan.members[i].owen.micros;
                payoff += (double)one.plan.members[i].payoff.micros;
            }
            /* each member's payoff is rounded to a micro-credit */
            if (worth > owen + one.market.member_count + 1e-9 * worth) {
                print_error("coalition %x: v %.3f, owen %.3f\n", coalition, worth, owen);
                fail_one(&one, "Owen's payoffs are not in the core");
            }
            worst = fmax(worst, worth - payoff);
        }
        if (!one.plan.epsilon_exact || !near_micros(worst, (double)one.plan.epsilon.micros)) {
            print_error("worst excess %.3f, epsilon %lld\n", worst,
                        (long long)one.plan.epsilon.micros);
            fail_one(&one, "epsilon is not the worst excess");
        }
        arena_fini(&one.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_passes_its_check_and_reaches_plain_glpks_optimum),
        cmocka_unit_test(owens_payoffs_are_in_the_core_and_epsilon_is_the_worst_excess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
