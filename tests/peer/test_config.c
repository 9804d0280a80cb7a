/* The configuration: the shipped example loads, and what is wrong is named with file, line and
 * mend. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/config.h"

struct fixture {
    char directory[256];
    char file[512];
    struct arena arena;
    struct fault fault;
    struct peer_config config;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    support_make_directory(fixture->directory);
    snprintf(fixture->file, sizeof fixture->file, "%s/peer.yaml", fixture->directory);
    arena_init(&fixture->arena, ARENA_MESSAGE_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    support_remove_tree(fixture->directory);
    test_free(fixture);
    return 0;
}

static enum status load(struct fixture *fixture, const char *text)
{
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    assert_ok(file_write(fixture->file, bytes, 0600, NULL));
    return peer_config_load(fixture->file, &fixture->arena, &fixture->config, &fixture->fault);
}

#define HEAD "member: usc\nstate_directory: state\nlisten: 127.0.0.1:0\nbroker: localhost:7600\n"
#define POOL "pools:\n  - gpu: A100\n    nodes: 2\n    gpus_per_node: 4\n"

static void the_shipped_example_is_a_configuration(void **state)
{
    struct fixture *fixture = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/peer.yaml", getenv("ENTENTE_SOURCE_DIR"));
    if (peer_config_load(path, &fixture->arena, &fixture->config, &fixture->fault) != STATUS_OK)
        fail_msg("%s", fixture->fault.text);
    assert_int_equal(fixture->config.pool_count, 2);
    assert_string_equal(fixture->config.pools[0].gpu.text, "A100");
    assert_int_equal(fixture->config.pools[0].cost.nanos, 400000);
    assert_int_equal(fixture->config.pools[0].foreign_gpus_max, 6);
    assert_int_equal(fixture->config.affinities[0].value_ppm, 950000);
    assert_int_equal(fixture->config.budget_per_round.micros, 50000000);
    assert_int_equal(fixture->config.executor.memory_bytes, (int64_t)8 << 30);
}

static void what_is_left_out_has_its_default(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(load(fixture, HEAD POOL));
    assert_int_equal(fixture->config.pools[0].foreign_gpus_max, UINT32_MAX);
    assert_int_equal(fixture->config.default_affinity_ppm, PPM);
    assert_true(fixture->config.budget_per_round.micros < 0);
    assert_true(fixture->config.executor.sandbox);
    assert_int_equal(fixture->config.socket_gid, -1);
    char socket[600];
    snprintf(socket, sizeof socket, "%s/state/peer.sock", fixture->directory);
    assert_string_equal(fixture->config.socket, socket);
}

static void pools_come_by_kind(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(load(fixture, HEAD "pools:\n  - {gpu: V100, nodes: 1, gpus_per_node: 1}\n"
                                 "  - {gpu: A100, nodes: 1, gpus_per_node: 1}\n"));
    assert_string_equal(fixture->config.pools[0].gpu.text, "A100");
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *line;
        const char *word;
    } wrong[] = {
        {"member: USC\nstate_directory: s\nlisten: 127.0.0.1:0\nbroker: b:1\n" POOL,
         "peer.yaml:1:", "lower-case"},
        {HEAD "pools:\n  - gpu: A100\n    nodes: 0\n    gpus_per_node: 4\n",
         "peer.yaml:7:", "within 1 to 4096"},
        {HEAD "pools:\n  - gpu: A100\n    nodes: 1\n    gpus_per_node: 65\n",
         "peer.yaml:8:", "within 1 to 64"},
        {HEAD POOL "    cost: nan\n", "peer.yaml:9:", "must be a number"},
        {HEAD POOL "    cost: -1\n", "peer.yaml:9:", "must be a number"},
        {HEAD POOL "    variables: ['9A=1']\n", "peer.yaml:9:", "NAME=value"},
        {HEAD POOL "default_affinity: 1.5\n", "peer.yaml:9:", "from 0 to 1"},
        {HEAD POOL "stop_grace: soon\n", "peer.yaml:9:", "not a duration"},
        {HEAD POOL "executor:\n  memory: lots\n", "peer.yaml:10:", "not a size"},
        {HEAD POOL "affinity:\n", "peer.yaml:9:", "affinit"},
        {"member: usc\nstate_directory: s\nlisten: 0.0.0.0:7700\nbroker: b:1\n" POOL,
         "peer.yaml:3:", "advertise"},
        {"member: usc\nstate_directory: s\nlisten: nowhere\nbroker: b:1\n" POOL,
         "peer.yaml:3:", "HOST:PORT"},
        {HEAD "pools:\n  - {gpu: A, nodes: 1, gpus_per_node: 1}\n"
              "  - {gpu: A, nodes: 1, gpus_per_node: 1}\n",
         "peer.yaml:5:", "two pools"},
    };
    struct fixture *fixture = *state;
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
        assert_int_equal(load(fixture, wrong[w].text), STATUS_CONFIG);
        if (strstr(fixture->fault.text, wrong[w].line) == NULL ||
            strstr(fixture->fault.text, wrong[w].word) == NULL)
            fail_msg("'%s' lacks '%s' or '%s'", fixture->fault.text, wrong[w].line, wrong[w].word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_shipped_example_is_a_configuration),
        TEST(what_is_left_out_has_its_default),
        TEST(pools_come_by_kind),
        TEST(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
