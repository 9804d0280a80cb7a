/* Job files: the shipped example loads, survives the wire, and what is wrong is named with its
 * line and the mend. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "peer/home/job_file.h"
#include "proto/wire/methods.h"

#define NOW_WALL_MS INT64_C(1795410000000) /* 2026-11-23T05:00:00Z */

struct fixture {
    char directory[256];
    char file[512];
    struct arena arena;
    struct fault fault;
    struct job_submission job;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    support_make_directory(fixture->directory);
    snprintf(fixture->file, sizeof fixture->file, "%s/job.yaml", fixture->directory);
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
    return job_file_load(fixture->file, NOW_WALL_MS, &fixture->arena, &fixture->job,
                         &fixture->fault);
}

#define HEAD "command: [./train]\nmodel: m\nbatch: 8\nexamples: 100\nvalue_per_example: 0.000001\n"

static void the_shipped_example_is_a_job(void **state)
{
    struct fixture *fixture = *state;
    char path[1024];
    snprintf(path, sizeof path, "%s/configs/job.yaml", getenv("ENTENTE_SOURCE_DIR"));
    if (job_file_load(path, NOW_WALL_MS, &fixture->arena, &fixture->job, &fixture->fault) !=
        STATUS_OK)
        fail_msg("%s", fixture->fault.text);
    const struct demand *demand = &fixture->job.demand;
    assert_int_equal(demand->gpus_min, 1);
    assert_int_equal(demand->gpus_max, 4);
    assert_int_equal(demand->value_nanos_per_example, 2000);
    assert_int_equal(demand->deadline_wall_ms, NOW_WALL_MS + INT64_C(12) * 3600 * 1000);
    assert_int_equal(demand->hint_count, 3);
    assert_string_equal(demand->data_sets[0].places[0].text, "usc");
    assert_int_equal(fixture->job.specification.limits.memory_bytes, (int64_t)2 << 30);
    assert_int_equal(fixture->job.retries, 2);
}

static void a_loaded_job_is_one_that_the_wire_takes(void **state)
{
    struct fixture *fixture = *state;
    struct bytes bytes;
    void *decoded = NULL;
    assert_ok(load(fixture, HEAD "files: [train, lib]\nresults: [model]\n"));
    assert_ok(wire_encode(&message_job_submission, &fixture->job, &fixture->arena, &bytes, NULL));
    if (wire_decode(&message_job_submission, bytes, &fixture->arena, &decoded, &fixture->fault) !=
        STATUS_OK)
        fail_msg("%s", fixture->fault.text);
    const struct job_submission *back = decoded;
    assert_string_equal(back->specification.files[1].path, "lib");
    assert_string_equal(back->directory, fixture->directory);
}

static void what_is_left_out_has_its_default(void **state)
{
    struct fixture *fixture = *state;
    assert_ok(load(fixture, HEAD));
    assert_int_equal(fixture->job.demand.gpus_min, 1);
    assert_int_equal(fixture->job.demand.gpus_max, 1);
    assert_int_equal(fixture->job.retries, 3);
    assert_int_equal(fixture->job.placement, JOB_ANY);
    assert_string_equal(fixture->job.specification.checkpoint_path, "");
    assert_int_equal(fixture->job.demand.price_max.nanos, 0);
    assert_int_equal(fixture->job.demand.deadline_wall_ms, 0);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *line;
        const char *word;
    } wrong[] = {
        {HEAD "files: [../secret]\n", "job.yaml:6:", "without '..'"},
        {HEAD "files: [/etc/passwd]\n", "job.yaml:6:", "relative"},
        {HEAD "results: ['']\n", "job.yaml:6:", "not a path"},
        {HEAD "checkpoint: a/../../b\n", "job.yaml:6:", "not a path"},
        {HEAD "gpus: {min: 4, max: 2}\n", "job.yaml:6:", "below gpus.min"},
        {HEAD "gpus: {min: 0}\n", "job.yaml:6:", "within 1"},
        {HEAD "placement: anywhere\n", "job.yaml:6:", "none of any, federated, local"},
        {HEAD "deadline: 2020-01-01\n", "job.yaml:6:", "is past"},
        {HEAD "deadline: tomorrow\n", "job.yaml:6:", "neither a time"},
        {HEAD "throughput:\n  - {gpu: A, gpus: 1, examples_per_second: 0}\n",
         "job.yaml:7:", "number from"},
        {HEAD "retries: 2000\n", "job.yaml:6:", "within 0 to 1000"},
        {HEAD "environment: [novalue]\n", "job.yaml:6:", "NAME=value"},
        {"command: [./train]\nmodel: m\nbatch: 8\nexamples: inf\nvalue_per_example: 1\n",
         "job.yaml:4:", "from 1 to 1e15"},
        {"command: [./train]\nmodel: m\nbatch: 8\nexamples: 1\nvalue_per_example: -1\n",
         "job.yaml:5:", "must be a number"},
        {HEAD "chekpoint: a\n", "job.yaml:6:", "checkpoint"},
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
        TEST(the_shipped_example_is_a_job),
        TEST(a_loaded_job_is_one_that_the_wire_takes),
        TEST(what_is_left_out_has_its_default),
        TEST(what_is_wrong_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
