/* Plans of markets small enough to be solved by hand. */
#include "tests/support/support.h"

#include "tests/economics/small_market.h"

/* Member 0 owns one GPU that the jobs of 1 and 2 want; the first is worth 10. */
static void make_rivals(struct small *small, double rival)
{
    small_init(small, 3);
    small_pool(small, 0, 1, 1);
    small_job(small, 1);
    small_column(small, 0, 1, 10);
    small_job(small, 2);
    small_column(small, 0, 1, rival);
}

static void a_rival_who_loses_still_sets_the_price(void **state)
{
    (void)state;
    struct small small;
    /* The winner must pay at least 6, or the loser would have paid it; at most the 10 it is worth.
     * The plan takes the middle, 8. */
    make_rivals(&small, 6);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 1);
    assert_int_equal(small.plan.placements[0].column, 0);
    assert_int_equal(small.plan.placements[0].payment.micros, 8 * MICROS_PER_CREDIT);
    assert_int_equal(small.plan.pool_price[0].nanos, 8 * SMALL_NANOS_PER_CREDIT);
    assert_near(small_payoff(&small, 0), 8, 0);
    assert_near(small_payoff(&small, 1), 2, 0);
    assert_near(small_payoff(&small, 2), 0, 0);
    assert_int_equal(small.plan.epsilon.micros, 0);
    small_fini(&small);
    /* A rival at 9 makes it 9.5. */
    make_rivals(&small, 9);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placements[0].payment.micros, 9500000);
    small_fini(&small);
}

static void two_equal_rivals_leave_the_host_everything(void **state)
{
    (void)state;
    struct small small;
    make_rivals(&small, 10);
    assert_ok(small_plan(&small));
    assert_near(small_payoff(&small, 0), 10, 0);
    assert_int_equal(small.plan.epsilon.micros, 0);
    small_fini(&small);
}

static void with_gpus_to_spare_a_host_earns_its_cost_alone(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 1, 4)->cost.nanos = 3 * SMALL_NANOS_PER_CREDIT;
    small_job(&small, 1);
    small_column(&small, 0, 2, 10);
    assert_ok(small_plan(&small));
    /* 2 GPUs × 3 credits of cost; the slack pool has no rent */
    assert_int_equal(small.plan.placements[0].payment.micros, 6 * MICROS_PER_CREDIT);
    assert_near(small_payoff(&small, 0), 0, 0);
    assert_near(small_payoff(&small, 1), 10, 0);
    small_fini(&small);
}

static void what_a_member_pays_itself_cancels(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 1);
    small_pool(&small, 0, 1, 1)->cost.nanos = SMALL_NANOS_PER_CREDIT;
    small_job(&small, 0);
    small_column(&small, 0, 1, 10);
    small_job(&small, 0);
    small_column(&small, 0, 1, 4);
    assert_ok(small_plan(&small));
    assert_near(small_payoff(&small, 0), 10, 0);
    assert_near(credits_to_double(small.plan.members[0].alone), 10, 0);
    small_fini(&small);
}

static void a_share_limit_is_the_hosts_rent(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 3);
    small_pool(&small, 0, 1, 2); /* two GPUs, one of them for others */
    small_job(&small, 1);
    small_column(&small, 0, 1, 10);
    small_job(&small, 2);
    small_column(&small, 0, 1, 6);
    small_row(&small, MARKET_ROW_FOREIGN_GPUS, 0, 1);
    small_entry(&small, 0, 1);
    small_entry(&small, 1, 1);
    assert_ok(small_plan(&small));
    /* As two rivals for one GPU, but for the pool: total pool rent is 0 at both ends, and the row's
     * rent is 6 at one and 10 at the other. */
    assert_near(small.plan.pool_rent_credits[0], 0, 0);
    assert_near(small.plan.row_rent_credits[0], 8, 0);
    assert_near(small_payoff(&small, 0), 8, 0);
    assert_int_equal(small.plan.epsilon.micros, 0);
    small_fini(&small);
}

static void a_budget_binds_its_owner_and_posts_nothing(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 1, 2);
    small_job(&small, 1);
    small_column(&small, 0, 1, 10);
    small_job(&small, 1);
    small_column(&small, 0, 1, 9);
    small_row(&small, MARKET_ROW_BUDGET, 1, 10); /* for one of two bids of 10 and 9 */
    small_entry(&small, 0, 10);
    small_entry(&small, 1, 9);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 1);
    assert_int_equal(small.plan.objective.micros, 10 * MICROS_PER_CREDIT);
    assert_int_equal(small.plan.placements[0].payment.micros, 0);
    small_fini(&small);
}

static void a_price_limit_is_kept_and_the_rent_bears_it(void **state)
{
    (void)state;
    struct small small;
    make_rivals(&small, 6);
    small.columns[0].price_room.micros = 5 * MICROS_PER_CREDIT;
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placements[0].payment.micros, 5 * MICROS_PER_CREDIT);
    /* Host and loser alone make 6 and get 5 + 0: one credit short of the core. */
    assert_int_equal(small.plan.epsilon.micros, 1 * MICROS_PER_CREDIT);
    assert_true(small.plan.epsilon_exact);
    small_fini(&small);
}

static void above_ten_members_epsilon_is_a_bound_and_says_so(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, PLAN_ENUMERATE_MEMBERS_MAX + 1);
    small_pool(&small, 0, 1, 1);
    small_job(&small, 1);
    small_column(&small, 0, 1, 10)->price_room.micros = 5 * MICROS_PER_CREDIT;
    small_job(&small, 2);
    small_column(&small, 0, 1, 6);
    assert_ok(small_plan(&small));
    assert_false(small.plan.epsilon_exact);
    /* The host has 5 of Owen's 8; exactly it would be 1 (see above). */
    assert_int_equal(small.plan.epsilon.micros, 3 * MICROS_PER_CREDIT);
    small_fini(&small);
}

static void whole_gpus_reach_the_best_plan_of_a_small_market(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 1, 3);
    for (int i = 0; i < 2; i++) {
        small_job(&small, 1);
        small_column(&small, 0, 2, 10);
    }
    small_job(&small, 1);
    small_column(&small, 0, 1, 1);
    assert_ok(small_plan(&small));
    /* The LP fits one job and a half; whole GPUs fit one, and the small job in the GPU left. */
    assert_int_equal(small.plan.bound.micros, 15 * MICROS_PER_CREDIT);
    assert_int_equal(small.plan.objective.micros, 11 * MICROS_PER_CREDIT);
    assert_true(small.plan.epsilon.micros >= 4 * MICROS_PER_CREDIT);
    small_fini(&small);
}

static void a_job_that_needs_one_node_gets_one(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    struct market_pool *pool = small_pool(&small, 0, 2, 2);
    pool->nodes[0].gpus = 1; /* one GPU left on either node */
    pool->nodes[1].gpus = 2;
    pool->gpu_count = 2;
    small_job(&small, 1)->one_node = true;
    small_column(&small, 0, 2, 10);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 0);
    small.jobs[0].one_node = false;
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 1);
    assert_int_equal(small.plan.placements[0].node_count, 2);
    small_fini(&small);
}

static void one_node_jobs_are_packed_anew_where_they_stand_in_each_others_way(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 2, 4);
    /* By worth per GPU 2, 2, 4: best fit puts both pairs on one node, and the 4 fits the other.
     * With 3, 3, 1, 1 of equal worth per GPU any order must end with both nodes full. */
    uint32_t const gpus[] = {1, 1, 3, 3};
    for (int i = 0; i < 4; i++) {
        small_job(&small, 1)->one_node = true;
        small_column(&small, 0, gpus[i], 5.0 * gpus[i] - i * 0.001 * gpus[i]);
    }
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 4);
    small_fini(&small);
}

static void a_running_job_keeps_its_gpus(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 2, 2);
    small_job(&small, 1);
    small_column(&small, 0, 1, 5);
    small_job(&small, 1);
    small_column(&small, 0, 2, 10);
    small_hold(&small, 1, 3);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 2);
    const struct plan_placement *kept = &small.plan.placements[1];
    assert_true(kept->renewed);
    assert_false(kept->waits);
    assert_int_equal(kept->nodes[0].node, 1);
    assert_int_equal(kept->nodes[0].gpus, 3);
    assert_false(small.plan.placements[0].waits); /* node 0 was free */
    small_fini(&small);
}

static void who_takes_anothers_gpus_waits_for_them(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 3);
    small_pool(&small, 0, 1, 1);
    small_job(&small, 1);
    small_column(&small, 0, 1, 10);
    small_job(&small, 2);
    small_column(&small, 0, 1, 6);
    small_hold(&small, 0, 1);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 1);
    assert_int_equal(small.plan.placements[0].column, 0);
    assert_true(small.plan.placements[0].waits);
    small_fini(&small);
}

static void the_longest_wait_breaks_a_tie(void **state)
{
    (void)state;
    for (uint32_t older = 2; older <= 3; older++) {
        struct small small;
        small_init(&small, 2);
        small_pool(&small, 0, 1, 3);
        small_job(&small, 1);
        small_column(&small, 0, 2, 20);
        small_job(&small, 1);
        small_column(&small, 0, 2, 19); /* fits by half only: a GPU is left over */
        small_job(&small, 1);
        small_column(&small, 0, 1, 1); /* two alike, for the one GPU */
        small_job(&small, 1);
        small_column(&small, 0, 1, 1);
        small.jobs[older].age_rounds = 5;
        assert_ok(small_plan(&small));
        assert_int_equal(small.plan.placement_count, 2);
        assert_int_equal(small.plan.placements[1].column, older);
        small_fini(&small);
    }
}

static void an_empty_market_has_an_empty_plan(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 0);
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.placement_count, 0);
    small_fini(&small);
    small_init(&small, 2);
    small_pool(&small, 0, 1, 1);
    small_job(&small, 1); /* without columns */
    assert_ok(small_plan(&small));
    assert_int_equal(small.plan.bound.micros, 0);
    small_fini(&small);
}

static void a_limit_of_zero_forbids_and_is_certified(void **state)
{
    (void)state;
    struct small small;
    small_init(&small, 2);
    small_pool(&small, 0, 1, 1);
    small_job(&small, 1);
    small_column(&small, 0, 1, 10);
    small_row(&small, MARKET_ROW_FOREIGN_GPUS, 0, 0);
    small_entry(&small, 0, 1);
    assert_ok(small_plan(&small)); /* plan_check prices every column, this one too */
    assert_int_equal(small.plan.placement_count, 0);
    assert_int_equal(small.plan.bound.micros, 0);
    assert_true(small.plan.row_rent_credits[0] >= 10);
    small_fini(&small);
}

static void a_coalition_is_worth_what_it_reaches_alone(void **state)
{
    (void)state;
    struct small small;
    make_rivals(&small, 6);
    double const worths[] = {0, 0, 0, 10, 0, 6, 0, 10}; /* nobody gains without the host, bit 0 */
    for (uint64_t mask = 0; mask < 8; mask++) {
        double worth = -1;
        assert_ok(market_worth(&small.market, &mask, &worth, NULL));
        assert_near(worth, worths[mask], 1e-12);
    }
    small_fini(&small);
}

static void a_payment_is_split_to_the_micro_credit(void **state)
{
    (void)state;
    struct plan_share const shares[] = {{0, {1}}, {1, {1}}, {2, {1}}};
    struct credits amounts[3];
    plan_split_payment(shares, 3, (struct credits){100}, amounts);
    assert_int_equal(amounts[0].micros, 34); /* what a third leaves over is the first one's */
    assert_int_equal(amounts[1].micros, 33);
    assert_int_equal(amounts[2].micros, 33);
    plan_split_payment(shares, 1, (struct credits){0}, amounts);
    assert_int_equal(amounts[0].micros, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rival_who_loses_still_sets_the_price),
        cmocka_unit_test(two_equal_rivals_leave_the_host_everything),
        cmocka_unit_test(with_gpus_to_spare_a_host_earns_its_cost_alone),
        cmocka_unit_test(what_a_member_pays_itself_cancels),
        cmocka_unit_test(a_share_limit_is_the_hosts_rent),
        cmocka_unit_test(a_budget_binds_its_owner_and_posts_nothing),
        cmocka_unit_test(a_price_limit_is_kept_and_the_rent_bears_it),
        cmocka_unit_test(above_ten_members_epsilon_is_a_bound_and_says_so),
        cmocka_unit_test(whole_gpus_reach_the_best_plan_of_a_small_market),
        cmocka_unit_test(a_job_that_needs_one_node_gets_one),
        cmocka_unit_test(one_node_jobs_are_packed_anew_where_they_stand_in_each_others_way),
        cmocka_unit_test(a_running_job_keeps_its_gpus),
        cmocka_unit_test(who_takes_anothers_gpus_waits_for_them),
        cmocka_unit_test(the_longest_wait_breaks_a_tie),
        cmocka_unit_test(an_empty_market_has_an_empty_plan),
        cmocka_unit_test(a_limit_of_zero_forbids_and_is_certified),
        cmocka_unit_test(a_coalition_is_worth_what_it_reaches_alone),
        cmocka_unit_test(a_payment_is_split_to_the_micro_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
