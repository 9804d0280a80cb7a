/*
 * The standalone guarantee: nobody's jobs are worth less than alone, and of all such plans the one
 * that is worth most, as one LP with the floors in it says.
 */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

#include "economics/lp/lp.h"
#include "economics/market/plan.h"
#include "tests/economics/random_market.h"
#include "tests/economics/session_checks.h"

enum { MARKETS = 150 };

/* Σ of the member's own jobs, credits. */
static double utility_of(const struct market *market, const struct session_result *result,
                         uint32_t member)
{
    double micros = 0;
    for (uint32_t u = 0; u < result->use_count; u++) {
        const struct market_column *column = &market->columns[result->uses[u].column];
        if (market->jobs[column->job].home == (int32_t)member)
            micros += result->uses[u].share * (double)column->worth.micros;
    }
    return micros / 1e6;
}

static void add_limits(struct lp *lp, const struct market *market, const double *alone)
{
    for (uint32_t j = 0; j < market->job_count; j++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, 1, NULL, 0, NULL));
    for (uint32_t p = 0; p < market->pool_count; p++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, market->pools[p].gpu_count, NULL, 0, NULL));
    for (uint32_t i = 0; i < market->member_count; i++)
        assert_ok(lp_add_row(lp, LP_AT_LEAST, alone[i] * (1 - 1e-9), NULL, 0, NULL));
    for (uint32_t r = 0; r < market->row_count; r++)
        assert_ok(lp_add_row(lp, LP_AT_MOST, market->rows[r].limit, NULL, 0, NULL));
}

/* The whole LP with the floors as rows, by GLPK. */
static double best_guaranteed(const struct market *market, const double *alone)
{
    struct lp_environment *environment;
    struct lp *lp;
    enum lp_answer answer;
    assert_ok(lp_environment_open(&environment, NULL));
    assert_ok(lp_open(environment, LP_MAXIMISE, &lp, NULL));
    add_limits(lp, market, alone);
    int32_t const pools = (int32_t)market->job_count;
    int32_t const members = pools + (int32_t)market->pool_count;
    int32_t const rows = members + (int32_t)market->member_count;
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        struct lp_entry entries[32];
        double const worth = (double)column->worth.micros / 1e6;
        uint32_t count = 0;
        entries[count++] = (struct lp_entry){(int32_t)column->job, 1};
        entries[count++] = (struct lp_entry){pools + (int32_t)column->pool, column->gpus};
        entries[count++] =
            (struct lp_entry){members + market->jobs[column->job].home, worth > 0 ? worth : 0};
        for (uint32_t r = 0; r < market->row_count; r++) {
            const struct market_row *row = &market->rows[r];
            for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++)
                if (market->entries[e].column == k)
                    entries[count++] =
                        (struct lp_entry){rows + (int32_t)r, market->entries[e].coefficient};
        }
        assert_ok(lp_add_column(lp, worth, (struct lp_bounds){0, worth > 0 ? 1 : 0}, entries, count,
                                NULL));
    }
    assert_ok(lp_solve(lp, 100000, &answer, NULL));
    assert_int_equal(answer, LP_OPTIMAL);
    double const best = lp_objective(lp);
    lp_close(lp);
    lp_environment_close(environment);
    return best;
}

static void nobody_has_less_than_alone_and_all_together_as_much_as_can_be(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(71);
    uint32_t costly = 0;
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct arena arena;
        struct market market;
        struct session *session;
        struct session_result welfare;
        struct session_result guaranteed;
        double alone[RANDOM_MEMBERS_MAX];
        struct session_options options = {.method = SESSION_EXACT};
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        for (uint32_t i = 0; i < market.member_count; i++) {
            uint64_t const mask = UINT64_C(1) << i;
            assert_ok(market_worth(&market, &mask, &alone[i], NULL));
        }
        assert_ok(session_open(&session, NULL));
        assert_ok(session_solve(session, &market, &options, &arena, &welfare, NULL));
        options.guarantee_standalone = true;
        assert_ok(session_solve(session, &market, &options, &arena, &guaranteed, NULL));
        session_close(session);
        assert_string_equal(session_infeasible(&market, &guaranteed), "");
        for (uint32_t i = 0; i < market.member_count; i++)
            if (utility_of(&market, &guaranteed, i) < alone[i] * (1 - 1e-6) - 1e-9)
                fail_msg("seed %llu stream %llu: member %u has %.9g, alone %.9g",
                         (unsigned long long)seed, (unsigned long long)stream, i,
                         utility_of(&market, &guaranteed, i), alone[i]);
        double const best = best_guaranteed(&market, alone);
        if (fabs(guaranteed.objective_credits - best) > 1e-5 * fmax(best, 1e-6) ||
            guaranteed.upper_bound_credits < best * (1 - 1e-6))
            fail_msg("seed %llu stream %llu: %.9g, bound %.9g, GLPK %.9g", (unsigned long long)seed,
                     (unsigned long long)stream, guaranteed.objective_credits,
                     guaranteed.upper_bound_credits, best);
        costly += best < welfare.objective_credits * (1 - 1e-6);
        arena_fini(&arena);
    }
    assert_true(costly > 5); /* in some the guarantee costs something: it was put to the test */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_less_than_alone_and_all_together_as_much_as_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
