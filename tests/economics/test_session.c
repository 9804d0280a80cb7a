/*
 * The market's session: the same optimum as plain GLPK on every shape of market, a plan that is
 * feasible and a bound that its own rents prove, always; the same bits for any number of threads.
 */
#include "tests/support/support.h"

#include <string.h>

#include "economics/market/plan.h"
#include "tests/economics/made_market.h"
#include "tests/economics/session_checks.h"
#include "tests/economics/wild_market.h"

enum { MARKETS = 500 };

static void solve_cold(const struct market *market, const struct session_options *options,
                       struct arena *arena, struct session_result *result)
{
    struct session *session;
    struct fault fault = {.text = ""};
    assert_ok(session_open(&session, &fault));
    if (session_solve(session, market, options, arena, result, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    session_close(session);
}

static void check(const struct market *market, const struct session_result *result, uint64_t seed,
                  uint64_t stream)
{
    const char *wrong = session_infeasible(market, result);
    if (wrong[0] == '\0')
        wrong = session_unproved(market, result);
    if (wrong[0] != '\0')
        fail_msg("seed %llu stream %llu: %s", (unsigned long long)seed, (unsigned long long)stream,
                 wrong);
}

static void compare_with_glpk(const struct market *market, uint64_t seed, uint64_t stream)
{
    struct session_options const options = {.method = SESSION_EXACT};
    struct session_result result;
    struct arena arena;
    double glpk;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    solve_cold(market, &options, &arena, &result);
    check(market, &result, seed, stream);
    assert_ok(market_worth(market, NULL, &glpk, NULL));
    double const most = 1e-6 * fmax(glpk, 1e-6);
    if (fabs(result.objective_credits - glpk) > most || !result.optimal)
        fail_msg("seed %llu stream %llu: %.12g, GLPK %.12g, bound %.12g", (unsigned long long)seed,
                 (unsigned long long)stream, result.objective_credits, glpk,
                 result.upper_bound_credits);
    arena_fini(&arena);
}

static void the_optimum_is_glpks_on_every_shape_of_market(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(41);
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct arena arena;
        struct market market;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        compare_with_glpk(&market, seed, stream);
        arena_fini(&arena);
    }
}

/* Where numbers are 15 orders apart GLPK itself may miss; then both are held to the bound. */
static void numbers_far_apart_leave_a_feasible_plan_and_a_true_bound(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(42);
    uint32_t optimal = 0;
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct session_options const options = {.method = SESSION_EXACT};
        struct session_result result;
        struct arena arena;
        struct market market;
        double glpk;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        make_wild(seed, stream, &market);
        solve_cold(&market, &options, &arena, &result);
        check(&market, &result, seed, stream);
        optimal += result.optimal;
        if (market_worth(&market, NULL, &glpk, NULL) == STATUS_OK &&
            result.objective_credits < glpk * (1 - 1e-6) - 1e-6)
            fail_msg("seed %llu stream %llu: %.12g, GLPK %.12g", (unsigned long long)seed,
                     (unsigned long long)stream, result.objective_credits, glpk);
        arena_fini(&arena);
    }
    assert_true(optimal >= MARKETS * 98 / 100);
}

static void fast_is_feasible_and_brackets_the_optimum(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(43);
    for (uint64_t i = 0; i < 4; i++) {
        struct session_options options = {.method = SESSION_EXACT};
        struct session_result exact;
        struct session_result fast;
        struct arena arena;
        struct market market;
        arena_init(&arena, ARENA_ROUND_BYTES);
        assert_ok(made_market(12 + (uint32_t)i * 6, 400, seed + i, &arena, &market));
        solve_cold(&market, &options, &arena, &exact);
        options.method = SESSION_FAST;
        solve_cold(&market, &options, &arena, &fast);
        check(&market, &exact, seed, i);
        check(&market, &fast, seed, i);
        assert_true(exact.optimal);
        assert_true(fast.objective_credits <= exact.upper_bound_credits * (1 + 1e-9));
        assert_true(fast.upper_bound_credits >= exact.objective_credits * (1 - 1e-9));
        assert_true(fast.gap < 0.03); /* some 20 jobs a member: coarse */
        arena_fini(&arena);
    }
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(30, 2600, 7, &arena, &market));
    assert_true(market.column_count > 80000); /* enough for threads to be used */
    for (int method = SESSION_EXACT; method <= SESSION_FAST; method++) {
        struct session_result one;
        struct session_options options = {.method = (enum session_method)method, .threads = 1};
        solve_cold(&market, &options, &arena, &one);
        for (options.threads = 2; options.threads <= 3; options.threads++) {
            struct session_result more;
            solve_cold(&market, &options, &arena, &more);
            assert_true(session_same(&market, &one, &more));
        }
    }
    arena_fini(&arena);
}

/* FNV-1a over the bits of what a result says. */
static uint64_t mix(uint64_t digest, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ at[i]) * UINT64_C(1099511628211);
    return digest;
}

/* gcc and clang, debug and release, with and without FMA: seen once to be the same, and kept so. */
static void results_are_the_same_on_every_compiler_and_build(void **state)
{
    (void)state;
    static const uint64_t known[] = {UINT64_C(0x884f839789d27bad), UINT64_C(0x7bc27c2cf1243107)};
    for (int method = SESSION_EXACT; method <= SESSION_FAST; method++) {
        struct session_options const options = {.method = (enum session_method)method};
        struct session_result result;
        struct arena arena;
        struct market market;
        uint64_t digest = UINT64_C(14695981039346656037);
        arena_init(&arena, ARENA_ROUND_BYTES);
        assert_ok(made_market(25, 700, 3, &arena, &market));
        solve_cold(&market, &options, &arena, &result);
        for (uint32_t u = 0; u < result.use_count; u++) {
            digest = mix(digest, &result.uses[u].column, sizeof result.uses[u].column);
            digest = mix(digest, &result.uses[u].share, sizeof result.uses[u].share);
        }
        digest = mix(digest, result.pool_rent_credits, market.pool_count * sizeof(double));
        digest = mix(digest, result.row_rent_credits, market.row_count * sizeof(double));
        digest = mix(digest, result.job_surplus_credits, market.job_count * sizeof(double));
        digest = mix(digest, &result.iterations, sizeof result.iterations);
        if (digest != known[method - SESSION_EXACT])
            fail_msg("method %d: 0x%016llx", method, (unsigned long long)digest);
        arena_fini(&arena);
    }
}

static void stopped_at_its_limit_a_plan_is_feasible(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct session_result result;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(8, 300, 3, &arena, &market));
    struct session_options const options = {.method = SESSION_EXACT, .iterations_max = 20};
    solve_cold(&market, &options, &arena, &result);
    check(&market, &result, 3, 0);
    assert_false(result.optimal);
    assert_true(result.objective_credits > 0);
    arena_fini(&arena);
}

static void weights_of_members_count_in_the_objective(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct session_result plain;
    struct session_result weighted;
    double weight[8] = {1, 1, 1, 1, 1, 1, 1, 5};
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(8, 200, 3, &arena, &market));
    struct session_options options = {.method = SESSION_EXACT};
    solve_cold(&market, &options, &arena, &plain);
    options.member_weight = weight;
    solve_cold(&market, &options, &arena, &weighted);
    double of_plain[2] = {0, 0};
    double of_weighted[2] = {0, 0};
    for (uint32_t u = 0; u < plain.use_count; u++) {
        const struct market_column *column = &market.columns[plain.uses[u].column];
        of_plain[market.jobs[column->job].home == 7] +=
            plain.uses[u].share * (double)column->worth.micros;
    }
    for (uint32_t u = 0; u < weighted.use_count; u++) {
        const struct market_column *column = &market.columns[weighted.uses[u].column];
        of_weighted[market.jobs[column->job].home == 7] +=
            weighted.uses[u].share * (double)column->worth.micros;
    }
    assert_true(weighted.optimal);
    assert_true(of_weighted[1] > of_plain[1]);
    assert_near(weighted.objective_credits, (of_weighted[0] + 5 * of_weighted[1]) / 1e6, 1e-9);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_optimum_is_glpks_on_every_shape_of_market),
        cmocka_unit_test(numbers_far_apart_leave_a_feasible_plan_and_a_true_bound),
        cmocka_unit_test(fast_is_feasible_and_brackets_the_optimum),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(results_are_the_same_on_every_compiler_and_build),
        cmocka_unit_test(stopped_at_its_limit_a_plan_is_feasible),
        cmocka_unit_test(weights_of_members_count_in_the_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
