/* The pinned fetch against the real enrolment listener: gRPC's TLS, not OpenSSL called by a test.
 */
#include "tests/proto/rpc_fixture.h"

#include <pthread.h>

static struct federation_fixture ours;
static struct pem broker_key, broker_chain;
static struct digest pin;
static struct rpc_fixture fixture;

static int make_federation(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", clock_wall_ms(clock_real()));
    fixture_enrol(&ours, "", &broker_key, &broker_chain);
    assert_ok(identity_pin(&ours.root, &pin, NULL));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

/* The newcomer, on a thread of its own while the main one runs the server's loop. */
struct newcomer {
    char address[64];
    enum status status;
    struct pem root;
    struct name federation;
    struct fault fault;
};

static void *fetch(void *argument)
{
    struct newcomer *newcomer = argument;
    newcomer->status =
        identity_fetch_pinned_root(newcomer->address, &pin, WAIT_MS, clock_real(), &newcomer->root,
                                   &newcomer->federation, &newcomer->fault);
    rpc_loop_stop(fixture.loop);
    return NULL;
}

static void fetch_from(const struct pem *chain, enum rpc_security security,
                       struct newcomer *newcomer)
{
    pthread_t thread;
    *newcomer = (struct newcomer){.status = STATUS_INTERNAL};
    fixture_open_loop(&fixture);
    fixture_serve(&fixture, security, "127.0.0.1:0",
                  (struct rpc_credentials){ours.root.text, chain->text, broker_key.text});
    snprintf(newcomer->address, sizeof newcomer->address, "127.0.0.1:%d",
             rpc_server_port(fixture.server));
    assert_int_equal(pthread_create(&thread, NULL, fetch, newcomer), 0);
    rpc_loop_run_for(fixture.loop, WAIT_MS);
    pthread_join(thread, NULL);
}

static void the_enrolment_listener_shows_the_pinned_root(void **state)
{
    (void)state;
    struct newcomer newcomer;
    struct pem with_root = broker_chain;
    fixture_append(&with_root, &ours.root);
    fetch_from(&with_root, RPC_SERVER_TLS, &newcomer);
    assert_string_equal(newcomer.fault.text, "");
    assert_int_equal(newcomer.status, STATUS_OK);
    assert_string_equal(newcomer.root.text, ours.root.text);
    assert_string_equal(newcomer.federation.text, "trojan");
    assert_int_equal(fixture.service.handled, 0);
}

static void the_main_listener_shows_none_and_is_named_as_the_mistake(void **state)
{
    (void)state;
    struct newcomer newcomer;
    fetch_from(&broker_chain, RPC_MUTUAL_TLS, &newcomer);
    assert_int_equal(newcomer.status, STATUS_DENIED);
    assert_non_null(strstr(newcomer.fault.text, "enrolment address"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_enrolment_listener_shows_the_pinned_root, close_all),
        cmocka_unit_test_teardown(the_main_listener_shows_none_and_is_named_as_the_mistake,
                                  close_all),
    };
    return cmocka_run_group_tests(tests, make_federation, NULL);
}
