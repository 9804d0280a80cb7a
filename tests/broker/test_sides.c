#include "tests/broker/broker_fixture.h"

#include "broker/lease/lease.h"
#include "broker/money/sides.h"
#include "broker/round/audit.h"
#include "broker/round/comparison.h"
#include "broker/round/replay.h"

static const char *const jobs[] = {"isi-1", "usc-1", "isi-2", "ucsd-1"};

enum { JOBS = 4, USC = 2 /* among isi, ucsd, usc */ };

/* Four jobs want the four a100 of usc; two have to do with isi's slower v100, so there is a rent,
 * and Shapley gives another split than prices do. */
static struct round *contested_round(struct fed *fed, const char *mechanism, int64_t usc_credits)
{
    assert_ok(mechanism_find(mechanism, &fed->config.mechanism, &fed->fault));
    fed->config.funded = fed->config.mechanism->funded;
    struct fed_member *usc = fed_add(fed, "usc", usc_credits);
    struct fed_member *isi = fed_add(fed, "isi", 1000);
    struct fed_member *ucsd = fed_add(fed, "ucsd", 1000);
    fed_pool(usc, "a100", 4, 0.001);
    fed_pool(isi, "v100", 4, 0.001);
    fed_beat_all(fed);
    fed_submit(fed, isi, "isi-1", 2, 0.003);
    fed_submit(fed, usc, "usc-1", 2, 0.002);
    fed_submit(fed, isi, "isi-2", 2, 0.001);
    fed_submit(fed, ucsd, "ucsd-1", 2, 0.0015);
    struct round *round = fed_round(fed);
    assert_int_equal(round->report.row.placed, JOBS);
    return round;
}

static struct store_sides sides_of(struct fed *fed, const struct round *round)
{
    struct store_sides sides;
    assert_ok(
        store_sides_find(fed->daemon.core.store, round->number, &fed->arena, &sides, &fed->fault));
    return sides;
}

static struct credits balance(struct fed *fed, enum ledger_account_kind kind, const char *member)
{
    struct ledger_account const account = {kind, fed_name(member)};
    struct credits amount;
    assert_ok(ledger_balance(fed->daemon.core.store, &account, &amount, &fed->fault));
    return amount;
}

static void verify_ledger(struct fed *fed)
{
    struct ledger_verify_response result;
    assert_ok(ledger_verify(fed->daemon.core.store, &fed->arena, &result, &fed->fault));
    assert_string_equal(result.problem, "");
    assert_true(result.verified);
}

/* All leases of the round end after that part of their planned time, in percent. */
static void end_leases(struct fed *fed, const struct round *round, int64_t percent)
{
    struct store *store = fed->daemon.core.store;
    struct store_sides const sides = sides_of(fed, round);
    for (uint32_t i = 0; i < sides.lease_count; i++) {
        struct lease_id const id = {round->book.incarnation, round->number, sides.leases[i].number};
        assert_ok(store_begin(store, &fed->fault));
        assert_ok(
            sides_deliver(store, id, sides.leases[i].planned_ms * percent / 100, &fed->fault));
        assert_ok(sides_close(store, id, fed->clock.now_wall_ms, &fed->fault));
        assert_ok(store_commit(store, &fed->fault));
    }
}

static void side_payments_are_zero_in_sum_and_escrowed_with_the_plan(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "shapley", 1000);
    struct store_sides const sides = sides_of(fed, round);
    int64_t sum = 0;
    assert_int_equal(sides.part_count, 3);
    assert_int_equal(sides.worth.micros, round->plan.objective.micros);
    for (uint32_t i = 0; i < sides.part_count; i++) {
        const struct store_side_part *part = &sides.parts[i];
        sum += part->amount.micros;
        assert_int_equal(part->escrowed.micros, part->amount.micros < 0 ? -part->amount.micros : 0);
    }
    assert_int_equal(sum, 0);
    assert_true(sides.parts[0].amount.micros != 0);
    verify_ledger(fed);
}

static void what_is_reported_is_what_members_have_with_side_payments(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "shapley", 1000);
    int64_t sum = 0;
    for (uint32_t i = 0; i < round->report.member_count; i++) {
        const struct round_member_row *row = &round->report.members[i];
        assert_int_equal(row->payoff.micros,
                         round->plan.members[i].payoff.micros + row->side.micros);
        sum += row->payoff.micros;
    }
    assert_int_equal(sum, round->plan.objective.micros);
    assert_string_equal(round->report.mechanism, "shapley");
}

/* Half of every lease: half of every side payment, to the micro-credit. */
static void side_payments_follow_what_was_delivered(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "shapley", 1000);
    struct store_sides const before = sides_of(fed, round);
    int64_t had[3];
    int64_t held[3];
    for (uint32_t i = 0; i < before.part_count; i++) {
        const char *member = strchr(before.parts[i].account, '/') + 1;
        had[i] = balance(fed, ACCOUNT_MEMBER, member).micros;
        held[i] = balance(fed, ACCOUNT_ESCROW, member).micros;
    }
    end_leases(fed, round, 50);
    struct store_sides const after = sides_of(fed, round);
    assert_true(after.settled);
    /* each lease's part is rounded down: at most a micro-credit of worth a lease */
    assert_in_range(after.worth.micros / 2 - after.delivered.micros, 0, JOBS);
    for (uint32_t i = 0; i < before.part_count; i++) {
        const char *member = strchr(before.parts[i].account, '/') + 1;
        int64_t const amount = before.parts[i].amount.micros;
        int64_t const escrow = before.parts[i].escrowed.micros;
        int64_t const got = balance(fed, ACCOUNT_MEMBER, member).micros - had[i] - escrow;
        assert_in_range(got - amount / 2 + JOBS, 0, 2 * JOBS);
        assert_int_equal(held[i] - balance(fed, ACCOUNT_ESCROW, member).micros, escrow);
    }
    verify_ledger(fed);
}

static void leases_called_off_take_their_side_payments_with_them(void **state)
{
    struct fed *fed = *state;
    struct store *store = fed->daemon.core.store;
    struct round *round = contested_round(fed, "nucleolus", 1000);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct store_lease const lease = fed_lease(fed, jobs[i]);
        assert_false(sides_of(fed, round).settled);
        assert_ok(store_begin(store, &fed->fault));
        assert_ok(
            lease_void(store, lease.lease->id, "as asked", fed->clock.now_wall_ms, &fed->fault));
        assert_ok(store_commit(store, &fed->fault));
    }
    assert_true(sides_of(fed, round).settled);
    assert_int_equal(balance(fed, ACCOUNT_MEMBER, "usc").micros, INT64_C(1000) * MICROS_PER_CREDIT);
    assert_int_equal(balance(fed, ACCOUNT_MEMBER, "isi").micros, INT64_C(1000) * MICROS_PER_CREDIT);
    verify_ledger(fed);
}

static void time_beyond_the_plan_earns_no_more(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "shapley", 1000);
    end_leases(fed, round, 250);
    struct store_sides const sides = sides_of(fed, round);
    assert_int_equal(sides.delivered.micros, sides.worth.micros);
    verify_ledger(fed);
}

static void a_payer_without_funds_is_spared_and_the_certificate_is_of_what_is_paid(void **state)
{
    struct fed *fed = *state;
    /* usc would pay: prices give it the whole rent, Shapley part of it */
    struct round *round = contested_round(fed, "equal", 0);
    struct store_sides sides;
    bool const usc_pays = round->split.wanted[USC].micros < round->plan.members[USC].payoff.micros;
    assert_true(usc_pays);
    assert_int_equal(round->split.side[USC].micros, 0);
    assert_non_null(strstr(round->report.split_remark, "cut"));
    assert_int_equal(round->report.row.epsilon.micros, round->split.epsilon.micros);
    sides = sides_of(fed, round); /* of the others */
    for (uint32_t i = 0; i < sides.part_count; i++)
        assert_string_not_equal(sides.parts[i].account, "member/usc");
}

static void vcgs_deficit_is_paid_by_the_account_named(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "vcg", 1000);
    assert_true(round->split.funding.micros > 0);
    end_leases(fed, round, 100);
    struct credits const endowment = balance(fed, ACCOUNT_ENDOWMENT, "");
    assert_int_equal(endowment.micros,
                     -INT64_C(3000) * MICROS_PER_CREDIT - round->split.funding.micros);
    verify_ledger(fed);
}

static void a_round_of_any_mechanism_replays_bit_for_bit(void **state)
{
    struct fed *fed = *state;
    contested_round(fed, mechanisms[0].name, 100);
    for (size_t m = 0; m < mechanism_count; m++) {
        fed->config.mechanism = &mechanisms[m];
        fed->config.funded = mechanisms[m].funded;
        /* what the last round granted is called off, so that all is free again */
        for (uint32_t i = 0; i < JOBS; i++) {
            struct store_lease const lease = fed_lease(fed, jobs[i]);
            assert_ok(store_begin(fed->daemon.core.store, &fed->fault));
            assert_ok(lease_void(fed->daemon.core.store, lease.lease->id, "as asked",
                                 fed->clock.now_wall_ms, &fed->fault));
            assert_ok(store_commit(fed->daemon.core.store, &fed->fault));
        }
        struct round *round = fed_round(fed);
        struct replay replay;
        assert_ok(
            replay_round(fed->daemon.core.store, round->number, &fed->arena, &replay, &fed->fault));
        if (!replay.same)
            fail_msg("%s: %s", mechanisms[m].name, replay.difference);
        assert_int_equal(round->split.paid, m > 0);
    }
}

static struct audit_round audit_newest(struct fed *fed, uint64_t number)
{
    struct audit *audit;
    struct audit_round result;
    assert_ok(audit_open(fed->daemon.core.store, &audit, &fed->fault));
    assert_ok(audit_check(audit, number, &result, &fed->fault));
    audit_close(audit);
    return result;
}

static void an_audit_counts_side_payments(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "equal", 1000);
    struct audit_round result = audit_newest(fed, round->number);
    assert_string_equal(result.problem, "");
    assert_int_equal(result.found.micros, round->split.epsilon.micros);
}

/* Side payments for time that no receipt tells of. */
static void an_audit_finds_side_payments_that_were_not_earned(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "equal", 1000);
    end_leases(fed, round, 100);
    struct audit_round result = audit_newest(fed, round->number);
    assert_false(result.agrees);
    assert_non_null(strstr(result.problem, "its receipts"));
}

static void every_split_of_a_stored_round_is_shown_with_who_objects(void **state)
{
    struct fed *fed = *state;
    struct round *round = contested_round(fed, "equal", 1000);
    struct comparison comparison;
    assert_ok(comparison_make(fed->daemon.core.store, round->number, "all", &fed->arena,
                              &comparison, &fed->fault));
    assert_int_equal(comparison.row_count, mechanism_count);
    for (uint32_t r = 0; r < comparison.row_count; r++) {
        const struct comparison_row *row = &comparison.rows[r];
        assert_int_equal(row->chosen, strcmp(row->mechanism->name, "equal") == 0);
        assert_true(row->split.epsilon_exact);
        assert_int_equal(row->reach.micros - row->payoff.micros, row->split.epsilon.micros);
        for (uint32_t i = 0; row->chosen && i < comparison.market.member_count; i++)
            assert_int_equal(row->split.payoff[i].micros, round->report.members[i].payoff.micros);
    }
    assert_int_equal(comparison_make(fed->daemon.core.store, 0, "owen,shaply", &fed->arena,
                                     &comparison, &fed->fault),
                     STATUS_INVALID);
    assert_non_null(strstr(fed->fault.text, "did you mean 'shapley'?"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fed_open, fed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(side_payments_are_zero_in_sum_and_escrowed_with_the_plan),
        CASE(what_is_reported_is_what_members_have_with_side_payments),
        CASE(side_payments_follow_what_was_delivered),
        CASE(leases_called_off_take_their_side_payments_with_them),
        CASE(time_beyond_the_plan_earns_no_more),
        CASE(a_payer_without_funds_is_spared_and_the_certificate_is_of_what_is_paid),
        CASE(vcgs_deficit_is_paid_by_the_account_named),
        CASE(a_round_of_any_mechanism_replays_bit_for_bit),
        CASE(an_audit_counts_side_payments),
        CASE(an_audit_finds_side_payments_that_were_not_earned),
        CASE(every_split_of_a_stored_round_is_shown_with_who_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
