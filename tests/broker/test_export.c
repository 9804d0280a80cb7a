#include "tests/broker/store_fixture.h"

#include <stdlib.h>

#include "broker/money/export.h"

static char *exported(struct world *world, enum export_format format)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    world_ok(world, export_ledger(world->store, format, to, &world->fault));
    fclose(to);
    return text;
}

static uint32_t times(const char *text, const char *what)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

static void csv_has_a_line_an_entry_and_quotes_what_operators_type(void **state)
{
    struct world *world = *state;
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[USC], MICROS(1500000),
                                   "say \"hi\",\nand = go", NOW, &world->fault));
    world_ok(world, ledger_deposit(world->store, &world->names[USC], MICROS(1), "=1+1", NOW,
                                   &world->fault));
    world_commit(world);
    char *text = exported(world, EXPORT_CSV);
    assert_int_equal(times(text, "\r\n"), 1 + 6 + 4);
    assert_non_null(strstr(text, "sequence,transaction,posted,account,amount,kind,reference,hash"));
    assert_non_null(strstr(text, "\r\n8,4,2026-11-18T11:06:40Z,member/usc,1.500000,deposit,"
                                 "\"say \"\"hi\"\", and = go\","));
    /* not a formula to a spreadsheet */
    assert_non_null(strstr(text, ",\"'=1+1\","));
    free(text);
}

static void beancount_has_capital_accounts_and_balanced_transactions(void **state)
{
    struct world *world = *state;
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    world_grant(world, lease);
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[USC], MICROS(1500000),
                                   "a \"quoted\\ word", NOW, &world->fault));
    world_commit(world);
    char *text = exported(world, EXPORT_BEANCOUNT);
    assert_int_equal(times(text, "1970-01-01 open "), 5);
    assert_non_null(strstr(text, "1970-01-01 open Assets:Members:Usc CREDIT\n"));
    assert_non_null(strstr(text, "1970-01-01 open Assets:Escrow:Usc CREDIT\n"));
    assert_non_null(strstr(text, "1970-01-01 open Equity:Endowment CREDIT\n"));
    assert_non_null(strstr(text, "\n2026-11-18 * \"escrow\" \"1.1.1\"\n  transaction: 4\n"
                                 "  Assets:Members:Usc  -1.260000 CREDIT\n    sequence: 7\n"));
    assert_non_null(strstr(text, "* \"deposit\" \"a \\\"quoted\\\\ word\"\n"));
    const char *keep = getenv("ENTENTE_TEST_KEEP_EXPORT"); /* to run bean-check over it by hand */
    FILE *file = keep == NULL ? NULL : fopen(keep, "w");
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
    free(text);
}

/* 600 deposits are 1200 entries: more than a page of them. */
static void an_export_goes_on_over_pages(void **state)
{
    struct world *world = *state;
    world_begin(world);
    for (int i = 0; i < 600; i++)
        world_ok(world, ledger_deposit(world->store, &world->names[USC], MICROS(1), "x", NOW,
                                       &world->fault));
    world_commit(world);
    char *text = exported(world, EXPORT_CSV);
    assert_int_equal(times(text, "\r\n"), 1 + 6 + 1200);
    free(text);
    text = exported(world, EXPORT_BEANCOUNT);
    assert_int_equal(times(text, "* \"deposit\""), 603);
    free(text);
    world_verify(world);
}

static void a_full_disk_is_reported(void **state)
{
    struct world *world = *state;
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        skip();
    assert_int_equal(export_ledger(world->store, EXPORT_CSV, full, &world->fault), STATUS_IO);
    fclose(full);
}

static void formats_are_named(void **state)
{
    (void)state;
    enum export_format format;
    assert_true(export_format_parse("csv", &format));
    assert_int_equal(format, EXPORT_CSV);
    assert_true(export_format_parse("beancount", &format));
    assert_int_equal(format, EXPORT_BEANCOUNT);
    assert_false(export_format_parse("xlsx", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(csv_has_a_line_an_entry_and_quotes_what_operators_type),
        world_test(beancount_has_capital_accounts_and_balanced_transactions),
        world_test(an_export_goes_on_over_pages),
        world_test(a_full_disk_is_reported),
        cmocka_unit_test(formats_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
