#include "tests/broker/broker_fixture.h"

/* Two members: usc has a100 and the money, isi has the v100. */
struct pair {
    struct fed_member *usc;
    struct fed_member *isi;
};

static struct pair two_members(struct fed *fed)
{
    struct pair pair = {fed_add(fed, "usc", 1000), fed_add(fed, "isi", 1000)};
    fed_pool(pair.usc, "a100", 4, 0.001);
    fed_pool(pair.isi, "v100", 4, 0.001);
    fed_beat_all(fed);
    return pair;
}

static uint32_t events_of(struct fed *fed, const struct name *member, enum lease_event_kind kind)
{
    struct lease_event *events = NULL;
    uint32_t count = 0;
    uint32_t found = 0;
    assert_ok(store_event_list(fed->daemon.core.store, member, 0, 100, &fed->arena, &events, &count,
                               &fed->fault));
    for (uint32_t i = 0; i < count; i++)
        found += events[i].kind == kind ? 1 : 0;
    return found;
}

static void a_job_is_placed_where_it_is_worth_most(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    /* usc's own v100 does not exist: net is twice as fast on a100, at the same cost */
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    struct round *round = fed_round(fed);
    assert_int_equal(round->report.row.placed, 1);
    struct store_lease lease = fed_lease(fed, "isi-1");
    assert_string_equal(lease.lease->host.text, "usc");
    assert_string_equal(lease.lease->gpu.text, "a100");
    assert_int_equal(lease.state, LEASE_STATE_GRANTED);
    assert_int_equal(lease.lease->starts_in_ms, 0);
    /* at the start of an epoch its lease ends with it */
    assert_int_equal(lease.ends_wall_ms, FED_START_WALL_MS + FED_ROUND_MS);
    assert_int_equal(lease.lease->duration_ms, FED_ROUND_MS);
    assert_int_equal(events_of(fed, &pair.isi->name, LEASE_EVENT_GRANT), 1);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_GRANT), 1);
}

static void a_foreign_lease_is_escrowed_and_one_at_home_is_not(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_submit(fed, pair.usc, "usc-1", 2, 0.001);
    fed_round(fed);
    struct store_lease abroad = fed_lease(fed, "isi-1");
    struct store_lease at_home = fed_lease(fed, "usc-1");
    assert_string_equal(at_home.lease->host.text, "usc");
    assert_int_equal(at_home.escrowed.micros, 0);
    assert_true(abroad.escrowed.micros > 0);
    struct ledger_position position;
    assert_ok(ledger_position(fed->daemon.core.store, &pair.isi->name, &position, &fed->fault));
    assert_int_equal(position.escrow.micros, abroad.lease->cap.micros);
    /* duration and kill grace at the price, to the micro-credit */
    struct credits cap;
    assert_true(price_amount(abroad.lease->price, 2, FED_ROUND_MS + FED_GRACE_MS, &cap));
    assert_int_equal(cap.micros, abroad.lease->cap.micros);
}

static void a_job_that_keeps_its_gpus_is_renewed(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    struct store_lease first = fed_start(fed, pair.usc, "isi-1");
    fed_to_full_round(fed);
    struct round *round = fed_round(fed);
    assert_int_equal(round->report.row.placed, 1);
    assert_true(round->report.placements[0].renewed);
    struct store_lease second = fed_lease(fed, "isi-1");
    assert_true(lease_id_equal(second.lease->continues, first.lease->id));
    assert_int_equal(second.lease->nodes[0].gpus, first.lease->nodes[0].gpus);
    assert_int_equal(second.lease->starts_in_ms, FED_LEAD_MS); /* at the old one's end */
    assert_int_equal(second.lease->duration_ms, FED_ROUND_MS);
    assert_int_equal(second.ends_wall_ms, FED_START_WALL_MS + 2 * FED_ROUND_MS);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_END), 0);
}

static void a_newcomer_on_held_gpus_waits_for_the_release(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 4, 0.0001);
    fed_round(fed);
    struct store_lease old = fed_start(fed, pair.usc, "isi-1");
    assert_string_equal(old.lease->host.text, "usc");
    /* a job worth ten times as much wants all four a100 */
    fed_submit(fed, pair.usc, "usc-1", 4, 0.001);
    fed_to_full_round(fed);
    fed_round(fed);
    struct store_lease planned = fed_lease(fed, "usc-1");
    assert_string_equal(planned.lease->gpu.text, "a100");
    assert_int_equal(planned.state, LEASE_STATE_PLANNED);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_END), 1);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_GRANT), 1); /* the old one's */
    /* the old one ends, its host reports the GPUs free: now it is granted, for what is left */
    fed_advance(fed, FED_LEAD_MS + 2000);
    fed_report(fed, &old, LEASE_REPORT_RELEASED);
    struct store_lease granted = fed_lease(fed, "usc-1");
    assert_int_equal(granted.state, LEASE_STATE_GRANTED);
    assert_true(lease_id_equal(granted.lease->id, planned.lease->id));
    assert_int_equal(granted.lease->duration_ms, FED_ROUND_MS - 2000);
    assert_int_equal(granted.ends_wall_ms, FED_START_WALL_MS + 2 * FED_ROUND_MS);
}

static void a_job_that_moves_waits_for_its_own_release(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 4, 0.0005);
    fed_round(fed);
    struct store_lease old = fed_start(fed, pair.usc, "isi-1");
    fed_submit(fed, pair.usc, "usc-1", 4, 0.01); /* takes the a100 away from it */
    fed_to_full_round(fed);
    fed_round(fed);
    struct store_lease next = fed_lease(fed, "isi-1");
    /* isi's own v100 are free, and yet: the same job can't run twice */
    assert_string_equal(next.lease->host.text, "isi");
    assert_int_equal(next.state, LEASE_STATE_PLANNED);
    fed_advance(fed, FED_LEAD_MS);
    fed_report(fed, &old, LEASE_REPORT_RELEASED);
    assert_int_equal(fed_lease(fed, "isi-1").state, LEASE_STATE_GRANTED);
    assert_int_equal(fed_lease(fed, "usc-1").state, LEASE_STATE_GRANTED);
}

static void a_planned_lease_that_never_got_its_gpus_is_void_with_its_epoch(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 4, 0.0001);
    fed_round(fed);
    fed_start(fed, pair.usc, "isi-1");
    fed_submit(fed, pair.usc, "usc-1", 4, 0.001);
    fed_to_full_round(fed);
    fed_round(fed);
    struct store_lease planned = fed_lease(fed, "usc-1");
    assert_int_equal(planned.state, LEASE_STATE_PLANNED);
    fed_advance(fed, FED_LEAD_MS + 1);
    fed_to_full_round(fed); /* the host never released */
    struct round *round = fed_round(fed);
    assert_true(round->decision.void_count >= 1);
    struct store_lease found;
    assert_ok(store_lease_find(fed->daemon.core.store, planned.lease->id, &fed->arena, &found,
                               &fed->fault));
    assert_int_equal(found.state, LEASE_STATE_VOIDED);
}

static void a_member_without_funds_places_nothing_abroad(void **state)
{
    struct fed *fed = *state;
    struct fed_member *rich = fed_add(fed, "usc", 1000);
    struct fed_member *poor = fed_add(fed, "isi", 0);
    fed_pool(rich, "a100", 4, 0.001);
    fed_pool(poor, "v100", 1, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, poor, "isi-1", 1, 0.001);
    fed_submit(fed, poor, "isi-2", 2, 0.001); /* its own pool has one GPU only */
    fed_round(fed);
    assert_string_equal(fed_lease(fed, "isi-1").lease->host.text, "isi");
    assert_false(fed_has_lease(fed, "isi-2"));
}

static void a_stale_offer_is_left_out(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_advance(fed, CONFIG_OFFER_HEARTBEATS * FED_HEARTBEAT_MS + 1);
    fed_beat(fed, pair.isi); /* usc is silent */
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    struct round *round = fed_round(fed);
    assert_int_equal(round->report.pool_count, 1);
    assert_string_equal(fed_lease(fed, "isi-1").lease->host.text, "isi");
}

static void a_suspended_member_gets_no_new_leases_and_running_ones_finish(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    struct store_lease running = fed_start(fed, pair.usc, "isi-1");
    struct member_action_request suspend = {pair.isi->name, MEMBER_SUSPEND};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &suspend);
    assert_int_equal(fed_lease(fed, "isi-1").state, LEASE_STATE_RUNNING);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_STOP), 0);
    fed_submit(fed, pair.isi, "isi-2", 1, 0.001);
    fed_to_full_round(fed);
    fed_round(fed);
    assert_false(fed_has_lease(fed, "isi-2"));
    assert_true(lease_id_equal(fed_lease(fed, "isi-1").lease->id, running.lease->id));
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_END), 1);
    /* resumed, it takes part again */
    struct member_action_request resume = {pair.isi->name, MEMBER_RESUME};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &resume);
    fed_round(fed);
    assert_true(fed_has_lease(fed, "isi-2"));
}

static void a_revoked_members_leases_stop_and_its_jobs_leave_the_market(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_submit(fed, pair.usc, "usc-1", 2, 0.001);
    fed_round(fed);
    fed_start(fed, pair.usc, "isi-1");
    struct member_action_request revoke = {pair.isi->name, MEMBER_REVOKE};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &revoke);
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_STOP), 1);
    assert_true(fed_lease(fed, "isi-1").ending);
    assert_false(fed_lease(fed, "usc-1").ending);
    struct store_demand demand;
    struct name job = fed_name("isi-1");
    assert_ok(store_demand_find(fed->daemon.core.store, &job, &fed->arena, &demand, &fed->fault));
    assert_int_equal(demand.state, DEMAND_CANCELLED);
    /* once revoked, for ever */
    struct member_action_request resume = {pair.isi->name, MEMBER_RESUME};
    fed_expect(fed, STATUS_PRECONDITION, NULL, &method_member_action, service_member_action,
               &resume);
}

static void a_host_that_is_silent_keeps_its_leases_in_holdover(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    fed_start(fed, pair.usc, "isi-1");
    fed_advance(fed, FED_ROUND_MS - FED_LEAD_MS);
    fed_beat(fed, pair.isi);
    struct round *round = fed_round(fed);
    /* neither renewed nor ended, and its job is not placed a second time */
    assert_int_equal(round->decision.ending_count, 0);
    assert_int_equal(round->report.row.jobs, 0);
    assert_int_equal(fed_lease(fed, "isi-1").state, LEASE_STATE_RUNNING);
}

static void a_job_that_its_home_has_given_up_is_placed_elsewhere(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    struct store_lease old = fed_start(fed, pair.usc, "isi-1");
    /* usc is dead; isi found out by itself and wants to go on from its checkpoint */
    fed_advance(fed, CONFIG_OFFER_HEARTBEATS * FED_HEARTBEAT_MS + 1);
    fed_beat(fed, pair.isi);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    struct store_lease next = fed_lease(fed, "isi-1");
    assert_string_equal(next.lease->host.text, "isi");
    assert_int_equal(next.state, LEASE_STATE_GRANTED);
    /* and usc is told, should it come back; its GPUs are not leased again before it released */
    assert_int_equal(events_of(fed, &pair.usc->name, LEASE_EVENT_STOP), 1);
    fed_occupy(pair.usc, &old, true);
    fed_beat(fed, pair.usc);
    fed_submit(fed, pair.usc, "usc-1", 4, 0.01);
    fed_round(fed);
    assert_false(fed_has_lease(fed, "usc-1"));
}

static void a_revoked_hosts_jobs_go_elsewhere(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    fed_start(fed, pair.usc, "isi-1");
    struct member_action_request revoke = {pair.usc->name, MEMBER_REVOKE};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &revoke);
    fed_round(fed);
    struct store_lease next = fed_lease(fed, "isi-1");
    assert_string_equal(next.lease->host.text, "isi");
    assert_int_equal(next.state, LEASE_STATE_GRANTED);
}

static void what_changed_while_the_plan_was_made_is_dropped(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_submit(fed, pair.usc, "usc-1", 1, 0.001);
    struct round *round = NULL;
    assert_ok(round_open(&fed->daemon.core, false, NULL, &round, &fed->fault));
    round_solve(round);
    assert_int_equal(round->plan.placement_count, 2);
    /* meanwhile isi calls its job off */
    struct cancel_request cancel = {.issued_wall_ms = fed->clock.now_wall_ms,
                                    .job = fed_name("isi-1")};
    cancel.request_key.bytes[0] = 77;
    fed_expect(fed, STATUS_OK, &pair.isi->name, &method_cancel, service_cancel, &cancel);
    assert_ok(round_finish(&fed->daemon.core, round, &fed->fault));
    assert_int_equal(round->decision.drop_count, 1);
    assert_int_equal(round->decision.grant_count, 1);
    assert_false(fed_has_lease(fed, "isi-1"));
    assert_true(fed_has_lease(fed, "usc-1"));
    round_close(round);
}

static void acceptance_windows_follow_the_wall_clock_and_ends_do_not(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    fed->clock.now_wall_ms += 3600000; /* somebody sets the clock */
    fed_beat_all(fed);
    fed_submit(fed, pair.isi, "isi-1", 2, 0.001);
    fed_round(fed);
    struct store_lease lease = fed_lease(fed, "isi-1");
    assert_true(lease.lease->accept_from_wall_ms <= fed->clock.now_wall_ms);
    assert_true(lease.lease->accept_until_wall_ms > fed->clock.now_wall_ms);
    assert_int_equal(lease.lease->duration_ms, FED_ROUND_MS);
}

static void gpus_are_never_leased_twice_over_many_rounds(void **state)
{
    struct fed *fed = *state;
    struct pair pair = two_members(fed);
    static const char *const jobs[] = {"usc-1", "usc-2", "usc-3"};
    for (int i = 0; i < 3; i++)
        fed_submit(fed, pair.usc, jobs[i], 3, 0.001 * (i + 1));
    for (int i = 0; i < 6; i++) {
        fed_round(fed); /* store_commit refuses a GPU that two leases hold */
        for (int j = 0; j < 3; j++)
            if (fed_has_lease(fed, jobs[j]) && fed_lease(fed, jobs[j]).state == LEASE_STATE_GRANTED)
                fed_report(fed, &(struct store_lease){.lease = fed_lease(fed, jobs[j]).lease},
                           LEASE_REPORT_RUNNING);
        fed_to_full_round(fed);
        fed_advance(fed, 1);
    }
    /* the two most valuable hold one pool each, the third still waits, and is the oldest */
    struct store_demand waiting;
    struct name job = fed_name("usc-1");
    assert_ok(store_demand_find(fed->daemon.core.store, &job, &fed->arena, &waiting, &fed->fault));
    assert_true(waiting.age_rounds >= 5);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_job_is_placed_where_it_is_worth_most),
        CASE(a_foreign_lease_is_escrowed_and_one_at_home_is_not),
        CASE(a_job_that_keeps_its_gpus_is_renewed),
        CASE(a_newcomer_on_held_gpus_waits_for_the_release),
        CASE(a_job_that_moves_waits_for_its_own_release),
        CASE(a_planned_lease_that_never_got_its_gpus_is_void_with_its_epoch),
        CASE(a_member_without_funds_places_nothing_abroad),
        CASE(a_stale_offer_is_left_out),
        CASE(a_suspended_member_gets_no_new_leases_and_running_ones_finish),
        CASE(a_revoked_members_leases_stop_and_its_jobs_leave_the_market),
        CASE(a_host_that_is_silent_keeps_its_leases_in_holdover),
        CASE(a_job_that_its_home_has_given_up_is_placed_elsewhere),
        CASE(a_revoked_hosts_jobs_go_elsewhere),
        CASE(what_changed_while_the_plan_was_made_is_dropped),
        CASE(acceptance_windows_follow_the_wall_clock_and_ends_do_not),
        CASE(gpus_are_never_leased_twice_over_many_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
