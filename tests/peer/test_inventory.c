/* The inventory: one user a GPU, all or none, and what is offered of it. */
#include "tests/support/support.h"

#include <string.h>

#include "peer/inventory.h"

struct fixture {
    struct arena arena;
    struct config_pool pools[2];
    struct peer_config config;
    struct inventory inventory;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    struct executor_abilities abilities = {
        .sandbox = true, .memory_limit = true, .process_limit = true, .cpu_limit = true};
    arena_init(&fixture->arena, ARENA_MESSAGE_BYTES);
    fixture->pools[0] = (struct config_pool){.gpu.text = "A100", .nodes = 2, .gpus_per_node = 4};
    fixture->pools[1] = (struct config_pool){.gpu.text = "B200", .nodes = 1, .gpus_per_node = 64};
    fixture->config.pools = fixture->pools;
    fixture->config.pool_count = 2;
    assert_ok(
        inventory_init(&fixture->inventory, &fixture->config, &abilities, &fixture->arena, NULL));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    test_free(fixture);
    return 0;
}

static const struct name a100 = {"A100"};

static void a_gpu_has_one_user(void **state)
{
    struct fixture *fixture = *state;
    struct lease_node first[] = {{0, 0x3}}, second[] = {{1, 0x1}, {0, 0x6}};
    struct gpu_set one = {&a100, first, 1}, two = {&a100, second, 2};
    assert_ok(inventory_take(&fixture->inventory, &one, GPU_LEASED, NULL));
    assert_int_equal(inventory_take(&fixture->inventory, &two, GPU_LOCAL, NULL),
                     STATUS_PRECONDITION);
    struct pool_count count = inventory_count(&fixture->inventory.pools[0]);
    assert_int_equal(count.local, 0); /* all or none: node 1 was free and stays so */
    inventory_give(&fixture->inventory, &one, GPU_LEASED);
    assert_ok(inventory_take(&fixture->inventory, &two, GPU_LOCAL, NULL));
    count = inventory_count(&fixture->inventory.pools[0]);
    assert_int_equal(count.local, 3);
    assert_int_equal(count.leased, 0);
}

static void gpus_that_are_not_there_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct name t4 = {"T4"};
    struct lease_node beyond[] = {{2, 0x1}}, wide[] = {{0, 0x10}}, all[] = {{0, UINT64_MAX}};
    struct name b200 = {"B200"};
    struct gpu_set none = {&t4, beyond, 1};
    assert_int_equal(inventory_check(&fixture->inventory, &none, NULL), STATUS_INVALID);
    assert_int_equal(
        inventory_check(&fixture->inventory, &(struct gpu_set){&a100, beyond, 1}, NULL),
        STATUS_INVALID);
    assert_int_equal(inventory_check(&fixture->inventory, &(struct gpu_set){&a100, wide, 1}, NULL),
                     STATUS_INVALID);
    assert_ok(inventory_check(&fixture->inventory, &(struct gpu_set){&b200, all, 1}, NULL));
}

static void the_offer_tells_free_from_leased_and_hides_local_work(void **state)
{
    struct fixture *fixture = *state;
    struct lease_node leased[] = {{0, 0x1}}, local[] = {{0, 0x2}};
    struct pool_offer *pools;
    uint32_t count;
    struct gpu_set lent = {&a100, leased, 1}, own = {&a100, local, 1};
    assert_ok(inventory_take(&fixture->inventory, &lent, GPU_LEASED, NULL));
    assert_ok(inventory_take(&fixture->inventory, &own, GPU_LOCAL, NULL));
    assert_ok(inventory_offer(&fixture->inventory, &fixture->arena, &pools, &count, NULL));
    assert_int_equal(count, 2);
    assert_int_equal(pools[0].nodes[0].free_gpus, 0xc);
    assert_int_equal(pools[0].nodes[0].leased_gpus, 0x1);
    assert_true(pools[0].enforces_limits);
    fixture->inventory.draining = true;
    assert_ok(inventory_offer(&fixture->inventory, &fixture->arena, &pools, &count, NULL));
    assert_int_equal(pools[0].nodes[0].free_gpus, 0);
    assert_int_equal(pools[0].nodes[0].leased_gpus, 0); /* nor for renewal */
}

static void own_work_finds_the_node_that_fits_best(void **state)
{
    struct fixture *fixture = *state;
    struct lease_node used[] = {{0, 0x1}}, found[NODES_PER_LEASE_MAX];
    struct gpu_set set = {&a100, used, 1};
    struct name kinds[] = {{"A100"}}, gpu;
    uint32_t node_count;
    assert_ok(inventory_take(&fixture->inventory, &set, GPU_LEASED, NULL));
    struct demand demand = {.gpus_min = 1, .gpus_max = 2, .gpu_kinds = kinds, .gpu_kind_count = 1};
    assert_int_equal(inventory_find(&fixture->inventory, &demand, &gpu, found, &node_count), 2);
    assert_int_equal(node_count, 1);
    assert_int_equal(found[0].node, 0); /* three are free there, four on the other */
    assert_int_equal(found[0].gpus, 0x6);
}

static void own_work_spreads_over_nodes_only_where_it_may(void **state)
{
    struct fixture *fixture = *state;
    struct lease_node found[NODES_PER_LEASE_MAX];
    struct name kinds[] = {{"A100"}}, gpu;
    uint32_t node_count;
    struct demand demand = {.gpus_min = 6, .gpus_max = 6, .gpu_kinds = kinds, .gpu_kind_count = 1};
    assert_int_equal(inventory_find(&fixture->inventory, &demand, &gpu, found, &node_count), 6);
    assert_int_equal(node_count, 2);
    demand.one_node = true;
    assert_int_equal(inventory_find(&fixture->inventory, &demand, &gpu, found, &node_count), 0);
    demand.gpu_kind_count = 0; /* any kind: the B200 node has room */
    assert_int_equal(inventory_find(&fixture->inventory, &demand, &gpu, found, &node_count), 6);
    assert_string_equal(gpu.text, "B200");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_gpu_has_one_user),
        TEST(gpus_that_are_not_there_are_named),
        TEST(the_offer_tells_free_from_leased_and_hides_local_work),
        TEST(own_work_finds_the_node_that_fits_best),
        TEST(own_work_spreads_over_nodes_only_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
