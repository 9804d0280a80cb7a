#include "tests/proto/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct outcome outcome;

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
    assert_int_equal(fixture.service.broken, 0);
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

static void time_runs_out_on_both_sides(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, 200);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_DEADLINE);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
    assert_int_equal(fixture.service.broken, 1);
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
    assert_int_equal(fixture.service.broken, 1);
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

/* --- closing a transport from inside its callbacks */

static void close_in_message(void *context, const void *response)
{
    (void)context, (void)response;
    transport_close(fixture.client);
    fixture.client = NULL;
}

static void close_in_writable(void *context)
{
    close_in_message(context, NULL);
}

static void close_in_done(void *context, enum status status, const void *response,
                          const struct fault *fault)
{
    if (fixture.client != NULL)
        close_in_message(context, NULL);
    outcome_done(context, status, response, fault);
}

static void a_transport_may_be_closed_from_any_callback(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    uint64_t count = 1000;
    struct bytes number = {(const uint8_t *)&count, sizeof count};
    struct transport_callbacks at_message = {
        .on_done = outcome_done, .on_message = close_in_message, .context = &outcome};
    outcome = (struct outcome){.loop = fixture.loop};
    transport_start(fixture.client, &method_count, &number, WAIT_MS, &at_message);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_CANCELLED);

    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    struct transport_callbacks at_writable = {
        .on_done = outcome_done, .on_writable = close_in_writable, .context = &outcome};
    outcome = (struct outcome){.loop = fixture.loop};
    struct transport_call *call =
        transport_start(fixture.client, &method_collect, NULL, WAIT_MS, &at_writable);
    transport_send(call, &hello);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_CANCELLED);

    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    struct transport_callbacks at_done = {.on_done = close_in_done, .context = &outcome};
    outcome = (struct outcome){.loop = fixture.loop};
    transport_start(fixture.client, &method_echo, &hello, WAIT_MS, &at_done);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.done_count, 1);
}

static void a_closed_transport_tells_every_call_once(void **state)
{
    (void)state;
    static struct outcome many[3];
    static uint8_t large[RPC_MESSAGE_BYTES_MAX + 1];
    struct bytes hello = bytes_of("hello");
    struct bytes too_large = {large, sizeof large};
    fixture.service.hold = true;
    outcome_start(&many[0], &fixture, &method_echo, &hello, WAIT_MS);
    outcome_start(&many[1], &fixture, &method_collect, NULL, 0);
    outcome_start(&many[2], &fixture, &method_echo, &too_large, WAIT_MS); /* fails by itself */
    transport_close(fixture.client);
    fixture.client = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(many[i].done_count, 1); /* before close returned */
        assert_int_equal(many[i].status, STATUS_CANCELLED);
    }
    rpc_loop_run_for(fixture.loop, 50);
    for (int i = 0; i < 3; i++)
        assert_int_equal(many[i].done_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_echo_comes_back, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_command_line_waits_for_its_answer, open_clear, close_all),
        cmocka_unit_test_setup_teardown(many_calls_at_once_all_come_back, open_clear, close_all),
        cmocka_unit_test_setup_teardown(time_runs_out_on_both_sides, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_handler_sees_that_its_caller_went, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_late_answer_is_as_good, open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_unknown_method_is_unimplemented, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_refused_caller_reaches_no_handler, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_message_over_the_limit_is_refused_by_its_sender,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_transport_may_be_closed_from_any_callback, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_closed_transport_tells_every_call_once, open_clear,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
