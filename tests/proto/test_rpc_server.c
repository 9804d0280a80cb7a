#include "tests/proto/rpc_fixture.h"

static struct rpc_fixture fixture;
static struct outcome outcome;

static const struct wire_method method_check = {.path = "/grpc.health.v1.Health/Check",
                                                .shape = WIRE_UNARY};
static const struct wire_method method_watch = {.path = "/grpc.health.v1.Health/Watch",
                                                .shape = WIRE_SERVER_STREAM};

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

/* HealthCheckRequest { string service = 1; } */
static struct bytes health_request(const char *service, uint8_t buffer[static 128])
{
    size_t length = strlen(service);
    if (length == 0)
        return (struct bytes){0};
    buffer[0] = 0x0a;
    buffer[1] = (uint8_t)length;
    memcpy(buffer + 2, service, length);
    return (struct bytes){buffer, length + 2};
}

/* The status byte of a HealthCheckResponse, 0 where there was none. */
static int serving_status(void)
{
    return outcome.size == 2 && outcome.bytes[0] == 0x08 ? outcome.bytes[1] : 0;
}

static enum status check(const char *service)
{
    uint8_t buffer[128];
    struct bytes request = health_request(service, buffer);
    outcome_start(&outcome, &fixture, &method_check, &request, WAIT_MS);
    outcome_wait(&outcome);
    return outcome.status;
}

static void the_server_and_its_service_are_healthy(void **state)
{
    (void)state;
    fixture.service.refuse = STATUS_DENIED; /* health is for everybody */
    assert_int_equal(check(""), STATUS_OK);
    assert_int_equal(serving_status(), 1);
    assert_int_equal(check("test.Echo"), STATUS_OK);
    assert_int_equal(serving_status(), 1);
}

static void the_health_of_an_unknown_service_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(check("test.Ech"), STATUS_NOT_FOUND);
    assert_int_equal(check("test.Echo/Echo"), STATUS_NOT_FOUND);
    assert_int_equal(check("nobody"), STATUS_NOT_FOUND);
}

static void a_malformed_health_request_is_invalid(void **state)
{
    (void)state;
    static const uint8_t wrong[][3] = {{0x0a, 2, 'x'}, {0x08, 1, 0}, {0x0a, 0x80, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        outcome_start(&outcome, &fixture, &method_check, &(struct bytes){wrong[i], sizeof wrong[i]},
                      WAIT_MS);
        outcome_wait(&outcome);
        assert_int_equal(outcome.status, STATUS_INVALID);
    }
}

static void a_watcher_of_health_hears_of_the_stop(void **state)
{
    (void)state;
    outcome_start(&outcome, &fixture, &method_watch, &(struct bytes){0}, 0);
    run_until_at_least(&fixture, &outcome.messages, 1);
    assert_int_equal(serving_status(), 1);
    rpc_server_close(fixture.server, WAIT_MS); /* the watcher does not hold it up */
    fixture.server = NULL;
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(outcome.messages, 2);
    assert_int_equal(serving_status(), 2);
}

/* --- stopping */

static void answer_late(void *context)
{
    (void)context;
    struct bytes hello = bytes_of("hello");
    rpc_call_reply(fixture.service.held, &hello);
}

static void a_graceful_stop_lets_a_running_call_end(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    struct rpc_timer timer = {0};
    rpc_timer_start(fixture.loop, &timer, 100, answer_late, NULL);
    rpc_server_close(fixture.server, WAIT_MS);
    fixture.server = NULL;
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_OK);
    assert_int_equal(fixture.service.closed, 1);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE); /* nobody is there */
}

static void a_stop_without_grace_cancels_what_runs(void **state)
{
    (void)state;
    struct bytes hello = bytes_of("hello");
    fixture.service.hold = true;
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, 1);
    rpc_server_close(fixture.server, 0);
    fixture.server = NULL;
    assert_int_equal(fixture.service.closed, 1);
    outcome_wait(&outcome);
    assert_int_not_equal(outcome.status, STATUS_OK);
}

static struct rpc_call *forgotten;

static void forget_about(struct rpc_call *call, const void *request)
{
    (void)request;
    forgotten = call; /* no on_closed: so the call stays valid until it is answered */
}

static void an_answer_after_the_server_is_gone_is_harmless(void **state)
{
    (void)state;
    const struct rpc_handler handlers[] = {{&method_echo, forget_about}};
    struct rpc_server_settings settings = {.security = RPC_CLEAR,
                                           .address = "127.0.0.1:0",
                                           .handlers = handlers,
                                           .handler_count = 1,
                                           .allowed_gid = -1};
    struct rpc_server *server;
    assert_ok(rpc_server_open(&server, fixture.loop, &settings, NULL));
    transport_close(fixture.client);
    snprintf(fixture.address, sizeof fixture.address, "127.0.0.1:%d", rpc_server_port(server));
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    struct bytes hello = bytes_of("hello");
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    for (int i = 0; i < WAIT_MS / 10 && forgotten == NULL; i++)
        rpc_loop_run_for(fixture.loop, 10);
    assert_non_null(forgotten);
    rpc_server_close(server, 0);
    rpc_call_reply(forgotten, &hello);
}

/* --- limits */

static void count_and_keep(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    (void)request;
    service->handled++;
    call->on_closed = echo_closed;
}

/* Over several connections: the limit is the server's, not a connection's. */
static void the_call_over_the_servers_limit_is_refused_at_once(void **state)
{
    (void)state;
    enum { CONNECTIONS = 3, EACH = 100, LIMIT = 250 };
    const struct rpc_handler handlers[] = {{&method_echo, count_and_keep}};
    struct rpc_server_settings settings = {.security = RPC_CLEAR,
                                           .address = "127.0.0.1:0",
                                           .calls_max = LIMIT,
                                           .allowed_gid = -1,
                                           .handlers = handlers,
                                           .handler_count = 1,
                                           .service = &fixture.service};
    static struct outcome held[LIMIT];
    struct transport *clients[CONNECTIONS];
    struct bytes hello = bytes_of("hello");
    rpc_server_close(fixture.server, 0);
    transport_close(fixture.client);
    assert_ok(rpc_server_open(&fixture.server, fixture.loop, &settings, NULL));
    snprintf(fixture.address, sizeof fixture.address, "127.0.0.1:%d",
             rpc_server_port(fixture.server));
    for (size_t i = 0; i < CONNECTIONS; i++) {
        clients[i] = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
        fixture.client = clients[i];
        for (size_t j = 0; j < EACH && i * EACH + j < LIMIT; j++)
            outcome_start(&held[i * EACH + j], &fixture, &method_echo, &hello, 10 * WAIT_MS);
    }
    run_until_at_least(&fixture, &fixture.service.handled, LIMIT);
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_EXHAUSTED);
    assert_int_equal(fixture.service.handled, LIMIT);
    for (size_t i = 0; i < CONNECTIONS; i++)
        transport_close(clients[i]);
    fixture.client = NULL;
    run_until_at_least(&fixture, &fixture.service.closed, LIMIT);
}

/* --- listening */

static void an_address_in_use_is_refused(void **state)
{
    (void)state;
    struct rpc_server_settings settings = {
        .security = RPC_CLEAR, .address = fixture.address, .allowed_gid = -1};
    struct rpc_server *second = NULL;
    struct fault fault;
    assert_int_equal(rpc_server_open(&second, fixture.loop, &settings, &fault), STATUS_IO);
    assert_non_null(strstr(fault.text, fixture.address));
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"",        "host",    "host:",         "host:65536",
                                 ":80",     "unix:/x", "dns:///x:80",   "[::1]",
                                 "[]:80",   "a/b:80",  "127.0.0.1:80/", "127.0.0.1:8O",
                                 "[x]:80",  "host:-1", "host:80,b:80",  "a b:80",
                                 "ipv4:1:2"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rpc_client_settings settings = {.security = RPC_CLEAR, .address = wrong[i]};
        struct transport *transport = NULL;
        if (rpc_client_open(&transport, fixture.loop, &settings, NULL) != STATUS_INVALID)
            fail_msg("'%s' was taken", wrong[i]);
    }
}

static void a_host_may_be_a_name_or_ipv6(void **state)
{
    (void)state;
    int port = rpc_server_port(fixture.server);
    transport_close(fixture.client);
    snprintf(fixture.address, sizeof fixture.address, "localhost:%d", port);
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    struct rpc_server_settings settings = {
        .security = RPC_CLEAR, .address = "[::1]:0", .allowed_gid = -1};
    struct rpc_server *server = NULL;
    if (rpc_server_open(&server, fixture.loop, &settings, NULL) != STATUS_OK) {
        print_message("no IPv6 here\n");
        return;
    }
    transport_close(fixture.client);
    snprintf(fixture.address, sizeof fixture.address, "[::1]:%d", rpc_server_port(server));
    fixture.client = fixture_dial(&fixture, RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNIMPLEMENTED); /* reached it */
    rpc_server_close(server, 0);
}

static void a_server_that_comes_back_is_found_again(void **state)
{
    (void)state;
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    rpc_server_close(fixture.server, 0);
    char address[512];
    snprintf(address, sizeof address, "%s", fixture.address);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    assert_non_null(strstr(outcome.text, address)); /* it says who is not there */
    fixture_serve(&fixture, RPC_CLEAR, address, (struct rpc_credentials){0});
    enum status status = STATUS_UNAVAILABLE;
    for (int i = 0; i < WAIT_MS / 50 && status == STATUS_UNAVAILABLE; i++) {
        rpc_loop_run_for(fixture.loop, 50);
        status = echo_once(&fixture, &outcome);
    }
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_server_and_its_service_are_healthy, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_health_of_an_unknown_service_is_not_found, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_malformed_health_request_is_invalid, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_watcher_of_health_hears_of_the_stop, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_graceful_stop_lets_a_running_call_end, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_stop_without_grace_cancels_what_runs, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_answer_after_the_server_is_gone_is_harmless, open_clear,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_call_over_the_servers_limit_is_refused_at_once,
                                        open_clear, close_all),
        cmocka_unit_test_setup_teardown(an_address_in_use_is_refused, open_clear, close_all),
        cmocka_unit_test_setup_teardown(what_is_no_address_is_refused, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_host_may_be_a_name_or_ipv6, open_clear, close_all),
        cmocka_unit_test_setup_teardown(a_server_that_comes_back_is_found_again, open_clear,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
