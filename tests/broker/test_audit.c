#include "tests/broker/broker_fixture.h"

#include "broker/money/settle.h"
#include "broker/round/audit.h"
#include "broker/store/disputes.h"
#include "broker/store/leases.h"
#include "broker/store/query.h"

/* Three jobs want the four a100 of usc; one of them has to do with isi's slower v100: so there is a
 * rent. */
static struct store_lease contested_round(struct fed *fed)
{
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    fed_pool(usc, "a100", 4, 0.001);
    fed_pool(isi, "v100", 4, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, isi, "isi-1", 2, 0.003);
    fed_submit(fed, usc, "usc-1", 2, 0.002);
    fed_submit(fed, isi, "isi-2", 2, 0.001);
    fed_round(fed);
    struct store_lease lease = fed_lease(fed, "isi-1");
    assert_string_equal(lease.lease->host.text, "usc");
    assert_true(lease.lease->price.nanos > 1000000); /* more than the cost */
    return lease;
}

/* A receipt for that long, and the ledger's settlement of `amount` to `payee`. */
static void settle(struct fed *fed, struct store_lease *lease, int64_t held_ms, const char *payee,
                   struct credits amount)
{
    struct store *store = fed->daemon.core.store;
    struct receipt receipt = {.lease = lease->lease->id,
                              .job = lease->lease->job,
                              .home = lease->lease->home,
                              .host = lease->lease->host,
                              .sequence = 1,
                              .last = true,
                              .outcome = LEASE_OUTCOME_COMPLETED,
                              .gpu_count = lease->lease->gpu_count,
                              .held_ms = held_ms,
                              .ended_wall_ms = fed->clock.now_wall_ms};
    struct store_receipt stored = {
        .lease_row = lease->row, .sequence = 1, .settled = true, .amount = amount};
    struct ledger_part part = {fed_name(payee), amount};
    struct credits used;
    char id[LEASE_ID_TEXT_MAX];
    char reference[LEASE_ID_TEXT_MAX + 32];
    snprintf(reference, sizeof reference, "%s receipt 1", lease_id_format(lease->lease->id, id));
    assert_ok(
        wire_encode(&message_receipt, &receipt, &fed->arena, &stored.receipt.body, &fed->fault));
    assert_ok(store_begin(store, &fed->fault));
    assert_ok(store_receipt_put(store, &stored, &fed->fault));
    assert_ok(ledger_settle(store, &lease->lease->home, lease->escrowed, &part, 1, reference,
                            fed->clock.now_wall_ms, &used, &fed->fault));
    lease->escrowed.micros -= used.micros;
    lease->paid = amount;
    lease->receipts = 1;
    lease->held_ms = held_ms;
    assert_ok(store_lease_update(store, lease, &fed->fault));
    assert_ok(store_commit(store, &fed->fault));
}

static struct audit_round audit_newest(struct fed *fed)
{
    struct audit *audit;
    struct audit_round result;
    uint64_t newest;
    assert_ok(store_round_newest(fed->daemon.core.store, &newest, &fed->fault));
    assert_ok(audit_open(fed->daemon.core.store, &audit, &fed->fault));
    assert_ok(audit_check(audit, newest, &result, &fed->fault));
    audit_close(audit);
    return result;
}

static struct credits price_of(const struct store_lease *lease, int64_t held_ms)
{
    struct credits amount;
    assert_true(price_amount(lease->lease->price, lease->lease->gpu_count, held_ms, &amount));
    return amount;
}

static void a_round_paid_at_its_price_agrees_however_long_it_was_used(void **state)
{
    struct fed *fed = *state;
    struct store_lease lease = contested_round(fed);
    settle(fed, &lease, 17123, "usc", price_of(&lease, 17123));
    struct audit_round result = audit_newest(fed);
    assert_string_equal(result.problem, "");
    assert_true(result.agrees);
    assert_int_equal(result.leases, 3);
    assert_int_equal(result.paid, 1);
    assert_int_equal(result.posted.micros, lease.paid.micros);
    assert_int_equal(result.found.micros, result.stated.micros);
}

static void a_round_in_which_nothing_was_used_agrees(void **state)
{
    struct fed *fed = *state;
    contested_round(fed);
    struct audit_round result = audit_newest(fed);
    assert_true(result.agrees);
    assert_int_equal(result.paid, 0);
}

static void a_host_that_got_less_than_the_price_is_found(void **state)
{
    struct fed *fed = *state;
    struct store_lease lease = contested_round(fed);
    settle(fed, &lease, 30000, "usc", (struct credits){price_of(&lease, 30000).micros * 9 / 10});
    struct audit_round result = audit_newest(fed);
    assert_false(result.agrees);
    assert_non_null(strstr(result.problem, "neither price"));
}

static void a_payment_that_went_elsewhere_breaks_the_certificate(void **state)
{
    struct fed *fed = *state;
    struct store_lease lease = contested_round(fed);
    fed_add(fed, "thief", 0);
    settle(fed, &lease, 30000, "thief", price_of(&lease, 30000));
    struct audit_round result = audit_newest(fed);
    assert_false(result.agrees);
    /* usc lent two GPUs for nothing: alone it would have done better */
    assert_true(result.found.micros > result.stated.micros);
}

/* What silence accepted and the operator then ruled on: posted, reversed, posted anew. */
static void a_payment_corrected_by_a_ruling_agrees(void **state)
{
    struct fed *fed = *state;
    struct store *store = fed->daemon.core.store;
    struct store_lease lease = contested_round(fed);
    settle(fed, &lease, 30000, "usc", price_of(&lease, 30000));
    struct store_dispute ruled = {
        .lease_row = lease.row, .sequence = 1, .state = DISPUTE_RULED, .payable_ms = 20000};
    struct store_receipt receipt;
    lease = fed_lease(fed, "isi-1");
    assert_ok(store_receipt_find(store, lease.row, 1, &fed->arena, &receipt, &fed->fault));
    assert_ok(store_begin(store, &fed->fault));
    assert_ok(store_dispute_put(store, &ruled, &fed->fault));
    assert_ok(settle_correct(store, &lease, &receipt, 20000, fed->clock.now_wall_ms, &fed->fault));
    assert_ok(store_commit(store, &fed->fault));
    struct audit_round result = audit_newest(fed);
    assert_string_equal(result.problem, "");
    assert_true(result.agrees);
    assert_int_equal(result.posted.micros, price_of(&lease, 20000).micros);
}

/* Two jobs placed on usc's GPUs; while the plan was made, isi called off the first of them. Lease
 * numbers follow the plan, so number 1 is not there. */
static void round_with_a_drop(struct fed *fed)
{
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    struct round *round = NULL;
    struct cancel_request cancel = {.job = fed_name("isi-1"), .request_key = {{77}}};
    fed_pool(usc, "a100", 4, 0.001);
    fed_pool(isi, "v100", 4, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, isi, "isi-1", 2, 0.003);
    fed_submit(fed, usc, "usc-1", 2, 0.002);
    assert_ok(round_open(&fed->daemon.core, false, NULL, &round, &fed->fault));
    round_solve(round);
    assert_int_equal(round->plan.placement_count, 2);
    cancel.issued_wall_ms = fed->clock.now_wall_ms;
    fed_expect(fed, STATUS_OK, &isi->name, &method_cancel, service_cancel, &cancel);
    assert_ok(round_finish(&fed->daemon.core, round, &fed->fault));
    assert_int_equal(round->decision.drop_count, 1);
    assert_int_equal(round->decision.drops[0].placement, 0);
    round_close(round);
}

static void a_placement_dropped_at_commit_is_no_disagreement(void **state)
{
    struct fed *fed = *state;
    round_with_a_drop(fed);
    struct audit_round result = audit_newest(fed);
    assert_string_equal(result.problem, "");
    assert_int_equal(result.leases, 1); /* number 2 */
    assert_int_equal(result.dropped, 1);
    assert_int_equal(result.planned, 2);
    /* the whole plan's ε is 0; without isi-1 all together are worth more than they have */
    assert_int_equal(result.stated.micros, 0);
    assert_true(result.found.micros > result.slack.micros);
    assert_false(result.agrees);
    assert_false(result.judged);
}

static void another_epsilon_without_a_dropped_placement_is_found(void **state)
{
    struct fed *fed = *state;
    round_with_a_drop(fed);
    assert_ok(query_script(fed->daemon.core.store, "UPDATE rounds SET dropped = 0", &fed->fault));
    struct audit_round result = audit_newest(fed);
    assert_true(result.judged);
    assert_non_null(strstr(result.problem, "another ε"));
}

/* A lease that the store lost. `of_drop`: in a round that dropped another placement. */
static void lose_a_lease(struct fed *fed, bool of_drop)
{
    if (of_drop)
        round_with_a_drop(fed);
    else
        contested_round(fed);
    assert_ok(query_script(fed->daemon.core.store,
                           "PRAGMA foreign_keys = OFF;"
                           "DELETE FROM leases WHERE number = (SELECT max(number) FROM leases)",
                           &fed->fault));
    struct audit_round result = audit_newest(fed);
    assert_true(result.judged);
    assert_false(result.agrees);
    assert_non_null(strstr(result.problem, "leases are there"));
}

static void a_missing_lease_that_was_not_dropped_is_found(void **state)
{
    lose_a_lease(*state, false);
}

static void a_drop_does_not_hide_another_lease_that_is_missing(void **state)
{
    lose_a_lease(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_round_paid_at_its_price_agrees_however_long_it_was_used,
                                        fed_open, fed_close),
        cmocka_unit_test_setup_teardown(a_round_in_which_nothing_was_used_agrees, fed_open,
                                        fed_close),
        cmocka_unit_test_setup_teardown(a_host_that_got_less_than_the_price_is_found, fed_open,
                                        fed_close),
        cmocka_unit_test_setup_teardown(a_payment_corrected_by_a_ruling_agrees, fed_open,
                                        fed_close),
        cmocka_unit_test_setup_teardown(a_placement_dropped_at_commit_is_no_disagreement, fed_open,
                                        fed_close),
        cmocka_unit_test_setup_teardown(another_epsilon_without_a_dropped_placement_is_found,
                                        fed_open, fed_close),
        cmocka_unit_test_setup_teardown(a_missing_lease_that_was_not_dropped_is_found, fed_open,
                                        fed_close),
        cmocka_unit_test_setup_teardown(a_drop_does_not_hide_another_lease_that_is_missing,
                                        fed_open, fed_close),
        cmocka_unit_test_setup_teardown(a_payment_that_went_elsewhere_breaks_the_certificate,
                                        fed_open, fed_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
