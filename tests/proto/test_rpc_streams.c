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

static void flood(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    (void)request;
    static uint8_t large[256 * 1024];
    service->handled++;
    call->on_closed = echo_closed;
    for (int i = 0; i < 10000; i++) {
        rpc_call_send(call, &(struct bytes){large, sizeof large});
        if (call->unsent > service->unsent_most)
            service->unsent_most = call->unsent;
    }
    rpc_call_end(call);
}

static void a_handler_that_floods_is_cut_off(void **state)
{
    (void)state;
    const struct rpc_handler handlers[] = {{&method_count, flood}};
    struct rpc_server_settings settings = {.security = RPC_CLEAR,
                                           .address = "127.0.0.1:0",
                                           .allowed_gid = -1,
                                           .handlers = handlers,
                                           .handler_count = 1,
                                           .service = &fixture.service};
    rpc_server_close(fixture.server, 0);
    assert_ok(rpc_server_open(&fixture.server, fixture.loop, &settings, NULL));
    transport_close(fixture.client);
    snprintf(fixture.address, sizeof fixture.address, "127.0.0.1:%d",
             rpc_server_port(fixture.server));
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    outcome_start(&outcome, &fixture, &method_count, &(struct bytes){0}, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_EXHAUSTED);
    assert_in_range(fixture.service.unsent_most, RPC_UNSENT_MAX, 4 * RPC_UNSENT_MAX);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_of_thousands_arrives_in_order, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_stream_of_nothing_ends_well, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_upload_of_thousands_arrives_in_order, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_upload_of_nothing_is_whole, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_upload_called_off_never_looks_whole, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_endless_stream_does_not_lock_out_a_new_caller,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_waited_for_and_not_buffered_for,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_handler_that_floods_is_cut_off, open_clear, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
