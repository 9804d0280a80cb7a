#include "tests/support/support.h"

#include <string.h>

#include "proto/identity/identity.h"

static const struct signing_secret rfc_secret = {
    /* RFC 8032, 7.1, TEST 1 */
    {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
     0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
     0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60}};

static const char rfc_public[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/* By an independent implementation (the Python of RFC 8032, section 6, which also gives TEST 1's
 * signature), of the bytes "entente.v1.lease" 00 "abc". */
static const char lease_abc_r[] =
    "247fbd212d54068f7cfa109449140c9e31c0148da1871b883ef60295925d8f4c";
static const char lease_abc_s[] =
    "cf52565ef46f841867321174a749a0ce08477df63b1a5e66875572d2ec34340d";

static const enum signature_domain domains[] = {SIGN_LEASE, SIGN_RECEIPT_HOST, SIGN_RECEIPT_HOME,
                                                SIGN_REVOCATIONS, SIGN_LEDGER_HEAD};
enum { DOMAINS = sizeof domains / sizeof domains[0] };

static struct bytes body_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* 32 bytes as hex; digests print any 32 bytes. */
static void assert_hex(const uint8_t bytes[static DIGEST_BYTES], const char *expected)
{
    struct digest digest;
    char text[DIGEST_TEXT_MAX];
    memcpy(digest.bytes, bytes, DIGEST_BYTES);
    assert_string_equal(digest_format(&digest, text), expected);
}

static void the_public_key_is_rfc_8032s(void **state)
{
    (void)state;
    struct signing_key key;
    struct name id;
    assert_ok(signing_public(&rfc_secret, &key, NULL));
    assert_hex(key.bytes, rfc_public);
    signing_key_id(&key, &id);
    assert_string_equal(id.text, "21fe31dfa154a261"); /* sha256sum of those 32 bytes */
}

/* What is signed must never change: stored leases and receipts would stop verifying. */
static void a_lease_is_signed_as_tag_zero_body(void **state)
{
    (void)state;
    struct signature signature;
    assert_ok(signing_sign(&rfc_secret, SIGN_LEASE, body_of("abc"), &signature, NULL));
    assert_hex(signature.bytes, lease_abc_r);
    assert_hex(signature.bytes + DIGEST_BYTES, lease_abc_s);
}

static void signing_twice_gives_the_same_bytes(void **state)
{
    (void)state;
    struct signature once, again;
    assert_ok(signing_sign(&rfc_secret, SIGN_RECEIPT_HOME, body_of("7.3"), &once, NULL));
    assert_ok(signing_sign(&rfc_secret, SIGN_RECEIPT_HOME, body_of("7.3"), &again, NULL));
    assert_memory_equal(&once, &again, sizeof once);
}

static void a_signature_is_good_for_its_own_domain_alone(void **state)
{
    (void)state;
    struct signing_secret secret;
    struct signing_key key;
    assert_ok(signing_make(&secret, &key, NULL));
    for (size_t i = 0; i < DOMAINS; i++) {
        struct signature signature;
        assert_ok(signing_sign(&secret, domains[i], body_of("lease 1.2.3"), &signature, NULL));
        for (size_t j = 0; j < DOMAINS; j++)
            assert_int_equal(
                signing_verify(&key, domains[j], body_of("lease 1.2.3"), &signature, NULL),
                i == j ? STATUS_OK : STATUS_CORRUPT);
    }
}

static void every_changed_bit_is_noticed(void **state)
{
    (void)state;
    struct signing_key key;
    struct signature signature;
    uint8_t body[] = {0, 1, 2, 3, 254, 255, 0};
    struct bytes const all = {body, sizeof body};
    assert_ok(signing_public(&rfc_secret, &key, NULL));
    assert_ok(signing_sign(&rfc_secret, SIGN_LEASE, all, &signature, NULL));
    for (size_t bit = 0; bit < sizeof body * 8; bit++) {
        body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(signing_verify(&key, SIGN_LEASE, all, &signature, NULL), STATUS_CORRUPT);
        body[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof signature.bytes * 8; bit++) {
        signature.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(signing_verify(&key, SIGN_LEASE, all, &signature, NULL), STATUS_CORRUPT);
        signature.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct bytes const shorter = {body, sizeof body - 1};
    assert_int_equal(signing_verify(&key, SIGN_LEASE, shorter, &signature, NULL), STATUS_CORRUPT);
    assert_ok(signing_verify(&key, SIGN_LEASE, all, &signature, NULL));
}

static void another_key_does_not_verify(void **state)
{
    (void)state;
    struct signing_secret secret;
    struct signing_key other;
    struct signature signature;
    struct fault fault = {0};
    assert_ok(signing_make(&secret, &other, NULL));
    assert_ok(signing_sign(&rfc_secret, SIGN_LEASE, body_of("abc"), &signature, NULL));
    assert_int_equal(signing_verify(&other, SIGN_LEASE, body_of("abc"), &signature, &fault),
                     STATUS_CORRUPT);
    assert_non_null(strstr(fault.text, "signed by another"));
    /* a key that is no curve point */
    memset(other.bytes, 0xff, sizeof other.bytes);
    assert_int_equal(signing_verify(&other, SIGN_LEASE, body_of("abc"), &signature, NULL),
                     STATUS_CORRUPT);
}

static void an_empty_body_can_be_signed(void **state)
{
    (void)state;
    struct signing_key key;
    struct signature signature;
    struct bytes const nothing = {NULL, 0};
    assert_ok(signing_public(&rfc_secret, &key, NULL));
    assert_ok(signing_sign(&rfc_secret, SIGN_REVOCATIONS, nothing, &signature, NULL));
    assert_ok(signing_verify(&key, SIGN_REVOCATIONS, nothing, &signature, NULL));
}

static void a_body_beyond_a_message_is_refused_unread(void **state)
{
    (void)state;
    struct signature signature;
    struct bytes const absurd = {(const uint8_t *)"", (size_t)1 << 40};
    assert_int_equal(signing_sign(&rfc_secret, SIGN_LEASE, absurd, &signature, NULL),
                     STATUS_EXHAUSTED);
}

static void made_keys_differ(void **state)
{
    (void)state;
    struct signing_secret one, other;
    struct signing_key one_key, other_key;
    assert_ok(signing_make(&one, &one_key, NULL));
    assert_ok(signing_make(&other, &other_key, NULL));
    assert_memory_not_equal(&one, &other, sizeof one);
    assert_memory_not_equal(&one_key, &other_key, sizeof one_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_public_key_is_rfc_8032s),
        cmocka_unit_test(a_lease_is_signed_as_tag_zero_body),
        cmocka_unit_test(signing_twice_gives_the_same_bytes),
        cmocka_unit_test(a_signature_is_good_for_its_own_domain_alone),
        cmocka_unit_test(every_changed_bit_is_noticed),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(an_empty_body_can_be_signed),
        cmocka_unit_test(a_body_beyond_a_message_is_refused_unread),
        cmocka_unit_test(made_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
