/* Home: what becomes of a member's own jobs when something is away, restarts, moves or lies. */
#include "tests/support/support.h"

#include <string.h>

#include "peer/files/chunks.h"
#include "peer/home/home.h"
#include "peer/home/home_state.h"
#include "peer/executor/run_state.h"
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

static void a_restarted_home_resumes_watching(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor, &(struct fake_script){.examples_per_second = 1000,
                                                                .examples = 6000,
                                                                .checkpoint_ms = 1000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 6000});
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    sim_kill(home);
    sim_run(sim, 1000);
    sim_start(home);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    sim_run(sim, 1000);
    assert_true(sim_row(home, job).examples_done > 3000);
    sim_run(sim, 4000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_DONE);
    assert_true(sim_receipt_signed(sim, lease, 1));
    assert_int_equal(host->executor.starts, 1);
}

/* A home that was killed between offer and commit would else take "nothing" for all of it: a
 * checkpoint replaced by none, a job done without its results. */
static void a_restarted_home_wants_files_offered_before_they_are_complete(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor,
                         &(struct fake_script){.examples_per_second = 1000, .checkpoint_ms = 1000});
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 3000);
    sim_kill(home);
    sim_start(home);
    struct fault fault;
    for (enum files_purpose purpose = FILES_CHECKPOINT; purpose <= FILES_RESULT; purpose++) {
        struct commit_files_request commit = {.lease = lease, .purpose = purpose};
        assert_int_equal(home_commit_files(home->peer->home, &host->config.member, &commit, &fault),
                         STATUS_UNAVAILABLE);
    }
}

static void an_ended_job_tells_where_it_was_last_and_how_fast_it_went(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor,
                         &(struct fake_script){.examples_per_second = 1000, .examples = 3000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 3000});
    struct lease_id lease = sim_grant(sim, job, host, 0x3);
    sim_run(sim, 7000);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct local_job_row row = sim_row(home, job);
        assert_int_equal(row.state, JOB_STATE_DONE);
        assert_string_equal(row.host.text, "bravo");
        assert_string_equal(row.gpu.text, host->pool.gpu.text);
        assert_int_equal(row.gpus, 2);
        assert_true(lease_id_equal(row.lease, lease));
        assert_true(row.predicted_examples_per_second == SIM_PREDICTED);
        assert_true(row.examples_per_second == 2000); /* 1000 a GPU */
        sim_kill(home);
        sim_start(home);
    }
}

static void a_job_that_waits_again_is_nowhere(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    assert_string_equal(sim_row(home, job).host.text, "bravo");
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 5000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    assert_string_equal(sim_row(home, job).host.text, "");
    assert_ok(home_cancel(home->peer->home, &job, NULL));
    assert_int_equal(sim_row(home, job).state, JOB_STATE_CANCELLED);
    assert_string_equal(sim_row(home, job).host.text, "bravo"); /* it was there once */
}

static void a_home_restarted_while_staging_stages_again(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    host->executor.next_start = STATUS_UNAVAILABLE; /* so that it is still staging */
    sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2 * PEER_TICK_MS);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_STAGING);
    sim_kill(home);
    sim_start(home);
    sim_run(sim, 2000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    assert_int_equal(host->executor.starts, 1);
}

static void a_host_restarted_while_staging_is_staged_again(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    host->executor.next_start = STATUS_UNAVAILABLE;
    sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2 * PEER_TICK_MS);
    sim_kill(host);
    sim_start(host);
    sim_run(sim, 3000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
}

/* Stages up to Start, which the host hears; then it dies. */
static struct lease_id start_unanswered(struct sim *sim, struct name job, struct sim_peer *host)
{
    host->executor.next_start = STATUS_UNAVAILABLE; /* as good as no answer */
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    for (int tick = 0; tick < 100 && host->executor.next_start != STATUS_OK; tick++)
        sim_run(sim, PEER_TICK_MS);
    assert_int_equal(host->executor.next_start, STATUS_OK); /* it was asked to start */
    sim_kill(host);
    return lease;
}

static void a_start_that_was_sent_is_followed_up_beyond_the_time_to_accept(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = start_unanswered(sim, job, host);
    sim_run(sim, 7000); /* a lease of sim_grant() is to be accepted within 5 s */
    assert_int_equal(sim_row(home, job).state, JOB_STATE_STAGING);
    sim_start(host);
    sim_run(sim, 10000);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_REFUSED), 0);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_RUNNING), 1);
}

/* Void it, and what the host may have earned under it could not be paid. */
static void home_declines_no_lease_whose_start_it_sent(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = start_unanswered(sim, job, host);
    sim_run(sim, SIM_LEASE_MS + SIM_HOLDOVER_MS + 10 * 1000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    assert_int_equal(sim_reports(sim, lease, LEASE_REPORT_REFUSED), 0);
}

static void own_jobs_run_locally_when_the_broker_is_away(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    executor_fake_script(&home->executor,
                         &(struct fake_script){.examples_per_second = 1000, .examples = 8000});
    struct name any = sim_submit(home, &(struct sim_job){.placement = JOB_ANY, .examples = 8000});
    struct name federated = endless(home);
    sim_run(sim, 3000);
    assert_int_equal(sim_row(home, any).state, JOB_STATE_QUEUED); /* the market may place it */
    sim_broker_away(sim, true);
    sim_run(sim, 6000);
    assert_int_equal(sim_row(home, any).state, JOB_STATE_RUNNING);
    assert_string_equal(sim_row(home, any).host.text, "alfa");
    sim_run(sim, 3000);
    assert_int_equal(sim_row(home, any).state, JOB_STATE_DONE);
    assert_int_equal(sim_row(home, federated).state, JOB_STATE_QUEUED);
    sim_broker_away(sim, false);
    sim_run(sim, 20000);
    assert_true(sim_cancelled(sim, any, true));
    assert_int_equal(sim->broker.receipt_count, 0); /* own work is nobody else's business */
}

static void a_job_that_runs_locally_is_taken_off_the_market(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_ANY});
    sim_broker_away(sim, true);
    sim_run(sim, 7000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    sim_broker_away(sim, false);
    sim_run(sim, 20000);
    assert_true(sim_cancelled(sim, job, false));
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
}

static void a_job_moves_when_its_former_place_has_let_it_go(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *first = &sim->peers[1], *second = &sim->peers[2];
    struct name job = endless(home);
    struct lease_id old = sim_grant(sim, job, first, 0x1);
    sim_run(sim, 3000);
    sim_say(sim, old, LEASE_EVENT_STOP);
    sim_grant(sim, job, second, 0x3);
    sim_run(sim, 3000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING);
    assert_string_equal(sim_row(home, job).host.text, "charlie");
    assert_true(second->executor.runs[0].examples_before >= 2000);
    assert_int_equal(first->executor.runs[0].phase, EXECUTOR_ABSENT);
}

static void a_host_that_is_never_heard_of_again_loses_the_job(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor,
                         &(struct fake_script){.examples_per_second = 1000, .checkpoint_ms = 1000});
    struct name job = endless(home);
    sim_grant(sim, job, host, 0x1);
    sim_run(sim, 3000);
    sim_kill(host);
    sim_run(sim, SIM_LEASE_MS + SIM_HOLDOVER_MS / 2);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_RUNNING); /* it may be running there */
    sim_run(sim, SIM_HOLDOVER_MS);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    assert_true(sim_demand(sim, job)->checkpoint_bytes > 0);
}

static void a_job_that_cannot_start_anywhere_is_not_placed_for_ever(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .retries = 1});
    for (int placed = 0; placed < 2; placed++) {
        assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
        host->executor.next_start = STATUS_INVALID;
        sim_grant(sim, job, host, 0x1);
        sim_run(sim, 3000);
    }
    assert_int_equal(sim_row(home, job).state, JOB_STATE_FAILED);
}

static void a_submitted_job_survives_a_kill(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    struct name job = endless(home);
    sim_kill(home);
    sim_start(home);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    uint32_t told = sim->broker.demand_count;
    sim_run(sim, 1000);
    assert_int_equal(sim->broker.demand_count, told + 1); /* once is enough */
    assert_string_equal(endless(home).text, "alfa-2");
}

static void a_small_rest_is_worth_finishing(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    executor_fake_script(&host->executor, &(struct fake_script){.examples_per_second = 1000});
    struct name job =
        sim_submit(home, &(struct sim_job){.placement = JOB_FEDERATED, .examples = 5000});
    assert_int_equal(sim_demand(sim, job)->value_nanos_per_example, SIM_VALUE_NANOS);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 7000); /* all examples are made, and it is stopped before it ends by itself */
    sim_say(sim, lease, LEASE_EVENT_STOP);
    sim_run(sim, 2000);
    assert_int_equal(sim_row(home, job).state, JOB_STATE_QUEUED);
    const struct demand *demand = sim_demand(sim, job);
    assert_near(demand->work_left_examples, 50.0, 1e-9);                     /* a hundredth */
    assert_int_equal(demand->value_nanos_per_example, 20 * SIM_VALUE_NANOS); /* a fifth in all */
}

static bool bundle_kept(const struct sim_peer *home)
{
    char path[FILE_PATH_MAX];
    struct chunks *chunks = NULL;
    assert_ok(peer_path(home->peer, "chunks", "bundles", path, NULL));
    assert_ok(chunks_open(path, 0, &chunks, NULL));
    bool kept = chunks_used_bytes(chunks) > 0;
    chunks_close(chunks);
    return kept;
}

static void a_bundle_goes_when_the_last_job_that_needs_it_has_ended(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0];
    struct name first = endless(home), second = endless(home); /* of the same files */
    assert_ok(home_cancel(home->peer->home, &first, NULL));
    sim_run(sim, 1000);
    assert_true(bundle_kept(home));
    assert_ok(home_cancel(home->peer->home, &second, NULL));
    sim_run(sim, 61000);
    assert_false(bundle_kept(home));
}

/* --- receipts */

static struct signed_receipt claim(struct sim *sim, struct sim_peer *host, struct name job,
                                   struct lease_id lease, int64_t held_ms)
{
    struct receipt receipt = {
        .lease = lease,
        .job = job,
        .home = sim->peers[0].config.member,
        .host = host->config.member,
        .sequence = 1,
        .last = true,
        .outcome = LEASE_OUTCOME_STOPPED,
        .gpu_count = 1,
        .held_ms = held_ms,
    };
    struct signed_receipt made = {0};
    assert_ok(wire_encode(&message_receipt, &receipt, &sim->arena, &made.body, NULL));
    assert_ok(signing_sign(&host->identity.secret, SIGN_RECEIPT_HOST, made.body,
                           &made.host_signature, NULL));
    return made;
}

static void home_refuses_a_receipt_that_claims_more_time_than_it_saw(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 4000);
    struct signed_receipt answer;
    struct fault fault;
    /* it ran for less than four seconds; five more are forgiven for messages under way */
    struct signed_receipt greedy = claim(sim, host, job, lease, 10000);
    assert_int_equal(
        home_countersign(home->peer->home, &host->config.member, &greedy, &answer, &fault),
        STATUS_DENIED);
    assert_non_null(strstr(fault.text, "10000 ms"));
    struct signed_receipt honest = claim(sim, host, job, lease, 3500);
    assert_ok(home_countersign(home->peer->home, &host->config.member, &honest, &answer, &fault));
    assert_true(answer.home_signed);
    assert_ok(signing_verify(&home->identity.key, SIGN_RECEIPT_HOME, honest.body,
                             &answer.home_signature, NULL));
}

static void a_receipt_once_signed_cannot_be_swapped_for_a_greater_one(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    struct signed_receipt first, again;
    struct signed_receipt honest = claim(sim, host, job, lease, 1000);
    struct signed_receipt greedy = claim(sim, host, job, lease, INT64_C(86400000));
    const struct name *caller = &host->config.member;
    assert_ok(home_countersign(home->peer->home, caller, &honest, &first, NULL));
    struct fault fault;
    assert_int_equal(home_countersign(home->peer->home, caller, &greedy, &again, &fault),
                     STATUS_DENIED);
    assert_non_null(strstr(fault.text, "another one"));
    sim_kill(home); /* nor after home's restart */
    sim_start(home);
    assert_int_equal(home_countersign(home->peer->home, caller, &greedy, &again, NULL),
                     STATUS_DENIED);
    assert_ok(home_countersign(home->peer->home, caller, &honest, &again, NULL));
    assert_memory_equal(first.home_signature.bytes, again.home_signature.bytes, SIGNATURE_BYTES);
}

static void home_signs_only_for_the_host_of_the_lease(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1], *other = &sim->peers[2];
    struct name job = endless(home);
    struct lease_id lease = sim_grant(sim, job, host, 0x1);
    sim_run(sim, 2000);
    struct signed_receipt answer;
    struct signed_receipt forged = claim(sim, other, job, lease, 100);
    assert_int_equal(
        home_countersign(home->peer->home, &other->config.member, &forged, &answer, NULL),
        STATUS_DENIED);
    struct signed_receipt right = claim(sim, host, job, lease, 100);
    right.host_signature.bytes[0] ^= 1;
    assert_int_equal(
        home_countersign(home->peer->home, &host->config.member, &right, &answer, NULL),
        STATUS_CORRUPT);
}

static void a_lease_that_was_never_used_is_not_paid(void **state)
{
    struct sim *sim = *state;
    struct sim_peer *home = &sim->peers[0], *host = &sim->peers[1];
    struct name job = endless(home);
    sim_kill(host); /* so that nothing starts */
    sim_start(host);
    struct signed_bytes signed_lease;
    struct lease lease = sim_make_lease(sim, job, host, 0x1, &signed_lease);
    struct lease_event event = {
        .sequence = 99, .kind = LEASE_EVENT_GRANT, .lease = lease.id, .signed_lease = signed_lease};
    home_lease_event(home->peer->home, &event);
    struct signed_receipt answer;
    struct signed_receipt greedy = claim(sim, host, job, lease.id, 1);
    assert_int_equal(
        home_countersign(home->peer->home, &host->config.member, &greedy, &answer, NULL),
        STATUS_DENIED);
}

/* --- the tables */

static void final_states_have_no_way_out(void **state)
{
    (void)state;
    for (int event = 0; event < HOME_EVENT_COUNT; event++) {
        enum job_state next;
        assert_false(home_next(JOB_STATE_DONE, (enum home_event)event, &next));
        assert_false(home_next(JOB_STATE_FAILED, (enum home_event)event, &next));
        assert_false(home_next(JOB_STATE_CANCELLED, (enum home_event)event, &next));
    }
    for (int event = 0; event < RUN_EVENT_COUNT; event++) {
        enum run_state next;
        assert_false(run_next(RUN_OVER, (enum run_event)event, &next));
    }
}

static void a_run_never_starts_twice(void **state)
{
    (void)state;
    for (int from = 0; from < RUN_STATE_COUNT; from++) {
        enum run_state next = RUN_OVER;
        bool listed = run_next((enum run_state)from, RUN_EVENT_STARTED, &next);
        assert_int_equal(listed, from == RUN_STAGING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_restarted_home_resumes_watching),
        TEST(a_restarted_home_wants_files_offered_before_they_are_complete),
        TEST(an_ended_job_tells_where_it_was_last_and_how_fast_it_went),
        TEST(a_job_that_waits_again_is_nowhere),
        TEST(a_home_restarted_while_staging_stages_again),
        TEST(a_host_restarted_while_staging_is_staged_again),
        TEST(a_start_that_was_sent_is_followed_up_beyond_the_time_to_accept),
        TEST(home_declines_no_lease_whose_start_it_sent),
        TEST(own_jobs_run_locally_when_the_broker_is_away),
        TEST(a_job_that_runs_locally_is_taken_off_the_market),
        TEST(a_job_moves_when_its_former_place_has_let_it_go),
        TEST(a_host_that_is_never_heard_of_again_loses_the_job),
        TEST(a_job_that_cannot_start_anywhere_is_not_placed_for_ever),
        TEST(a_submitted_job_survives_a_kill),
        TEST(a_small_rest_is_worth_finishing),
        TEST(a_bundle_goes_when_the_last_job_that_needs_it_has_ended),
        TEST(home_refuses_a_receipt_that_claims_more_time_than_it_saw),
        TEST(a_receipt_once_signed_cannot_be_swapped_for_a_greater_one),
        TEST(home_signs_only_for_the_host_of_the_lease),
        TEST(a_lease_that_was_never_used_is_not_paid),
        cmocka_unit_test(final_states_have_no_way_out),
        cmocka_unit_test(a_run_never_starts_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
