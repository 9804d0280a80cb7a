#include "tests/broker/broker_fixture.h"

/* A member's stream, opened anew. */
static struct fed_call *watch(struct fed *fed, const struct fed_member *member, uint64_t after)
{
    struct watch_leases_request request = {.after_sequence = after};
    return fed_ask(fed, &member->name, &method_watch_leases, service_watch_leases, &request);
}

/* Two jobs of usc at home: two grants. */
static struct fed_member *two_grants(struct fed *fed)
{
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    fed_pool(usc, "a100", 4, 0.001);
    fed_beat(fed, usc);
    fed_submit(fed, usc, "usc-1", 2, 0.001);
    fed_submit(fed, usc, "usc-2", 2, 0.001);
    fed_round(fed);
    return usc;
}

static void events_come_again_until_they_are_acknowledged(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    struct fed_call *stream = watch(fed, usc, 0);
    assert_int_equal(stream->sent, 2);
    assert_int_equal(stream->events[0].sequence, 1);
    assert_int_equal(stream->events[1].sequence, 2);
    fed_done(stream); /* it breaks */
    stream = watch(fed, usc, 0);
    assert_int_equal(stream->sent, 2);
    fed_done(stream);
    struct heartbeat_request seen = fed_heartbeat(fed, usc);
    seen.lease_events_seen = 1;
    fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &seen);
    stream = watch(fed, usc, 0);
    assert_int_equal(stream->sent, 1);
    assert_int_equal(stream->events[0].sequence, 2);
    fed_done(stream);
}

/* Its spool knows less than it had acknowledged; as another incarnation it is taken in, without
 * what it held. */
static void a_member_that_was_put_back_from_a_backup_must_say_so(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    fed_start(fed, usc, "usc-1");
    struct heartbeat_request beat = fed_heartbeat(fed, usc);
    beat.broker_incarnation = fed->daemon.core.incarnation;
    beat.lease_events_seen = 2;
    fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &beat);
    beat.lease_events_seen = 1;
    struct fed_call *refused =
        fed_ask(fed, &usc->name, &method_heartbeat, service_heartbeat, &beat);
    assert_int_equal(refused->status, STATUS_PRECONDITION);
    assert_non_null(strstr(refused->text, "entente-peer restored"));
    fed_done(refused);
    assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_RUNNING);
    usc->incarnation++;
    beat.offer.incarnation++;
    beat.held_count = 0;
    for (int again = 0; again < 2; again++)
        fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &beat);
    assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_RELEASED);
    assert_int_equal(fed_lease(fed, "usc-2").state, LEASE_STATE_RELEASED);
}

static void a_stream_goes_on_after_what_the_member_has(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    struct fed_call *stream = watch(fed, usc, 1);
    assert_int_equal(stream->sent, 1);
    assert_int_equal(stream->events[0].sequence, 2);
    /* what comes later is sent as it comes, once */
    struct cancel_request cancel = {.issued_wall_ms = fed->clock.now_wall_ms,
                                    .job = fed_name("usc-1")};
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &cancel);
    assert_int_equal(stream->sent, 2);
    assert_int_equal(stream->events[1].kind, LEASE_EVENT_STOP);
    dispatch_wake(&fed->daemon.dispatch, &usc->name);
    assert_int_equal(stream->sent, 2);
    fed_done(stream);
}

static void a_new_stream_ends_the_old_one(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    struct fed_call *old = watch(fed, usc, 0);
    struct fed_call *new = watch(fed, usc, 0);
    assert_true(old->finished);
    assert_false(new->finished);
    assert_true(dispatch_watches(&fed->daemon.dispatch, &usc->name));
    fed_done(old); /* its carrier's last word must not take the new one along */
    assert_true(dispatch_watches(&fed->daemon.dispatch, &usc->name));
    fed_done(new);
    assert_false(dispatch_watches(&fed->daemon.dispatch, &usc->name));
}

static void a_slow_member_is_not_flooded(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    struct watch_leases_request request = {0};
    struct fed_call *stream =
        fed_ask(fed, &usc->name, &method_watch_leases, service_watch_leases, &request);
    assert_int_equal(stream->sent, 2);
    stream->call.unsent = RPC_UNSENT_MAX; /* nothing gets through */
    struct cancel_request cancel = {.issued_wall_ms = fed->clock.now_wall_ms,
                                    .job = fed_name("usc-1")};
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &cancel);
    assert_int_equal(stream->sent, 2);
    stream->call.unsent = 0;
    stream->call.on_drained(&stream->call);
    assert_int_equal(stream->sent, 3);
    fed_done(stream);
}

static void a_cancelled_job_is_stopped_and_a_completed_one_is_left_to_its_host(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    fed_start(fed, usc, "usc-1");
    fed_start(fed, usc, "usc-2");
    struct cancel_request done = {
        .issued_wall_ms = fed->clock.now_wall_ms, .job = fed_name("usc-1"), .completed = true};
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &done);
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &done); /* again */
    assert_false(fed_lease(fed, "usc-1").ending);
    struct cancel_request off = {.issued_wall_ms = fed->clock.now_wall_ms,
                                 .job = fed_name("usc-2")};
    off.request_key.bytes[0] = 1;
    fed_expect(fed, STATUS_OK, &usc->name, &method_cancel, service_cancel, &off);
    assert_true(fed_lease(fed, "usc-2").ending);
    /* the same key for another request is a mistake, not a repetition */
    off.job = fed_name("usc-1");
    fed_expect(fed, STATUS_EXISTS, &usc->name, &method_cancel, service_cancel, &off);
}

static void a_grant_that_nobody_takes_up_is_void(void **state)
{
    struct fed *fed = *state;
    struct fed_member *usc = two_grants(fed);
    struct store_lease lease = fed_lease(fed, "usc-1");
    fed_advance(fed, fed->config.accept_within_ms + 2 * fed->config.skew_ms_max + 1);
    daemon_sweep(&fed->daemon);
    assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_GRANTED); /* usc was not heard */
    fed_advance(fed, 1);
    struct heartbeat_request held = fed_heartbeat(fed, usc);
    struct lease_id ids[] = {lease.lease->id};
    held.held = ids;
    held.held_count = 1;
    fed_expect(fed, STATUS_OK, &usc->name, &method_heartbeat, service_heartbeat, &held);
    daemon_sweep(&fed->daemon);
    assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_GRANTED); /* usc stages it */
    assert_int_equal(fed_lease(fed, "usc-2").state, LEASE_STATE_VOIDED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(events_come_again_until_they_are_acknowledged),
        CASE(a_member_that_was_put_back_from_a_backup_must_say_so),
        CASE(a_stream_goes_on_after_what_the_member_has),
        CASE(a_new_stream_ends_the_old_one),
        CASE(a_slow_member_is_not_flooded),
        CASE(a_cancelled_job_is_stopped_and_a_completed_one_is_left_to_its_host),
        CASE(a_grant_that_nobody_takes_up_is_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
