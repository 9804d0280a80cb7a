#include "tests/broker/store_fixture.h"

#include "broker/money/dispute.h"

/* 4 GPUs at 0.0005: 0.002 credits a second. Home says it saw 40 s of the 100 s claimed. */
enum { CLAIMED_MS = 100 * 1000, SEEN_MS = 40 * 1000 };
#define START_MICROS   10000000
#define CLAIMED_MICROS 200000
#define SEEN_MICROS    80000
#define DAY_MS         INT64_C(86400000)

static const struct lease_limits limits = {
    .grace_ms = 30000, .skew_ms = 5000, .receipt_wait_ms = 7 * DAY_MS};

struct disputed {
    struct lease *lease;
    struct signed_receipt receipt; /* not signed by home */
};

static struct disputed claim(struct world *world)
{
    struct disputed it = {.lease = world_lease(world, USC, ISI, 0xF)};
    world_grant(world, it.lease);
    world_ok(world, world_report(world, ISI, it.lease, LEASE_REPORT_RUNNING, NOW));
    struct receipt receipt = world_receipt(it.lease, CLAIMED_MS);
    it.receipt = world_sign_receipt(world, &receipt, false);
    return it;
}

/* -1: the operator */
static enum status act(struct world *world, int who, const struct lease *lease,
                       enum dispute_action action, int64_t payable_ms, int64_t now)
{
    static const struct name nobody = {.text = ""};
    const struct dispute_request request = {.lease = lease->id,
                                            .sequence = 1,
                                            .action = action,
                                            .payable_ms = payable_ms,
                                            .text = "as we saw it"};
    struct store_dispute dispute;
    assert_ok(store_begin(world->store, &world->fault));
    enum status status = dispute_act(world->store, who < 0 ? &nobody : &world->names[who], &request,
                                     &limits, now, &dispute, &world->fault);
    if (status == STATUS_OK)
        assert_ok(store_commit(world->store, &world->fault));
    store_rollback(world->store);
    return status;
}

static enum dispute_state state_of(struct world *world, const struct lease *lease)
{
    struct store_dispute dispute;
    struct store_lease row = world_find(world, lease);
    assert_ok(store_dispute_find(world->store, row.row, 1, &dispute, &world->fault));
    return dispute.state;
}

static struct disputed opened(struct world *world)
{
    struct disputed it = claim(world);
    assert_false(world_settle(world, ISI, &it.receipt, NOW + HOUR_MS).accepted);
    assert_ok(act(world, USC, it.lease, DISPUTE_DO_OPEN, SEEN_MS, NOW + HOUR_MS));
    return it;
}

static void paid(struct world *world, const struct lease *lease, int64_t micros)
{
    assert_int_equal(world_find(world, lease).paid.micros, micros);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), START_MICROS - micros);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
    world_verify(world);
}

static void the_table_lists_every_move_and_final_states_stay(void **state)
{
    (void)state;
    enum dispute_state next;
    for (unsigned s = 0; s < DISPUTE_STATE_COUNT; s++)
        for (unsigned a = 0; a < DISPUTE_ACTION_COUNT; a++) {
            bool moves = dispute_next(s, a, false, &next);
            assert_false(moves && dispute_final(s));
            assert_false(moves && a == DISPUTE_DO_OPEN);
        }
    for (unsigned s = 0; s < DISPUTE_STATE_COUNT; s++) /* only silence lapses */
        assert_int_equal(dispute_next(s, DISPUTE_DO_OPEN, true, &next), s == DISPUTE_OPEN);
    assert_true(dispute_next(DISPUTE_ANSWERED, DISPUTE_DO_RULE, false, &next));
    assert_int_equal(next, DISPUTE_RULED);
}

static void each_party_does_its_own_moves_alone(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    int64_t now = NOW + HOUR_MS;
    assert_int_equal(act(world, ISI, it.lease, DISPUTE_DO_WITHDRAW, 0, now), STATUS_DENIED);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_CONCEDE, 0, now), STATUS_DENIED);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_RULE, 0, now), STATUS_DENIED);
    assert_int_equal(act(world, JPL, it.lease, DISPUTE_DO_ANSWER, 0, now), STATUS_DENIED);
    assert_int_equal(act(world, -1, it.lease, DISPUTE_DO_WITHDRAW, 0, now), STATUS_DENIED);
    assert_int_equal(state_of(world, it.lease), DISPUTE_OPEN);
}

static void escrow_stays_held_and_silence_accepts_nothing_while_a_dispute_is_open(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    int64_t later = NOW + 30 * DAY_MS; /* far beyond deemed acceptance and the wait for receipts */
    assert_false(world_settle(world, ISI, &it.receipt, NOW + 2 * HOUR_MS).accepted);
    assert_int_equal(state_of(world, it.lease), DISPUTE_ANSWERED); /* it stands by its receipt */
    struct settle_verdict verdict = world_settle(world, ISI, &it.receipt, later);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "disputed by its home (answered): as we saw it"));
    struct lease_sweep swept;
    world_ok(world, world_report(world, ISI, it.lease, LEASE_REPORT_RELEASED, NOW + HOUR_MS));
    assert_ok(store_begin(world->store, &world->fault));
    assert_ok(lease_sweep(world->store, &limits, later, &world->arena, &swept, &world->fault));
    assert_ok(store_commit(world->store, &world->fault));
    assert_int_equal(world_state(world, it.lease), LEASE_STATE_RELEASED);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), it.lease->cap.micros);
    world_verify(world);
}

static void a_ruling_pays_its_time_at_once(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    int64_t now = NOW + 2 * HOUR_MS;
    assert_int_equal(act(world, -1, it.lease, DISPUTE_DO_RULE, CLAIMED_MS + 1, now),
                     STATUS_INVALID);
    assert_ok(act(world, -1, it.lease, DISPUTE_DO_RULE, 70 * 1000, now));
    assert_int_equal(state_of(world, it.lease), DISPUTE_RULED);
    paid(world, it.lease, 140000); /* 0.002 × 70 s */
    assert_int_equal(world_state(world, it.lease), LEASE_STATE_SETTLED);
    assert_true(world_settle(world, ISI, &it.receipt, now).accepted); /* the host may forget it */
    assert_ok(
        act(world, -1, it.lease, DISPUTE_DO_RULE, 10 * 1000, now)); /* said again: no effect */
    paid(world, it.lease, 140000);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_WITHDRAW, 0, now), STATUS_PRECONDITION);
}

static void a_host_that_concedes_is_paid_what_home_saw(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    assert_ok(act(world, ISI, it.lease, DISPUTE_DO_CONCEDE, 0, NOW + 2 * HOUR_MS));
    paid(world, it.lease, SEEN_MICROS);
}

static void a_home_that_withdraws_or_signs_after_all_pays_the_receipt(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    assert_ok(act(world, USC, it.lease, DISPUTE_DO_WITHDRAW, 0, NOW + 2 * HOUR_MS));
    paid(world, it.lease, CLAIMED_MICROS);
}

static void home_s_signature_ends_its_dispute(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    struct receipt receipt = world_receipt(it.lease, CLAIMED_MS);
    struct signed_receipt both = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &both, NOW + 2 * HOUR_MS).accepted);
    assert_int_equal(state_of(world, it.lease), DISPUTE_WITHDRAWN);
    paid(world, it.lease, CLAIMED_MICROS);
}

static void lapse_all(struct world *world, int64_t now, uint32_t expected)
{
    uint32_t lapsed = 0;
    assert_ok(store_begin(world->store, &world->fault));
    assert_ok(dispute_sweep(world->store, &limits, now, &world->arena, &lapsed, &world->fault));
    assert_ok(store_commit(world->store, &world->fault));
    assert_int_equal(lapsed, expected);
}

static void a_host_that_does_not_answer_in_time_is_paid_what_home_saw(void **state)
{
    struct world *world = *state;
    struct disputed it = opened(world);
    lapse_all(world, NOW + HOUR_MS + DAY_MS - 1, 0);
    lapse_all(world, NOW + HOUR_MS + DAY_MS + 1, 1);
    assert_int_equal(state_of(world, it.lease), DISPUTE_LAPSED);
    paid(world, it.lease, SEEN_MICROS);
}

static void a_dispute_may_come_before_its_receipt(void **state)
{
    struct world *world = *state;
    struct disputed it = claim(world);
    assert_ok(act(world, USC, it.lease, DISPUTE_DO_OPEN, SEEN_MS, NOW + HOUR_MS));
    assert_false(world_settle(world, ISI, &it.receipt, NOW + HOUR_MS).accepted);
    assert_int_equal(state_of(world, it.lease), DISPUTE_OPEN); /* its first word is no answer */
    assert_ok(act(world, ISI, it.lease, DISPUTE_DO_CONCEDE, 0, NOW + HOUR_MS));
    paid(world, it.lease, SEEN_MICROS);
}

static void what_silence_accepted_is_reversed_by_a_ruling(void **state)
{
    struct world *world = *state;
    struct disputed it = claim(world);
    assert_false(world_settle(world, ISI, &it.receipt, NOW + HOUR_MS).accepted);
    int64_t later = NOW + HOUR_MS + DAY_MS;
    assert_true(world_settle(world, ISI, &it.receipt, later).accepted); /* home was silent */
    paid(world, it.lease, CLAIMED_MICROS);
    assert_ok(act(world, USC, it.lease, DISPUTE_DO_OPEN, SEEN_MS, later));
    lapse_all(world, later + 2 * DAY_MS, 1); /* what was settled stays: its host need not watch */
    paid(world, it.lease, CLAIMED_MICROS);
}

static void a_reversal_takes_back_from_each_beneficiary_what_it_got(void **state)
{
    struct world *world = *state;
    struct disputed it = claim(world);
    (void)world_settle(world, ISI, &it.receipt, NOW + HOUR_MS);
    int64_t later = NOW + HOUR_MS + DAY_MS;
    assert_true(world_settle(world, ISI, &it.receipt, later).accepted);
    assert_ok(act(world, USC, it.lease, DISPUTE_DO_OPEN, SEEN_MS, later));
    assert_ok(act(world, ISI, it.lease, DISPUTE_DO_ANSWER, 0, later));
    assert_ok(act(world, -1, it.lease, DISPUTE_DO_RULE, SEEN_MS, later));
    paid(world, it.lease, SEEN_MICROS);
    /* four fifths to the host, a fifth to the owner of a policy row */
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, ISI), START_MICROS + 64000);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, JPL), START_MICROS + 16000);
}

static void what_can_t_be_disputed_is_refused_by_name(void **state)
{
    struct world *world = *state;
    struct disputed it = claim(world);
    int64_t now = NOW + HOUR_MS;
    (void)world_settle(world, ISI, &it.receipt, now);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_OPEN, CLAIMED_MS, now), STATUS_INVALID);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_WITHDRAW, 0, now), STATUS_NOT_FOUND);
    assert_true(world_settle(world, ISI, &it.receipt, now + DAY_MS).accepted);
    assert_int_equal(act(world, USC, it.lease, DISPUTE_DO_OPEN, 0, now + 9 * DAY_MS),
                     STATUS_PRECONDITION); /* a week after silence accepted it */

    struct disputed both = {.lease = world_lease(world, USC, ISI, 0xF)};
    world_grant(world, both.lease);
    world_ok(world, world_report(world, ISI, both.lease, LEASE_REPORT_RUNNING, now));
    struct receipt receipt = world_receipt(both.lease, 1000);
    both.receipt = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &both.receipt, now + HOUR_MS).accepted);
    assert_int_equal(act(world, USC, both.lease, DISPUTE_DO_OPEN, 0, now + HOUR_MS),
                     STATUS_PRECONDITION);
    assert_non_null(strstr(world->fault.text, "your own signature"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_lists_every_move_and_final_states_stay),
        CASE(each_party_does_its_own_moves_alone),
        CASE(escrow_stays_held_and_silence_accepts_nothing_while_a_dispute_is_open),
        CASE(a_ruling_pays_its_time_at_once),
        CASE(a_host_that_concedes_is_paid_what_home_saw),
        CASE(a_home_that_withdraws_or_signs_after_all_pays_the_receipt),
        CASE(home_s_signature_ends_its_dispute),
        CASE(a_host_that_does_not_answer_in_time_is_paid_what_home_saw),
        CASE(a_dispute_may_come_before_its_receipt),
        CASE(what_silence_accepted_is_reversed_by_a_ruling),
        CASE(a_reversal_takes_back_from_each_beneficiary_what_it_got),
        CASE(what_can_t_be_disputed_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
