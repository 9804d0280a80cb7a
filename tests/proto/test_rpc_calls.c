#include "tests/proto/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct outcome outcome;
static struct outcome endless; /* outlives its test: the call ends in close_all */

static int open_clear(void **state)
{
    (void)state;
    fixture_open(&fixture);
    outcome = (struct outcome){0};
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void an_echo_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_int_equal(fixture.service.handled, 100);
    rpc_loop_run_for(fixture.loop, 20);
    assert_int_equal(fixture.service.closed, 100); /* each call has its last word */
}

static void a_command_line_waits_for_its_answer(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct bytes hello = bytes_of("hello");
    void *response = NULL;
    struct fault fault;
    assert_ok(rpc_client_call(fixture.loop, fixture.client, &method_echo, &hello, WAIT_MS, &arena,
                              &response, &fault));
    const struct bytes *bytes = response;
    assert_int_equal(bytes->size, 5);
    assert_memory_equal(bytes->data, "hello", 5);
    fixture.service.refuse = STATUS_DENIED;
    assert_int_equal(rpc_client_call(fixture.loop, fixture.client, &method_echo, &hello, WAIT_MS,
                                     &arena, &response, &fault),
                     STATUS_DENIED);
    assert_string_equal(fault.text, "/test.Echo/Echo is not for you");
    arena_fini(&arena);
}

static void many_calls_at_once_all_come_back(void **state)
{
    (void)state;
    enum { AT_ONCE = 500 };
    static struct outcome many[AT_ONCE];
    struct bytes hello = bytes_of("hello");
    for (int i = 0; i < AT_ONCE; i++)
        outcome_start(&many[i], &fixture, &method_echo, &hello, WAIT_MS);
    for (int i = 0; i < AT_ONCE; i++) {
        for (int turn = 0; !many[i].done && turn < WAIT_MS / 10; turn++)
            rpc_loop_run_for(fixture.loop, 10);
        assert_int_equal(many[i].status, STATUS_OK);
        assert_int_equal(many[i].done_count, 1);
    }
}

static void a_stream_of_thousands_arrives_in_order(void **state)
{
    (void)state;
    uint64_t count = 5000; /* far more than may wait at once */
    struct bytes request = {(const uint8_t *)&count, sizeof count};
    outcome_start(&outcome, &fixture, &method_count, &request, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.messages, count);
    assert_false(outcome.out_of_order);
    assert_in_range(fixture.service.unsent_most, 1, RPC_UNSENT_MAX);
}

static void a_stream_of_nothing_ends_well(void **state)
{
    (void)state;
    uint64_t count = 0;
    struct bytes request = {(const uint8_t *)&count, sizeof count};
    outcome_start(&outcome, &fixture, &method_count, &request, 0);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.messages, 0);
}

static void an_upload_of_thousands_arrives_in_order(void **state)
{
    (void)state;
    outcome_start(&outcome, &fixture, &method_collect, NULL, WAIT_MS);
    outcome.to_send = 5000;
    outcome_writable(&outcome);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(fixture.service.received, 5000);
    assert_false(fixture.service.out_of_order);
    uint64_t received;
    assert_int_equal(outcome.size, sizeof received);
    memcpy(&received, outcome.bytes, sizeof received);
    assert_int_equal(received, 5000);
}

static void an_upload_of_nothing_is_whole(void **state)
{
    (void)state;
    outcome_start(&outcome, &fixture, &method_collect, NULL, WAIT_MS);
    transport_half_close(outcome.call);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(fixture.service.half_closed, 1);
    assert_int_equal(fixture.service.received, 0);
}

static void an_upload_called_off_never_looks_whole(void **state)
{
    (void)state;
    outcome_start(&outcome, &fixture, &method_collect, NULL, WAIT_MS);
    outcome.to_send = 1000000; /* never gets there */
    outcome_writable(&outcome);
    run_until_at_least(&fixture, &fixture.service.received, 10);
    transport_cancel(outcome.call);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_CANCELLED);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
    assert_int_equal(fixture.service.half_closed, 0);
    assert_int_equal(outcome.done_count, 1);
}

static void time_runs_out_on_both_sides(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, 200);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_DEADLINE);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
    assert_null(fixture.service.held);
}

static void a_handler_sees_that_its_caller_went(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    assert_int_equal(fixture.service.closed, 0);
    transport_cancel(outcome.call);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_CANCELLED);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
}

static void a_late_answer_is_as_good(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    rpc_loop_run_for(fixture.loop, 50);
    assert_false(outcome.done);
    rpc_call_reply(fixture.service.held, &hello);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
}

static void an_unknown_method_is_unimplemented(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    outcome_start(&outcome, &fixture, &method_nowhere, &hello, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_UNIMPLEMENTED);
    /* and the next one too: the accept is posted again */
    outcome_start(&outcome, &fixture, &method_nowhere, &hello, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_UNIMPLEMENTED);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

static void a_refused_caller_reaches_no_handler(void **state)
{
    (void)state;
    fixture.service.refuse = STATUS_DENIED;
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_DENIED);
    assert_string_equal(outcome.text, "/test.Echo/Echo is not for you");
    outcome_start(&outcome, &fixture, &method_collect, NULL, WAIT_MS);
    outcome.to_send = 100;
    outcome_writable(&outcome);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_DENIED);
    assert_int_equal(fixture.service.handled, 0);
    fixture.service.refuse = STATUS_OK;
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

/* gRPC's queue polls its sockets only when it is empty; without the loop's pauses some 600,000
 * messages (16 MB, the window's bound) went by before a new connection was looked at. */
static void an_endless_stream_does_not_lock_out_a_new_caller(void **state)
{
    (void)state;
    uint64_t count = 0;
    struct bytes request = {(const uint8_t *)&count, sizeof count};

    fixture.service.endless = true;
    outcome_start(&endless, &fixture, &method_count, &request, 0);
    run_until_at_least(&fixture, &endless.messages, 100);
    struct transport *first = fixture.client;
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    uint64_t before = endless.messages;
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_in_range(endless.messages - before, 0, 50000);
    transport_close(fixture.client);
    fixture.client = first;
    assert_false(endless.done);
    assert_false(endless.out_of_order);
}

static void a_message_over_the_limit_is_refused_by_its_sender(void **state)
{
    (void)state;
    static uint8_t large[RPC_MESSAGE_BYTES_MAX + 1];
    struct bytes request = {large, sizeof large};
    outcome_start(&outcome, &fixture, &method_echo, &request, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_EXHAUSTED);
    assert_non_null(strstr(outcome.text, "4194304"));
    assert_int_equal(fixture.service.handled, 0);
    request.size = RPC_MESSAGE_BYTES_MAX;
    outcome_start(&outcome, &fixture, &method_echo, &request, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.size, RPC_MESSAGE_BYTES_MAX);
}

/* A reader that stops reading: its window fills (16 MB at most), then RPC_UNSENT_MAX messages wait.
 */
static void a_slow_reader_is_waited_for_and_not_buffered_for(void **state)
{
    (void)state;
    uint64_t count = 0;
    struct bytes request = {(const uint8_t *)&count, sizeof count};
    fixture.service.endless = true;
    fixture.service.message_bytes = 64 * 1024;
    struct rpc_fixture reader; /* a loop of its own, that stands still while the server sends */
    fixture_open_loop(&reader);
    snprintf(reader.address, sizeof reader.address, "%s", fixture.address);
    reader.client = fixture_dial(&reader, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    outcome_start(&outcome, &reader, &method_count, &request, 0);
    for (int i = 0; i < WAIT_MS / 10 && outcome.messages < 10; i++) {
        rpc_loop_run_for(reader.loop, 5);
        rpc_loop_run_for(fixture.loop, 5);
    }
    assert_true(outcome.messages >= 10);
    uint64_t before = fixture.service.sent;
    rpc_loop_run_for(fixture.loop, 1000); /* an unbounded sender makes gigabytes here */
    uint64_t stalled = fixture.service.sent;
    assert_in_range(stalled - before, 0, 16 * 1024 / 64 + 2 * RPC_UNSENT_MAX);
    rpc_loop_run_for(fixture.loop, 100);
    assert_int_equal(fixture.service.sent, stalled);
    assert_in_range(fixture.service.unsent_most, 1, RPC_UNSENT_MAX);
    fixture_close(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_echo_comes_back, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_command_line_waits_for_its_answer, open_clear, close_all),
        cmocka_unit_test_setup_teardown(many_calls_at_once_all_come_back, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_stream_of_thousands_arrives_in_order, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_stream_of_nothing_ends_well, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_upload_of_thousands_arrives_in_order, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_upload_of_nothing_is_whole, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_upload_called_off_never_looks_whole, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(time_runs_out_on_both_sides, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_handler_sees_that_its_caller_went, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_late_answer_is_as_good, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_unknown_method_is_unimplemented, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_refused_caller_reaches_no_handler, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_endless_stream_does_not_lock_out_a_new_caller,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_message_over_the_limit_is_refused_by_its_sender,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_waited_for_and_not_buffered_for,
                                        open_clear, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
