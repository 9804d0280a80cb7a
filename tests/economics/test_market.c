/* What a market must be: each rule broken once is refused with its path. */
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#include "tests/economics/small_market.h"

/* Two members, a pool each, two jobs, one that holds a GPU, a row. */
static void make(struct small *small)
{
    small_init(small, 2);
    small_pool(small, 0, 2, 2)->cost.nanos = SMALL_NANOS_PER_CREDIT;
    small_pool(small, 1, 1, 4);
    small_job(small, 0);
    small_column(small, 0, 1, 5);
    small_column(small, 0, 2, 8);
    small_job(small, 1);
    small_column(small, 0, 1, 3);
    small_hold(small, 1, 2);
    small_row(small, MARKET_ROW_FOREIGN_GPUS, 0, 2);
    small_entry(small, 1, 1);
    small_entry(small, 2, 1);
    assert_ok(market_validate(&small->market, &small->fault));
}

static void expect(struct small *small, const char *text)
{
    struct fault fault = {.text = ""};
    enum status const status = market_validate(&small->market, &fault);
    if (status != STATUS_INVALID || strstr(fault.text, text) == NULL)
        fail_msg("expected '%s', got %s '%s'", text, status_name(status), fault.text);
    assert_int_equal(plan_make(&small->market, &small->arena, &small->plan, NULL), STATUS_INVALID);
    small_fini(small);
    make(small);
}

static void members_pools_and_nodes_are_checked(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.market.round_ms = 0;
    expect(&s, "round_ms");
    s.market.member_count = MARKET_MEMBERS_MAX + 1;
    expect(&s, "member_count");
    s.members[1] = s.members[0];
    expect(&s, "members[1].name");
    s.pools[1].owner = 2;
    expect(&s, "pools[1].owner");
    s.pools[1].owner = -1;
    expect(&s, "pools[1].owner");
    s.pools[0].owner = 1;
    s.pools[1].owner = 0;
    expect(&s, "pools[1].gpu");
    small_fini(&s);
}

static void the_order_of_pools_is_checked(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.pools[1].owner = 0;
    s.pools[1].gpu = s.pools[0].gpu;
    expect(&s, "pools[1].gpu");
    s.pools[0].gpus_per_node = 0;
    expect(&s, "pools[0].gpus_per_node");
    s.pools[0].gpus_per_node = 65;
    expect(&s, "pools[0].gpus_per_node");
    s.pools[0].cost.nanos = -1;
    expect(&s, "pools[0].cost");
    s.pools[0].gpu_count = 3;
    expect(&s, "pools[0].gpu_count");
    s.pools[0].nodes[1].gpus = 6;
    expect(&s, "pools[0].nodes");
    small_fini(&s);
}

static void jobs_and_columns_are_checked(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.jobs[1].home = 7;
    expect(&s, "jobs[1].home");
    s.jobs[1].home = 0;
    s.jobs[1].job = s.jobs[0].job;
    expect(&s, "jobs[1].job");
    s.jobs[1].first_column = 1;
    expect(&s, "jobs[1].first_column");
    s.jobs[1].column_count = 9;
    expect(&s, "jobs[1].first_column");
    s.market.column_count = 4;
    expect(&s, "columns[3].job");
    s.columns[1].job = 1;
    expect(&s, "columns[1].job");
    s.columns[1].gpus = 1;
    expect(&s, "columns[1].pool");
    s.columns[1].pool = 9;
    expect(&s, "columns[1].pool");
    s.columns[1].gpus = 0;
    expect(&s, "columns[1].gpus");
    s.columns[1].micro_examples_per_second = -1;
    expect(&s, "columns[1].micro_examples_per_second");
    s.columns[1].worth.micros = -MARKET_WORTH_MICROS_MAX - 1;
    expect(&s, "columns[1].worth");
    s.columns[1].value.micros = -1;
    expect(&s, "columns[1].value");
    s.columns[1].price_room.micros = -1;
    expect(&s, "columns[1].price_room");
    s.columns[1].held_ms = s.market.round_ms + 1;
    expect(&s, "columns[1].held_ms");
    small_fini(&s);
}

static void a_column_that_is_worth_something_covers_the_pools_cost(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.columns[0].price_room.micros = s.columns[0].value.micros + 1;
    expect(&s, "columns[0].price_room: above value");
    s.columns[0].price_room.micros = MICROS_PER_CREDIT - 1; /* the cost is one credit */
    expect(&s, "columns[0].price_room: below");
    s.columns[0].worth.micros += 1;
    expect(&s, "columns[0].worth: above");
    s.pools[0].cost.nanos = INT64_MAX;
    expect(&s, "columns[0].gpus: its cost");
    small_fini(&s);
}

static void rows_and_entries_are_checked(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.rows[0].kind = MARKET_ROW_KIND_COUNT;
    expect(&s, "rows[0].kind");
    s.rows[0].owner = -1;
    expect(&s, "rows[0].owner");
    s.rows[0].partner = 2;
    expect(&s, "rows[0].partner");
    double const wrong[] = {-1, (double)NAN, HUGE_VAL, 1e19, 1e-13};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        s.rows[0].limit = wrong[i];
        expect(&s, "rows[0].limit");
        s.entries[1].coefficient = wrong[i];
        expect(&s, "entries[1].coefficient");
    }
    s.entries[1].column = 3;
    expect(&s, "entries[1].column");
    s.entries[1].column = 1;
    expect(&s, "entries[1].column");
    s.rows[0].first_entry = 1;
    expect(&s, "rows[0].first_entry");
    s.market.entry_count = 3;
    expect(&s, "entries[2]");
    s.rows[1] = s.rows[0];
    s.rows[0].owner = 1;
    s.rows[1].first_entry = 2;
    s.rows[1].entry_count = 0;
    s.market.row_count = 2;
    expect(&s, "rows[1].owner");
    small_fini(&s);
}

static void held_gpus_are_checked(void **state)
{
    (void)state;
    struct small s;
    make(&s);
    s.jobs[1].held_column = 0;
    expect(&s, "jobs[1].held_column");
    s.held[1].node = 2;
    expect(&s, "jobs[1].held_nodes: not GPUs");
    s.held[1].gpus = 0;
    expect(&s, "jobs[1].held_nodes: not GPUs");
    s.held[1].gpus = 4;
    expect(&s, "jobs[1].held_nodes: not GPUs");
    s.held[1].gpus = 3;
    expect(&s, "jobs[1].held_nodes: not as many");
    struct lease_node twice[] = {{.node = 1, .gpus = 1}, {.node = 1, .gpus = 2}};
    s.jobs[1].held_nodes = twice;
    s.jobs[1].held_node_count = 2;
    expect(&s, "jobs[1].held_nodes: sort");
    s.held[0] = s.held[1]; /* the first job claims the same GPU */
    s.jobs[0].held_nodes = &s.held[0];
    s.jobs[0].held_node_count = 1;
    s.jobs[0].held_column = 0;
    expect(&s, "jobs[1].held_nodes: a GPU is held by another");
    small_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_pools_and_nodes_are_checked),
        cmocka_unit_test(the_order_of_pools_is_checked),
        cmocka_unit_test(jobs_and_columns_are_checked),
        cmocka_unit_test(a_column_that_is_worth_something_covers_the_pools_cost),
        cmocka_unit_test(rows_and_entries_are_checked),
        cmocka_unit_test(held_gpus_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
