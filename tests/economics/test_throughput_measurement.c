/* Rows of measurements: which are taken, and what is said of the others. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "economics/throughput/measurement.h"

#define HEADING "model,gpu_cluster,placement,num_nodes,num_replicas,local_bsz,step_time_s\n"

static struct arena arena;
static struct measurements set;
static struct fault fault;

static int open_set(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    measurements_init(&set, &arena);
    return 0;
}

static int close_set(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static enum status parse(const char *text, bool strict)
{
    char *copy = arena_copy_text(&arena, text, strlen(text));
    assert_non_null(copy);
    fault.text[0] = '\0';
    return measurements_parse(&set, "rows.csv", copy, strict, &fault);
}

static void rows_are_read_whatever_the_order_of_columns(void **state)
{
    (void)state;
    assert_ok(parse("step_time_s,local_bsz,other,num_replicas,num_nodes,gpu_cluster,model\r\n"
                    "0.5,20.0,x,4,2,aws,bert\r\n",
                    true));
    assert_int_equal(set.row_count, 1);
    const struct measurement *row = &set.rows[0];
    assert_near(row->seconds, 0.5, 0);
    assert_near(row->configuration.batch, 20, 0);
    assert_int_equal(row->configuration.gpus_on_fullest, 2);
    assert_string_equal(set.models[row->model].text, "bert");
    assert_string_equal(set.clusters[row->cluster].text, "aws");
}

static void a_placement_says_how_full_the_fullest_node_is(void **state)
{
    (void)state;
    assert_ok(parse(HEADING "m,c,134,3,8,4,1\nm,c,10-16,2,26,4,1\nm,c,,2,5,4,1\n", true));
    assert_int_equal(set.rows[0].configuration.gpus_on_fullest, 4);
    assert_int_equal(set.rows[1].configuration.gpus_on_fullest, 16);
    assert_int_equal(set.rows[2].configuration.gpus_on_fullest, 3);
}

static const char *const bad_rows[] = {
    "m,c,,1,1,4,0",        "m,c,,1,1,4,-1",  "m,c,,1,1,4,",        "m,c,,1,1,4,nan",
    "m,c,,1,1,4,1e9",      "m,c,,1,1,4,inf", "m,c,,1,1,0,1",       "m,c,,1,1,-4,1",
    "m,c,,0,1,4,1",        "m,c,,2,1,4,1",   "m,c,,1,0,4,1",       "m,c,,1,1.5,4,1",
    "m,c,12,2,4,4,1",      "m,c,x,1,1,4,1",  ",c,,1,1,4,1",        "m,,,1,1,4,1",
    "m,c,,1,99999999,4,1", "m,c,,1",         "m,c,,1,1,4,1 apple", "m,c,,1,1,4,1e-12",
    "m,c,,,1,4,1",         "m m,c,,1,1,4,1",
};

static void every_bad_row_is_skipped_and_named_with_its_line(void **state)
{
    (void)state;
    size_t const count = sizeof bad_rows / sizeof bad_rows[0];
    char text[4096] = HEADING "m,c,,1,1,4,1\n";
    size_t used = strlen(text);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", bad_rows[i]);
    assert_ok(parse(text, false));
    assert_int_equal(set.row_count, 1);
    assert_int_equal(set.skipped_count, count);
    assert_int_equal(set.complaint_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(set.complaints[i].line,
                         i + 3); /* the heading and the good row are first */
        assert_true(strlen(set.complaints[i].text) > 0);
    }
}

static void each_bad_row_is_refused_where_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, HEADING "m,c,,1,1,4,1\n%s\n", bad_rows[i]);
        assert_int_equal(parse(text, true), STATUS_INVALID);
        assert_non_null(strstr(fault.text, "rows.csv:3: "));
    }
}

static void a_heading_without_a_needed_column_is_refused_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(parse("model,gpu_cluster,num_nodes,num_replicas,local_bsz\n", false),
                     STATUS_INVALID);
    assert_non_null(strstr(fault.text, "step_time_s"));
    assert_int_equal(parse("", false), STATUS_INVALID);
}

static void a_file_without_one_good_row_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(HEADING "m,c,,1,1,4,0\n", false), STATUS_INVALID);
    assert_int_equal(parse(HEADING, false), STATUS_INVALID);
}

static void more_models_than_the_limit_are_refused(void **state)
{
    (void)state;
    struct measurement const row = {.configuration = configuration_even(1, 1, 4), .seconds = 1};
    for (int i = 0; i <= THROUGHPUT_MODELS_MAX; i++) {
        char model[16];
        snprintf(model, sizeof model, "m%d", i);
        assert_int_equal(measurements_add(&set, model, "c", &row, NULL),
                         i < THROUGHPUT_MODELS_MAX ? STATUS_OK : STATUS_EXHAUSTED);
    }
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, open_set, close_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SET(rows_are_read_whatever_the_order_of_columns),
        WITH_SET(a_placement_says_how_full_the_fullest_node_is),
        WITH_SET(every_bad_row_is_skipped_and_named_with_its_line),
        WITH_SET(each_bad_row_is_refused_where_asked),
        WITH_SET(a_heading_without_a_needed_column_is_refused_by_its_name),
        WITH_SET(a_file_without_one_good_row_is_refused),
        WITH_SET(more_models_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests_name("throughput_measurement", tests, NULL, NULL);
}
