#include "tests/broker/store_fixture.h"

/* --- reports, ending, voiding */

static void a_lease_runs_and_is_released_as_its_host_says(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    for (int repeated = 0; repeated < 2; repeated++) {
        world_ok(world,
                 world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW + 1000 + repeated));
        assert_int_equal(world_state(world, lease), LEASE_STATE_RUNNING);
        assert_int_equal(world_find(world, lease).running_wall_ms, NOW + 1000);
    }
    for (int repeated = 0; repeated < 2; repeated++) {
        world_ok(world,
                 world_report(world, ISI, lease, LEASE_REPORT_RELEASED, NOW + 2000 + repeated));
        assert_int_equal(world_state(world, lease), LEASE_STATE_RELEASED);
        assert_int_equal(world_find(world, lease).released_wall_ms, NOW + 2000);
    }
    /* a RUNNING that comes late does not revive it, and its GPUs are free for others */
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW + 3000));
    assert_int_equal(world_state(world, lease), LEASE_STATE_RELEASED);
    world_grant(world, world_lease(world, JPL, ISI, 0xF));
    /* escrow waits for the receipt */
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), lease->cap.micros);
}

static void only_the_host_reports_a_lease(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    assert_int_equal(world_report(world, JPL, lease, LEASE_REPORT_RUNNING, NOW), STATUS_DENIED);
    assert_int_equal(world_report(world, USC, lease, LEASE_REPORT_RELEASED, NOW), STATUS_DENIED);
    assert_int_equal(world_report(world, JPL, lease, LEASE_REPORT_REFUSED, NOW), STATUS_DENIED);
    assert_int_equal(world_state(world, lease), LEASE_STATE_GRANTED);
}

static void a_refused_lease_gives_everything_back(void **state)
{
    struct world *world = *state;
    static const int reporters[] = {ISI, USC}; /* its host, its home */
    for (int i = 0; i < 2; i++) {
        struct lease *lease = world_lease(world, USC, ISI, 0xF);
        struct lease_event *events = NULL;
        uint32_t count = 0;
        world_grant(world, lease);
        world_ok(world, world_report(world, reporters[i], lease, LEASE_REPORT_REFUSED, NOW));
        assert_int_equal(world_state(world, lease), LEASE_STATE_VOIDED);
        assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
        assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
        world_ok(world, store_event_list(world->store, &world->names[USC], 0, 10, &world->arena,
                                         &events, &count, &world->fault));
        assert_int_equal(events[count - 1].kind, LEASE_EVENT_VOID);
        assert_string_equal(events[count - 1].reason, "because");
        /* a repetition is fine; running it now is not */
        world_ok(world, world_report(world, reporters[i], lease, LEASE_REPORT_REFUSED, NOW));
        assert_int_equal(world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW),
                         STATUS_PRECONDITION);
    }
    world_verify(world);
}

static void voiding_a_lease_voids_its_renewals(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0x0F);
    struct lease *second = world_renewal(world, first);
    struct lease *third = world_renewal(world, second);
    world_grant(world, first);
    world_begin(world);
    world_ok(world, world_add(world, second, false, NOW, NOW + 2 * DURATION));
    world_ok(world, world_add(world, third, false, NOW, NOW + 3 * DURATION));
    world_ok(world, lease_void(world->store, first->id, "cancelled", NOW, &world->fault));
    world_commit(world);
    assert_int_equal(world_state(world, first), LEASE_STATE_VOIDED);
    assert_int_equal(world_state(world, second), LEASE_STATE_VOIDED);
    assert_int_equal(world_state(world, third), LEASE_STATE_VOIDED);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
    world_verify(world);
}

static void a_running_lease_is_not_voided(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW));
    world_begin(world);
    assert_int_equal(lease_void(world->store, lease->id, "no", NOW, &world->fault),
                     STATUS_PRECONDITION);
    store_rollback(world->store);
}

static void a_lease_that_was_used_is_not_voided(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    struct receipt receipt = world_receipt(lease, 1000);
    receipt.last = false;
    world_grant(world, lease);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &sent, NOW + HOUR_MS).accepted);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RELEASED, NOW + HOUR_MS));
    world_begin(world);
    assert_int_equal(lease_void(world->store, lease->id, "no", NOW + HOUR_MS, &world->fault),
                     STATUS_PRECONDITION);
    assert_non_null(strstr(world->fault.text, "was used"));
    store_rollback(world->store);
    /* when its last receipt never comes, it is settled with what came */
    struct lease_sweep swept;
    world_begin(world);
    world_ok(world, lease_sweep(world->store, &world_limits,
                                NOW + HOUR_MS + world_limits.receipt_wait_ms + 1, &world->arena,
                                &swept, &world->fault));
    world_commit(world);
    assert_int_equal(swept.voided, 1);
    struct store_lease found = world_find(world, lease);
    assert_int_equal(found.state, LEASE_STATE_SETTLED);
    assert_int_equal(found.released_wall_ms, NOW + HOUR_MS); /* and says when it was released */
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 2000);
    world_verify(world);
}

static uint32_t event_count(struct world *world, int member)
{
    uint64_t newest = 0;
    uint64_t acknowledged = 0;
    world_ok(world, store_event_head(world->store, &world->names[member], &newest, &acknowledged,
                                     &world->fault));
    return (uint32_t)newest;
}

static void members_are_told_of_an_end_once_and_of_a_stop_after_it(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    static const enum lease_event_kind told[] = {LEASE_EVENT_END, LEASE_EVENT_END, LEASE_EVENT_STOP,
                                                 LEASE_EVENT_STOP, LEASE_EVENT_END};
    static const uint32_t events[] = {2, 2, 3, 3, 3};
    world_grant(world, lease);
    for (int i = 0; i < 5; i++) {
        world_begin(world);
        world_ok(world, lease_end(world->store, lease->id, told[i], GRACE, "moves", &world->fault));
        world_commit(world);
        assert_int_equal(event_count(world, USC), events[i]);
        assert_int_equal(event_count(world, ISI), events[i]);
    }
    assert_int_equal(world_find(world, lease).ending, LEASE_STOPPING);
}

/* --- time */

static struct lease_sweep sweep(struct world *world, int64_t now)
{
    struct lease_sweep swept;
    world_begin(world);
    world_ok(world,
             lease_sweep(world->store, &world_limits, now, &world->arena, &swept, &world->fault));
    world_commit(world);
    world_verify(world);
    return swept;
}

static void without_a_word_a_running_lease_holds_over_then_expires(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    const int64_t end = NOW + DURATION;
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW));
    assert_int_equal(sweep(world, end + GRACE).overrun, 0);
    assert_int_equal(sweep(world, end + GRACE + 1).overrun, 1);
    assert_int_equal(world_state(world, lease), LEASE_STATE_HOLDOVER);
    /* a day of it costs 172.8 credits, so all that there is is held */
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 0);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 10000000);
    assert_int_equal(sweep(world, end + HOLDOVER + GRACE + 5000).expired, 0);
    assert_int_equal(sweep(world, end + HOLDOVER + GRACE + 5001).expired, 1);
    assert_int_equal(world_state(world, lease), LEASE_STATE_RELEASED);
    world_grant(world, world_lease(world, JPL, ISI, 0xF));
}

static void a_lease_told_to_end_holds_over_without_escrow(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RUNNING, NOW));
    world_begin(world);
    world_ok(world, lease_end(world->store, lease->id, LEASE_EVENT_END, GRACE, "", &world->fault));
    world_commit(world);
    assert_int_equal(sweep(world, NOW + DURATION + GRACE + 1).overrun, 1);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), lease->cap.micros);
}

static void a_renewed_lease_does_not_hold_over(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0xF);
    world_grant(world, first);
    world_ok(world, world_report(world, ISI, first, LEASE_REPORT_RUNNING, NOW));
    world_begin(world);
    world_ok(world, world_add(world, world_renewal(world, first), false, NOW, NOW + 2 * DURATION));
    world_commit(world);
    assert_int_equal(sweep(world, NOW + DURATION + GRACE + 1).overrun, 0);
    assert_int_equal(world_state(world, first), LEASE_STATE_RUNNING);
}

static void a_planned_lease_past_its_end_is_voided(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_begin(world);
    world_ok(world, world_add(world, lease, true, NOW, NOW + DURATION));
    world_commit(world);
    assert_int_equal(sweep(world, NOW + DURATION).voided, 0);
    assert_int_equal(sweep(world, NOW + DURATION + 1).voided, 1);
    assert_int_equal(world_state(world, lease), LEASE_STATE_VOIDED);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
}

static void a_released_lease_without_receipts_is_voided_in_the_end(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    const int64_t released = NOW + DURATION;
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RELEASED, released));
    assert_int_equal(sweep(world, released + world_limits.receipt_wait_ms).voided, 0);
    assert_int_equal(sweep(world, released + world_limits.receipt_wait_ms + 1).voided, 1);
    assert_int_equal(world_state(world, lease), LEASE_STATE_VOIDED);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
}

static void a_lease_voided_with_its_forerunner_is_not_swept_again(void **state)
{
    struct world *world = *state;
    struct lease *first = world_lease(world, USC, ISI, 0xF);
    struct lease *second = world_renewal(world, first);
    const int64_t late = NOW + 2 * DURATION + HOLDOVER + world_limits.receipt_wait_ms + HOUR_MS;
    world_grant(world, first);
    world_begin(world);
    world_ok(world, world_add(world, second, false, NOW, NOW + 2 * DURATION));
    world_commit(world);
    world_ok(world, world_report(world, ISI, first, LEASE_REPORT_RELEASED, NOW + DURATION));
    /* both are due: the first to be voided, and with it the second, which alone would expire */
    struct lease_sweep swept = sweep(world, late);
    assert_int_equal(swept.voided, 1);
    assert_int_equal(swept.expired, 0);
    assert_int_equal(world_state(world, second), LEASE_STATE_VOIDED);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
}

/* --- listings */

static void leases_are_listed_by_state_job_and_member(void **state)
{
    struct world *world = *state;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    uint64_t next = 0;
    struct lease *a = world_lease(world, USC, ISI, 0x1);
    struct lease *b = world_lease(world, JPL, ISI, 0x2);
    struct lease *c = world_lease(world, USC, USC, 0x4);
    world_grant(world, a);
    world_grant(world, b);
    world_grant(world, c);
    world_ok(world, world_report(world, ISI, a, LEASE_REPORT_RUNNING, NOW));
    world_ok(world, world_report(world, ISI, b, LEASE_REPORT_REFUSED, NOW));

    world_ok(world, store_lease_list_open(world->store, LEASE_STATES_OPEN, &world->arena, &leases,
                                          &count, &world->fault));
    assert_int_equal(count, 2);
    world_ok(world, store_lease_list_open(world->store, LEASE_STATE_BIT(LEASE_STATE_RUNNING),
                                          &world->arena, &leases, &count, &world->fault));
    assert_int_equal(count, 1);
    assert_true(lease_id_equal(leases[0].lease->id, a->id));
    assert_int_equal(leases[0].share_count, 2);
    world_ok(world, store_lease_list_job(world->store, &b->job, LEASE_STATES_ALL, &world->arena,
                                         &leases, &count, &world->fault));
    assert_int_equal(count, 1);
    assert_int_equal(leases[0].state, LEASE_STATE_VOIDED);
    world_ok(world, store_lease_page(world->store, &world->names[ISI], LEASE_STATES_ALL, 0, 1,
                                     &world->arena, &leases, &count, &next, &world->fault));
    assert_int_equal(count, 1);
    world_ok(world, store_lease_page(world->store, &world->names[ISI], LEASE_STATES_ALL, next, 5,
                                     &world->arena, &leases, &count, &next, &world->fault));
    assert_int_equal(count, 1);
    assert_int_equal(next, 0);
    assert_true(lease_id_equal(leases[0].lease->id, b->id));
    struct store_lease newest;
    world_ok(world,
             store_lease_newest(world->store, &c->job, &world->arena, &newest, &world->fault));
    assert_true(lease_id_equal(newest.lease->id, c->id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_lease_runs_and_is_released_as_its_host_says),
        world_test(only_the_host_reports_a_lease),
        world_test(a_refused_lease_gives_everything_back),
        world_test(voiding_a_lease_voids_its_renewals),
        world_test(a_running_lease_is_not_voided),
        world_test(a_lease_that_was_used_is_not_voided),
        world_test(members_are_told_of_an_end_once_and_of_a_stop_after_it),
        world_test(without_a_word_a_running_lease_holds_over_then_expires),
        world_test(a_lease_told_to_end_holds_over_without_escrow),
        world_test(a_renewed_lease_does_not_hold_over),
        world_test(a_planned_lease_past_its_end_is_voided),
        world_test(a_released_lease_without_receipts_is_voided_in_the_end),
        world_test(a_lease_voided_with_its_forerunner_is_not_swept_again),
        world_test(leases_are_listed_by_state_job_and_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
