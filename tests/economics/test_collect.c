/* From offers and demands to a market: which configurations there are, and what they are worth. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "economics/market/collect.h"
#include "economics/market/plan.h"

/* Two members: usc has A100s, ucsd V100s. A round of 1000 s; a job of usc's that makes 100
 * examples/s on an A100 and 40 on a V100, worth 0.001 credits an example. */
struct federation {
    struct pool_offer pools[2];
    struct offer_node nodes[2][2];
    struct affinity affinities[2];
    struct offer offers[2];
    const struct offer *offer_list[2];
    struct credits funds[2];
    struct throughput_hint hints[2];
    struct demand demand;
    struct collect_demand demands[2];
    struct collect_input input;
    struct arena arena;
    struct market market;
    struct fault fault;
};

static struct name named(const char *text)
{
    struct name name = {.text = ""};
    snprintf(name.text, sizeof name.text, "%s", text);
    return name;
}

static void make_offer(struct federation *f, int index, const char *member, const char *gpu)
{
    f->nodes[index][0] = (struct offer_node){.free_gpus = 0xf};
    f->nodes[index][1] = (struct offer_node){.free_gpus = 0x3};
    f->pools[index] = (struct pool_offer){.gpu = named(gpu),
                                          .gpus_per_node = 4,
                                          .node_count = 2,
                                          .nodes = f->nodes[index],
                                          .cost = {1000000}, /* 0.001 a GPU-second: 1 a round */
                                          .foreign_gpus_max = UINT32_MAX,
                                          .enforces_limits = true};
    f->offers[index] = (struct offer){.member = named(member),
                                      .pools = &f->pools[index],
                                      .pool_count = 1,
                                      .default_affinity_ppm = PPM,
                                      .budget_per_round = {-1}};
    f->offer_list[index] = &f->offers[index];
    f->funds[index].micros = 1000 * (int64_t)MICROS_PER_CREDIT;
}

static void make(struct federation *f)
{
    *f = (struct federation){.fault = {.text = ""}};
    make_offer(f, 0, "usc", "A100");
    make_offer(f, 1, "ucsd", "V100");
    f->hints[0] = (struct throughput_hint){named("A100"), 1, 100};
    f->hints[1] = (struct throughput_hint){named("V100"), 1, 40};
    f->demand = (struct demand){.job = named("usc-1"),
                                .home = named("usc"),
                                .gpus_min = 1,
                                .gpus_max = 1,
                                .value_nanos_per_example = 1000000,
                                .work_left_examples = 1e12,
                                .hints = f->hints,
                                .hint_count = 2};
    f->demands[0].demand = &f->demand;
    f->input = (struct collect_input){.round_ms = 1000000,
                                      .now_wall_ms = 1000,
                                      .offers = f->offer_list,
                                      .offer_count = 2,
                                      .funds = f->funds,
                                      .demands = f->demands,
                                      .demand_count = 1,
                                      .gpus_per_job_max = 64};
    arena_init(&f->arena, ARENA_MESSAGE_BYTES);
}

static void collect(struct federation *f)
{
    if (market_collect(&f->input, &f->arena, &f->market, &f->fault) != STATUS_OK)
        fail_msg("%s", f->fault.text);
}

static void finish(struct federation *f)
{
    arena_fini(&f->arena);
}

/* Credits of the column of usc's job at `gpu` on so many GPUs; NAN where there is none. */
static double worth_at(const struct federation *f, const char *gpu, uint32_t gpus)
{
    for (uint32_t k = 0; k < f->market.column_count; k++) {
        const struct market_column *column = &f->market.columns[k];
        if (column->gpus == gpus && strcmp(f->market.pools[column->pool].gpu.text, gpu) == 0)
            return credits_to_double(column->worth);
    }
    return (double)NAN;
}

/* No column there, and the reason given is this. */
static void assert_obstacle(struct federation *f, int offer, uint32_t gpus, const char *text)
{
    assert_true(isnan(worth_at(f, f->pools[offer].gpu.text, gpus)));
    const char *obstacle =
        market_obstacle(&f->input, &f->demand, &f->offers[offer], &f->pools[offer], gpus);
    if (strstr(obstacle, text) == NULL)
        fail_msg("'%s' does not say '%s'", obstacle, text);
}

static void worth_is_value_less_cost(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    collect(&f);
    assert_string_equal(f.market.members[0].name.text, "ucsd"); /* by name */
    assert_int_equal(f.market.column_count, 2);
    /* 100 examples/s × 1000 s × 0.001 − 1 credit of cost */
    assert_near(worth_at(&f, "A100", 1), 99, 1e-9);
    assert_near(worth_at(&f, "V100", 1), 39, 1e-9);
    assert_string_equal(market_obstacle(&f.input, &f.demand, &f.offers[1], &f.pools[1], 1), "");
    finish(&f);
}

static void a_job_that_ends_within_the_round_is_worth_what_is_left_of_it(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.work_left_examples = 30000; /* 300 s on the A100, 750 on the V100 */
    collect(&f);
    /* it pays 0.001 credits/s for that long, not for the round's 1000 s */
    assert_near(worth_at(&f, "A100", 1), 30 - 0.3, 1e-9);
    assert_near(worth_at(&f, "V100", 1), 30 - 0.75, 1e-9);
    finish(&f);
}

static void a_job_with_a_second_left_still_finds_a_place(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.work_left_examples = 100; /* a second on the A100: 0.1 credits of value */
    f.input.costs.restart_seconds = 30;
    collect(&f);
    /* 0.1 less a second's cost and, borne in one round, 30 s of GPU time to get going */
    assert_near(worth_at(&f, "A100", 1), 0.1 - 0.001 - 0.03, 1e-9);
    finish(&f);
}

static void affinity_scales_the_value_and_zero_forbids(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.affinities[0] = (struct affinity){named("ucsd"), PPM / 2};
    f.offers[0].affinities = f.affinities;
    f.offers[0].affinity_count = 1;
    collect(&f);
    assert_near(worth_at(&f, "V100", 1), 19, 1e-9); /* 0.5 × 40 − 1 */
    assert_near(worth_at(&f, "A100", 1), 99, 1e-9); /* at home always 1 */
    f.affinities[0].value_ppm = 0;
    collect(&f);
    assert_obstacle(&f, 1, 1, "affinity 0");
    finish(&f);
}

static void the_reserve_counts_where_it_is_above_the_cost(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.pools[1].reserve.nanos = 5000000;
    f.pools[0].reserve.nanos = 500000;
    collect(&f);
    assert_near(worth_at(&f, "V100", 1), 35, 1e-9);
    assert_near(worth_at(&f, "A100", 1), 99, 1e-9);
    finish(&f);
}

static void counts_are_powers_of_two_and_both_ends(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.gpus_min = 1;
    f.demand.gpus_max = 5;
    collect(&f); /* 1, 2, 4, 5 at each of two pools of six GPUs */
    assert_int_equal(f.market.column_count, 8);
    assert_true(!isnan(worth_at(&f, "A100", 5)));
    assert_true(isnan(worth_at(&f, "A100", 3)));
    f.demand.gpus_min = 3;
    collect(&f); /* 3, 4, 5 */
    assert_int_equal(f.market.column_count, 6);
    f.input.gpus_per_job_max = 4;
    collect(&f); /* 3, 4 */
    assert_int_equal(f.market.column_count, 4);
    assert_obstacle(&f, 0, 5, "no job on that many");
    finish(&f);
}

static void sizes_that_do_not_fit_are_left_out_and_named(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.gpus_max = 8;
    collect(&f);
    assert_obstacle(&f, 0, 8, "fewer GPUs"); /* six are free */
    assert_true(!isnan(worth_at(&f, "A100", 4)));
    f.demand.one_node = true;
    f.nodes[0][0].free_gpus = 0x7;
    collect(&f);
    assert_obstacle(&f, 0, 4, "one node");
    assert_true(!isnan(worth_at(&f, "A100", 2)));
    assert_obstacle(&f, 0, 16, "can't use");
    f.demand.gpus_min = 2;
    collect(&f);
    assert_obstacle(&f, 0, 1, "needs more");
    finish(&f);
}

static void kinds_limits_and_unknown_speeds_are_obstacles(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    struct name kinds[] = {named("A100")};
    f.demand.gpu_kinds = kinds;
    f.demand.gpu_kind_count = 1;
    collect(&f);
    assert_obstacle(&f, 1, 1, "kind");
    f.demand.gpu_kind_count = 0;
    f.pools[1].enforces_limits = false;
    collect(&f);
    assert_obstacle(&f, 1, 1, "enforce");
    f.pools[1].accepts_unenforced = true;
    collect(&f);
    assert_true(!isnan(worth_at(&f, "V100", 1)));
    f.pools[0].enforces_limits = false; /* own jobs run there all the same */
    collect(&f);
    assert_true(!isnan(worth_at(&f, "A100", 1)));
    f.demand.hint_count = 1; /* nothing is stated for the V100 */
    collect(&f);
    assert_obstacle(&f, 1, 1, "throughput");
    f.demand.hint_count = 2;
    f.pools[1].foreign_gpus_max = 0;
    collect(&f);
    assert_obstacle(&f, 1, 1, "lends fewer");
    finish(&f);
}

static void a_price_limit_bounds_the_bid_and_below_cost_forbids(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.price_max.nanos = 3000000; /* 3 credits a GPU and round */
    collect(&f);
    assert_near(worth_at(&f, "V100", 1), 39, 1e-9);
    for (uint32_t k = 0; k < f.market.column_count; k++)
        assert_int_equal(f.market.columns[k].price_room.micros, 3 * MICROS_PER_CREDIT);
    f.demand.price_max.nanos = 999999;
    collect(&f);
    assert_obstacle(&f, 1, 1, "price limit");
    finish(&f);
}

static void what_misses_its_deadline_is_left_out(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.work_left_examples = 1e6; /* 10,000 s on the A100, 25,000 on the V100 */
    f.demand.deadline_wall_ms = 1000 + 15000 * 1000;
    collect(&f);
    assert_true(!isnan(worth_at(&f, "A100", 1)));
    assert_obstacle(&f, 1, 1, "deadline");
    finish(&f);
}

static void a_move_bears_its_cost_over_the_time_it_pays_back(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.work_left_examples = 40.0 * 20000; /* 20,000 s on the V100, 8,000 on the A100 */
    f.demand.bundle_bytes = 3000000000;
    f.demand.checkpoint_bytes = 2000000000;
    f.input.costs.credits_per_gigabyte = 0.4;
    f.input.costs.restart_seconds = 100;
    f.input.costs.transfer_bytes_per_second = 5e7;
    collect(&f);
    /* waiting, at ucsd: 5 GB × 0.4 + (100 + 5 GB / 50 MB/s) s of a GPU at 0.001, over 20 rounds */
    assert_near(worth_at(&f, "V100", 1), 40 - 1 - 2.2 / 20, 1e-9);
    /* at home nothing moves but a restart: 100 s of a GPU over 8 rounds */
    assert_near(worth_at(&f, "A100", 1), 100 - 1 - 0.1 / 8, 1e-9);
    finish(&f);

    make(&f);
    struct lease_node held[] = {{.node = 0, .gpus = 0x3}};
    f.demand.work_left_examples = 40.0 * 20000;
    f.demand.position = (struct job_position){
        .running = true, .pool = {.member = named("usc"), .gpu = named("A100")}, .gpus = 2};
    f.demands[0].held_nodes = held;
    f.demands[0].held_node_count = 1;
    f.input.costs.restart_seconds = 100;
    collect(&f);
    /* running, it loses what it makes meanwhile: 100 s × 0.04 credits/s, over 20 rounds */
    assert_near(worth_at(&f, "V100", 1), 40 - 1 - 0.2, 1e-9);
    finish(&f);
}

static void a_data_set_moves_where_there_is_no_copy(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    struct name places[] = {named("ucsd")};
    struct data_set sets[] = {
        {.name = named("imagenet"), .size_bytes = 10000000000, .places = places, .place_count = 1}};
    f.demand.data_sets = sets;
    f.demand.data_set_count = 1;
    f.demand.work_left_examples = 1e5; /* one round on the A100: it bears all of it */
    f.input.costs.credits_per_gigabyte = 1;
    collect(&f);
    assert_near(worth_at(&f, "A100", 1), 99 - 10, 1e-9);
    assert_near(worth_at(&f, "V100", 1), 39, 1e-9);
    finish(&f);
}

static void a_running_job_stays_for_nothing_and_its_gpus_count(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    struct lease_node held[] = {{.node = 1, .gpus = 0xc}};
    f.demand.gpus_max = 2;
    f.demand.bundle_bytes = 1000000000;
    f.demand.position = (struct job_position){true, {named("ucsd"), named("V100")}, 2};
    f.demands[0].held_nodes = held;
    f.demands[0].held_node_count = 1;
    f.input.costs.credits_per_gigabyte = 10;
    f.input.costs.restart_seconds = 1000;
    collect(&f);
    const struct market_job *job = &f.market.jobs[0];
    assert_int_not_equal(job->held_column, MARKET_NONE);
    const struct market_column *column = &f.market.columns[job->held_column];
    assert_int_equal(column->gpus, 2);
    const struct market_pool *pool = &f.market.pools[column->pool];
    assert_int_equal(pool->gpu_count, 8); /* six free, and the two it holds */
    assert_int_equal(pool->nodes[1].gpus, 0xf);
    /* 2 GPUs: 40 × 2 × 0.95 examples/s; no move */
    assert_near(credits_to_double(column->worth), 76 - 2, 1e-9);
    struct plan plan;
    assert_ok(plan_make(&f.market, &f.arena, &plan, NULL));
    assert_ok(plan_check(&f.market, &plan, NULL));
    finish(&f);
}

static void share_limits_and_budgets_become_rows_where_they_can_bind(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    collect(&f);
    assert_int_equal(f.market.row_count, 0); /* nothing can bind */
    f.demand.gpus_max = 4;
    f.pools[1].foreign_gpus_max = 4;
    collect(&f);
    assert_int_equal(f.market.row_count, 0); /* one job of four at most */
    struct demand second = f.demand;
    second.job = named("usc-2");
    f.demands[1].demand = &second;
    f.input.demand_count = 2;
    f.funds[0].micros = 200 * (int64_t)MICROS_PER_CREDIT;
    f.input.costs.grace_ms = 100000; /* a tenth of the round */
    collect(&f);
    assert_int_equal(f.market.row_count, 2);
    const struct market_row *share = &f.market.rows[0]; /* ucsd's */
    assert_int_equal(share->kind, MARKET_ROW_FOREIGN_GPUS);
    assert_int_equal(share->owner, 0);
    assert_near(share->limit, 4, 0);
    const struct market_row *budget = &f.market.rows[1]; /* usc's */
    assert_int_equal(budget->kind, MARKET_ROW_BUDGET);
    assert_int_equal(budget->owner, 1);
    assert_near(budget->limit, 200, 0);
    /* the bid for one V100 is all it is worth, 40, for the round and its grace */
    assert_near(f.market.entries[budget->first_entry].coefficient, 44, 1e-12);
    f.offers[0].budget_per_round.micros = 190 * (int64_t)MICROS_PER_CREDIT;
    collect(&f);
    assert_near(f.market.rows[1].limit, 190, 0); /* its own limit is the lower one */
    f.offers[0].budget_per_round.micros = 30 * (int64_t)MICROS_PER_CREDIT;
    collect(&f);
    assert_obstacle(&f, 1, 1, "above what its home can spend"); /* the bid is 44 */
    f.funds[0].micros = -5; /* who owes can't buy, but runs at home */
    collect(&f);
    assert_obstacle(&f, 1, 1, "above what its home can spend");
    assert_true(!isnan(worth_at(&f, "A100", 1)));
    struct plan plan;
    assert_ok(plan_make(&f.market, &f.arena, &plan, NULL));
    assert_ok(plan_check(&f.market, &plan, NULL));
    finish(&f);
}

static void demands_that_nobody_can_serve_are_kept(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    struct demand stranger = f.demand;
    stranger.home = named("elsewhere");
    stranger.job = named("elsewhere-1");
    f.demands[1].demand = &stranger;
    f.input.demand_count = 2;
    collect(&f);
    assert_int_equal(f.market.job_count, 2);
    assert_string_equal(f.market.jobs[0].job.text, "elsewhere-1");
    assert_int_equal(f.market.jobs[0].column_count, 0);
    assert_string_equal(market_obstacle(&f.input, &stranger, &f.offers[0], &f.pools[0], 1),
                        "the job's home has no offer in this round");
    finish(&f);
}

static void the_same_offer_or_demand_twice_is_refused(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demands[1] = f.demands[0];
    f.input.demand_count = 2;
    assert_int_equal(market_collect(&f.input, &f.arena, &f.market, &f.fault), STATUS_INVALID);
    assert_non_null(strstr(f.fault.text, "two demands"));
    f.input.demand_count = 1;
    f.offers[1].member = named("usc");
    assert_int_equal(market_collect(&f.input, &f.arena, &f.market, &f.fault), STATUS_INVALID);
    assert_non_null(strstr(f.fault.text, "two offers"));
    finish(&f);
}

static void absurd_numbers_make_a_job_worthless_not_the_round_fail(void **state)
{
    (void)state;
    struct federation f;
    make(&f);
    f.demand.value_nanos_per_example = INT64_MAX;
    f.demand.work_left_examples = 1e300;
    f.hints[0].examples_per_second = 1e300;
    f.hints[1].examples_per_second = 1e-300;
    f.pools[1].cost.nanos = INT64_MAX;
    f.demand.bundle_bytes = UINT64_MAX;
    f.input.costs.credits_per_gigabyte = 1e300;
    collect(&f);
    struct plan plan;
    assert_ok(plan_make(&f.market, &f.arena, &plan, NULL));
    assert_ok(plan_check(&f.market, &plan, NULL));
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worth_is_value_less_cost),
        cmocka_unit_test(a_job_that_ends_within_the_round_is_worth_what_is_left_of_it),
        cmocka_unit_test(a_job_with_a_second_left_still_finds_a_place),
        cmocka_unit_test(affinity_scales_the_value_and_zero_forbids),
        cmocka_unit_test(the_reserve_counts_where_it_is_above_the_cost),
        cmocka_unit_test(counts_are_powers_of_two_and_both_ends),
        cmocka_unit_test(sizes_that_do_not_fit_are_left_out_and_named),
        cmocka_unit_test(kinds_limits_and_unknown_speeds_are_obstacles),
        cmocka_unit_test(a_price_limit_bounds_the_bid_and_below_cost_forbids),
        cmocka_unit_test(what_misses_its_deadline_is_left_out),
        cmocka_unit_test(a_move_bears_its_cost_over_the_time_it_pays_back),
        cmocka_unit_test(a_data_set_moves_where_there_is_no_copy),
        cmocka_unit_test(a_running_job_stays_for_nothing_and_its_gpus_count),
        cmocka_unit_test(share_limits_and_budgets_become_rows_where_they_can_bind),
        cmocka_unit_test(demands_that_nobody_can_serve_are_kept),
        cmocka_unit_test(the_same_offer_or_demand_twice_is_refused),
        cmocka_unit_test(absurd_numbers_make_a_job_worthless_not_the_round_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
