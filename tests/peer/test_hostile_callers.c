/*
 * Hostile callers: who knocks at a host's door without being a member, without ever finishing a
 * handshake, or too often at once; and that an honest home is served meanwhile.
 */
#include "tests/peer/hostile_fixture.h"

#include <sys/resource.h>

#include "tests/broker/forgery.h"
#include "tests/support/half_open.h"

static bool lacks_programs(void **state)
{
    return ((struct stage *)*state)->program[0] == '\0';
}

/* What usc says to a member that has its papers: the lease must be presented first. */
static enum status knock_at_usc(struct peer *as, const char *chain, const char *key)
{
    char name[IDENTITY_TEXT_MAX];
    struct identity_subject usc = {
        .role = IDENTITY_MEMBER, .federation = name_of("demo"), .member = name_of("usc")};
    struct lease_request start = {hostile.isi->lease->id};
    struct door door = {hostile.isi->lease->host_address, identity_dns_name(&usc, name),
                        &method_start, &start};
    return knock_at(&door, as, chain, key);
}

static void papers_of_no_member_open_no_door_of_a_host(void **state)
{
    if (lacks_programs(state))
        skip();
    struct stage *stage = *state;
    struct peer *isi = hostile.isi;
    struct pem *pems = arena_alloc(&stage->arena, 7, sizeof *pems);
    assert_non_null(pems);
    struct pem *key = &pems[0], *issuer = &pems[1], *chain = &pems[2];
    struct pem *root_key = &pems[3], *root = &pems[4], *own_key = &pems[5], *own = &pems[6];
    struct name const demo = name_of("demo"), other = name_of("other");
    int64_t now = clock_wall_ms(clock_real());
    struct certificate_validity const present = {now - 60000, now + 3600000};
    struct certificate_validity const past = {now - 2 * DAY_MS, now - DAY_MS};
    assert_int_equal(knock_at_usc(isi, isi->chain.text, isi->key.text), STATUS_PRECONDITION);
    assert_int_equal(knock_at_usc(isi, NULL, NULL), STATUS_UNAVAILABLE); /* TLS itself ends it */

    /* a whole federation of one's own, by the same name and by another */
    struct name const federations[] = {demo, other};
    for (size_t f = 0; f < 2; f++) {
        assert_ok(identity_make_key(root_key, NULL));
        assert_ok(identity_make_root(root_key, &federations[f], present, root, NULL));
        assert_ok(identity_make_key(own_key, NULL));
        assert_ok(identity_make_intermediate(root_key, root, own_key, present, own, NULL));
        forge_as(isi, &federations[f], own_key, own, present, chain);
        assert_int_equal(knock_at_usc(isi, chain->text, isi->key.text), STATUS_UNAVAILABLE);
    }

    /* of the true intermediate, but over; then with another's key */
    read_state(stage, "intermediate.key", key);
    read_state(stage, "intermediate.pem", issuer);
    forge_as(isi, &demo, key, issuer, past, chain);
    assert_int_equal(knock_at_usc(isi, chain->text, isi->key.text), STATUS_UNAVAILABLE);
    assert_int_equal(knock_at_usc(hostile.eve, hostile.eve->chain.text, hostile.eve->key.text),
                     STATUS_NOT_FOUND); /* a member, and the lease is not hers */
    assert_int_equal(knock_at_usc(isi, isi->chain.text, isi->key.text), STATUS_PRECONDITION);
}

static void a_thousand_half_open_connections_keep_no_home_out(void **state)
{
    if (lacks_programs(state))
        skip();
    static struct half_open half_open;
    half_open_begin(&half_open, hostile.isi->lease->host_address, 1000);
    accept_as_isi(); /* over the connection it has */
    stage_and_start();
    struct transport *anew = dial_usc(hostile.isi); /* and over a new one */
    struct lease_request start = {hostile.isi->lease->id};
    assert_int_equal(ask(anew, &method_start, &start), STATUS_OK);
    transport_close(anew);
    half_open_end(&half_open);
}

enum { WATCHERS_ALLOWED = 16, WATCHERS_TRIED = 40 };

static void a_run_has_so_many_watchers_and_no_more(void **state)
{
    if (lacks_programs(state))
        skip();
    static struct stream streams[WATCHERS_TRIED]; /* a call may end after this function did */
    accept_as_isi();
    stage_and_start();
    for (size_t w = 0; w < WATCHERS_TRIED; w++)
        watch_job(hostile.isi_to_usc, hostile.isi->lease->id, &streams[w]);
    size_t refused = 0, served = 0;
    for (int waited = 0; refused + served < WATCHERS_TRIED; waited += 100) {
        assert_true(waited < WAIT_MS);
        rpc_loop_run_for(hostile.stage->loop, 100);
        refused = served = 0;
        for (size_t w = 0; w < WATCHERS_TRIED; w++) {
            refused += streams[w].done;
            served += !streams[w].done && streams[w].log_bytes > 0;
        }
    }
    assert_int_equal(served, WATCHERS_ALLOWED);
    for (size_t w = 0; w < WATCHERS_TRIED; w++)
        if (streams[w].done) {
            assert_int_equal(streams[w].status, STATUS_EXHAUSTED);
            assert_non_null(strstr(streams[w].text, "16 streams"));
        }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(papers_of_no_member_open_no_door_of_a_host),
        CASE(a_thousand_half_open_connections_keep_no_home_out),
        CASE(a_run_has_so_many_watchers_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
