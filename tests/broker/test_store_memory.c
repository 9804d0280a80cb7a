/*
 * The k-th allocation of the database fails, for every k: a day of a lease is done whole or not at
 * all, in any step, and goes on where it stood once there is memory again.
 */
#include "tests/broker/store_fixture.h"

#include <sqlite3.h>

enum { FAILURES_MAX = 20000 };

/* The database's allocator, which the test makes fail. */
static sqlite3_mem_methods real_methods;
static int64_t allocations_left; /* the one at 0 fails; below: none does */
static uint64_t failures;

static bool fails(void)
{
    if (allocations_left < 0 || allocations_left-- > 0)
        return false;
    failures++;
    return true;
}

static void *failing_malloc(int size)
{
    return fails() ? NULL : real_methods.xMalloc(size);
}

static void *failing_realloc(void *old, int size)
{
    return fails() ? NULL : real_methods.xRealloc(old, size);
}

static int allocator_install(void **state)
{
    (void)state;
    sqlite3_shutdown();
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods failing = real_methods;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    allocations_left = -1;
    /* without its pools of small memory every need is an allocation */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        return -1;
    return sqlite3_initialize();
}

static enum status day_add(struct world *world, const struct lease *lease)
{
    return world_add(world, lease, false, NOW, NOW + DURATION);
}

static enum status day_report(struct world *world, const struct lease *lease)
{
    const struct lease_report report = {
        .lease = lease->id, .kind = LEASE_REPORT_RUNNING, .text = ""};
    return lease_report(world->store, &world->names[ISI], &report, NOW, &world->fault);
}

static enum status day_settle(struct world *world, const struct lease *lease)
{
    const struct receipt receipt = world_receipt(lease, 1000);
    struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
    struct settle_verdict verdict = {.accepted = true};
    enum status status = settle_receipt(world->store, &world->names[ISI], &sent, &world_limits,
                                        NOW + HOUR_MS, &verdict, &world->fault);
    assert_true(status != STATUS_OK || verdict.accepted);
    return status;
}

static enum status day_step(struct world *world, const struct lease *lease, int step)
{
    static enum status (*const steps[])(struct world *,
                                        const struct lease *) = {day_add, day_report, day_settle};
    enum status status = store_begin(world->store, &world->fault);
    if (status == STATUS_OK)
        status = steps[step](world, lease);
    if (status == STATUS_OK)
        status = store_commit(world->store, &world->fault);
    store_rollback(world->store);
    return status;
}

static void without_memory_a_step_is_done_whole_or_not_at_all(void **state)
{
    struct world *world = *state;
    static const enum lease_state reached[] = {LEASE_STATE_GRANTED, LEASE_STATE_RUNNING,
                                               LEASE_STATE_SETTLED};
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    struct ledger_verify_response before;
    struct ledger_verify_response after;
    struct arena scratch;
    arena_init(&scratch, ARENA_MESSAGE_BYTES);
    for (int step = 0; step < 3; step++) {
        enum status status = STATUS_NO_MEMORY;
        world_ok(world, ledger_verify(world->store, &scratch, &before, &world->fault));
        for (int64_t k = 0; k < FAILURES_MAX && status != STATUS_OK; k++) {
            allocations_left = k;
            status = day_step(world, lease, step);
            allocations_left = -1;
            assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
            assert_false(store_in_transaction(world->store));
            world_ok(world, ledger_verify(world->store, &scratch, &after, &world->fault));
            assert_true(after.verified);
            if (status != STATUS_OK)
                assert_int_equal(after.entries, before.entries);
            arena_reset(&scratch);
        }
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(world_state(world, lease), reached[step]);
    }
    arena_fini(&scratch);
    assert_true(failures > 20); /* else nothing was tried */
    print_message("%llu allocations failed\n", (unsigned long long)failures);
}

static void without_memory_a_store_does_not_open_and_leaks_nothing(void **state)
{
    (void)state;
    char directory[256];
    enum status status = STATUS_NO_MEMORY;
    support_make_directory(directory);
    for (int64_t k = 0; k < FAILURES_MAX && status != STATUS_OK; k++) {
        char path[320];
        struct store *store = NULL;
        snprintf(path, sizeof path, "%s/%lld.db", directory, (long long)k);
        allocations_left = k;
        status = store_open(path, STORE_CREATE, &store, NULL);
        allocations_left = -1;
        assert_true((status == STATUS_OK) == (store != NULL));
        store_close(store);
    }
    assert_int_equal(status, STATUS_OK);
    support_remove_tree(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(without_memory_a_step_is_done_whole_or_not_at_all),
        cmocka_unit_test(without_memory_a_store_does_not_open_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, allocator_install, NULL);
}
