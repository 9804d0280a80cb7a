/* Is it the broker's word, for this host, from this home, now? */
#include "tests/support/support.h"

#include <string.h>

#include "peer/host/lease_check.h"
#include "proto/identity/identity.h"
#include "proto/wire/methods.h"

#define NOW INT64_C(1795410000000)

struct fixture {
    struct arena arena;
    struct signing_secret broker, own;
    struct lease_key key;
    struct lease_keys keys;
    struct lease_node node;
    struct lease lease;
    struct name home, host, other;
    struct digest bundle;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    arena_init(&fixture->arena, ARENA_MESSAGE_BYTES);
    assert_ok(signing_make(&fixture->broker, &fixture->key.key, NULL));
    assert_ok(signing_make(&fixture->own, &fixture->keys.own, NULL));
    signing_key_id(&fixture->key.key, &fixture->key.key_id);
    signing_key_id(&fixture->keys.own, &fixture->keys.own_id);
    fixture->keys.keys = &fixture->key;
    fixture->keys.count = 1;
    fixture->home = (struct name){"usc"};
    fixture->host = (struct name){"mit"};
    fixture->other = (struct name){"rival"};
    memset(&fixture->bundle, 7, sizeof fixture->bundle);
    fixture->node = (struct lease_node){0, 1};
    fixture->lease = (struct lease){
        .id = {1, 1, 1},
        .job.text = "usc-1",
        .home = fixture->home,
        .host = fixture->host,
        .gpu.text = "A100",
        .home_incarnation = 5,
        .host_incarnation = 9,
        .nodes = &fixture->node,
        .node_count = 1,
        .gpu_count = 1,
        .bundle_digest = fixture->bundle,
        .duration_ms = 1000,
        .accept_from_wall_ms = NOW - 1000,
        .accept_until_wall_ms = NOW + 1000,
        .home_key = fixture->key.key,
        .host_key = fixture->key.key,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    test_free(fixture);
    return 0;
}

static struct signed_bytes sign(struct fixture *fixture, const struct signing_secret *secret,
                                const struct name *key_id, enum signature_domain domain)
{
    struct signed_bytes made = {.key_id = *key_id};
    assert_ok(wire_encode(&message_lease, &fixture->lease, &fixture->arena, &made.body, NULL));
    assert_ok(signing_sign(secret, domain, made.body, &made.signature, NULL));
    return made;
}

static enum status check(struct fixture *fixture, const struct signed_bytes *signed_lease)
{
    struct lease *lease;
    bool own;
    return lease_check_signature(&fixture->keys, signed_lease, NOW, &fixture->arena, &lease, &own,
                                 NULL);
}

static void the_brokers_word_is_taken_to_the_byte(void **state)
{
    struct fixture *fixture = *state;
    struct signed_bytes good = sign(fixture, &fixture->broker, &fixture->key.key_id, SIGN_LEASE);
    assert_ok(check(fixture, &good));
    struct signed_bytes bent = good;
    bent.signature.bytes[5] ^= 1;
    assert_int_equal(check(fixture, &bent), STATUS_CORRUPT);
    uint8_t *body = arena_copy(&fixture->arena, good.body.data, good.body.size);
    body[good.body.size / 2] ^= 1;
    bent = good;
    bent.body.data = body;
    assert_int_equal(check(fixture, &bent), STATUS_CORRUPT);
}

/* Else a peer that is short of memory would count the event with it and never hear of it again. */
static void a_good_lease_that_cannot_be_read_now_wants_memory(void **state)
{
    struct fixture *fixture = *state;
    struct signed_bytes good = sign(fixture, &fixture->broker, &fixture->key.key_id, SIGN_LEASE);
    struct arena none;
    struct lease *lease;
    bool own;
    arena_init(&none, 1);
    assert_int_equal(lease_check_signature(&fixture->keys, &good, NOW, &none, &lease, &own, NULL),
                     STATUS_NO_MEMORY);
    arena_fini(&none);
}

static void a_signature_for_something_else_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct signed_bytes receipt =
        sign(fixture, &fixture->broker, &fixture->key.key_id, SIGN_RECEIPT_HOST);
    assert_int_equal(check(fixture, &receipt), STATUS_CORRUPT);
}

static void an_expired_or_unknown_key_signs_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct signed_bytes good = sign(fixture, &fixture->broker, &fixture->key.key_id, SIGN_LEASE);
    fixture->key.until_wall_ms = NOW;
    assert_int_equal(check(fixture, &good), STATUS_CORRUPT);
    fixture->key.until_wall_ms = NOW + 1;
    assert_ok(check(fixture, &good));
    good.key_id = fixture->other;
    assert_int_equal(check(fixture, &good), STATUS_CORRUPT);
}

static void a_peer_grants_itself_only_leases_of_its_own_kind(void **state)
{
    struct fixture *fixture = *state;
    struct signed_bytes posing = sign(fixture, &fixture->own, &fixture->keys.own_id, SIGN_LEASE);
    assert_int_equal(check(fixture, &posing), STATUS_DENIED);
    fixture->lease.id.incarnation = LEASE_OWN_INCARNATION;
    struct signed_bytes own = sign(fixture, &fixture->own, &fixture->keys.own_id, SIGN_LEASE);
    assert_ok(check(fixture, &own));
    struct signed_bytes brokers = sign(fixture, &fixture->broker, &fixture->key.key_id, SIGN_LEASE);
    assert_int_equal(check(fixture, &brokers), STATUS_DENIED);
}

static void a_visit_is_checked_point_by_point(void **state)
{
    struct fixture *fixture = *state;
    struct digest another = {{1}};
    const struct lease_visit good = {
        .caller = &fixture->home,
        .host = &fixture->host,
        .host_incarnation = 9,
        .home_incarnation_seen = 5,
        .bundle = &fixture->bundle,
        .now_wall_ms = NOW,
    };
    assert_ok(lease_check_visit(&fixture->lease, &good, NULL));
    struct lease_visit visit = good;
    visit.caller = &fixture->other;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_DENIED);
    visit = good;
    visit.host = &fixture->other;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_DENIED);
    visit = good;
    visit.host_incarnation = 10;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_PRECONDITION);
    visit = good;
    visit.home_incarnation_seen = 6;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_PRECONDITION);
    visit = good;
    visit.bundle = &another;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_DENIED);
    visit = good;
    visit.now_wall_ms = NOW + 1001;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_PRECONDITION);
    visit.now_wall_ms = NOW - 1001;
    assert_int_equal(lease_check_visit(&fixture->lease, &visit, NULL), STATUS_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_brokers_word_is_taken_to_the_byte),
        TEST(a_good_lease_that_cannot_be_read_now_wants_memory),
        TEST(a_signature_for_something_else_is_none),
        TEST(an_expired_or_unknown_key_signs_nothing),
        TEST(a_peer_grants_itself_only_leases_of_its_own_kind),
        TEST(a_visit_is_checked_point_by_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
