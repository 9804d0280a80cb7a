#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "broker/round/health.h"

enum { FAILURES = 3, WINDOW_MS = 600000, PAUSE_MS = 900000 };

struct ward {
    struct clock_simulated clock;
    struct broker_config config;
    struct health health;
    struct arena arena;
    struct lease lease;
};

static int ward_open(void **state)
{
    struct ward *ward = calloc(1, sizeof *ward);
    clock_simulated_init(&ward->clock, INT64_C(1795000000000));
    ward->clock.now_boot_ms = 1000;
    ward->config.quarantine_failures = FAILURES;
    ward->config.quarantine_window_ms = WINDOW_MS;
    ward->config.quarantine_pause_ms = PAUSE_MS;
    health_init(&ward->health, &ward->clock.clock, &ward->config);
    arena_init(&ward->arena, ARENA_MESSAGE_BYTES);
    *state = ward;
    return 0;
}

static int ward_close(void **state)
{
    struct ward *ward = *state;
    health_fini(&ward->health);
    arena_fini(&ward->arena);
    free(ward);
    return 0;
}

static const struct lease *lease_of(struct ward *ward, const char *home, const char *job,
                                    const char *host)
{
    ward->lease = (struct lease){.gpu_count = 1};
    snprintf(ward->lease.home.text, sizeof ward->lease.home.text, "%s", home);
    snprintf(ward->lease.job.text, sizeof ward->lease.job.text, "%s", job);
    snprintf(ward->lease.host.text, sizeof ward->lease.host.text, "%s", host);
    snprintf(ward->lease.gpu.text, sizeof ward->lease.gpu.text, "a100");
    return &ward->lease;
}

static struct collect_input avoid(struct ward *ward)
{
    struct collect_input input = {.round_ms = 1000};
    assert_ok(health_avoid(&ward->health, &ward->arena, &input, NULL));
    return input;
}

static void fail_at_isi(struct ward *ward, const char *home, const char *job)
{
    (void)health_start_failed(&ward->health, lease_of(ward, home, job, "isi"), true,
                              "no bubblewrap");
}

static void a_refused_start_keeps_that_job_from_that_host_alone_and_doubles(void **state)
{
    struct ward *ward = *state;
    assert_int_equal(
        health_start_failed(&ward->health, lease_of(ward, "usc", "usc-1", "isi"), true, ""), 2000);
    struct collect_input input = avoid(ward);
    assert_int_equal(input.avoided_count, 1);
    assert_string_equal(input.avoided[0].job.text, "usc-1");
    assert_string_equal(input.avoided[0].host.text, "isi");
    assert_int_equal(input.quarantined_count, 0);
    clock_simulated_advance(&ward->clock, 2000);
    assert_int_equal(avoid(ward).avoided_count, 0); /* it may be tried again */
    assert_int_equal(
        health_start_failed(&ward->health, lease_of(ward, "usc", "usc-1", "isi"), true, ""), 4000);
    health_start_worked(&ward->health, lease_of(ward, "usc", "usc-1", "isi"));
    assert_int_equal(avoid(ward).avoided_count, 0);
    assert_int_equal(
        health_start_failed(&ward->health, lease_of(ward, "usc", "usc-1", "isi"), true, ""), 2000);
}

static void failures_over_distinct_jobs_quarantine_the_pool_and_double(void **state)
{
    struct ward *ward = *state;
    fail_at_isi(ward, "usc", "usc-1");
    fail_at_isi(ward, "usc", "usc-1"); /* the same job again is no new witness */
    fail_at_isi(ward, "jpl", "jpl-1");
    assert_int_equal(avoid(ward).quarantined_count, 0);
    fail_at_isi(ward, "usc", "usc-2");
    struct collect_input input = avoid(ward);
    assert_int_equal(input.quarantined_count, 1);
    assert_string_equal(input.quarantined[0].member.text, "isi");
    struct quarantine_row *rows = NULL;
    uint32_t count = 0;
    assert_ok(health_list(&ward->health, 5000, &ward->arena, &rows, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].jobs, FAILURES);
    assert_int_equal(rows[0].until_wall_ms, 5000 + PAUSE_MS);
    assert_string_equal(rows[0].reason, "no bubblewrap");
    clock_simulated_advance(&ward->clock, PAUSE_MS);
    assert_int_equal(avoid(ward).quarantined_count, 0);
    fail_at_isi(ward, "usc", "usc-3");
    fail_at_isi(ward, "jpl", "jpl-2");
    fail_at_isi(ward, "usc", "usc-4");
    clock_simulated_advance(&ward->clock, PAUSE_MS);
    assert_int_equal(avoid(ward).quarantined_count, 1); /* twice as long */
}

static void no_home_alone_can_have_a_pool_quarantined(void **state)
{
    struct ward *ward = *state;
    char job[32];
    for (int i = 0; i < 20; i++) {
        snprintf(job, sizeof job, "usc-%d", i);
        fail_at_isi(ward, "usc", job);
    }
    assert_int_equal(avoid(ward).quarantined_count, 0);
    fail_at_isi(ward, "jpl", "jpl-1");
    assert_int_equal(avoid(ward).quarantined_count, 1);
}

static void old_failures_do_not_count(void **state)
{
    struct ward *ward = *state;
    fail_at_isi(ward, "usc", "usc-1");
    fail_at_isi(ward, "jpl", "jpl-1");
    clock_simulated_advance(&ward->clock, WINDOW_MS + 1);
    fail_at_isi(ward, "usc", "usc-2");
    assert_int_equal(avoid(ward).quarantined_count, 0);
}

static void a_host_whose_jobs_fail_at_once_is_a_black_hole_and_one_that_works_is_none(void **state)
{
    struct ward *ward = *state;
    const enum lease_outcome failed = LEASE_OUTCOME_JOB_FAILED;
    health_use_ended(&ward->health, lease_of(ward, "usc", "usc-1", "isi"), failed, 500);
    health_use_ended(&ward->health, lease_of(ward, "jpl", "jpl-1", "isi"), failed, 500);
    health_use_ended(&ward->health, lease_of(ward, "jpl", "jpl-2", "isi"), LEASE_OUTCOME_COMPLETED,
                     500); /* something came of it */
    health_use_ended(&ward->health, lease_of(ward, "jpl", "jpl-3", "isi"), failed, 500);
    assert_int_equal(avoid(ward).quarantined_count, 0);
    health_use_ended(&ward->health, lease_of(ward, "usc", "usc-2", "isi"), failed,
                     90000); /* late */
    health_use_ended(&ward->health, lease_of(ward, "usc", "usc-3", "isi"), failed, 500);
    assert_int_equal(avoid(ward).quarantined_count, 0);
    health_use_ended(&ward->health, lease_of(ward, "usc", "usc-4", "isi"),
                     LEASE_OUTCOME_HOST_FAILED, 500);
    assert_int_equal(avoid(ward).quarantined_count, 1);
}

static void an_operator_releases_a_pool_and_only_a_quarantined_one(void **state)
{
    struct ward *ward = *state;
    struct pool_id pool = {.member = {.text = "isi"}, .gpu = {.text = "a100"}};
    assert_int_equal(health_release(&ward->health, &pool, NULL), STATUS_NOT_FOUND);
    fail_at_isi(ward, "usc", "usc-1");
    fail_at_isi(ward, "jpl", "jpl-1");
    fail_at_isi(ward, "usc", "usc-2");
    assert_int_equal(avoid(ward).quarantined_count, 1);
    assert_ok(health_release(&ward->health, &pool, NULL));
    assert_int_equal(avoid(ward).quarantined_count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, ward_open, ward_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_refused_start_keeps_that_job_from_that_host_alone_and_doubles),
        CASE(failures_over_distinct_jobs_quarantine_the_pool_and_double),
        CASE(no_home_alone_can_have_a_pool_quarantined),
        CASE(old_failures_do_not_count),
        CASE(a_host_whose_jobs_fail_at_once_is_a_black_hole_and_one_that_works_is_none),
        CASE(an_operator_releases_a_pool_and_only_a_quarantined_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
