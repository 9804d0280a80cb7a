/* Host: which leases it honours, what it does to a run as time and the broker go on, and what
 * survives its restart. */
#include "tests/support/support.h"

#include <string.h>

#include "peer/files/chunks.h"
#include "peer/home/home.h"
#include "peer/host/host.h"
#include "proto/wire/methods.h"
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

static uint32_t leased_gpus(const struct sim_peer *peer)
{
    return inventory_count(&peer->peer->inventory.pools[0]).leased;
}

/* The specification as home has it, by the demand's digest: from home's own spool. */
static struct accept_request visit(struct sim *sim, struct sim_peer *home, struct name job)
{
    struct bytes body;
    void *decoded = NULL;
    assert_ok(spool_body_get(home->spool, job.text, SPOOL_SUBMISSION, &sim->arena, &body, NULL));
    assert_ok(wire_decode(&message_job_submission, body, &sim->arena, &decoded, NULL));
    const struct job_submission *submission = decoded;
    return (struct accept_request){.specification = submission->specification};
}

static void a_lease_for_another_home_is_refused(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1], *thief = &sim->peers[2];
    struct name job = endless(home);
    struct accept_request request = visit(sim, home, job);
    struct fault fault;
    sim_make_lease(sim, job, host, 0x1, &request.signed_lease);
    assert_int_equal(host_accept(host->peer->host, &thief->config.member, &request, &fault),
                     STATUS_DENIED);
    assert_non_null(strstr(fault.text, "alfa"));
    assert_int_equal(leased_gpus(host), 0);
    assert_ok(host_accept(host->peer->host, &home->config.member, &request, &fault));
    assert_int_equal(leased_gpus(host), 1);
}

static void a_lease_is_honoured_once(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct accept_request request = visit(sim, home, job);
    struct lease lease = sim_make_lease(sim, job, host, 0x1, &request.signed_lease);
    const struct name *caller = &home->config.member;
    assert_ok(host_accept(host->peer->host, caller, &request, NULL));
    assert_ok(host_accept(host->peer->host, caller, &request, NULL)); /* the same visit repeated */
    struct stop_request stop = {.lease = lease.id, .reason = "not needed"};
    assert_ok(host_stop(host->peer->host, caller, &stop, NULL));
    assert_int_equal(host_accept(host->peer->host, caller, &request, NULL), STATUS_PRECONDITION);
    sim_kill(host);
    sim_start(host);
    assert_int_equal(host_accept(host->peer->host, caller, &request, NULL), STATUS_PRECONDITION);
    assert_int_equal(leased_gpus(host), 0);
}

static void files_over_the_hosts_staging_limit_are_refused_by_its_name(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct accept_request request = visit(sim, home, job);
    struct fault fault;
    sim_make_lease(sim, job, host, 0x1, &request.signed_lease);
    uint64_t bytes = file_set_bytes(
        &(struct file_set){request.specification.files, request.specification.file_count});
    assert_true(bytes > 1);
    host->config.executor.staging_bytes = bytes - 1;
    const struct name *caller = &home->config.member;
    assert_int_equal(host_accept(host->peer->host, caller, &request, &fault), STATUS_DENIED);
    assert_non_null(strstr(fault.text, "executor.staging"));
    host->config.executor.staging_bytes = bytes;
    assert_ok(host_accept(host->peer->host, caller, &request, &fault));
}

static void a_lease_on_gpus_in_use_is_refused(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    sim_grant(sim, endless(home), host, 0x3);
    sim_run(sim, 500);
    struct name second = endless(home);
    struct accept_request request = visit(sim, home, second);
    sim_make_lease(sim, second, host, 0x6, &request.signed_lease);
    assert_int_equal(host_accept(host->peer->host, &home->config.member, &request, NULL),
                     STATUS_PRECONDITION);
    assert_int_equal(leased_gpus(host), 2);
}

static void gpus_of_a_run_that_ends_may_be_promised_but_not_used(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id first = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 500);
    sim_say(sim, first, LEASE_EVENT_END);
    sim_run(sim, 500);
    struct name second = endless(home);
    struct accept_request request = visit(sim, home, second);
    struct lease lease = sim_make_lease(sim, second, host, 0x1, &request.signed_lease);
    const struct name *caller = &home->config.member;
    assert_ok(host_accept(host->peer->host, caller, &request, NULL));
    struct run *run = host_staging(host->peer->host, caller, lease.id);
    assert_non_null(run);
    assert_int_equal(host_start(host->peer->host, caller, lease.id, NULL), STATUS_UNAVAILABLE);
    assert_int_equal(host->executor.starts, 1);
}

static void a_renewed_lease_never_restarts_the_job(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id first = sim_grant(sim, job, host, 0x3);
    sim_run(sim, SIM_LEASE_MS - 2000);
    struct lease_id second = sim_renew(sim, first, 2000);
    sim_run(sim, SIM_LEASE_MS);
    assert_int_equal(host->executor.starts, 1);
    assert_int_equal(host->executor.stops, 0);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    const struct receipt *receipt = sim_receipt(sim, first, 1);
    assert_non_null(receipt);
    assert_int_equal(receipt->outcome, LEASE_OUTCOME_RENEWED);
    assert_true(receipt->last);
    assert_true(sim_receipt_signed(sim, first, 1));
    /* from the start, a few ticks after the grant, to the firm end */
    assert_in_range(receipt->held_ms, SIM_LEASE_MS - 500, SIM_LEASE_MS + PEER_TICK_MS);
    assert_int_equal(sim_reports(sim, second, LEASE_REPORT_RUNNING), 1);
    assert_int_equal(sim_reports(sim, first, LEASE_REPORT_RELEASED), 0);
}

static void without_the_brokers_word_the_job_goes_into_holdover(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 1000);
    sim_broker_away(sim, true);
    sim_run(sim, 3 * SIM_LEASE_MS);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    assert_int_equal(host->executor.stops, 0);
    sim_run(sim, SIM_HOLDOVER_MS); /* past the limit */
    assert_int_equal(host->executor.stops, 1);
    assert_int_equal(leased_gpus(host), 0);
    sim_broker_away(sim, false);
    sim_run(sim, 20000);
    assert_true(sim_receipt(sim, lease, 1)->held_ms >= SIM_LEASE_MS - 500);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RELEASED), 1);
}

static void a_lease_that_ends_stops_the_job_at_the_firm_end(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id lease = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 1000);
    sim_say(sim, lease, LEASE_EVENT_END);
    sim_run(sim, SIM_LEASE_MS - 2000);
    assert_int_equal(host->executor.stops, 0);
    sim_run(sim, 2000);
    assert_int_equal(host->executor.stops, 1);
    assert_int_equal(leased_gpus(host), 0);
    assert_true(sim_receipt(sim, lease, 1)->held_ms <= SIM_LEASE_MS + SIM_GRACE_MS);
}

static void a_stop_stops_at_once(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id lease = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 1000);
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 1000);
    assert_int_equal(leased_gpus(host), 0);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RELEASED), 1);
}

/* Stopped at 1.5 s with 2 s of work: it comes to its end within the grace, and has nothing left to
 * do elsewhere. */
static void a_job_that_ends_its_work_while_it_is_stopped_is_done(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(
        &host->executor,
        &(struct fake_script){.examples_per_second = 1000, .examples = 2000, .stop_takes_ms = 900});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 2000});
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    for (int i = 0; i < 100 && host->executor.starts == 0; i++)
        sim_run(sim, 100);
    sim_run(sim, 1500);
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 3000);
    assert_int_equal(host->executor.stops, 1);
    assert_int_equal(sim_receipt(sim, lease, 1)->outcome, LEASE_OUTCOME_COMPLETED);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_DONE);
}

static void a_renewal_called_off_lets_the_lease_end(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct lease_id first = sim_grant(sim, endless(home), host, 0x1);
    sim_run(sim, 5000);
    struct lease_id second = sim_renew(sim, first, SIM_LEASE_MS - 5000);
    sim_run(sim, 500);
    sim_say(sim, second, LEASE_EVENT_VOID);
    sim_run(sim, SIM_LEASE_MS);
    assert_int_equal(host->executor.stops, 1);
    assert_int_equal(sim_receipt(sim, first, 1)->outcome, LEASE_OUTCOME_STOPPED);
}

static void a_grant_that_home_never_takes_up_is_given_back(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    sim_kill(home);
    /* the broker does not know that home is gone */
    sim_start(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_kill(home);
    sim_run(sim, 1000);
    assert_int_equal(leased_gpus(host), 1);
    sim_run(sim, 10000);
    assert_int_equal(leased_gpus(host), 0);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_REFUSED), 1);
}

static void a_restarted_host_adopts_its_running_job(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    sim_kill(host);
    sim_run(sim, 1000);
    sim_start(host);
    sim_run(sim, 2000);
    assert_int_equal(host->executor.starts, 1);
    assert_int_equal(host->executor.adoptions, 1);
    assert_int_equal(leased_gpus(host), 1);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 2000);
    /* the second while the host was down was held as well */
    assert_in_range(sim_receipt(sim, lease, 1)->held_ms, 4500, 6000);
    assert_true(sim_receipt_signed(sim, lease, 1));
}

static void a_host_that_lost_the_job_is_not_paid_for_what_home_does_not_have(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor,
                         &(struct fake_script){.examples_per_second = 1000, .checkpoint_ms = 6000});
    struct name job = endless(home);
    struct lease_id first = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 8000);
    struct lease_id lease = sim_renew(sim, first, 2000);
    sim_run(sim, 9800); /* checkpoints at 6 and 12 s; what it held is written down at 17 s */
    sim_kill(host);
    executor_fake_reboot(&host->executor);
    sim_start(host);
    sim_run(sim, 2000);
    const struct receipt *receipt = sim_receipt(sim, lease, 1);
    assert_non_null(receipt);
    assert_int_equal(receipt->outcome, LEASE_OUTCOME_HOST_FAILED);
    assert_in_range(receipt->held_ms, 6500, 7500);
    assert_in_range(receipt->unpayable_ms, 4500, 5500);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    assert_true(sim_demand(sim, job)->checkpoint_bytes > 0);
}

static void a_draining_host_offers_nothing(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *host = &sim->peers[1];
    const struct offer *offer = &sim->broker.newest[1].offer;
    assert_int_equal(offer->pools[0].nodes[0].free_gpus, 0xf);
    host->peer->inventory.draining = true;
    sim_run(sim, 2 * SIM_HEARTBEAT_MS);
    assert_int_equal(offer->pools[0].nodes[0].free_gpus, 0);
}

static void what_local_work_uses_is_not_offered(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_LOCAL});
    sim_run(sim, 2 * SIM_HEARTBEAT_MS);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    const struct offer_node *nodes = sim->broker.newest[0].offer.pools[0].nodes;
    assert_int_equal(nodes[0].free_gpus, 0); /* a job of 1 to 4 GPUs takes a whole node */
    assert_int_equal(nodes[0].leased_gpus, 0);
    assert_int_equal(nodes[1].free_gpus, 0xf);
    assert_null(sim_demand(sim, job));
    assert_int_equal(sim->broker.report_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_lease_for_another_home_is_refused),
        TEST(a_lease_is_honoured_once),
        TEST(files_over_the_hosts_staging_limit_are_refused_by_its_name),
        TEST(a_lease_on_gpus_in_use_is_refused),
        TEST(gpus_of_a_run_that_ends_may_be_promised_but_not_used),
        TEST(a_renewed_lease_never_restarts_the_job),
        TEST(without_the_brokers_word_the_job_goes_into_holdover),
        TEST(a_lease_that_ends_stops_the_job_at_the_firm_end),
        TEST(a_stop_stops_at_once),
        TEST(a_job_that_ends_its_work_while_it_is_stopped_is_done),
        TEST(a_renewal_called_off_lets_the_lease_end),
        TEST(a_grant_that_home_never_takes_up_is_given_back),
        TEST(a_restarted_host_adopts_its_running_job),
        TEST(a_host_that_lost_the_job_is_not_paid_for_what_home_does_not_have),
        TEST(a_draining_host_offers_nothing),
        TEST(what_local_work_uses_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
