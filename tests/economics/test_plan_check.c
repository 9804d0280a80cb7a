/* Invariants 1 and 7 of a plan, each broken once: the check must fire, and say what. */
#include "tests/support/support.h"

#include <string.h>

#include "tests/economics/small_market.h"

/* A market with everything: costs, a held GPU, a share limit that binds, a rival. */
static void make(struct small *small)
{
    small_init(small, 3);
    small_pool(small, 0, 2, 2)->cost.nanos = SMALL_NANOS_PER_CREDIT;
    small_pool(small, 1, 1, 2);
    small_job(small, 1);
    small_column(small, 0, 1, 10)->price_room.micros = 2 * MICROS_PER_CREDIT;
    small_hold(small, 0, 1);
    small_job(small, 1);
    small_column(small, 0, 2, 9)->price_room.micros = 3 * MICROS_PER_CREDIT;
    small_job(small, 2);
    small_column(small, 0, 1, 8); /* makes the limit dear */
    small_column(small, 1, 1, 5);
    small_column(small, 1, 2, 7);
    small_job(small, 2)->one_node = true;
    small_column(small, 1, 2, 3);
    small_row(small, MARKET_ROW_FOREIGN_GPUS, 0, 3);
    small_entry(small, 0, 1);
    small_entry(small, 1, 2);
    small_entry(small, 2, 1);
    assert_ok(small_plan(small));
    assert_int_equal(small->plan.placement_count, 3);
    assert_int_equal(small->plan.placements[0].column, 0);
    assert_int_equal(small->plan.placements[1].column, 1);
    assert_true(small->plan.placements[0].renewed);
}

static void expect(struct small *small, const char *text)
{
    struct fault fault = {.text = ""};
    enum status const status = plan_check(&small->market, &small->plan, &fault);
    if (status != STATUS_CORRUPT || strstr(fault.text, text) == NULL)
        fail_msg("expected '%s', got %s: '%s'", text, status_name(status), fault.text);
    small_fini(small);
}

static struct plan_placement *placement(struct small *small, uint32_t index)
{
    return &small->plan.placements[index];
}

static void two_jobs_on_one_gpu_are_noticed(void **state)
{
    (void)state;
    struct small small;
    make(&small);
    placement(&small, 1)->nodes[0] = (struct lease_node){.node = 0, .gpus = 3};
    expect(&small, "another job has");
    make(&small);
    placement(&small, 1)->nodes[0].gpus = 12;
    expect(&small, "does not offer");
    make(&small);
    placement(&small, 1)->nodes[0].gpus = 1;
    expect(&small, "as many GPUs");
    make(&small);
    placement(&small, 1)->nodes[0].node = 2;
    expect(&small, "not the pool's nodes");
}

static void placements_that_are_not_the_markets_are_noticed(void **state)
{
    (void)state;
    struct small small;
    make(&small);
    placement(&small, 1)->column = 0;
    expect(&small, "ascending");
    make(&small);
    placement(&small, 2)->column = 99;
    expect(&small, "no such column");
    make(&small);
    placement(&small, 0)->renewed = false;
    expect(&small, "renewed");
    make(&small);
    placement(&small, 1)->waits = true;
    expect(&small, "waits");
    make(&small);
    small.columns[1].worth.micros = 0;
    expect(&small, "worth nothing");
    make(&small);
    small.rows[0].limit = 2;
    expect(&small, "rows[0]");
}

static void prices_that_do_not_cover_a_column_are_noticed(void **state)
{
    (void)state;
    struct small small;
    make(&small);
    small.plan.job_surplus_credits[0] -= 1e-6;
    expect(&small, "columns[0]");
    make(&small);
    small.plan.job_surplus_credits[0] = -1;
    expect(&small, "job_surplus_credits[0]");
    make(&small);
    small.plan.row_rent_credits[0] = -1;
    expect(&small, "row_rent_credits[0]");
    make(&small);
    small.plan.pool_rent_credits[1] = -1;
    expect(&small, "pool_rent_credits[1]");
    make(&small);
    small.plan.job_surplus_credits[3] += 1; /* still covers, but the bound is not its sum */
    expect(&small, "bound");
    make(&small);
    small.plan.lp_share[0] += 0.5;
    expect(&small, "shares above 1");
    make(&small);
    small.plan.lp_share[0] = -0.5;
    expect(&small, "lp_share[0]");
    make(&small);
    small.plan.lp_share[0] = 0;
    expect(&small, "the LP's shares");
    make(&small);
    small.plan.pool_price[0].nanos += 5;
    expect(&small, "pool_price[0]");
}

static void money_that_does_not_add_up_is_noticed(void **state)
{
    (void)state;
    struct small small;
    make(&small);
    placement(&small, 0)->payment.micros += 1;
    expect(&small, "not price × GPUs × time held");
    make(&small);
    placement(&small, 0)->price.nanos += 1;
    expect(&small, "not the sum of its shares");
    make(&small);
    placement(&small, 0)->shares[0].price.nanos = 0;
    expect(&small, "with its cost at least");
    make(&small);
    placement(&small, 0)->shares[0].member = 7;
    expect(&small, "no such member");
    make(&small);
    small.columns[1].price_room.micros = 2 * MICROS_PER_CREDIT; /* was 3, and paid */
    expect(&small, "room");
    make(&small);
    small.plan.members[2].payoff.micros += 1;
    expect(&small, "members[2].payoff");
    make(&small);
    small.plan.members[2].owen.micros += 1;
    expect(&small, "owen");
    make(&small);
    small.plan.objective.micros += 1;
    expect(&small, "objective");
}

static void an_epsilon_that_is_too_small_is_noticed(void **state)
{
    (void)state;
    struct small small;
    make(&small);
    assert_true(small.plan.epsilon.micros > 0); /* the price limit costs the host its rent */
    small.plan.epsilon.micros = -1;
    expect(&small, "epsilon");
    make(&small);
    small.plan.members[0].alone.micros = 100 * MICROS_PER_CREDIT;
    expect(&small, "members[0] alone");
    make(&small);
    small.plan.epsilon_exact = false;
    small.plan.epsilon.micros = 0;
    expect(&small, "epsilon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_jobs_on_one_gpu_are_noticed),
        cmocka_unit_test(placements_that_are_not_the_markets_are_noticed),
        cmocka_unit_test(prices_that_do_not_cover_a_column_are_noticed),
        cmocka_unit_test(money_that_does_not_add_up_is_noticed),
        cmocka_unit_test(an_epsilon_that_is_too_small_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
