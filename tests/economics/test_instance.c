/* Instances in JSON: what they mean, and that each fault is refused with its path. */
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "economics/market/instance/instance.h"
#include "economics/market/plan.h"

/* The example of economics/market/instance/instance.h, with a second pool and job. */
static const char example[] =
    "{\"round_seconds\": 300,"
    " \"members\": [\"usc\", \"ucsd\"],"
    " \"pools\": [{\"id\": \"usc/A100\", \"member\": \"usc\", \"gpu\": \"A100\", \"gpus\": 64,"
    "              \"gpus_per_node\": 8, \"cost\": 0.0004},"
    "             {\"id\": \"ucsd/V100\", \"member\": \"ucsd\", \"gpu\": \"V100\", \"gpus\": 12,"
    "              \"gpus_per_node\": 8, \"cost\": 0.0002}],"
    " \"affinity\": [{\"home\": \"usc\", \"host\": \"ucsd\", \"value\": 0.8}],"
    " \"links\": [{\"home\": \"usc\", \"host\": \"ucsd\", \"gigabytes_per_round\": 100,"
    "              \"cost_per_gigabyte\": 0.02}],"
    " \"limits\": [{\"member\": \"ucsd\", \"gpu\": \"V100\", \"max_foreign_gpus\": 4},"
    "              {\"member\": \"usc\", \"max_credits\": 50}],"
    " \"jobs\": [{\"id\": \"j1\", \"home\": \"usc\", \"value\": 0.01, \"work_left\": 1e9,"
    "             \"data_gigabytes\": 5, \"remaining_seconds\": 36000,"
    "             \"configurations\": [{\"pool\": \"usc/A100\", \"gpus\": 2, \"throughput\": "
    "310.5},"
    "                                  {\"pool\": \"ucsd/V100\", \"gpus\": 2, \"throughput\": "
    "100}]},"
    "            {\"id\": \"j0\", \"home\": \"ucsd\", \"value\": 0.01,"
    "             \"configurations\": [{\"pool\": \"usc/A100\", \"gpus\": 1, \"throughput\": "
    "9}]}]}";

struct read {
    struct arena arena;
    struct instance instance;
    struct fault fault;
};

static enum status read_text(struct read *read, const char *text)
{
    *read = (struct read){.fault = {.text = ""}};
    arena_init(&read->arena, ARENA_MESSAGE_BYTES);
    return instance_parse("test", text, strlen(text), &read->arena, &read->instance, &read->fault);
}

/* The example with one text replaced by another. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(example, from);
    assert_non_null(at);
    char *text = malloc(sizeof example + strlen(to));
    assert_non_null(text);
    size_t const before = (size_t)(at - example);
    memcpy(text, example, before);
    memcpy(text + before, to, strlen(to));
    strncpy(text + before + strlen(to), at + strlen(from), sizeof example - before);
    return text;
}

static void the_documented_example_means_what_the_note_says(void **state)
{
    (void)state;
    struct read read;
    if (read_text(&read, example) != STATUS_OK)
        fail_msg("%s", read.fault.text);
    const struct market *market = &read.instance.market;
    assert_int_equal(market->round_ms, 300000);
    assert_string_equal(read.instance.member_ids[0], "ucsd"); /* by name */
    assert_string_equal(read.instance.pool_ids[0], "ucsd/V100");
    assert_int_equal(market->pools[0].node_count, 2); /* 8 + 4 */
    assert_int_equal(market->pools[0].nodes[1].gpus, 0xf);
    assert_string_equal(read.instance.job_ids[0], "j0"); /* by home, then id */
    assert_int_equal(market->jobs[0].column_count, 0);   /* no affinity is stated: 0 */
    assert_int_equal(market->column_count, 2);
    /* at ucsd: 0.8 × 0.01 × 100 × 300 − 300 × 2 × 0.0002 − 5 × 0.02 × 300 / 36000 */
    assert_near(credits_to_double(market->columns[0].worth), 240 - 0.12 - 0.1 / 120,
                1e-8); /* to a micro-credit */
    /* at home: 0.01 × 310.5 × 300 − 300 × 2 × 0.0004 */
    assert_near(credits_to_double(market->columns[1].worth), 931.5 - 0.24, 1e-9);
    assert_int_equal(market->row_count, 3);
    assert_int_equal(market->rows[0].kind, MARKET_ROW_FOREIGN_GPUS);
    assert_int_equal(market->rows[1].kind, MARKET_ROW_LINK_BYTES);
    assert_near(market->entries[market->rows[1].first_entry].coefficient, 5e9, 0);
    assert_int_equal(market->rows[2].kind, MARKET_ROW_BUDGET);
    assert_near(market->rows[2].limit, 50, 0);
    struct plan plan;
    assert_ok(plan_make(market, &read.arena, &plan, NULL));
    assert_ok(plan_check(market, &plan, NULL));
    arena_fini(&read.arena);
}

static void missing_optional_keys_bind_nothing(void **state)
{
    (void)state;
    struct read read;
    assert_ok(read_text(
        &read,
        "{\"members\": [\"a\"], \"pools\": [{\"id\": \"p\", \"member\": \"a\", \"gpu\": \"g\","
        " \"gpus\": 70}], \"jobs\": [{\"id\": \"j\", \"home\": \"a\", \"value\": 1,"
        " \"configurations\": [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 2}]}]}"));
    const struct market *market = &read.instance.market;
    assert_int_equal(market->round_ms, 300000);
    assert_int_equal(market->row_count, 0);
    assert_near(credits_to_double(market->columns[0].worth), 600, 0);
    arena_fini(&read.arena);
    assert_ok(read_text(&read, "{\"members\": []}"));
    arena_fini(&read.arena);
}

static void each_fault_is_refused_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } faults[] = {
        {"\"round_seconds\": 300", "\"round_seconds\": 0", "round_seconds: 0 is not within"},
        {"\"round_seconds\": 300", "\"round_secs\": 300", "round_secs: unknown key"},
        {"[\"usc\", \"ucsd\"]", "[\"usc\", \"usc\"]", "members[1]: 'usc' is there already"},
        {"[\"usc\", \"ucsd\"]", "[\"usc\", 5]", "members[1]: must be a text"},
        {"\"member\": \"usc\", \"gpu\"", "\"member\": \"mit\", \"gpu\"",
         "pools[0].member: no member 'mit'"},
        {"\"gpus\": 64", "\"gpus\": -64", "pools[0].gpus: -64 is not within"},
        {"\"gpus\": 64", "\"gpus\": 6.5", "pools[0].gpus: must be a whole number"},
        {"\"gpus_per_node\": 8", "\"gpus_per_node\": 65", "pools[0].gpus_per_node"},
        {"\"cost\": 0.0004", "\"cost\": -1", "pools[0].cost: -1 is not within"},
        {"\"cost\": 0.0004", "\"cost\": 1e999", "pools[0].cost: inf is not within"},
        {"\"cost\": 0.0004", "\"cost\": NaN", "test:1:"},
        {"\"id\": \"ucsd/V100\"", "\"id\": \"usc/A100\"", "pools[1]: 'usc/A100' is there already"},
        {"\"host\": \"ucsd\", \"value\"", "\"host\": \"mit\", \"value\"",
         "affinity[0].host: no member 'mit'"},
        {"\"value\": 0.8", "\"value\": 1.8", "affinity[0].value: 1.8 is not within"},
        {"\"gigabytes_per_round\": 100", "\"gigabytes_per_round\": -1",
         "links[0].gigabytes_per_round"},
        {"\"max_foreign_gpus\": 4", "\"max_foreign_gpus\": -4", "limits[0].max_foreign_gpus"},
        {"\"member\": \"usc\", \"max_credits\"",
         "\"member\": \"usc\", \"gpu\": \"A100\", \"max_credits\"", "limits[1]: max_credits"},
        {"\"id\": \"j0\"", "\"id\": \"j1\"", "jobs[1]: 'j1' is there already"},
        {"\"home\": \"ucsd\", \"value\": 0.01", "\"home\": \"mit\", \"value\": 0.01",
         "jobs[1].home: no member 'mit'"},
        {"\"value\": 0.01, \"work_left\"", "\"value\": \"x\", \"work_left\"",
         "jobs[0].value: must be a number"},
        {"\"work_left\": 1e9", "\"work_left\": -1", "jobs[0].work_left"},
        {"\"configurations\": [{\"pool\": \"usc/A100\", \"gpus\": 2",
         "\"configurations\": [{\"pool\": \"usc/H100\", \"gpus\": 2",
         "jobs[0].configurations[0].pool: no pool 'usc/H100'"},
        {"\"pool\": \"usc/A100\", \"gpus\": 2", "\"pool\": \"usc/A100\", \"gpus\": 0",
         "jobs[0].configurations[0].gpus: 0 is not within"},
        {"\"pool\": \"ucsd/V100\", \"gpus\": 2", "\"pool\": \"usc/A100\", \"gpus\": 2",
         "jobs[0].configurations: 'usc/A100' with 2 GPUs is there twice"},
        {"\"throughput\": 310.5", "\"throughput\": -3", "jobs[0].configurations[0].throughput"},
        {"\"throughput\": 310.5", "\"thruput\": 3", "jobs[0].configurations[0].thruput: unknown"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char *text = changed(faults[i].from, faults[i].to);
        struct read read;
        enum status const status = read_text(&read, text);
        if (status != STATUS_INVALID || strstr(read.fault.text, faults[i].says) == NULL)
            fail_msg("%s: expected '%s', got %s '%s'", faults[i].to, faults[i].says,
                     status_name(status), read.fault.text);
        arena_fini(&read.arena);
        free(text);
    }
}

static void a_pair_stated_twice_is_refused(void **state)
{
    (void)state;
    char *text =
        changed("\"value\": 0.8}", "\"value\": 0.8}, {\"home\": \"usc\", \"host\": \"ucsd\","
                                   " \"value\": 0.7}");
    struct read read;
    assert_int_equal(read_text(&read, text), STATUS_INVALID);
    assert_non_null(strstr(read.fault.text, "affinity: usc to ucsd is stated twice"));
    arena_fini(&read.arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_example_means_what_the_note_says),
        cmocka_unit_test(missing_optional_keys_bind_nothing),
        cmocka_unit_test(each_fault_is_refused_with_its_path),
        cmocka_unit_test(a_pair_stated_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
