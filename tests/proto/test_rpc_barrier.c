/* The barrier before the wire: nothing leaves the loop while something has to be synced. */
#include "tests/proto/rpc_fixture.h"

enum { CALLS = 8 };

/* A store that is dirty or not, and what was seen when it was synced. */
struct disk {
    bool dirty;
    bool always; /* dirty again at once */
    uint32_t syncs;
    const struct outcome *watched;
    uint32_t done_at_sync; /* how many of the watched calls were answered at the newest sync */
};

static struct rpc_fixture fixture;
static struct disk disk;
static struct outcome outcomes[CALLS];

static bool needed(const void *context)
{
    return ((const struct disk *)context)->dirty;
}

static void sync_disk(void *context)
{
    struct disk *it = context;
    it->syncs++;
    it->dirty = it->always;
    it->done_at_sync = 0;
    for (uint32_t i = 0; it->watched != NULL && i < CALLS; i++)
        it->done_at_sync += it->watched[i].done;
}

static int open_with_barrier(void **state)
{
    (void)state;
    struct rpc_credentials none = {0};
    struct rpc_barrier barrier = {needed, sync_disk, &disk};
    disk = (struct disk){0};
    memset(outcomes, 0, sizeof outcomes);
    fixture_open_loop(&fixture);
    rpc_loop_set_barrier(fixture.loop, &barrier);
    fixture_serve(&fixture, RPC_CLEAR, "127.0.0.1:0", none);
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, none, NULL);
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void start_all(void)
{
    struct bytes hello = bytes_of("hello");
    for (uint32_t i = 0; i < CALLS; i++)
        outcome_start(&outcomes[i], &fixture, &method_echo, &hello, WAIT_MS);
}

static void where_nothing_was_written_nothing_is_synced(void **state)
{
    (void)state;
    assert_ok(echo_once(&fixture, &outcomes[0]));
    assert_int_equal(disk.syncs, 0);
}

/* Held back together, they cost one sync; and none reached the server before it. */
static void calls_wait_for_one_sync_together(void **state)
{
    (void)state;
    disk.dirty = true;
    disk.watched = outcomes;
    start_all();
    assert_int_equal(fixture.service.handled, 0);
    run_until_at_least(&fixture, &fixture.service.handled, CALLS);
    assert_int_equal(disk.syncs, 1);
    assert_int_equal(disk.done_at_sync, 0);
    uint64_t done = 0;
    for (int turn = 0; turn < WAIT_MS / 10 && done < CALLS; turn++) {
        rpc_loop_run_for(fixture.loop, 10);
        done = 0;
        for (uint32_t i = 0; i < CALLS; i++)
            done += outcomes[i].done;
    }
    assert_int_equal(done, CALLS);
}

static void dirty_then_answer(void *context)
{
    struct rpc_call *call = context;
    disk.dirty = true;
    rpc_call_reply(call, &(struct bytes){(const uint8_t *)"hello", 5});
    assert_int_equal(disk.syncs, 0); /* not by the reply itself */
}

static void an_answer_waits_for_the_sync(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcomes[0], &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    disk.watched = outcomes;
    assert_ok(rpc_loop_post(fixture.loop, dirty_then_answer, fixture.service.held));
    outcome_wait(&outcomes[0]);
    assert_ok(outcomes[0].status);
    assert_int_equal(disk.syncs, 1);
    assert_int_equal(disk.done_at_sync, 0);
}

/* Every message and every call of it is held once. */
static void streams_stay_whole_and_in_order(void **state)
{
    (void)state;
    uint64_t count = 1000;
    disk.dirty = disk.always = true;
    outcome_start(&outcomes[0], &fixture, &method_count,
                  &(struct bytes){(const uint8_t *)&count, sizeof count}, 0);
    outcome_wait(&outcomes[0]);
    assert_ok(outcomes[0].status);
    assert_int_equal(outcomes[0].messages, count);
    assert_false(outcomes[0].out_of_order);
}

static void uploads_stay_whole_and_in_order(void **state)
{
    (void)state;
    disk.dirty = disk.always = true;
    outcome_start(&outcomes[0], &fixture, &method_collect, NULL, WAIT_MS);
    outcomes[0].to_send = 300;
    outcome_writable(&outcomes[0]); /* before the call itself could leave */
    outcome_wait(&outcomes[0]);
    assert_ok(outcomes[0].status);
    assert_int_equal(fixture.service.received, 300);
    assert_false(fixture.service.out_of_order);
}

static void a_call_cancelled_while_it_is_held_ends_once(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    disk.dirty = true;
    transport_cancel(outcome_start(&outcomes[0], &fixture, &method_echo, &hello, WAIT_MS));
    outcome_wait(&outcomes[0]);
    assert_int_equal(outcomes[0].status, STATUS_CANCELLED);
    assert_int_equal(outcomes[0].done_count, 1);
}

static void a_transport_closes_over_calls_that_are_held(void **state)
{
    (void)state;
    disk.dirty = disk.always = true;
    start_all();
    transport_close(fixture.client);
    fixture.client = NULL;
    for (uint32_t i = 0; i < CALLS; i++) {
        assert_int_equal(outcomes[i].status, STATUS_CANCELLED);
        assert_int_equal(outcomes[i].done_count, 1);
    }
}

/* The caller is gone before its answer was let out. */
static void an_answer_to_a_caller_who_left_is_dropped(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcomes[0], &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    disk.dirty = true;
    rpc_call_reply(fixture.service.held, &hello);
    transport_cancel(outcomes[0].call);
    outcome_wait(&outcomes[0]);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
}

#define barrier_test(test) cmocka_unit_test_setup_teardown(test, open_with_barrier, close_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        barrier_test(where_nothing_was_written_nothing_is_synced),
        barrier_test(calls_wait_for_one_sync_together),
        barrier_test(an_answer_waits_for_the_sync),
        barrier_test(streams_stay_whole_and_in_order),
        barrier_test(uploads_stay_whole_and_in_order),
        barrier_test(a_call_cancelled_while_it_is_held_ends_once),
        barrier_test(a_transport_closes_over_calls_that_are_held),
        barrier_test(an_answer_to_a_caller_who_left_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
