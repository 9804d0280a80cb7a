#include "tests/broker/broker_fixture.h"

#include "proto/rpc/loop_internal.h"

enum { WAIT_MS = 60000 /* a bound for a machine that is busy; nothing here is timed */ };

/* What came of the rounds. */
struct seen {
    uint32_t commits;
    uint32_t told;
    bool interim; /* of the newest report */
    uint32_t wanted;
};

static void on_commit(void *context)
{
    ((struct seen *)context)->commits++;
}

static void on_told(void *context, const struct round_response *report, const struct fault *fault)
{
    struct seen *seen = context;
    (void)fault;
    assert_non_null(report);
    seen->told++;
    seen->interim = report->row.interim;
}

static bool committed(const void *context)
{
    const struct seen *seen = context;
    return seen->commits >= seen->wanted;
}

static struct seen *attach(struct fed *fed)
{
    struct seen *seen = arena_alloc(&fed->arena, 1, sizeof *seen);
    assert_non_null(seen);
    fed->daemon.rounds.on_commit = on_commit;
    fed->daemon.rounds.context = seen;
    return seen;
}

/* Lets what is due now run, to the next commit where one is expected. */
static void pump(struct fed *fed, struct seen *seen, uint32_t commits)
{
    seen->wanted = seen->commits + commits;
    if (commits > 0)
        assert_true(rpc_loop_run_until(fed->daemon.loop, committed, seen, WAIT_MS, false));
    /* A poll without waiting, for what should not happen. */
    rpc_loop_run_until(fed->daemon.loop, committed, seen, 0, false);
}

static struct fed_member *one_member(struct fed *fed)
{
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 4, 0.001);
    return usc;
}

static void a_submission_brings_an_interim_round_after_the_delay(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct fed_member *usc = one_member(fed);
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    assert_null(fed->daemon.rounds.running);
    fed_advance(fed, fed->config.interim_delay_ms);
    pump(fed, seen, 1);
    assert_true(fed_has_lease(fed, "usc-1"));
    assert_true(fed->daemon.rounds.newest->interim);
}

static void a_full_round_runs_a_lead_before_the_epochs_end(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct fed_member *usc = one_member(fed);
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    assert_int_equal(rounds_next_in_ms(&fed->daemon.rounds), FED_ROUND_MS - FED_LEAD_MS);
    fed_advance(fed, fed->config.interim_delay_ms);
    pump(fed, seen, 1);
    struct store_lease first = fed_start(fed, usc, "usc-1");
    fed_to_full_round(fed);
    pump(fed, seen, 1);
    assert_false(fed->daemon.rounds.newest->interim);
    assert_true(lease_id_equal(fed_lease(fed, "usc-1").lease->continues, first.lease->id));
}

static void who_asks_for_a_full_round_is_not_told_of_an_interim_one(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct rounds_waiter full = {.full = true, .done = on_told, .context = seen};
    struct rounds_waiter now = {.full = false, .done = on_told, .context = seen};
    fed_beat(fed, one_member(fed));
    assert_ok(rounds_ask(&fed->daemon.rounds, &full, &fed->fault));
    assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
    pump(fed, seen, 1);
    assert_int_equal(seen->told, 1);
    assert_true(seen->interim);
    fed_to_full_round(fed);
    pump(fed, seen, 1);
    assert_int_equal(seen->told, 2);
    assert_false(seen->interim);
}

static void a_refused_job_sits_out_twice_as_long_each_time(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct fed_member *usc = one_member(fed);
    struct rounds_waiter now = {.full = false, .done = on_told, .context = seen};
    int64_t pause_ms = BACKOFF_MS_FIRST;
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    fed_advance(fed, fed->config.interim_delay_ms);
    pump(fed, seen, 1);
    for (int i = 0; i < 3; i++, pause_ms *= 2) {
        struct store_lease refused = fed_lease(fed, "usc-1");
        assert_int_equal(refused.state, LEASE_STATE_GRANTED);
        fed_report(fed, &refused, LEASE_REPORT_REFUSED);
        fed_advance(fed, pause_ms - 1);
        fed_beat(fed, usc);
        assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
        pump(fed, seen, 1);
        assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_VOIDED);
        fed_advance(fed, 1);
        assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
        pump(fed, seen, 1);
    }
}

static void a_released_job_waits_for_its_homes_word(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct fed_member *usc = one_member(fed);
    struct rounds_waiter now = {.full = false, .done = on_told, .context = seen};
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    fed_advance(fed, fed->config.interim_delay_ms);
    pump(fed, seen, 1);
    struct store_lease lease = fed_start(fed, usc, "usc-1");
    fed_report(fed, &lease, LEASE_REPORT_RELEASED);
    fed_occupy(usc, &lease, false);
    fed_beat(fed, usc);
    assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
    pump(fed, seen, 1);
    assert_true(lease_id_equal(fed_lease(fed, "usc-1").lease->id, lease.lease->id));
    fed_submit(fed, usc, "usc-1", 1, 0.001); /* it is not done: it wants to go on */
    assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
    pump(fed, seen, 1);
    assert_false(lease_id_equal(fed_lease(fed, "usc-1").lease->id, lease.lease->id));
}

static void a_started_broker_waits_for_its_members_before_it_ends_a_lease(void **state)
{
    struct fed *fed = *state;
    struct seen *seen = attach(fed);
    struct fed_member *usc = one_member(fed);
    struct rounds_waiter now = {.full = false, .done = on_told, .context = seen};
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 1, 0.001);
    fed_advance(fed, fed->config.interim_delay_ms);
    pump(fed, seen, 1);
    fed_start(fed, usc, "usc-1");
    /* as after a restart: leases in the store, nobody heard */
    registry_forget(&fed->daemon.core.registry, &usc->name);
    fed->daemon.rounds.warm = false;
    fed->daemon.rounds.warm_from_boot_ms = fed->clock.now_boot_ms + 15000;
    assert_ok(rounds_ask(&fed->daemon.rounds, &now, &fed->fault));
    pump(fed, seen, 0);
    assert_null(fed->daemon.rounds.running);
    assert_int_equal(seen->told, 0);
    fed_beat(fed, usc); /* everybody is here */
    fed_advance(fed, 1000);
    pump(fed, seen, 1);
    assert_int_equal(seen->told, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_submission_brings_an_interim_round_after_the_delay),
        CASE(a_full_round_runs_a_lead_before_the_epochs_end),
        CASE(who_asks_for_a_full_round_is_not_told_of_an_interim_one),
        CASE(a_refused_job_sits_out_twice_as_long_each_time),
        CASE(a_released_job_waits_for_its_homes_word),
        CASE(a_started_broker_waits_for_its_members_before_it_ends_a_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
