#include "tests/proto/identity_forge.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A server on loopback for one caller. What it presents is a real TLS handshake by OpenSSL; what it
 * receives after the handshake is counted, since the pin's promise is that nothing is sent.
 */
enum manner { SHAKES_HANDS, SAYS_NOTHING, SPEAKS_HTTP, HANGS_UP };

struct server {
    enum manner manner;
    const struct pem *chain; /* leaf first; presented as it stands */
    const struct pem *key;
    int listener;
    char address[64];
    pthread_t thread;
    long received; /* application bytes */
};

static struct federation_fixture ours;
static struct federation_fixture theirs;
static struct pem broker_key, broker_chain; /* leaf, intermediate, root: as for enrolment */
static struct digest pin;
static struct clock_simulated now;

static int make_federations(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", FIXTURE_NOW);
    fixture_make(&theirs, "trojan", FIXTURE_NOW);
    fixture_enrol(&ours, "", &broker_key, &broker_chain);
    fixture_append(&broker_chain, &ours.root);
    assert_ok(identity_pin(&ours.root, &pin, NULL));
    signal(SIGPIPE, SIG_DFL); /* the client must not need it ignored */
    return 0;
}

static int set_clock(void **state)
{
    (void)state;
    clock_simulated_init(&now, FIXTURE_NOW);
    return 0;
}

static SSL_CTX *server_context(const struct server *server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = forge_read_key(server->key);
    BIO *bio = BIO_new_mem_buf(server->chain->text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    SSL_CTX_use_certificate(context, certificate);
    X509_free(certificate);
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        SSL_CTX_add_extra_chain_cert(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return context;
}

static void serve_tls(struct server *server, int fd)
{
    SSL_CTX *context = server_context(server);
    SSL *tls = SSL_new(context);
    char byte;
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1)
        while (SSL_read(tls, &byte, 1) == 1)
            server->received++;
    SSL_free(tls);
    SSL_CTX_free(context);
}

static void *serve_one(void *argument)
{
    struct server *server = argument;
    char ignored[256];
    int fd = accept(server->listener, NULL, NULL);
    if (server->manner == SHAKES_HANDS)
        serve_tls(server, fd);
    else if (server->manner == SPEAKS_HTTP)
        (void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    if (server->manner == SAYS_NOTHING || server->manner == SPEAKS_HTTP)
        while (read(fd, ignored, sizeof ignored) > 0)
            ;
    close(fd);
    return NULL;
}

static void server_start(struct server *server, enum manner manner, const struct pem *chain,
                         const struct pem *key)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *server = (struct server){.manner = manner, .chain = chain, .key = key};
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &size), 0);
    snprintf(server->address, sizeof server->address, "127.0.0.1:%d", ntohs(at.sin_port));
    /* serving OpenSSL writes into a socket that the client closes: without this the server's half
     * would take the test down, and say nothing about the client's */
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    assert_int_equal(pthread_create(&server->thread, NULL, serve_one, server), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void server_stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
}

enum { TIMEOUT_MS = 20000 }; /* far beyond a handshake on loopback under a sanitizer */

/* Fetches from a server that behaves so; checks that it received nothing of ours. */
static enum status fetch(enum manner manner, const struct pem *chain, const struct pem *key,
                         int timeout_ms, struct fault *fault)
{
    struct server server;
    struct pem root = {""};
    struct name federation = {""};
    *fault = (struct fault){0};
    server_start(&server, manner, chain, key);
    enum status status = identity_fetch_pinned_root(server.address, &pin, timeout_ms, &now.clock,
                                                    &root, &federation, fault);
    server_stop(&server);
    assert_int_equal(server.received, 0);
    if (status == STATUS_OK) {
        assert_string_equal(root.text, ours.root.text);
        assert_string_equal(federation.text, "trojan");
    } else {
        assert_string_equal(root.text, "");
        assert_string_equal(federation.text, "");
    }
    return status;
}

static void assert_denied(const struct pem *chain, const struct pem *key, const char *because)
{
    struct fault fault;
    assert_int_equal(fetch(SHAKES_HANDS, chain, key, TIMEOUT_MS, &fault), STATUS_DENIED);
    if (strstr(fault.text, because) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, because);
}

static void the_pin_finds_the_root_and_sends_nothing(void **state)
{
    (void)state;
    struct fault fault;
    enum status status = fetch(SHAKES_HANDS, &broker_chain, &broker_key, TIMEOUT_MS, &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(status, STATUS_OK);
}

static void another_root_is_denied(void **state)
{
    (void)state;
    struct pem key, chain;
    fixture_enrol(&theirs, "", &key, &chain);
    fixture_append(&chain, &theirs.root);
    assert_denied(&chain, &key, "another root");
}

static void the_true_root_behind_another_leaf_is_denied(void **state)
{
    (void)state;
    struct pem key, chain;
    fixture_enrol(&theirs, "", &key, &chain);
    fixture_append(&chain, &ours.root); /* public: anybody in between can show it */
    assert_denied(&chain, &key, "not to be trusted");
}

static void a_server_that_shows_no_root_is_denied(void **state)
{
    (void)state;
    struct pem key, chain;
    fixture_enrol(&ours, "", &key, &chain);
    assert_denied(&chain, &key, "does not present its federation's root");
}

static void a_member_in_the_brokers_place_is_denied(void **state)
{
    (void)state;
    struct pem key, chain;
    fixture_enrol(&ours, "usc", &key, &chain);
    fixture_append(&chain, &ours.root);
    assert_denied(&chain, &key, "member 'usc'");
}

static void a_broker_of_another_federation_is_denied(void **state)
{
    (void)state;
    struct pem chain;
    struct forged_name const name = {GEN_URI, "spiffe://bruin/broker", 21};
    EVP_PKEY *key = forge_read_key(&broker_key);
    forge_chain(&ours, key, &name, 1, &chain);
    EVP_PKEY_free(key);
    fixture_append(&chain, &ours.root);
    assert_denied(&chain, &broker_key, "federation 'bruin'");
}

static void an_expired_broker_is_denied(void **state)
{
    (void)state;
    clock_simulated_advance(&now, 31 * DAY_MS);
    assert_denied(&broker_chain, &broker_key, "expired");
}

static void the_root_alone_is_denied(void **state)
{
    (void)state;
    assert_denied(&ours.root, &ours.root_key, "not to be trusted");
}

static void a_server_that_speaks_no_tls_is_unavailable(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(fetch(SPEAKS_HTTP, NULL, NULL, TIMEOUT_MS, &fault), STATUS_UNAVAILABLE);
    assert_int_equal(fetch(HANGS_UP, NULL, NULL, TIMEOUT_MS, &fault), STATUS_UNAVAILABLE);
}

static void a_server_that_says_nothing_runs_into_the_deadline(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(fetch(SAYS_NOTHING, NULL, NULL, 20, &fault), STATUS_DEADLINE);
}

static void a_port_where_nobody_listens_is_unavailable(void **state)
{
    (void)state;
    struct server server;
    struct pem root;
    struct name federation;
    struct fault fault;
    server_start(&server, HANGS_UP, NULL, NULL);
    assert_int_equal(identity_fetch_pinned_root(server.address, &pin, TIMEOUT_MS, &now.clock, &root,
                                                &federation, &fault),
                     STATUS_UNAVAILABLE);
    server_stop(&server); /* its port is free now, and refuses */
    assert_int_equal(identity_fetch_pinned_root(server.address, &pin, TIMEOUT_MS, &now.clock, &root,
                                                &federation, &fault),
                     STATUS_UNAVAILABLE);
    assert_non_null(strstr(fault.text, "cannot reach"));
}

static void what_is_no_address_is_refused_before_anything_is_dialled(void **state)
{
    (void)state;
    const char *const wrong[] = {"",         "localhost", "localhost:", ":7600",
                                 "::1:7600", "[]:7600",   "h:port",     "h:123456",
                                 "h:7600 ",  "h:-1",      "[::1]7600"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct pem root;
        struct name federation;
        if (identity_fetch_pinned_root(wrong[i], &pin, TIMEOUT_MS, &now.clock, &root, &federation,
                                       NULL) != STATUS_INVALID)
            fail_msg("accepted '%s'", wrong[i]);
    }
}

static void a_pin_names_a_root_and_no_other_certificate(void **state)
{
    (void)state;
    struct digest other;
    assert_int_equal(identity_pin(&ours.intermediate, &other, NULL), STATUS_INVALID);
    assert_ok(identity_pin(&theirs.root, &other, NULL));
    assert_false(digest_equal(&pin, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_pin_finds_the_root_and_sends_nothing, set_clock),
        cmocka_unit_test_setup(another_root_is_denied, set_clock),
        cmocka_unit_test_setup(the_true_root_behind_another_leaf_is_denied, set_clock),
        cmocka_unit_test_setup(a_server_that_shows_no_root_is_denied, set_clock),
        cmocka_unit_test_setup(a_member_in_the_brokers_place_is_denied, set_clock),
        cmocka_unit_test_setup(a_broker_of_another_federation_is_denied, set_clock),
        cmocka_unit_test_setup(an_expired_broker_is_denied, set_clock),
        cmocka_unit_test_setup(the_root_alone_is_denied, set_clock),
        cmocka_unit_test_setup(a_server_that_speaks_no_tls_is_unavailable, set_clock),
        cmocka_unit_test_setup(a_server_that_says_nothing_runs_into_the_deadline, set_clock),
        cmocka_unit_test_setup(a_port_where_nobody_listens_is_unavailable, set_clock),
        cmocka_unit_test_setup(what_is_no_address_is_refused_before_anything_is_dialled, set_clock),
        cmocka_unit_test(a_pin_names_a_root_and_no_other_certificate),
    };
    return cmocka_run_group_tests(tests, make_federations, NULL);
}
