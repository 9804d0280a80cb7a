/* A job's way: submitted, leased, staged, run, delivered, receipted; with everything but market and
 * processes. */
#include "tests/support/support.h"

#include <string.h>

#include "peer/home/home.h"
#include "tests/sim/federation.h"

static int set_up(void **state)
{
    struct sim *sim = test_malloc(sizeof *sim);
    sim_open(sim);
    *state = sim;
    return 0;
}

static int tear_down(void **state)
{
    sim_close(*state);
    test_free(*state);
    return 0;
}

static void a_submitted_job_becomes_a_demand(void **state)
{
    struct sim *sim = *state;
    struct name job = sim_submit(&sim->peers[0], &(struct sim_job){.placement = JOB_FEDERATED});
    assert_string_equal(job.text, "alfa-1");
    const struct demand *demand = sim_demand(sim, job);
    assert_non_null(demand);
    assert_int_equal(demand->bundle_bytes, 10); /* "#!/bin/sh\n" */
    assert_false(demand->position.running);
}

static void a_leased_job_runs_at_its_host_to_its_end_and_is_receipted(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor, &(struct fake_script){.examples_per_second = 1000,
                                                                .examples = 12000,
                                                                .checkpoint_ms = 1000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 12000});
    struct lease_id lease = sim_grant(sim, job, host, 0x3);
    sim_run(sim, 500);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RUNNING), 1);
    assert_false(sim_demand(sim, job)->position.running); /* a short job is never told to run */
    sim_run(sim, 2500);
    assert_true(sim_demand(sim, job)->position.running);
    sim_run(sim, 5000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_DONE);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RELEASED), 1);
    assert_true(sim_cancelled(sim, job, true));
    const struct receipt *receipt = sim_receipt(sim, lease, 1);
    assert_non_null(receipt);
    assert_true(sim_receipt_signed(sim, lease, 1));
    assert_true(receipt->last);
    assert_int_equal(receipt->outcome, LEASE_OUTCOME_COMPLETED);
    assert_in_range(receipt->held_ms, 6000, 6000 + 2 * PEER_TICK_MS); /* 12000 examples, 2000/s */
    assert_int_equal(receipt->gpu_count, 2);
}

static void a_job_that_fails_is_tried_again_and_then_given_up(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(
        &host->executor,
        &(struct fake_script){.examples_per_second = 1000, .fails_after_ms = 500, .fail_code = 3});
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .retries = 1});
    sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    struct lease_id second = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_FAILED);
    assert_int_equal(sim_row(home, job).exit_code, 3);
    assert_int_equal(sim_receipt(sim, second, 1)->outcome, LEASE_OUTCOME_JOB_FAILED);
}

static void a_job_whose_lease_ended_goes_back_to_the_market_with_its_checkpoint(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1], *other = &sim->peers[2];
    executor_fake_script(&host->executor, &(struct fake_script){.examples_per_second = 1000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 100000});
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 5000);
    sim_say(sim, lease, LEASE_EVENT_END);
    sim_run(sim, SIM_LEASE_MS);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    const struct demand *demand = sim_demand(sim, job);
    assert_true(demand->checkpoint_bytes > 0);
    assert_in_range((int64_t)demand->work_left_examples, 88000, 91000); /* ten seconds are done */
    assert_int_equal(sim_receipt(sim, lease, 1)->outcome, LEASE_OUTCOME_STOPPED);
    sim_grant(sim, job, other, 0x1);
    sim_run(sim, 1500);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    assert_true(other->executor.runs[0].examples_before >= 9000); /* resumed, not begun again */
}

static void a_cancelled_job_is_stopped_wherever_it_runs(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED});
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 1000);
    assert_ok(home_cancel(home->peer->home, &job, NULL));
    sim_run(sim, 3000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_CANCELLED);
    assert_true(sim_cancelled(sim, job, false));
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RELEASED), 1);
    struct pool_count count = inventory_count(&host->peer->inventory.pools[0]);
    assert_int_equal(count.leased, 0);
}

static void a_lease_for_a_job_that_has_ended_is_declined(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED});
    assert_ok(home_cancel(home->peer->home, &job, NULL));
    struct lease_id lease = sim_grant(sim, job, &sim->peers[1], 0x1);
    sim_run(sim, 1000);
    assert_true(sim_reports(sim, lease, LEASE_REPORT_REFUSED) >= 1);
    assert_int_equal(sim->peers[1].executor.starts, 0);
}

static void a_home_hosts_its_own_job_the_same_way(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    executor_fake_script(&home->executor,
                         &(struct fake_script){.examples_per_second = 1000, .examples = 2000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 2000});
    struct lease_id lease = sim_grant(sim, job, home, 0x1);
    sim_run(sim, 4000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_DONE);
    assert_true(sim_receipt_signed(sim, lease, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_submitted_job_becomes_a_demand),
        TEST(a_leased_job_runs_at_its_host_to_its_end_and_is_receipted),
        TEST(a_job_that_fails_is_tried_again_and_then_given_up),
        TEST(a_job_whose_lease_ended_goes_back_to_the_market_with_its_checkpoint),
        TEST(a_cancelled_job_is_stopped_wherever_it_runs),
        TEST(a_lease_for_a_job_that_has_ended_is_declined),
        TEST(a_home_hosts_its_own_job_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
