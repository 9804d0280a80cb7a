#include "tests/broker/store_fixture.h"

/* 4 GPUs at 0.0005: 0.002 credits a second; the cap covers 630 s: 1.26 credits. */

static struct lease *running(struct world *world, int home, int host)
{
    struct lease *lease = world_lease(world, home, host, 0xF);
    world_grant(world, lease);
    world_ok(world, world_report(world, host, lease, LEASE_REPORT_RUNNING, NOW));
    return lease;
}

static void nothing_was_posted(struct world *world, const struct lease *lease)
{
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, ISI), 10000000);
    assert_int_equal(world_find(world, lease).receipts, 0);
    assert_int_equal(world_find(world, lease).escrowed.micros, lease->cap.micros);
    world_verify(world);
}

static void refused(struct world *world, const struct lease *lease,
                    const struct signed_receipt *receipt, int64_t now, const char *why)
{
    struct settle_verdict verdict = world_settle(world, ISI, receipt, now);
    assert_false(verdict.accepted);
    if (strstr(verdict.reason, why) == NULL)
        fail_msg("'%s' does not say '%s'", verdict.reason, why);
    nothing_was_posted(world, lease);
}

static void a_receipt_pays_the_beneficiaries_and_returns_the_rest(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + MINUTE_MS * 2);
    assert_true(verdict.accepted);
    assert_string_equal(verdict.reason, "");
    assert_int_equal(verdict.amount.micros, 200000); /* 0.002 × 100 s */
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 200000);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, ISI), 10000000 + 160000);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, JPL), 10000000 + 40000);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
    struct store_lease found = world_find(world, lease);
    assert_int_equal(found.state, LEASE_STATE_SETTLED);
    assert_int_equal(found.paid.micros, 200000);
    assert_int_equal(found.escrowed.micros, 0);
    world_verify(world);
}

static void a_replayed_receipt_settles_once(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict first = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    for (int i = 0; i < 3; i++) {
        struct settle_verdict again = world_settle(world, ISI, &sent, NOW + 2 * HOUR_MS);
        assert_memory_equal(&again, &first, sizeof first);
    }
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 200000);
    world_verify(world);
}

static void a_second_receipt_under_the_same_number_conflicts(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    (void)world_settle(world, ISI, &sent, NOW + HOUR_MS);
    receipt.held_ms = 200 * 1000;
    sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "conflicts"));
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 200000);
}

static void forged_receipts_are_refused_by_name(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    const struct signed_receipt good = world_sign_receipt(world, &receipt, true);
    const int64_t now = NOW + HOUR_MS;

    struct signed_receipt bad = good;
    bad.host_signature.bytes[0] ^= 1;
    refused(world, lease, &bad, now, "forged: the host's");
    bad = good;
    bad.home_signature.bytes[63] ^= 1;
    refused(world, lease, &bad, now, "forged: the home's");
    /* the host signs for home */
    bad = good;
    world_ok(world, signing_sign(&world->secrets[ISI], SIGN_RECEIPT_HOME, bad.body,
                                 &bad.home_signature, &world->fault));
    refused(world, lease, &bad, now, "forged: the home's");
    /* home's signature was made for another purpose */
    world_ok(world, signing_sign(&world->secrets[USC], SIGN_RECEIPT_HOST, bad.body,
                                 &bad.home_signature, &world->fault));
    refused(world, lease, &bad, now, "forged: the home's");
    /* the body was changed after it was signed */
    receipt.held_ms++;
    struct signed_receipt other = world_sign_receipt(world, &receipt, true);
    bad = good;
    bad.body = other.body;
    refused(world, lease, &bad, now, "forged: the host's");
    /* and what is no receipt at all */
    static const uint8_t noise[] = {0xff, 0x00, 0x13};
    bad.body = (struct bytes){noise, sizeof noise};
    refused(world, lease, &bad, now, "does not decode");
}

static void receipts_that_name_another_lease_are_refused(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    const int64_t now = NOW + HOUR_MS;
    struct receipt receipt = world_receipt(lease, 1000);
    receipt.lease.index = 99;
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, now, "there never was a lease 1.1.99");

    receipt = world_receipt(lease, 1000);
    receipt.job = name_of("usc-77");
    sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, now, "another job");

    receipt = world_receipt(lease, 1000);
    receipt.home = world->names[JPL];
    sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, now, "another job, home or host");

    receipt = world_receipt(lease, 1000);
    receipt.gpu_count = 8;
    sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, now, "8 GPUs");

    receipt = world_receipt(lease, 1000);
    sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, JPL, &sent, now);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "only its host"));
    nothing_was_posted(world, lease);
}

static void receipts_impossible_in_time_are_refused(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    /* held 100 s, but granted only 94 s ago: 5 s of skew are forgiven, not 6 */
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, NOW + 94999, "granted only 94999 ms ago");
    /* longer than the lease can last at all */
    receipt = world_receipt(lease, DURATION + HOLDOVER + GRACE + 5001);
    sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, NOW + 48 * HOUR_MS, "the lease allows");
    /* ended in the future */
    receipt = world_receipt(lease, 1000);
    receipt.ended_wall_ms = NOW + MINUTE_MS + 5001;
    sent = world_sign_receipt(world, &receipt, true);
    refused(world, lease, &sent, NOW + MINUTE_MS, "in the future");
}

static void the_time_of_all_receipts_counts_together(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 60 * 1000);
    receipt.last = false;
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &sent, NOW + MINUTE_MS).accepted);
    receipt.sequence = 2;
    receipt.held_ms = 40 * 1000;
    sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + MINUTE_MS + 34999);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "held 100000 ms, granted only 94999 ms ago"));
    assert_true(world_settle(world, ISI, &sent, NOW + MINUTE_MS + 35000).accepted);
    assert_int_equal(world_find(world, lease).held_ms, 100 * 1000);
}

static void receipts_out_of_sequence_wait_for_their_turn(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt second = world_receipt(lease, 50 * 1000);
    second.sequence = 2;
    struct signed_receipt sent = world_sign_receipt(world, &second, true);
    refused(world, lease, &sent, NOW + HOUR_MS, "receipt 1 of this lease is next");

    struct receipt first = world_receipt(lease, 100 * 1000);
    first.last = false;
    struct signed_receipt sent_first = world_sign_receipt(world, &first, true);
    assert_true(world_settle(world, ISI, &sent_first, NOW + HOUR_MS).accepted);
    assert_int_equal(world_state(world, lease), LEASE_STATE_RUNNING);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 1260000 - 200000);
    assert_true(world_settle(world, ISI, &sent, NOW + HOUR_MS).accepted);
    assert_int_equal(world_state(world, lease), LEASE_STATE_SETTLED);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 300000);
    world_verify(world);
    /* after the last one nothing more */
    struct receipt third = world_receipt(lease, 1000);
    third.sequence = 3;
    sent = world_sign_receipt(world, &third, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "the lease is settled"));
}

static void a_receipt_over_the_cap_pays_the_cap_and_says_so(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    lease->cap = MICROS(150000);
    world_grant(world, lease);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 150000);
    assert_non_null(strstr(verdict.reason, "paid 0.150000, all that the lease's cap leaves"));
    assert_non_null(strstr(verdict.reason, "0.200000 was metered"));
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 150000);
    world_verify(world);
}

static void time_since_the_last_checkpoint_of_a_failed_host_is_not_paid(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    receipt.outcome = LEASE_OUTCOME_HOST_FAILED;
    receipt.unpayable_ms = 30 * 1000;
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 140000); /* 70 s of 100 */
    world_verify(world);
}

static void a_silent_home_accepts_after_a_day(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, false);
    const int64_t seen = NOW + HOUR_MS;
    refused(world, lease, &sent, seen, "waits for the home's signature");
    refused(world, lease, &sent, seen + 24 * HOUR_MS - 1, "waits for the home's signature");
    /* the host may not put another in its place meanwhile */
    receipt.held_ms *= 2;
    struct signed_receipt other = world_sign_receipt(world, &receipt, false);
    refused(world, lease, &other, seen, "conflicts");
    struct settle_verdict verdict = world_settle(world, ISI, &sent, seen + 24 * HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 200000);
    world_verify(world);
}

static void home_may_sign_another_receipt_than_the_one_that_waits(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, false);
    refused(world, lease, &sent, NOW + HOUR_MS, "waits for the home's signature");
    receipt.held_ms = 90 * 1000;
    sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 180000);
}

static void holdover_is_paid_beyond_the_cap_where_home_signed(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    /* 1600 s of 600: 3.2 credits. The cap is 1.26, a thousand seconds over are 2.0 */
    struct receipt receipt = world_receipt(lease, 1600 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 3200000);
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), 0);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000 - 3200000);
    world_verify(world);
}

static void holdover_is_billed_even_below_the_credit_limit(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct lease_sweep swept;
    world_begin(world);
    world_ok(world, lease_sweep(world->store, &world_limits, NOW + DURATION + GRACE + 1,
                                &world->arena, &swept, &world->fault));
    world_commit(world);
    assert_int_equal(swept.overrun, 1);
    /* two hours at 7.2 an hour are 14.4 of the 10 there are */
    struct receipt receipt = world_receipt(lease, 2 * HOUR_MS);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + 3 * HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 14400000);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), -4400000);
    struct ledger_position position;
    world_ok(world, ledger_position(world->store, &world->names[USC], &position, &world->fault));
    assert_int_equal(position.funds.micros, 0);
    world_verify(world);
}

static void a_silent_home_is_billed_no_holdover(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 1600 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, false);
    (void)world_settle(world, ISI, &sent, NOW + HOUR_MS);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + 25 * HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 1260000); /* the cap */
}

static void a_lease_at_home_settles_without_an_entry(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, USC);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, false);
    uint64_t before = 0;
    uint64_t after = 0;
    struct digest hash;
    world_ok(world, ledger_head(world->store, &before, &hash, &world->fault));
    struct settle_verdict verdict = world_settle(world, USC, &sent, NOW + HOUR_MS);
    assert_true(verdict.accepted);
    assert_int_equal(verdict.amount.micros, 0);
    world_ok(world, ledger_head(world->store, &after, &hash, &world->fault));
    assert_int_equal(after, before);
    assert_int_equal(world_state(world, lease), LEASE_STATE_SETTLED);
}

static void an_unused_lease_is_voided_by_its_receipt(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    struct receipt receipt = world_receipt(lease, 0);
    receipt.outcome = LEASE_OUTCOME_UNUSED;
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &sent, NOW + 1000).accepted);
    assert_int_equal(world_state(world, lease), LEASE_STATE_VOIDED);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 10000000);
    /* the same again: the same verdict, though the lease is void */
    assert_true(world_settle(world, ISI, &sent, NOW + 1000).accepted);
    world_verify(world);
}

static void a_void_lease_takes_no_receipt(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_REFUSED, NOW));
    struct receipt receipt = world_receipt(lease, 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = world_settle(world, ISI, &sent, NOW + HOUR_MS);
    assert_false(verdict.accepted);
    assert_non_null(strstr(verdict.reason, "the lease is voided"));
}

static void the_outcome_decides_on_the_renewal(void **state)
{
    struct world *world = *state;
    static const struct {
        enum lease_outcome outcome;
        enum lease_state renewal;
    } cases[] = {
        {LEASE_OUTCOME_RENEWED, LEASE_STATE_GRANTED},
        {LEASE_OUTCOME_COMPLETED, LEASE_STATE_VOIDED},
        {LEASE_OUTCOME_HOST_FAILED, LEASE_STATE_VOIDED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lease *first = world_lease(world, USC, ISI, UINT64_C(1) << i);
        struct lease *second = world_renewal(world, first);
        world_grant(world, first);
        world_begin(world);
        world_ok(world, world_add(world, second, false, NOW, NOW + 2 * DURATION));
        world_commit(world);
        struct receipt receipt = world_receipt(first, 1000);
        receipt.outcome = cases[i].outcome;
        struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
        assert_true(world_settle(world, ISI, &sent, NOW + HOUR_MS).accepted);
        assert_int_equal(world_state(world, first), LEASE_STATE_SETTLED);
        assert_int_equal(world_state(world, second), cases[i].renewal);
        world_verify(world);
    }
}

static void a_settlement_can_be_reversed_by_a_ruling(void **state)
{
    struct world *world = *state;
    struct lease *lease = running(world, USC, ISI);
    struct receipt receipt = world_receipt(lease, 100 * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    (void)world_settle(world, ISI, &sent, NOW + HOUR_MS);
    struct ledger_page_response page;
    uint64_t number = 0;
    world_ok(world, ledger_page(world->store, 0, 100, &world->arena, &page, &world->fault));
    for (uint32_t i = 0; i < page.entry_count; i++)
        if (strcmp(page.entries[i].kind, "settle") == 0)
            number = page.entries[i].transaction;
    world_begin(world);
    world_ok(world, ledger_reverse(world->store, number, "ruling 1", NOW + HOUR_MS, &world->fault));
    world_commit(world);
    for (int i = 0; i < WORLD_MEMBERS; i++)
        assert_int_equal(world_micros(world, ACCOUNT_MEMBER, i), 10000000);
    world_verify(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_receipt_pays_the_beneficiaries_and_returns_the_rest),
        world_test(a_replayed_receipt_settles_once),
        world_test(a_second_receipt_under_the_same_number_conflicts),
        world_test(forged_receipts_are_refused_by_name),
        world_test(receipts_that_name_another_lease_are_refused),
        world_test(receipts_impossible_in_time_are_refused),
        world_test(the_time_of_all_receipts_counts_together),
        world_test(receipts_out_of_sequence_wait_for_their_turn),
        world_test(a_receipt_over_the_cap_pays_the_cap_and_says_so),
        world_test(time_since_the_last_checkpoint_of_a_failed_host_is_not_paid),
        world_test(a_silent_home_accepts_after_a_day),
        world_test(home_may_sign_another_receipt_than_the_one_that_waits),
        world_test(holdover_is_paid_beyond_the_cap_where_home_signed),
        world_test(holdover_is_billed_even_below_the_credit_limit),
        world_test(a_silent_home_is_billed_no_holdover),
        world_test(a_lease_at_home_settles_without_an_entry),
        world_test(an_unused_lease_is_voided_by_its_receipt),
        world_test(a_void_lease_takes_no_receipt),
        world_test(the_outcome_decides_on_the_renewal),
        world_test(a_settlement_can_be_reversed_by_a_ruling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
