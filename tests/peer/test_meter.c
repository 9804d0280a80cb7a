/* The meter: receipts add up to the time held, never overlap, and the host bears what it loses. */
#include "tests/support/support.h"

#include "base/rng.h"
#include "peer/host/meter.h"

/* A lease of 60 s with 30 s of holdover, accepted at 1000 ms on the host's boot clock. */
enum { ACCEPTED = 1000, DURATION = 60000, HOLDOVER = 30000, FIRM_END = ACCEPTED + DURATION };

static struct lease make_lease(int64_t starts_in_ms)
{
    return (struct lease){
        .id = {1, 2, 3},
        .job = {"usc-1"},
        .home = {"usc"},
        .host = {"isi"},
        .gpu_count = 4,
        .starts_in_ms = starts_in_ms,
        .duration_ms = DURATION,
        .holdover_ms = HOLDOVER,
    };
}

static struct meter start_at(int64_t ready_boot_ms)
{
    struct lease const lease = make_lease(0);
    struct meter meter;
    meter_start(&meter, &lease, ACCEPTED, &(struct meter_reading){ready_boot_ms, 10, 640});
    return meter;
}

static void held_time_runs_from_both_ready_not_from_acceptance(void **state)
{
    (void)state;
    struct meter meter = start_at(ACCEPTED + 5000); /* staging took 5 s */
    meter_observe(&meter, &(struct meter_reading){31000, 110, 7040});
    struct receipt receipt;
    meter_release(&meter, 36000, 99, LEASE_OUTCOME_COMPLETED, &receipt);
    assert_int_equal(receipt.held_ms, 30000);
    assert_int_equal(receipt.unpayable_ms, 0);
    assert_int_equal(receipt.steps, 100);
    assert_int_equal(receipt.examples, 6400); /* what the checkpoint had is not counted again */
    assert_int_equal(receipt.sequence, 1);
    assert_int_equal(receipt.gpu_count, 4);
    assert_int_equal(receipt.ended_wall_ms, 99);
    assert_true(receipt.last);
    assert_string_equal(receipt.host.text, "isi");
    assert_true(lease_id_equal(receipt.lease, (struct lease_id){1, 2, 3}));
}

static void throughput_is_measured_from_the_first_progress_to_the_last(void **state)
{
    (void)state;
    struct meter meter = start_at(2000); /* resumed with 640 examples */
    /* 3 s to start, then 64 examples a step and ten steps a second, then 2 s to stop */
    meter_observe(&meter, &(struct meter_reading){4000, 10, 640});
    meter_observe(&meter, &(struct meter_reading){5000, 11, 704});
    meter_observe(&meter, &(struct meter_reading){15000, 111, 7104});
    meter_observe(&meter, &(struct meter_reading){17000, 111, 7104});
    struct receipt receipt;
    meter_release(&meter, 17500, 99, LEASE_OUTCOME_COMPLETED, &receipt);
    assert_int_equal(receipt.measured_ms, 10000);
    assert_int_equal(receipt.measured_steps, 100);
    assert_int_equal(receipt.measured_examples, 6400);
    assert_int_equal(receipt.examples, 6464); /* the first step is paid for, but not measured */
}

static void a_renewed_job_is_measured_on_from_where_its_last_receipt_ended(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    struct lease const next = make_lease(0);
    struct receipt receipt;
    meter_observe(&meter, &(struct meter_reading){10000, 20, 1280});
    meter_observe(&meter, &(struct meter_reading){60000, 120, 7680});
    meter_release(&meter, FIRM_END, 99, LEASE_OUTCOME_RENEWED, &receipt);
    assert_int_equal(receipt.measured_ms, 50000);
    assert_int_equal(receipt.measured_examples, 6400);
    meter_continue(&meter, &next, FIRM_END, &meter);
    meter_observe(&meter, &(struct meter_reading){90000, 180, 11520});
    meter_release(&meter, 91000, 99, LEASE_OUTCOME_COMPLETED, &receipt);
    assert_int_equal(receipt.measured_ms, 30000); /* no second start to leave out */
    assert_int_equal(receipt.measured_examples, 3840);
}

static void a_job_that_shows_no_progress_is_not_measured(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    struct receipt receipt;
    meter_observe(&meter, &(struct meter_reading){30000, 10, 640});
    meter_release(&meter, 31000, 99, LEASE_OUTCOME_STOPPED, &receipt);
    assert_int_equal(receipt.measured_ms, 0);
    assert_int_equal(receipt.measured_examples, 0);
}

static void phases_change_at_the_firm_end_and_at_the_limit(void **state)
{
    (void)state;
    struct meter const meter = start_at(2000);
    assert_int_equal(meter_phase(&meter, FIRM_END - 1), METER_FIRM);
    assert_int_equal(meter_phase(&meter, FIRM_END), METER_HOLDOVER);
    assert_int_equal(meter_phase(&meter, FIRM_END + HOLDOVER - 1), METER_HOLDOVER);
    assert_int_equal(meter_phase(&meter, FIRM_END + HOLDOVER), METER_OVER);
}

static void a_renewal_begins_where_its_predecessor_ended(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    meter_observe(&meter, &(struct meter_reading){61500, 500, 30000});
    struct receipt first;
    /* noticed half a second late, closed at the firm end */
    meter_release(&meter, FIRM_END, 0, LEASE_OUTCOME_RENEWED, &first);
    assert_int_equal(first.held_ms, FIRM_END - 2000);
    /* accepted 10 s before it starts */
    struct lease const lease = make_lease(10000);
    meter_continue(&meter, &lease, FIRM_END - 10000, &meter);
    assert_int_equal(meter_phase(&meter, FIRM_END + DURATION - 1), METER_FIRM);
    assert_int_equal(meter_phase(&meter, FIRM_END + DURATION), METER_HOLDOVER);
    meter_observe(&meter, &(struct meter_reading){70000, 600, 40000});
    struct receipt second;
    meter_release(&meter, 71000, 0, LEASE_OUTCOME_STOPPED, &second);
    assert_int_equal(second.held_ms, 71000 - FIRM_END);
    assert_int_equal(second.sequence, 1); /* of another lease */
    assert_int_equal(first.examples + second.examples, 40000 - 640);
}

static void holdover_receipts_are_cut_at_whole_periods(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    struct receipt receipt;
    assert_false(meter_holdover_receipt(&meter, FIRM_END - 1, 0, 10000, &receipt));
    /* asked late: two are due, at the firm end and one period later */
    assert_true(meter_holdover_receipt(&meter, FIRM_END + 10500, 0, 10000, &receipt));
    assert_int_equal(receipt.held_ms, FIRM_END - 2000);
    assert_int_equal(receipt.sequence, 1);
    assert_false(receipt.last);
    assert_true(meter_holdover_receipt(&meter, FIRM_END + 10500, 0, 10000, &receipt));
    assert_int_equal(receipt.held_ms, 10000);
    assert_int_equal(receipt.sequence, 2);
    assert_false(meter_holdover_receipt(&meter, FIRM_END + 10500, 0, 10000, &receipt));
    meter_release(&meter, FIRM_END + 12000, 0, LEASE_OUTCOME_STOPPED, &receipt);
    assert_int_equal(receipt.held_ms, 2000);
    assert_int_equal(receipt.sequence, 3);
    assert_true(receipt.last);
    assert_false(meter_holdover_receipt(&meter, FIRM_END + 90000, 0, 10000, &receipt));
    assert_int_equal(meter_held_ms(&meter, FIRM_END + 90000), FIRM_END + 12000 - 2000);
}

static void a_host_that_fails_is_not_paid_since_the_last_checkpoint(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    meter_checkpoint(&meter, 20000);
    meter_observe(&meter, &(struct meter_reading){32000, 0, 0});
    struct receipt receipt;
    meter_release(&meter, 32000, 0, LEASE_OUTCOME_HOST_FAILED, &receipt);
    assert_int_equal(receipt.held_ms, 30000);
    assert_int_equal(receipt.unpayable_ms, 12000);
    assert_int_equal(receipt.checkpoints, 1);
}

static void a_host_that_fails_before_any_checkpoint_is_not_paid_at_all(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    struct receipt receipt;
    meter_release(&meter, 32000, 0, LEASE_OUTCOME_HOST_FAILED, &receipt);
    assert_int_equal(receipt.unpayable_ms, receipt.held_ms);
}

/* The first receipt is signed already when the host fails later; it is not paid less for it. */
static void what_an_earlier_receipt_covers_is_not_taken_back(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    struct receipt receipt;
    assert_true(meter_holdover_receipt(&meter, FIRM_END, 0, 10000, &receipt));
    meter_release(&meter, FIRM_END + 4000, 0, LEASE_OUTCOME_HOST_FAILED, &receipt);
    assert_int_equal(receipt.held_ms, 4000);
    assert_int_equal(receipt.unpayable_ms, 4000);
}

static void after_a_reboot_time_stands_where_it_was_last_seen(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    meter_observe(&meter, &(struct meter_reading){30000, 50, 3200});
    struct receipt receipt;
    /* the boot clock began anew: 700 ms after the reboot */
    meter_release(&meter, 700, 0, LEASE_OUTCOME_HOST_FAILED, &receipt);
    assert_int_equal(receipt.held_ms, 28000);
    assert_int_equal(receipt.unpayable_ms, 28000);
}

static void counts_never_go_back_when_a_job_starts_over(void **state)
{
    (void)state;
    struct meter meter = start_at(2000);
    meter_observe(&meter, &(struct meter_reading){10000, 100, 6400});
    meter_observe(&meter, &(struct meter_reading){11000, 20, 1280});
    struct receipt receipt;
    meter_release(&meter, 12000, 0, LEASE_OUTCOME_STOPPED, &receipt);
    assert_int_equal(receipt.steps, 90);
    assert_int_equal(receipt.examples, 6400 - 640);
}

static void an_unused_lease_is_held_for_nothing(void **state)
{
    (void)state;
    struct lease const lease = make_lease(0);
    struct receipt receipt;
    meter_unused(&lease, 5, &receipt);
    assert_int_equal(receipt.held_ms, 0);
    assert_int_equal(receipt.outcome, LEASE_OUTCOME_UNUSED);
    assert_true(receipt.last);
    struct meter meter = start_at(2000);
    meter_release(&meter, 9000, 0, LEASE_OUTCOME_UNUSED, &receipt);
    assert_int_equal(receipt.held_ms, 0);
}

/* Whatever happens in whatever order: the receipts of a lease sum to the time held, each within
 * bounds. 500 random lives of up to 40 events. */
static void receipts_add_up_to_the_time_held(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(20261123);
    struct rng rng;
    rng_init(&rng, seed, 0);
    for (int life = 0; life < 500; life++) {
        int64_t now = 2000;
        struct meter meter = start_at(now);
        struct receipt receipt;
        int64_t held = 0;
        uint64_t examples = 640;
        uint64_t receipted = 0;
        uint32_t sequence = 0;
        uint64_t const events = rng_below(&rng, 40);
        for (uint64_t e = 0; e < events; e++) {
            now += (int64_t)rng_below(&rng, 5000);
            examples += rng_below(&rng, 1000);
            meter_observe(&meter, &(struct meter_reading){now, 0, examples});
            if (rng_below(&rng, 4) == 0)
                meter_checkpoint(&meter, now);
            while (meter_holdover_receipt(&meter, now, 0, 7000, &receipt)) {
                held += receipt.held_ms;
                receipted += receipt.examples;
                if (receipt.sequence != ++sequence || receipt.held_ms <= 0)
                    fail_msg("seed %llu life %d", (unsigned long long)seed, life);
            }
        }
        enum lease_outcome const outcome =
            rng_below(&rng, 2) == 0 ? LEASE_OUTCOME_HOST_FAILED : LEASE_OUTCOME_COMPLETED;
        meter_release(&meter, now, 0, outcome, &receipt);
        held += receipt.held_ms;
        receipted += receipt.examples;
        if (held != now - 2000 || receipted != examples - 640 || receipt.unpayable_ms < 0 ||
            receipt.unpayable_ms > receipt.held_ms)
            fail_msg("seed %llu life %d", (unsigned long long)seed, life);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throughput_is_measured_from_the_first_progress_to_the_last),
        cmocka_unit_test(a_renewed_job_is_measured_on_from_where_its_last_receipt_ended),
        cmocka_unit_test(a_job_that_shows_no_progress_is_not_measured),
        cmocka_unit_test(held_time_runs_from_both_ready_not_from_acceptance),
        cmocka_unit_test(phases_change_at_the_firm_end_and_at_the_limit),
        cmocka_unit_test(a_renewal_begins_where_its_predecessor_ended),
        cmocka_unit_test(holdover_receipts_are_cut_at_whole_periods),
        cmocka_unit_test(a_host_that_fails_is_not_paid_since_the_last_checkpoint),
        cmocka_unit_test(a_host_that_fails_before_any_checkpoint_is_not_paid_at_all),
        cmocka_unit_test(what_an_earlier_receipt_covers_is_not_taken_back),
        cmocka_unit_test(after_a_reboot_time_stands_where_it_was_last_seen),
        cmocka_unit_test(counts_never_go_back_when_a_job_starts_over),
        cmocka_unit_test(an_unused_lease_is_held_for_nothing),
        cmocka_unit_test(receipts_add_up_to_the_time_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
