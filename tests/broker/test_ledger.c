#include "tests/broker/store_fixture.h"

#include <stdlib.h>

#include "base/rng.h"

static struct ledger_posting posting(const struct world *world, enum ledger_account_kind kind,
                                     int member, int64_t micros)
{
    struct ledger_posting made = {.account = {.kind = kind}, .amount = {micros}};
    if (kind != ACCOUNT_ENDOWMENT)
        made.account.member = world->names[member];
    return made;
}

static enum status post(struct world *world, const struct ledger_posting *postings, uint32_t count)
{
    const struct ledger_transaction transaction = {.kind = LEDGER_SETTLE,
                                                   .reference = "test",
                                                   .now_wall_ms = NOW,
                                                   .postings = postings,
                                                   .posting_count = count};
    return ledger_post(world->store, &transaction, NULL, &world->fault);
}

static const char *problem(struct world *world)
{
    struct ledger_verify_response result;
    world_ok(world, ledger_verify(world->store, &world->arena, &result, &world->fault));
    assert_int_equal(result.verified, result.problem[0] == '\0');
    return result.problem;
}

static void sql(struct world *world, const char *script)
{
    world_ok(world, query_script(world->store, script, &world->fault));
}

static void a_deposit_comes_from_the_endowment(void **state)
{
    struct world *world = *state;
    const struct ledger_account endowment = {.kind = ACCOUNT_ENDOWMENT};
    struct credits balance;
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), CREDIT(10).micros);
    world_ok(world, ledger_balance(world->store, &endowment, &balance, &world->fault));
    assert_int_equal(balance.micros, -CREDIT(30).micros); /* three members with 10 each */
    world_verify(world);
}

static void a_withdrawal_stops_at_balance_plus_limit(void **state)
{
    struct world *world = *state;
    world_begin(world);
    world_ok(world, store_member_set_credit_limit(world->store, &world->names[USC], CREDIT(5),
                                                  &world->fault));
    assert_int_equal(ledger_deposit(world->store, &world->names[USC], MICROS(-15000001), "out", NOW,
                                    &world->fault),
                     STATUS_EXHAUSTED);
    assert_non_null(strstr(world->fault.text, "15.000000"));
    world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(-15), "out", NOW,
                                   &world->fault));
    world_commit(world);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), -CREDIT(5).micros);
    world_verify(world);
}

static void a_reference_longer_than_the_limit_is_refused(void **state)
{
    struct world *world = *state;
    char reference[REFERENCE_BYTES_MAX + 2] = "";
    memset(reference, 'x', REFERENCE_BYTES_MAX + 1);
    world_begin(world);
    assert_int_equal(
        ledger_deposit(world->store, &world->names[USC], CREDIT(1), reference, NOW, &world->fault),
        STATUS_INVALID);
    reference[REFERENCE_BYTES_MAX] = '\0';
    world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(1), reference, NOW,
                                   &world->fault));
    world_commit(world);
    world_verify(world);
}

static void a_transaction_that_does_not_sum_to_zero_is_refused(void **state)
{
    struct world *world = *state;
    const struct ledger_posting postings[] = {posting(world, ACCOUNT_MEMBER, USC, -5),
                                              posting(world, ACCOUNT_MEMBER, ISI, 4)};
    world_begin(world);
    assert_int_equal(post(world, postings, 2), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "-0.000001"));
    store_rollback(world->store);
    world_verify(world);
}

static void a_commit_refuses_entries_that_do_not_sum_to_zero(void **state)
{
    struct world *world = *state;
    uint64_t before = 0;
    struct digest hash;
    world_ok(world, ledger_head(world->store, &before, &hash, &world->fault));
    world_begin(world);
    /* behind the ledger's back: one entry alone */
    sql(world, "INSERT INTO transactions VALUES (4, 0, 'settle', 'x', 7, 1, NULL);"
               "INSERT INTO entries VALUES (7, 4, 'member/usc', 5, 5, zeroblob(32));");
    assert_int_equal(store_commit(world->store, &world->fault), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "do not sum to zero"));
    assert_false(store_in_transaction(world->store));
    uint64_t after = 0;
    world_ok(world, ledger_head(world->store, &after, &hash, &world->fault));
    assert_int_equal(after, before);
    world_verify(world);
}

static void a_commit_refuses_a_transaction_without_entries(void **state)
{
    struct world *world = *state;
    world_begin(world);
    sql(world, "INSERT INTO transactions VALUES (4, 0, 'settle', 'x', 7, 2, NULL);");
    assert_int_equal(store_commit(world->store, &world->fault), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "no entries"));
}

static void a_commit_refuses_an_escrow_below_zero(void **state)
{
    struct world *world = *state;
    world_begin(world);
    sql(world, "INSERT INTO accounts VALUES ('escrow/usc', -1)");
    assert_int_equal(store_commit(world->store, &world->fault), STATUS_INTERNAL);
    assert_non_null(strstr(world->fault.text, "escrow/usc"));
}

static void escrow_gives_out_no_more_than_it_holds(void **state)
{
    struct world *world = *state;
    world_begin(world);
    world_ok(world, ledger_reserve(world->store, &world->names[USC], CREDIT(2), "1.1.1", NOW,
                                   &world->fault));
    assert_int_equal(world_micros(world, ACCOUNT_ESCROW, USC), CREDIT(2).micros);
    assert_int_equal(world_micros(world, ACCOUNT_MEMBER, USC), CREDIT(8).micros);
    assert_int_equal(ledger_release(world->store, &world->names[USC], MICROS(2000001), "1.1.1", NOW,
                                    &world->fault),
                     STATUS_PRECONDITION);
    store_rollback(world->store);
}

static void reserving_more_than_the_funds_is_refused(void **state)
{
    struct world *world = *state;
    world_begin(world);
    assert_int_equal(ledger_reserve(world->store, &world->names[USC], MICROS(10000001), "1.1.1",
                                    NOW, &world->fault),
                     STATUS_EXHAUSTED);
    store_rollback(world->store);
}

static void the_database_refuses_to_edit_or_delete_entries(void **state)
{
    struct world *world = *state;
    static const char *const scripts[] = {
        "UPDATE entries SET amount = 7 WHERE sequence = 1",
        "DELETE FROM entries WHERE sequence = 1",
        "INSERT OR REPLACE INTO entries VALUES (1, 1, 'member/usc', 7, 7, zeroblob(32))",
        "INSERT INTO entries VALUES (9, 1, 'member/usc', 7, 7, zeroblob(32))",
        "UPDATE transactions SET reference = 'x'",
        "DELETE FROM transactions",
        "INSERT OR REPLACE INTO transactions VALUES (1, 0, 'x', 'x', 1, 2, NULL)",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        assert_int_not_equal(query_script(world->store, scripts[i], &world->fault), STATUS_OK);
        assert_non_null(strstr(world->fault.text, "ledger"));
    }
    world_verify(world);
}

/* Each way to tamper with the file, behind triggers that its owner can drop. */
static void verification_finds_every_tampering(void **state)
{
    static const struct {
        const char *script;
        const char *found;
    } cases[] = {
        {"UPDATE entries SET amount = amount + 1 WHERE sequence = 3", "entry 3: its hash"},
        {"UPDATE entries SET account = 'member/isi' WHERE sequence = 2", "entry 2: its hash"},
        {"UPDATE entries SET hash = zeroblob(32) WHERE sequence = 6", "entry 6: its hash"},
        {"UPDATE transactions SET reference = 'gift' WHERE number = 2", "entry 3: its hash"},
        {"UPDATE transactions SET posted = posted + 1 WHERE number = 3", "entry 5: its hash"},
        {"UPDATE transactions SET entries = 1 WHERE number = 2", "entry 4: its transaction has"},
        {"UPDATE transactions SET entries = 3 WHERE number = 2", "transaction 2: entries of it"},
        {"PRAGMA foreign_keys = OFF; DELETE FROM transactions WHERE number = 2",
         "transaction 2: it is missing"},
        {"DELETE FROM entries WHERE sequence = 4", "entry 4: it is missing"},
        {"DELETE FROM entries WHERE sequence > 4", "entry 6: the ledger's head"},
        {"DELETE FROM entries WHERE sequence = 6", "transaction 3: entries of it are missing"},
        {"UPDATE accounts SET balance = balance + 1 WHERE account = 'member/usc'",
         "account member/usc: its balance"},
        {"DELETE FROM accounts WHERE account = 'member/usc'",
         "account member/usc: its balance is missing"},
        {"UPDATE entries SET balance = balance + 1 WHERE sequence = 4",
         "entry 4: the balance kept with it"},
        {"INSERT INTO accounts VALUES ('member/ghost', 5)", "account member/ghost"},
        {"INSERT INTO accounts VALUES ('pocket', 0)", "account pocket: there is no such"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        void *own = NULL;
        world_open(&own);
        struct world *world = own;
        assert_string_equal(problem(world), "");
        sql(world, "DROP TRIGGER entries_update; DROP TRIGGER entries_delete;"
                   "DROP TRIGGER transactions_update; DROP TRIGGER transactions_delete;");
        sql(world, cases[i].script);
        if (strncmp(problem(world), cases[i].found, strlen(cases[i].found)) != 0)
            fail_msg("after '%s' verify says '%s'", cases[i].script, problem(world));
        world_close(&own);
    }
}

static void escrow_that_no_lease_reserved_is_found(void **state)
{
    struct world *world = *state;
    world_begin(world);
    world_ok(world, ledger_reserve(world->store, &world->names[USC], CREDIT(2), "1.1.1", NOW,
                                   &world->fault));
    world_commit(world);
    assert_string_equal(problem(world),
                        "account escrow/usc: it does not hold what its leases reserved");
}

static void a_reversal_negates_a_transaction_once(void **state)
{
    struct world *world = *state;
    const struct ledger_posting postings[] = {posting(world, ACCOUNT_MEMBER, USC, -5),
                                              posting(world, ACCOUNT_MEMBER, ISI, 3),
                                              posting(world, ACCOUNT_MEMBER, JPL, 2)};
    const struct ledger_transaction transaction = {.kind = LEDGER_SETTLE,
                                                   .reference = "1.1.1 receipt 1",
                                                   .now_wall_ms = NOW,
                                                   .postings = postings,
                                                   .posting_count = 3};
    uint64_t number = 0;
    world_begin(world);
    world_ok(world, ledger_post(world->store, &transaction, &number, &world->fault));
    world_ok(world, ledger_reverse(world->store, number, "ruling 7", NOW, &world->fault));
    world_commit(world);
    for (int i = 0; i < WORLD_MEMBERS; i++)
        assert_int_equal(world_micros(world, ACCOUNT_MEMBER, i), CREDIT(10).micros);
    world_begin(world);
    assert_int_equal(ledger_reverse(world->store, number, "again", NOW, &world->fault),
                     STATUS_EXISTS);
    store_rollback(world->store);
    world_begin(world);
    assert_int_equal(ledger_reverse(world->store, number + 1, "the reversal", NOW, &world->fault),
                     STATUS_PRECONDITION);
    assert_int_equal(ledger_reverse(world->store, 99, "nothing", NOW, &world->fault),
                     STATUS_NOT_FOUND);
    store_rollback(world->store);
    world_verify(world);
}

static void a_clock_set_back_does_not_date_entries_before_others(void **state)
{
    struct world *world = *state;
    struct ledger_page_response page;
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(1), "late", NOW - 1,
                                   &world->fault));
    world_commit(world);
    world_ok(world, ledger_page(world->store, 6, 10, &world->arena, &page, &world->fault));
    assert_int_equal(page.entry_count, 2);
    assert_int_equal(page.entries[0].posted_wall_ms, NOW);
    world_verify(world);
}

/* A day a deposit, of 1, 2, 3 ... credits on top of the 10. */
static void a_statement_adds_up(void **state)
{
    struct world *world = *state;
    const int64_t day = 24 * HOUR_MS;
    struct statement_response statement;
    struct statement_request request = {.member = world->names[USC],
                                        .from_wall_ms = NOW + 2 * day,
                                        .until_wall_ms = NOW + 5 * day,
                                        .page = {.after = 0, .rows = 2}};
    for (int i = 1; i <= 6; i++) {
        world_begin(world);
        world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(i), "daily",
                                       NOW + i * day, &world->fault));
        world_commit(world);
    }
    world_ok(world,
             ledger_statement(world->store, &request, &world->arena, &statement, &world->fault));
    assert_int_equal(statement.opening.micros, CREDIT(11).micros); /* 10 + 1 */
    assert_int_equal(statement.closing.micros, CREDIT(20).micros); /* + 2 + 3 + 4 */
    assert_int_equal(statement.entry_count, 2);
    assert_int_equal(statement.entries[0].amount.micros, CREDIT(2).micros);
    request.page.after = statement.next_after;
    assert_int_not_equal(request.page.after, 0);
    world_ok(world,
             ledger_statement(world->store, &request, &world->arena, &statement, &world->fault));
    assert_int_equal(statement.entry_count, 1);
    assert_int_equal(statement.entries[0].amount.micros, CREDIT(4).micros);
    assert_int_equal(statement.next_after, 0);
    request = (struct statement_request){.member = world->names[USC], .page = {.rows = 100}};
    world_ok(world,
             ledger_statement(world->store, &request, &world->arena, &statement, &world->fault));
    assert_int_equal(statement.opening.micros, 0);
    assert_int_equal(statement.closing.micros, CREDIT(31).micros);
    assert_int_equal(statement.entry_count, 7);
}

static void a_head_seen_before_is_found_and_a_lost_one_is_named(void **state)
{
    struct world *world = *state;
    struct digest seen;
    struct digest found;
    uint64_t sequence = 0;
    world_ok(world, ledger_head(world->store, &sequence, &seen, &world->fault));
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(1), "more", NOW,
                                   &world->fault));
    world_commit(world);
    world_ok(world, ledger_hash_at(world->store, sequence, &found, &world->fault));
    assert_true(digest_equal(&seen, &found));
    assert_int_equal(ledger_hash_at(world->store, 99, &found, &world->fault), STATUS_NOT_FOUND);
}

static void the_hash_of_an_entry_is_fixed_for_ever(void **state)
{
    (void)state;
    const struct ledger_entry entry = {.sequence = 1,
                                       .transaction = 1,
                                       .posted_wall_ms = NOW,
                                       .account = "member/usc",
                                       .amount = {1000000},
                                       .kind = "deposit",
                                       .reference = "start"};
    const struct digest zero = {{0}};
    struct digest hash;
    char text[DIGEST_TEXT_MAX];
    ledger_entry_hash(&zero, &entry, &hash);
    /* computed apart from this code: python3, hashlib.sha256 over struct.pack("<Q") and the texts
     */
    assert_string_equal(digest_format(&hash, text),
                        "4203468dd6d1e1120a0584cc1480288ff4f061bf8b66877ad68c86b05f6348de");
}

/* 2000 random transactions of 2 to 6 postings over all accounts. */
static void random_postings_keep_every_sum(void **state)
{
    struct world *world = *state;
    uint64_t seed = support_seed(20261123);
    struct rng rng;
    rng_init(&rng, seed, 1);
    int64_t expected[WORLD_MEMBERS] = {10000000, 10000000, 10000000};
    for (int i = 0; i < 2000; i++) {
        struct ledger_posting postings[6];
        uint32_t count = 2 + (uint32_t)rng_below(&rng, 5);
        int64_t sum = 0;
        int64_t change[WORLD_MEMBERS] = {0};
        for (uint32_t k = 0; k < count; k++) {
            int member = (int)rng_below(&rng, WORLD_MEMBERS);
            int64_t micros = (int64_t)rng_below(&rng, 2000001) - 1000000;
            if (k + 1 == count)
                micros = -sum;
            sum += micros;
            change[member] += micros;
            postings[k] = posting(world, ACCOUNT_MEMBER, member, micros);
        }
        world_begin(world);
        if (post(world, postings, count) != STATUS_OK) {
            store_rollback(world->store); /* a posting happened to be zero */
            continue;
        }
        if (rng_below(&rng, 4) == 0) {
            store_rollback(world->store);
            continue;
        }
        world_commit(world);
        for (int m = 0; m < WORLD_MEMBERS; m++)
            expected[m] += change[m];
    }
    for (int m = 0; m < WORLD_MEMBERS; m++)
        if (world_micros(world, ACCOUNT_MEMBER, m) != expected[m])
            fail_msg("member %d: %lld instead of %lld; ENTENTE_TEST_SEED=%llu", m,
                     (long long)world_micros(world, ACCOUNT_MEMBER, m), (long long)expected[m],
                     (unsigned long long)seed);
    world_verify(world);
}

static void accounts_are_read_back_from_their_names(void **state)
{
    (void)state;
    static const char *const good[] = {"member/usc", "escrow/a-1", "federation/endowment"};
    static const char *const bad[] = {"",       "member/",      "member/USC",
                                      "pocket", "federation/x", "escrow/usc/2"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct ledger_account account;
        char text[ACCOUNT_TEXT_MAX];
        assert_true(ledger_account_parse(good[i], &account));
        assert_string_equal(ledger_account_format(&account, text), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ledger_account account;
        assert_false(ledger_account_parse(bad[i], &account));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_deposit_comes_from_the_endowment),
        world_test(a_withdrawal_stops_at_balance_plus_limit),
        world_test(a_reference_longer_than_the_limit_is_refused),
        world_test(a_transaction_that_does_not_sum_to_zero_is_refused),
        world_test(a_commit_refuses_entries_that_do_not_sum_to_zero),
        world_test(a_commit_refuses_a_transaction_without_entries),
        world_test(a_commit_refuses_an_escrow_below_zero),
        world_test(escrow_gives_out_no_more_than_it_holds),
        world_test(reserving_more_than_the_funds_is_refused),
        world_test(the_database_refuses_to_edit_or_delete_entries),
        cmocka_unit_test(verification_finds_every_tampering),
        world_test(escrow_that_no_lease_reserved_is_found),
        world_test(a_reversal_negates_a_transaction_once),
        world_test(a_clock_set_back_does_not_date_entries_before_others),
        world_test(a_statement_adds_up),
        world_test(a_head_seen_before_is_found_and_a_lost_one_is_named),
        cmocka_unit_test(the_hash_of_an_entry_is_fixed_for_ever),
        world_test(random_postings_keep_every_sum),
        cmocka_unit_test(accounts_are_read_back_from_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
