/* The link: everything is told until the broker has it, and has its effect once. */
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

#include "peer/home/home.h"
#include "peer/link/link.h"
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

static struct name endless(struct sim_peer *home)
{
    return sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED});
}

static void a_receipt_is_kept_until_the_broker_took_it(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    sim->broker.takes_receipts = false;
    struct lease_id lease = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 1000);
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 3000);
    assert_null(sim_receipt(sim, lease, 1));
    assert_int_equal(spool_receipts_count(host->spool), 1);
    sim_kill(host);
    sim_start(host);
    assert_int_equal(spool_receipts_count(host->spool), 1);
    sim->broker.takes_receipts = true;
    sim_run(sim, 70000);
    assert_non_null(sim_receipt(sim, lease, 1));
    assert_int_equal(spool_receipts_count(host->spool), 0);
}

static void a_silent_home_does_not_keep_a_receipt_from_the_broker(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id lease = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 1000);
    sim_kill(home);
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 60 * 1000);
    assert_null(sim_receipt(sim, lease, 1));
    for (int minute = 0; minute < 16; minute++)
        sim_run(sim, 60 * 1000);
    assert_non_null(sim_receipt(sim, lease, 1));
    assert_false(sim_receipt_signed(sim, lease, 1));
}

static void an_event_is_handled_once_however_often_it_comes(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id lease = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 1000);
    for (int again = 0; again < 3; again++) {
        assert_ok(spool_put_number(host->spool, "lease-events-seen", 0, NULL)); /* it forgot */
        assert_ok(spool_put_number(home->spool, "lease-events-seen", 0, NULL));
        sim_broker_away(sim, true);
        sim_run(sim, 200);
        sim_broker_away(sim, false);
        sim_run(sim, 15000);
    }
    assert_int_equal(host->executor.starts, 1);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RUNNING), 1);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_REFUSED), 0);
}

static void the_heartbeat_says_what_is_held(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    sim_grant(sim, endless(home), host, 0x5);
    sim_run(sim, 1000);
    const struct heartbeat_request *beat = &sim->broker.newest[1];
    assert_int_equal(beat->held_count, 1);
    assert_int_equal(beat->offer.pools[0].nodes[0].leased_gpus, 0x5);
    assert_int_equal(beat->offer.pools[0].nodes[0].free_gpus, 0xa);
    assert_true(beat->lease_events_seen >= 1);
}

static void a_broker_that_was_away_hears_all_it_missed(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor,
                         &(struct fake_script){.examples_per_second = 1000, .examples = 3000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 3000});
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 500);
    sim_broker_away(sim, true);
    struct name missed = sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED});
    sim_run(sim, 30000);
    assert_null(sim_demand(sim, missed));
    sim_broker_away(sim, false);
    sim_run(sim, 15000);
    assert_non_null(sim_demand(sim, missed));
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RELEASED), 1);
    assert_true(sim_receipt_signed(sim, lease, 1));
    assert_true(sim_cancelled(sim, job, true));
}

static void a_peer_knows_the_lease_keys_before_its_first_heartbeat(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    sim_kill(host);
    sim_broker_away(sim, true);
    sim_start(host);
    assert_int_equal(host->peer->keys.count, 1);
    sim_broker_away(sim, false);
    sim_grant(sim, job, host, 0x1);
    sim_run(sim, 15000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
}

static void a_revoked_member_is_not_served(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *host = &sim->peers[1];
    static struct name revoked = {"charlie"};
    struct rpc_caller caller = {
        .authenticated = true,
        .subject = {.role = IDENTITY_MEMBER, .member = revoked},
    };
    const struct rpc_handler *any = &host->listener.handlers[0];
    assert_ok(host->listener.admit(host->peer, &caller, any->method, NULL));
    struct name *list = calloc(1, sizeof *list);
    *list = revoked;
    free(host->peer->revoked);
    host->peer->revoked = list;
    host->peer->revoked_count = 1;
    assert_int_equal(host->listener.admit(host->peer, &caller, any->method, NULL), STATUS_DENIED);
    caller.subject.role = IDENTITY_BROKER;
    assert_int_equal(host->listener.admit(host->peer, &caller, any->method, NULL),
                     STATUS_UNAUTHENTICATED);
}

static void an_event_that_could_not_be_kept_comes_again(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home), next = endless(home);
    struct lease_id first = sim_grant(sim, job, host, 0x1);
    sim_run(sim, SIM_LEASE_MS - 4000);
    support_full_disk(1); /* of both, for two seconds */
    struct lease_id renewal = sim_renew(sim, first, 4000);
    struct lease_id other = sim_grant(sim, next, host, 0x2);
    sim_run(sim, 2000);
    assert_int_equal(sim_reports(sim, other, LEASE_REPORT_REFUSED), 0);
    support_full_disk(0);
    sim_run(sim, SIM_LEASE_MS - 1000);
    assert_int_equal(sim_reports(sim, renewal, LEASE_REPORT_RUNNING), 1);
    assert_int_equal(sim_reports(sim, other, LEASE_REPORT_RUNNING), 1);
    assert_int_equal(host->executor.starts, 2);
    assert_true(sim_receipt_signed(sim, first, 1));
}

static void who_is_shut_out_stops_the_jobs_of_others_and_no_other(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name foreign = endless(home), own = endless(host);
    sim_grant(sim, foreign, host, 0x1);
    sim_grant(sim, own, host, 0x2);
    sim_run(sim, 1000);
    assert_int_equal(sim_row(home, foreign).state, JOB_STATE_RUNNING);
    assert_int_equal(sim_row(host, own).state, JOB_STATE_RUNNING);
    sim_broker_away(sim, true); /* a broker that is not there shuts nobody out */
    sim_run(sim, 3 * SIM_HEARTBEAT_MS);
    assert_int_equal(sim_row(home, foreign).state, JOB_STATE_RUNNING);
    sim_broker_away(sim, false);
    sim->broker.shuts_out[1] = true;
    sim_run(sim, 15 * 1000);
    assert_int_not_equal(sim_row(home, foreign).state, JOB_STATE_RUNNING);
    assert_int_equal(sim_row(host, own).state, JOB_STATE_RUNNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_receipt_is_kept_until_the_broker_took_it),
        TEST(a_silent_home_does_not_keep_a_receipt_from_the_broker),
        TEST(an_event_is_handled_once_however_often_it_comes),
        TEST(the_heartbeat_says_what_is_held),
        TEST(a_broker_that_was_away_hears_all_it_missed),
        TEST(a_peer_knows_the_lease_keys_before_its_first_heartbeat),
        TEST(a_revoked_member_is_not_served),
        TEST(an_event_that_could_not_be_kept_comes_again),
        TEST(who_is_shut_out_stops_the_jobs_of_others_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
