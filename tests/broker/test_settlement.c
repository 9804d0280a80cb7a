#include "tests/broker/store_fixture.h"

#include "broker/money/settlement.h"

#define DAY_MS INT64_C(86400000)

static const struct broker_config settlement_config = {.settlement_period_ms = 30 * DAY_MS,
                                                       .settlement_due_ms = 14 * DAY_MS};

static uint64_t close_now(struct world *world, int64_t now)
{
    uint64_t period = 0;
    world_begin(world);
    world_ok(world,
             settlement_close(world->store, &settlement_config, now, &period, &world->fault));
    world_commit(world);
    return period;
}

static struct settlement_row row_of(struct world *world, uint64_t period, int member, int64_t now)
{
    struct settlement_response response = {.member_count = 0};
    world_ok(world,
             settlement_show(world->store, period, now, &world->arena, &response, &world->fault));
    for (uint32_t i = 0; i < response.member_count; i++)
        if (name_equal(&response.members[i].member, &world->names[member]))
            return response.members[i];
    fail_msg("member %d is not in period %llu", member, (unsigned long long)period);
    return (struct settlement_row){.overdue = false};
}

static struct credits overdue(struct world *world, int member, int64_t now)
{
    struct credits amount;
    world_ok(world,
             settlement_overdue(world->store, &world->names[member], now, &amount, &world->fault));
    return amount;
}

static void deposit(struct world *world, int member, int64_t micros, int64_t now)
{
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[member], MICROS(micros), "payment",
                                   now, &world->fault));
    world_commit(world);
}

/* A lease of usc's at isi, paid for `held` seconds at 0.002 a second; jpl gets a fifth. */
static void spend(struct world *world, int64_t held_s, int64_t now)
{
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    world_ok(world, world_report(world, ISI, lease, LEASE_REPORT_RUNNING, now));
    struct receipt receipt = world_receipt(lease, held_s * 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    assert_true(world_settle(world, ISI, &sent, now + HOUR_MS).accepted);
}

static void set_limit(struct world *world, int member, int64_t micros)
{
    world_begin(world);
    world_ok(world, store_member_set_credit_limit(world->store, &world->names[member],
                                                  MICROS(micros), &world->fault));
    world_commit(world);
}

/* usc begins with 10 credits and is left with a debt of `micros`. */
static void go_into_debt(struct world *world, int64_t micros)
{
    set_limit(world, USC, 20000000);
    deposit(world, USC, -10000000 - micros, NOW);
}

static void net_positions_add_up_and_sum_to_what_was_paid_in(void **state)
{
    struct world *world = *state;
    spend(world, 100, NOW);
    uint64_t period = close_now(world, NOW + DAY_MS);
    assert_int_equal(period, 1);
    int64_t closing = 0;
    for (int m = 0; m < WORLD_MEMBERS; m++) {
        struct settlement_row row = row_of(world, period, m, NOW + DAY_MS);
        assert_int_equal(row.opening.micros, 0);
        assert_int_equal(row.closing.micros, row.opening.micros + row.earned.micros -
                                                 row.spent.micros + row.paid_in.micros +
                                                 row.corrected.micros);
        closing += row.closing.micros;
    }
    assert_int_equal(closing, 3 * 10000000);
    struct settlement_row usc = row_of(world, period, USC, NOW);
    assert_int_equal(usc.spent.micros, 200000); /* 0.002 × 100 s */
    assert_int_equal(usc.earned.micros, 0);
    assert_int_equal(row_of(world, period, ISI, NOW).earned.micros, 160000);
    assert_int_equal(row_of(world, period, JPL, NOW).earned.micros, 40000);

    spend(world, 50, NOW + DAY_MS);
    assert_int_equal(close_now(world, NOW + 2 * DAY_MS), 2);
    usc = row_of(world, 2, USC, NOW);
    assert_int_equal(usc.opening.micros, row_of(world, 1, USC, NOW).closing.micros);
    assert_int_equal(usc.spent.micros, 100000); /* this period's alone */
    assert_int_equal(usc.paid_in.micros, 0);
}

static void escrow_is_the_member_s_own_at_a_period_s_end(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    uint64_t period = close_now(world, NOW + DAY_MS);
    struct settlement_row usc = row_of(world, period, USC, NOW + DAY_MS);
    assert_int_equal(usc.closing.micros, 10000000);
    assert_int_equal(usc.spent.micros, 0);
}

static void what_is_owed_is_overdue_after_its_day_until_it_is_paid(void **state)
{
    struct world *world = *state;
    go_into_debt(world, 3000000);
    uint64_t period = close_now(world, NOW);
    assert_int_equal(row_of(world, period, USC, NOW).owed.micros, 3000000);
    assert_int_equal(overdue(world, USC, NOW + 14 * DAY_MS).micros, 0); /* the due date itself */
    int64_t late = NOW + 14 * DAY_MS + 1;
    assert_int_equal(overdue(world, USC, late).micros, 3000000);
    assert_true(row_of(world, period, USC, late).overdue);
    assert_int_equal(overdue(world, ISI, late).micros, 0);
    deposit(world, USC, 1000000, late);
    assert_int_equal(overdue(world, USC, late).micros, 2000000);
    deposit(world, USC, 2000000, late);
    assert_int_equal(overdue(world, USC, late).micros, 0);
    deposit(world, USC, -500000, late); /* within its limit again: owed by the next period only */
    assert_int_equal(overdue(world, USC, late).micros, 0);
}

static void what_is_earned_pays_a_debt_too(void **state)
{
    struct world *world = *state;
    set_limit(world, ISI, 20000000);
    deposit(world, ISI, -10100000, NOW); /* isi owes 0.1 */
    (void)close_now(world, NOW);
    int64_t late = NOW + 15 * DAY_MS;
    assert_int_equal(overdue(world, ISI, late).micros, 100000);
    spend(world, 100, late); /* isi hosts for 0.16 */
    assert_int_equal(overdue(world, ISI, late + DAY_MS).micros, 0);
}

static void periods_close_by_themselves_once(void **state)
{
    struct world *world = *state;
    bool closed = true;
    const int64_t moments[] = {NOW, NOW + 30 * DAY_MS - 1, NOW + 30 * DAY_MS,
                               NOW + 30 * DAY_MS + 1000, NOW + 60 * DAY_MS};
    const bool expected[] = {false, false, true, false, true};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        world_begin(world);
        world_ok(world, settlement_sweep(world->store, &settlement_config, moments[i], &closed,
                                         &world->fault));
        world_commit(world);
        assert_int_equal(closed, expected[i]);
    }
}

static enum status write_off(struct world *world, int member)
{
    world_begin(world);
    enum status status =
        settlement_write_off(world->store, &world->names[member], "it left", NOW, &world->fault);
    if (status == STATUS_OK)
        world_commit(world);
    store_rollback(world->store);
    return status;
}

static void revoke(struct world *world, int member)
{
    world_begin(world);
    world_ok(world, store_member_set_state(world->store, &world->names[member], MEMBER_REVOKED,
                                           &world->fault));
    world_commit(world);
}

static void only_a_revoked_member_s_debt_is_written_off_to_the_losses(void **state)
{
    struct world *world = *state;
    const struct ledger_account losses = {.kind = ACCOUNT_LOSSES};
    struct credits lost;
    go_into_debt(world, 3000000);
    assert_int_equal(write_off(world, USC), STATUS_PRECONDITION);
    revoke(world, USC);
    assert_ok(write_off(world, USC));
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), 0);
    world_ok(world, ledger_balance(world->store, &losses, &lost, &world->fault));
    assert_int_equal(lost.micros, -3000000);
    assert_ok(write_off(world, USC)); /* said again: nothing is left */
    world_ok(world, ledger_balance(world->store, &losses, &lost, &world->fault));
    assert_int_equal(lost.micros, -3000000);
    revoke(world, ISI);
    assert_int_equal(write_off(world, ISI), STATUS_PRECONDITION); /* it has money: pay it out */
    world_verify(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(net_positions_add_up_and_sum_to_what_was_paid_in),
        world_test(escrow_is_the_member_s_own_at_a_period_s_end),
        world_test(what_is_owed_is_overdue_after_its_day_until_it_is_paid),
        world_test(what_is_earned_pays_a_debt_too),
        world_test(periods_close_by_themselves_once),
        world_test(only_a_revoked_member_s_debt_is_written_off_to_the_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
