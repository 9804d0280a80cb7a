/* The fake keeps the contract that the process executor keeps, so that what is tested with one
 * holds with the other. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/peer/executor_fake.h"

struct place {
    char root[256];
    char directory[512];
    struct clock_simulated clock;
    struct executor_fake fake;
    struct job_specification specification;
    struct executor_run run;
    struct name gpu;
};

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    support_make_directory(place->root);
    snprintf(place->directory, sizeof place->directory, "%s/run", place->root);
    clock_simulated_init(&place->clock, 0);
    executor_fake_init(&place->fake, &place->clock.clock);
    place->specification =
        (struct job_specification){.job = {"usc-1"}, .checkpoint_path = "state/checkpoint"};
    place->run = (struct executor_run){
        .directory = place->directory,
        .specification = &place->specification,
        .gpu = &place->gpu,
        .gpu_count = 2,
    };
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    support_remove_tree(place->root);
    free(place);
    return 0;
}

static struct executor_status look(struct place *place)
{
    struct executor_status status;
    place->fake.executor.operations->watch(&place->fake.executor, place->directory, &status);
    return status;
}

static void start(struct place *place)
{
    struct executor *executor = &place->fake.executor;
    assert_ok(executor->operations->prepare(executor, place->directory, NULL));
    assert_ok(executor->operations->start(executor, &place->run, NULL));
}

static void a_scripted_job_runs_to_its_end(void **state)
{
    struct place *place = *state;
    executor_fake_script(&place->fake,
                         &(struct fake_script){.examples_per_second = 100, .examples = 1000});
    assert_int_equal(
        place->fake.executor.operations->start(&place->fake.executor, &place->run, NULL),
        STATUS_PRECONDITION);
    start(place);
    start(place);
    assert_int_equal(place->fake.starts, 1);
    clock_simulated_advance(&place->clock, 4000); /* two GPUs: 200/s */
    assert_int_equal(look(place).examples, 800);
    clock_simulated_advance(&place->clock, 2000);
    assert_int_equal(look(place).phase, EXECUTOR_EXITED);
    assert_int_equal(look(place).examples, 1000);
    assert_int_equal(look(place).exit_code, 0);
}

static void a_stopped_job_resumes_from_its_checkpoint(void **state)
{
    struct place *place = *state;
    struct executor *executor = &place->fake.executor;
    executor_fake_script(&place->fake,
                         &(struct fake_script){.examples_per_second = 100, .stop_takes_ms = 500});
    start(place);
    clock_simulated_advance(&place->clock, 4000);
    assert_ok(executor->operations->stop(executor, place->directory, 1000, NULL));
    assert_int_equal(look(place).phase, EXECUTOR_RUNNING);
    clock_simulated_advance(&place->clock, 500);
    assert_int_equal(look(place).phase, EXECUTOR_STOPPED);
    assert_int_equal(look(place).exit_code, FAKE_EXIT_STOPPED);
    assert_int_equal(look(place).checkpoint_number, 1);
    executor->operations->release(executor, place->directory);
    assert_int_equal(look(place).phase, EXECUTOR_ABSENT);
    start(place);
    assert_int_equal(look(place).examples, 900);
}

static void a_slow_job_is_killed_at_the_grace_without_a_checkpoint(void **state)
{
    struct place *place = *state;
    struct executor *executor = &place->fake.executor;
    executor_fake_script(&place->fake,
                         &(struct fake_script){.examples_per_second = 100, .stop_takes_ms = 5000});
    start(place);
    assert_ok(executor->operations->stop(executor, place->directory, 1000, NULL));
    clock_simulated_advance(&place->clock, 1000);
    assert_int_equal(look(place).exit_code, 137);
    assert_int_equal(look(place).checkpoint_number, 0);
}

static void a_reboot_loses_what_runs(void **state)
{
    struct place *place = *state;
    struct executor *executor = &place->fake.executor;
    start(place);
    assert_ok(executor->operations->adopt(executor, place->directory, NULL));
    executor_fake_reboot(&place->fake);
    assert_int_equal(look(place).phase, EXECUTOR_LOST);
    assert_int_equal(executor->operations->adopt(executor, place->directory, NULL),
                     STATUS_NOT_FOUND);
}

static void checkpoints_come_at_their_times_and_failures_too(void **state)
{
    struct place *place = *state;
    executor_fake_script(&place->fake, &(struct fake_script){.job = "usc-1",
                                                             .examples_per_second = 100,
                                                             .checkpoint_ms = 1000,
                                                             .fails_after_ms = 3500,
                                                             .fail_code = 9});
    start(place);
    clock_simulated_advance(&place->clock, 1000);
    assert_int_equal(look(place).checkpoint_number, 1);
    clock_simulated_advance(&place->clock, 2400);
    assert_int_equal(look(place).checkpoint_number, 3);
    clock_simulated_advance(&place->clock, 200);
    assert_int_equal(look(place).phase, EXECUTOR_EXITED);
    assert_int_equal(look(place).exit_code, 9);
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(a_scripted_job_runs_to_its_end),
        CLAIM(a_stopped_job_resumes_from_its_checkpoint),
        CLAIM(a_slow_job_is_killed_at_the_grace_without_a_checkpoint),
        CLAIM(a_reboot_loses_what_runs),
        CLAIM(checkpoints_come_at_their_times_and_failures_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
