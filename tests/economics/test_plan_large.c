/*
 * Plans of markets too large for branch and bound and for the midpoint of the face: whole GPUs near
 * the bound, everything as plan_check() wants it, the same for any number of threads.
 */
#include "tests/support/support.h"

#include <math.h>

#include "economics/market/plan.h"
#include "economics/market/solver/standalone.h"
#include "tests/economics/made_market.h"
#include "tests/economics/random_market.h"

static void plan_of(const struct market *market, const struct session_options *options,
                    struct arena *arena, struct plan *plan)
{
    struct session *session;
    struct fault fault = {.text = ""};
    assert_ok(session_open(&session, &fault));
    if (plan_make_with(market, session, options, arena, plan, &fault) != STATUS_OK ||
        plan_check(market, plan, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    session_close(session);
}

static double gap_of(const struct plan *plan)
{
    return 1 - (double)plan->objective.micros / (double)plan->bound.micros;
}

/* One more job for each of some: it must be on one node, so that nodes count, too. */
static void demand_one_node(struct market *market)
{
    for (uint32_t j = 0; j < market->job_count; j += 3) {
        struct market_job *job = &market->jobs[j];
        job->one_node = true;
        for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
            struct market_column *column = &market->columns[k];
            if (column->gpus > market->pools[column->pool].gpus_per_node)
                column->worth.micros = 0;
        }
    }
}

static void whole_gpus_come_within_a_hundredth_of_the_bound(void **state)
{
    (void)state;
    const struct {
        uint32_t datacenters;
        uint32_t jobs;
        bool one_node;
    } cases[] = {{20, 1000, false}, {40, 2600, false}, {40, 2600, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int method = SESSION_EXACT; method <= SESSION_FAST; method++) {
            struct session_options const options = {.method = (enum session_method)method};
            struct arena arena;
            struct market market;
            struct plan plan;
            arena_init(&arena, ARENA_ROUND_BYTES);
            assert_ok(made_market(cases[i].datacenters, cases[i].jobs, 11, &arena, &market));
            if (cases[i].one_node)
                demand_one_node(&market);
            plan_of(&market, &options, &arena, &plan);
            if (gap_of(&plan) > 0.01)
                fail_msg("case %zu, method %d: %.4f%% below the bound", i, method,
                         gap_of(&plan) * 100);
            arena_fini(&arena);
        }
    }
}

static void a_large_plan_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    struct arena arena;
    struct market market;
    struct plan plans[3];
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(made_market(30, 2600, 7, &arena, &market));
    assert_true(market.column_count > 80000);
    for (uint32_t t = 0; t < 3; t++) {
        struct session_options const options = {.method = SESSION_FAST, .threads = t + 1};
        plan_of(&market, &options, &arena, &plans[t]);
        assert_int_equal(plans[t].placement_count, plans[0].placement_count);
        assert_int_equal(plans[t].objective.micros, plans[0].objective.micros);
        assert_int_equal(plans[t].bound.micros, plans[0].bound.micros);
        for (uint32_t i = 0; i < plans[0].placement_count; i++) {
            assert_int_equal(plans[t].placements[i].column, plans[0].placements[i].column);
            assert_int_equal(plans[t].placements[i].payment.micros,
                             plans[0].placements[i].payment.micros);
        }
        assert_memory_equal(plans[t].members, plans[0].members,
                            market.member_count * sizeof *plans[0].members);
    }
    arena_fini(&arena);
}

static void what_members_reach_alone_is_what_glpk_says(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(61);
    for (uint64_t stream = 0; stream < 300; stream++) {
        struct arena arena;
        struct market market;
        struct standalone alone;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        assert_ok(standalone_find(&market, 1 + (uint32_t)(stream % 2), &arena, &alone, NULL));
        for (uint32_t i = 0; i < market.member_count; i++) {
            uint64_t const mask = UINT64_C(1) << i;
            double glpk;
            assert_ok(market_worth(&market, &mask, &glpk, NULL));
            if (fabs(alone.worth_credits[i] - glpk) > 1e-6 * fmax(glpk, 1e-6))
                fail_msg("seed %llu stream %llu member %u: %.12g, GLPK %.12g",
                         (unsigned long long)seed, (unsigned long long)stream, i,
                         alone.worth_credits[i], glpk);
        }
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_gpus_come_within_a_hundredth_of_the_bound),
        cmocka_unit_test(a_large_plan_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(what_members_reach_alone_is_what_glpk_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
