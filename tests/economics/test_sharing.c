/* The capacity-sharing game: limits known in closed form, a game solved by hand, and how far the
 * three ways to evaluate it agree. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "economics/sharing/equilibrium.h"

enum { EVENTS = 400000 };

static struct sharing_game two_single_gpus(double federation_price)
{
    struct sharing_member const member = {
        .gpus = 1, .arrival_rate = 1, .service_rate = 1, .outside_price = 1};
    return (struct sharing_game){
        .member_count = 2, .members = {member, member}, .federation_price = federation_price};
}

static void evaluate_exactly(const struct sharing_game *game, const uint32_t *shares,
                             struct sharing_evaluation *evaluation)
{
    struct arena arena;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (sharing_exact(game, shares, &arena, evaluation, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    assert_true(evaluation->converged);
    arena_fini(&arena);
}

/* Erlang's loss formula by its recursion [Erlang 1917]. */
static double erlang_b(uint32_t servers, double load)
{
    double blocked = 1;
    for (uint32_t n = 1; n <= servers; n++)
        blocked = load * blocked / (n + load * blocked);
    return blocked;
}

static void alone_and_unwilling_to_wait_is_erlang_b(void **state)
{
    (void)state;
    for (uint32_t gpus = 1; gpus <= 64; gpus *= 2) {
        struct sharing_member const member = {
            .gpus = gpus, .arrival_rate = 0.9 * gpus, .service_rate = 1};
        struct sharing_flow flow;
        sharing_alone(&member, &flow);
        assert_near(flow.refused, erlang_b(gpus, 0.9 * gpus), 1e-12);
        assert_near(flow.utilisation, 0.9 * (1 - flow.refused), 1e-12); /* what comes in runs */
    }
}

/* With patience for everybody the fraction that waits is Erlang's C. 200 service times are patience
 * enough at load 0.6: the chance of more is below 1e-9. */
static void alone_and_patient_is_erlang_c(void **state)
{
    (void)state;
    struct sharing_member const member = {
        .gpus = 3, .arrival_rate = 1.8, .service_rate = 1, .waiting_limit = 200};
    struct sharing_flow flow;
    double b = erlang_b(3, 1.8);
    sharing_alone(&member, &flow);
    assert_near(flow.waits, 3 * b / (3 - 1.8 * (1 - b)), 1e-9);
    assert_near(flow.refused, 0, 1e-9);
}

/* Sharing everything without waiting is one system of all GPUs, whoever's job runs where. */
static void sharing_everything_pools_the_gpus(void **state)
{
    (void)state;
    struct sharing_game game = {.member_count = 2};
    uint32_t const shares[] = {4, 4};
    struct sharing_evaluation evaluation;
    for (int i = 0; i < 2; i++)
        game.members[i] =
            (struct sharing_member){.gpus = 4, .arrival_rate = 2.5 + i, .service_rate = 1};
    evaluate_exactly(&game, shares, &evaluation);
    assert_near(evaluation.flows[0].refused, erlang_b(8, 6), 1e-9);
    assert_near(evaluation.flows[1].refused, erlang_b(8, 6), 1e-9);
    assert_near(evaluation.flows[0].lent, evaluation.flows[1].borrowed, 1e-9);
}

static void sharing_nothing_is_being_alone(void **state)
{
    (void)state;
    struct sharing_game game = {.member_count = 3};
    uint32_t const shares[] = {0, 0, 0};
    struct sharing_evaluation exact;
    struct sharing_evaluation approximate;
    struct sharing_approximation *approximation;
    struct arena arena;
    struct fault fault;
    for (int i = 0; i < 3; i++)
        game.members[i] = (struct sharing_member){
            .gpus = 2, .arrival_rate = 1 + i, .service_rate = 1, .waiting_limit = 0.5};
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(sharing_approximation_open(&game, &arena, &approximation, &fault));
    sharing_approximate(approximation, shares, &approximate);
    evaluate_exactly(&game, shares, &exact);
    for (int i = 0; i < 3; i++) {
        struct sharing_flow alone;
        sharing_alone(&game.members[i], &alone);
        assert_near(exact.flows[i].outside, alone.outside, 1e-9);
        assert_near(approximate.flows[i].outside, alone.outside, 1e-7);
        assert_near(exact.flows[i].waits, alone.waits, 1e-9);
        assert_near(exact.flows[i].lent + exact.flows[i].borrowed, 0, 1e-12);
    }
    arena_fini(&arena);
}

/*
 * Two members with one GPU each, unit rates, no waiting, outside price 1, federation price g. By
 * hand, from the balance equations of the three cases:
 *   nobody shares:   1/2 of each one's jobs go outside (Erlang B of 1 and 1)
 *   member 1 shares: its outside is 13/22 and it lends 2/11; member 2's outside is 7/22
 *   both share:      2/5 (Erlang B of 2 and 2), each lends and borrows 1/5
 * so the utilities are 0; (2g - 1)/11 and (2 - 2g)/11; 1/10 each. To share first pays where
 * g > 1/2, to share as well where g > 9/20.
 */
static void two_members_with_a_gpu_each_agree_with_the_solution_by_hand(void **state)
{
    (void)state;
    struct sharing_game const game = two_single_gpus(0.3);
    uint32_t const one[] = {1, 0};
    uint32_t const both[] = {1, 1};
    struct sharing_evaluation evaluation;
    evaluate_exactly(&game, one, &evaluation);
    assert_near(evaluation.flows[0].outside, 13.0 / 22, 1e-10);
    assert_near(evaluation.flows[1].outside, 7.0 / 22, 1e-10);
    assert_near(evaluation.flows[0].lent, 2.0 / 11, 1e-10);
    assert_near(sharing_utility(&game, 0, &evaluation.flows[0]), (2 * 0.3 - 1) / 11, 1e-10);
    assert_near(sharing_utility(&game, 1, &evaluation.flows[1]), (2 - 2 * 0.3) / 11, 1e-10);
    evaluate_exactly(&game, both, &evaluation);
    assert_near(evaluation.flows[0].outside, 2.0 / 5, 1e-10);
    assert_near(evaluation.flows[0].borrowed, 1.0 / 5, 1e-10);
}

static void settle_from(double federation_price, uint32_t start, struct sharing_outcome *outcome)
{
    struct sharing_game const game = two_single_gpus(federation_price);
    struct sharing_judge judge;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(sharing_judge_open(&judge, &game, SHARING_EXACT, &arena, &fault));
    outcome->shares[0] = outcome->shares[1] = start;
    assert_ok(sharing_settle(&judge, outcome, &fault));
    assert_int_equal(outcome->rest, SHARING_AT_REST);
    assert_int_equal(outcome->shares[0], outcome->shares[1]); /* the game is symmetric */
    arena_fini(&arena);
}

static void its_equilibria_are_those_found_by_hand(void **state)
{
    (void)state;
    struct sharing_outcome outcome;
    settle_from(0.44, 1, &outcome); /* below 9/20 sharing unravels */
    assert_int_equal(outcome.shares[0], 0);
    settle_from(0.47, 0, &outcome); /* between 9/20 and 1/2 both are at rest */
    assert_int_equal(outcome.shares[0], 0);
    settle_from(0.47, 1, &outcome);
    assert_int_equal(outcome.shares[0], 1);
    settle_from(0.51, 0, &outcome); /* above 1/2 it pays to begin */
    assert_int_equal(outcome.shares[0], 1);
    assert_near(outcome.utilities[0], 0.1, 1e-9);
}

static void the_optimum_of_the_hand_solved_game_is_to_share(void **state)
{
    (void)state;
    struct sharing_game const game = two_single_gpus(0.2);
    struct sharing_judge judge;
    struct sharing_optimum optimum;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(sharing_judge_open(&judge, &game, SHARING_EXACT, &arena, &fault));
    assert_ok(sharing_optimise(&judge, WELFARE_UTILITARIAN, NULL, 0, &optimum, &fault));
    assert_true(optimum.exhaustive);
    assert_int_equal(optimum.shares[0] + optimum.shares[1], 2);
    assert_near(optimum.welfare, 0.2, 1e-9); /* 1/10 each, whatever the federation price */
    assert_ok(sharing_optimise(&judge, WELFARE_MAX_MIN, NULL, 0, &optimum, &fault));
    assert_near(optimum.welfare, 0.1, 1e-9);
    arena_fini(&arena);
}

/* Standard errors of these means are below 0.004 at this many events; 5 of them are allowed. */
static void the_simulation_agrees_with_the_exact_chain(void **state)
{
    (void)state;
    struct sharing_game game = {.member_count = 3, .federation_price = 0.5};
    uint32_t const shares[] = {1, 2, 0};
    struct sharing_evaluation exact;
    struct sharing_evaluation simulated;
    struct rng rng;
    struct fault fault;
    for (int i = 0; i < 3; i++)
        game.members[i] = (struct sharing_member){.gpus = 2,
                                                  .arrival_rate = 1.2 + 0.4 * i,
                                                  .service_rate = 1 + 0.5 * i,
                                                  .waiting_limit = 0.2 * i};
    rng_init(&rng, 42, 0);
    evaluate_exactly(&game, shares, &exact);
    assert_ok(sharing_simulate(&game, shares, EVENTS, &rng, &simulated, &fault));
    for (int i = 0; i < 3; i++) {
        if (fabs(exact.flows[i].lent - simulated.flows[i].lent) > 0.02 ||
            fabs(exact.flows[i].borrowed - simulated.flows[i].borrowed) > 0.02 ||
            fabs(exact.flows[i].refused - simulated.flows[i].refused) > 0.02 ||
            fabs(exact.flows[i].waits - simulated.flows[i].waits) > 0.02 ||
            fabs(exact.flows[i].utilisation - simulated.flows[i].utilisation) > 0.02)
            fail_msg("member %d: lent %g %g, outside %g %g", i, exact.flows[i].lent,
                     simulated.flows[i].lent, exact.flows[i].refused, simulated.flows[i].refused);
    }
}

/* How far off the approximation is, stated and held: the largest error found of GPUs lent, borrowed
 * or bought outside is 5.5% of a member's GPUs with two or three members and 3% with eight (against
 * a simulation whose own error is below 0.5%). */
static void assert_near_flows(const struct sharing_game *game,
                              const struct sharing_evaluation *approximate,
                              const struct sharing_evaluation *truth, double of_gpus)
{
    for (uint32_t i = 0; i < game->member_count; i++) {
        double allowed = of_gpus * game->members[i].gpus;
        if (fabs(approximate->flows[i].lent - truth->flows[i].lent) > allowed ||
            fabs(approximate->flows[i].borrowed - truth->flows[i].borrowed) > allowed ||
            fabs(approximate->flows[i].outside - truth->flows[i].outside) > allowed)
            fail_msg("%u members, member %u: lent %g (%g), borrowed %g (%g), outside %g (%g)",
                     game->member_count, i, approximate->flows[i].lent, truth->flows[i].lent,
                     approximate->flows[i].borrowed, truth->flows[i].borrowed,
                     approximate->flows[i].outside, truth->flows[i].outside);
    }
}

static void approximate(const struct sharing_game *game, const uint32_t *shares,
                        struct sharing_evaluation *evaluation)
{
    struct sharing_approximation *approximation;
    struct arena arena;
    struct fault fault;
    arena_init(&arena, ARENA_ROUND_BYTES);
    assert_ok(sharing_approximation_open(game, &arena, &approximation, &fault));
    sharing_approximate(approximation, shares, evaluation);
    assert_true(evaluation->converged);
    arena_fini(&arena);
}

static void the_approximation_is_as_near_the_exact_chain_as_stated(void **state)
{
    (void)state;
    for (uint32_t members = 2; members <= 3; members++)
        for (int load = 0; load < 3; load++) {
            struct sharing_game game = {.member_count = members};
            uint32_t const shares[] = {2, 1, 2};
            struct sharing_evaluation near;
            struct sharing_evaluation exact;
            for (uint32_t i = 0; i < members; i++)
                game.members[i] = (struct sharing_member){
                    .gpus = members == 2 ? 5 : 2,
                    .arrival_rate = (members == 2 ? 5 : 2) * (0.5 + 0.25 * load + 0.1 * i),
                    .service_rate = 1,
                    .waiting_limit = 0.1};
            approximate(&game, shares, &near);
            evaluate_exactly(&game, shares, &exact);
            assert_near_flows(&game, &near, &exact, 0.06);
        }
}

static void the_approximation_is_as_near_the_simulation_as_stated(void **state)
{
    (void)state;
    struct sharing_game game = {.member_count = 8};
    uint32_t shares[8];
    struct sharing_evaluation near;
    struct sharing_evaluation simulated;
    struct rng rng;
    struct fault fault;
    for (uint32_t i = 0; i < 8; i++) {
        shares[i] = 2 + i % 4;
        game.members[i] = (struct sharing_member){
            .gpus = 8, .arrival_rate = 5 + 0.3 * i, .service_rate = 1, .waiting_limit = 0.1};
    }
    rng_init(&rng, 7, 0);
    approximate(&game, shares, &near);
    assert_ok(sharing_simulate(&game, shares, EVENTS, &rng, &simulated, &fault));
    assert_near_flows(&game, &near, &simulated, 0.04);
}

static void who_shares_nothing_borrows_nothing_where_the_rule_says_so(void **state)
{
    (void)state;
    struct sharing_game game = two_single_gpus(0.5);
    uint32_t const shares[] = {1, 0};
    struct sharing_evaluation evaluation;
    game.sharers_only = true;
    evaluate_exactly(&game, shares, &evaluation);
    assert_near(evaluation.flows[1].borrowed, 0, 1e-12);
    assert_near(evaluation.flows[0].outside, 0.5, 1e-10);
}

static void games_out_of_bounds_are_refused_by_member(void **state)
{
    (void)state;
    struct sharing_game game = two_single_gpus(0.5);
    struct fault fault;
    game.members[1].service_rate = (double)NAN;
    assert_int_equal(sharing_check(&game, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "member 1"));
    game = two_single_gpus(-1);
    assert_int_equal(sharing_check(&game, &fault), STATUS_INVALID);
    game = two_single_gpus(0.5);
    game.members[0].waiting_limit = 5000; /* more than a thousand would wait */
    assert_int_equal(sharing_check(&game, &fault), STATUS_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_and_unwilling_to_wait_is_erlang_b),
        cmocka_unit_test(alone_and_patient_is_erlang_c),
        cmocka_unit_test(sharing_everything_pools_the_gpus),
        cmocka_unit_test(sharing_nothing_is_being_alone),
        cmocka_unit_test(two_members_with_a_gpu_each_agree_with_the_solution_by_hand),
        cmocka_unit_test(its_equilibria_are_those_found_by_hand),
        cmocka_unit_test(the_optimum_of_the_hand_solved_game_is_to_share),
        cmocka_unit_test(the_simulation_agrees_with_the_exact_chain),
        cmocka_unit_test(the_approximation_is_as_near_the_exact_chain_as_stated),
        cmocka_unit_test(the_approximation_is_as_near_the_simulation_as_stated),
        cmocka_unit_test(who_shares_nothing_borrows_nothing_where_the_rule_says_so),
        cmocka_unit_test(games_out_of_bounds_are_refused_by_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
