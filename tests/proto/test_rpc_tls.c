#include "tests/proto/rpc_fixture.h"

static struct federation_fixture ours;
static struct federation_fixture theirs; /* same name, another root */
static struct pem broker_key, broker_chain, usc_key, usc_chain, cwi_key, cwi_chain;
static struct pem strange_key, strange_chain;
static struct rpc_fixture fixture;
static struct outcome outcome;

static struct rpc_credentials credentials(const struct pem *root, const struct pem *chain,
                                          const struct pem *key)
{
    return (struct rpc_credentials){root->text, chain->text, key->text};
}

static int make_federations(void **state)
{
    (void)state;
    int64_t now = clock_wall_ms(clock_real());
    fixture_make(&ours, "trojan", now);
    fixture_make(&theirs, "trojan", now);
    fixture_enrol(&ours, "", &broker_key, &broker_chain);
    fixture_enrol(&ours, "usc", &usc_key, &usc_chain);
    fixture_enrol(&ours, "cwi", &cwi_key, &cwi_chain);
    fixture_enrol(&theirs, "usc", &strange_key, &strange_chain);
    return 0;
}

/* The broker's main port; the client is usc unless a test dials again. */
static int open_mutual(void **state)
{
    (void)state;
    fixture_open_loop(&fixture);
    fixture_serve(&fixture, RPC_MUTUAL_TLS, "127.0.0.1:0",
                  credentials(&ours.root, &broker_chain, &broker_key));
    fixture.client = fixture_dial(&fixture, RPC_MUTUAL_TLS,
                                  credentials(&ours.root, &usc_chain, &usc_key), "broker.trojan");
    outcome = (struct outcome){0};
    return 0;
}

static int open_enrolment(void **state)
{
    (void)state;
    fixture_open_loop(&fixture);
    fixture_serve(&fixture, RPC_SERVER_TLS, "127.0.0.1:0",
                  credentials(&ours.root, &broker_chain, &broker_key));
    outcome = (struct outcome){0};
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void dial_again(enum rpc_security security, struct rpc_credentials with, const char *name)
{
    transport_close(fixture.client);
    fixture.client = fixture_dial(&fixture, security, with, name);
}

static void the_handler_knows_the_member_by_its_certificate(void **state)
{
    (void)state;
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    const struct rpc_caller *caller = &fixture.service.last;
    assert_true(caller->authenticated);
    assert_false(caller->local);
    assert_int_equal(caller->subject.role, IDENTITY_MEMBER);
    assert_string_equal(caller->subject.member.text, "usc");
    assert_string_equal(caller->subject.federation.text, "trojan");
    struct certificate_facts facts;
    assert_ok(identity_read_certificate(&usc_chain, &facts, NULL));
    assert_string_equal(caller->serial, facts.serial);
    dial_again(RPC_MUTUAL_TLS, credentials(&ours.root, &cwi_chain, &cwi_key), "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_string_equal(fixture.service.last.subject.member.text, "cwi");
}

static void a_caller_without_a_certificate_gets_nothing(void **state)
{
    (void)state;
    struct rpc_credentials roots_only = {.roots_pem = ours.root.text};
    dial_again(RPC_SERVER_TLS, roots_only, "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    dial_again(RPC_CLEAR, (struct rpc_credentials){0}, NULL);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    assert_int_equal(fixture.service.handled, 0);
}

static void a_certificate_of_another_root_gets_nothing(void **state)
{
    (void)state;
    dial_again(RPC_MUTUAL_TLS, credentials(&ours.root, &strange_chain, &strange_key),
               "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    assert_int_equal(fixture.service.handled, 0);
}

static void a_server_of_another_name_is_refused(void **state)
{
    (void)state;
    dial_again(RPC_MUTUAL_TLS, credentials(&ours.root, &usc_chain, &usc_key), "cwi.member.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    assert_int_equal(fixture.service.handled, 0);
}

static void a_server_of_another_root_is_refused(void **state)
{
    (void)state;
    dial_again(RPC_MUTUAL_TLS, credentials(&theirs.root, &strange_chain, &strange_key),
               "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAVAILABLE);
    assert_int_equal(fixture.service.handled, 0);
}

static void the_enrolment_listener_takes_callers_without_certificate(void **state)
{
    (void)state;
    struct rpc_credentials roots_only = {.roots_pem = ours.root.text};
    fixture.client = fixture_dial(&fixture, RPC_SERVER_TLS, roots_only, "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_false(fixture.service.last.authenticated);
    assert_string_equal(fixture.service.last.serial, "");
}

static void the_enrolment_listener_knows_who_shows_a_certificate(void **state)
{
    (void)state;
    fixture.client = fixture_dial(&fixture, RPC_SERVER_TLS,
                                  credentials(&ours.root, &usc_chain, &usc_key), "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    assert_true(fixture.service.last.authenticated);
    assert_string_equal(fixture.service.last.subject.member.text, "usc");
}

/* The machine's clock, with the wall put forward. */
static int64_t put_forward_ms;

static int64_t moved_wall_ms(const struct clock *clock)
{
    (void)clock;
    return clock_wall_ms(clock_real()) + put_forward_ms;
}

static int64_t unmoved_boot_ms(const struct clock *clock)
{
    (void)clock;
    return clock_boot_ms(clock_real());
}

static void a_certificate_that_expires_while_connected_is_none(void **state)
{
    (void)state;
    static const struct clock moved = {.wall_ms = moved_wall_ms, .boot_ms = unmoved_boot_ms};
    put_forward_ms = 0;
    fixture_close(&fixture);
    fixture = (struct rpc_fixture){.log = fixture.log};
    assert_ok(rpc_loop_open(&fixture.loop, &moved, &fixture.log, NULL));
    fixture_serve(&fixture, RPC_MUTUAL_TLS, "127.0.0.1:0",
                  credentials(&ours.root, &broker_chain, &broker_key));
    fixture.client = fixture_dial(&fixture, RPC_MUTUAL_TLS,
                                  credentials(&ours.root, &usc_chain, &usc_key), "broker.trojan");
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
    put_forward_ms = 31 * DAY_MS; /* the fixture's certificates live thirty */
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_UNAUTHENTICATED);
    assert_int_equal(fixture.service.handled, 1);
}

static void start_endless_stream(void)
{
    uint64_t count = 0;
    struct bytes request = {(const uint8_t *)&count, sizeof count};
    fixture.service.endless = true;
    outcome_start(&outcome, &fixture, &method_count, &request, 0);
    run_until_at_least(&fixture, &outcome.messages, 100);
}

static void new_credentials_keep_an_open_stream(void **state)
{
    (void)state;
    struct pem fresh_key, fresh_chain;
    fixture_enrol(&theirs, "", &fresh_key, &fresh_chain);
    start_endless_stream();
    struct rpc_credentials fresh = credentials(&theirs.root, &fresh_chain, &fresh_key);
    assert_ok(rpc_server_set_credentials(fixture.server, &fresh, NULL));
    /* who dials now meets the new certificate and the new roots */
    struct transport *old = fixture.client;
    struct outcome other = {0};
    fixture.client =
        fixture_dial(&fixture, RPC_MUTUAL_TLS,
                     credentials(&theirs.root, &strange_chain, &strange_key), "broker.trojan");
    assert_int_equal(echo_once(&fixture, &other), STATUS_OK);
    /* and the old stream goes on */
    uint64_t before = outcome.messages;
    run_until_at_least(&fixture, &outcome.messages, before + 1000);
    assert_false(outcome.done);
    transport_close(fixture.client);
    fixture.client = old;
}

static void while_a_root_is_replaced_either_of_the_two_will_do(void **state)
{
    (void)state;
    struct pem both[2] = {theirs.root, ours.root};
    fixture_append(&both[0], &ours.root);
    fixture_append(&both[1], &theirs.root);
    for (size_t order = 0; order < 2; order++) {
        struct rpc_credentials two = credentials(&both[order], &broker_chain, &broker_key);
        assert_ok(rpc_server_set_credentials(fixture.server, &two, NULL));
        struct transport *old = fixture.client;
        struct outcome other = {0};
        fixture.client =
            fixture_dial(&fixture, RPC_MUTUAL_TLS, credentials(&both[order], &usc_chain, &usc_key),
                         "broker.trojan");
        assert_int_equal(echo_once(&fixture, &other), STATUS_OK);
        transport_close(fixture.client);
        fixture.client = old;
    }
    struct rpc_credentials neither = credentials(&theirs.root, &broker_chain, &broker_key);
    assert_int_not_equal(rpc_server_set_credentials(fixture.server, &neither, NULL), STATUS_OK);
}

static void unusable_credentials_are_refused_and_change_nothing(void **state)
{
    (void)state;
    struct rpc_credentials wrong = credentials(&ours.root, &broker_chain, &usc_key);
    struct fault fault;
    assert_int_not_equal(rpc_server_set_credentials(fixture.server, &wrong, &fault), STATUS_OK);
    assert_int_not_equal(strlen(fault.text), 0);
    assert_int_equal(echo_once(&fixture, &outcome), STATUS_OK);
}

static void a_revoked_member_loses_its_streams_and_nobody_else_does(void **state)
{
    (void)state;
    start_endless_stream();
    struct name cwi = {"cwi"};
    struct name usc = {"usc"};
    rpc_server_cancel_member(fixture.server, &cwi);
    uint64_t before = outcome.messages;
    run_until_at_least(&fixture, &outcome.messages, before + 1000);
    assert_false(outcome.done);
    rpc_server_cancel_member(fixture.server, &usc);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_DENIED);
    run_until_at_least(&fixture, &fixture.service.closed, 1);
}

static void keep(struct rpc_call *call, const void *request)
{
    struct echo_service *service = call->service;
    (void)request;
    service->handled++;
    call->on_closed = echo_closed;
}

static const struct rpc_handler keeping[] = {{&method_echo, keep}};

/* Of eight places four are taken freely; from then on one each. */
static void a_member_cannot_take_every_place_of_a_server(void **state)
{
    (void)state;
    enum { PLACES = 8 };
    static struct outcome held[PLACES / 2];
    struct bytes hello = bytes_of("hello");
    struct rpc_server_settings settings = {
        .security = RPC_MUTUAL_TLS,
        .address = "127.0.0.1:0",
        .credentials = credentials(&ours.root, &broker_chain, &broker_key),
        .handlers = keeping,
        .handler_count = 1,
        .service = &fixture.service,
        .calls_max = PLACES,
        .allowed_gid = -1,
    };
    rpc_server_close(fixture.server, 0);
    assert_ok(rpc_server_open(&fixture.server, fixture.loop, &settings, NULL));
    snprintf(fixture.address, sizeof fixture.address, "127.0.0.1:%d",
             rpc_server_port(fixture.server));
    dial_again(RPC_MUTUAL_TLS, credentials(&ours.root, &usc_chain, &usc_key), "broker.trojan");
    for (size_t i = 0; i < PLACES / 2; i++)
        outcome_start(&held[i], &fixture, &method_echo, &hello, 10 * WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, PLACES / 2);
    outcome_start(&outcome, &fixture, &method_echo, &hello, WAIT_MS);
    outcome_wait(&outcome);
    assert_int_equal(outcome.status, STATUS_EXHAUSTED);
    assert_non_null(strstr(outcome.text, "member usc has 4 calls open"));
    struct transport *usc = fixture.client;
    struct outcome other = {0};
    fixture.client = fixture_dial(&fixture, RPC_MUTUAL_TLS,
                                  credentials(&ours.root, &cwi_chain, &cwi_key), "broker.trojan");
    outcome_start(&other, &fixture, &method_echo, &hello, 10 * WAIT_MS);
    run_until_at_least(&fixture, &fixture.service.handled, PLACES / 2 + 1); /* cwi still gets in */
    transport_close(fixture.client);
    fixture.client = usc;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_handler_knows_the_member_by_its_certificate,
                                        open_mutual, close_all),
        cmocka_unit_test_setup_teardown(a_caller_without_a_certificate_gets_nothing, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_certificate_of_another_root_gets_nothing, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_server_of_another_name_is_refused, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_server_of_another_root_is_refused, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_enrolment_listener_takes_callers_without_certificate,
                                        open_enrolment, close_all),
        cmocka_unit_test_setup_teardown(the_enrolment_listener_knows_who_shows_a_certificate,
                                        open_enrolment, close_all),
        cmocka_unit_test_setup_teardown(a_certificate_that_expires_while_connected_is_none,
                                        open_mutual, close_all),
        cmocka_unit_test_setup_teardown(new_credentials_keep_an_open_stream, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(while_a_root_is_replaced_either_of_the_two_will_do,
                                        open_mutual, close_all),
        cmocka_unit_test_setup_teardown(unusable_credentials_are_refused_and_change_nothing,
                                        open_mutual, close_all),
        cmocka_unit_test_setup_teardown(a_member_cannot_take_every_place_of_a_server, open_mutual,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_revoked_member_loses_its_streams_and_nobody_else_does,
                                        open_mutual, close_all),
    };
    return cmocka_run_group_tests(tests, make_federations, NULL);
}
