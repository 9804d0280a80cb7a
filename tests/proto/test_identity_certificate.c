#include "tests/proto/identity_forge.h"

static struct federation_fixture ours;
static struct pem usc_key, usc_request;

static int make_federation(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", FIXTURE_NOW);
    assert_ok(identity_make_key(&usc_key, NULL));
    assert_ok(identity_make_request(&usc_key, &usc_request, NULL));
    return 0;
}

/* Signs `request` as member usc of trojan. */
static enum status sign(const struct pem *request, const char *host, struct pem *chain,
                        struct fault *fault)
{
    struct identity_subject subject = fixture_subject("trojan", "usc");
    return identity_sign_request(&ours.intermediate_key, &ours.intermediate, request, &subject,
                                 host, ours.validity, chain, fault);
}

static void assert_refused(const struct pem *request, const char *because)
{
    struct pem chain;
    struct fault fault = {0};
    assert_int_equal(sign(request, "", &chain, &fault), STATUS_INVALID);
    if (strstr(fault.text, because) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, because);
}

static void a_leaf_is_made_for_tls_both_ways_and_cannot_sign(void **state)
{
    (void)state;
    struct pem chain;
    assert_ok(sign(&usc_request, "", &chain, NULL));
    X509 *leaf = forge_read_certificate(&chain);
    assert_int_equal(X509_get_version(leaf), X509_VERSION_3);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_CLIENT | XKU_SSL_SERVER);
    assert_non_null(X509_get0_subject_key_id(leaf));
    X509 *intermediate = forge_read_certificate(&ours.intermediate);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf),
                                           X509_get0_subject_key_id(intermediate)),
                     0);
    assert_int_equal(X509_get_pathlen(intermediate), 0);
    assert_int_equal(X509_get_key_usage(intermediate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    X509_free(intermediate);
    X509_free(leaf);
}

static void tls_finds_the_names_it_asks_for_and_no_others(void **state)
{
    (void)state;
    struct pem chain;
    assert_ok(sign(&usc_request, "gpu.usc.edu", &chain, NULL));
    X509 *leaf = forge_read_certificate(&chain);
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    assert_int_equal(X509_check_host(leaf, "usc.member.trojan", 0, flags, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "gpu.usc.edu", 0, flags, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "ucla.member.trojan", 0, flags, NULL), 0);
    assert_int_equal(X509_check_host(leaf, "broker.trojan", 0, flags, NULL), 0);
    X509_free(leaf);
    assert_ok(sign(&usc_request, "::1", &chain, NULL));
    leaf = forge_read_certificate(&chain);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 0);
    X509_free(leaf);
}

static void a_host_that_is_none_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"a,URI:spiffe://trojan/broker",
                                 "*.trojan",
                                 "a..b",
                                 ".a",
                                 "a.",
                                 "a b",
                                 "host:7600",
                                 "300.1.1.1.",
                                 "spiffe://trojan/broker"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct pem chain;
        if (sign(&usc_request, wrong[i], &chain, NULL) != STATUS_INVALID)
            fail_msg("accepted '%s'", wrong[i]);
    }
}

static void two_certificates_never_share_a_serial_number(void **state)
{
    (void)state;
    struct pem first, second;
    struct certificate_facts one, other;
    assert_ok(sign(&usc_request, "", &first, NULL));
    assert_ok(sign(&usc_request, "", &second, NULL));
    assert_ok(identity_read_certificate(&first, &one, NULL));
    assert_ok(identity_read_certificate(&second, &other, NULL));
    assert_string_not_equal(one.serial, other.serial);
    assert_false(digest_equal(&one.fingerprint, &other.fingerprint));
}

static void a_request_for_another_curve_is_refused(void **state)
{
    (void)state;
    struct pem request;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    forge_request(key, EVP_sha256(), 0, &request);
    assert_refused(&request, "is not P-256");
    EVP_PKEY_free(key);
    key = EVP_RSA_gen(2048);
    forge_request(key, EVP_sha256(), 0, &request);
    assert_refused(&request, "is not P-256");
    EVP_PKEY_free(key);
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    forge_request(key, NULL, 0, &request);
    assert_refused(&request, "is not P-256");
    EVP_PKEY_free(key);
}

/* P-256 spelt out as numbers could hide another generator [CVE-2020-0601]. */
static void a_request_that_spells_its_curve_out_is_refused(void **state)
{
    (void)state;
    struct pem request;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
    forge_request(key, EVP_sha256(), 0, &request);
    assert_refused(&request, "is not P-256");
    EVP_PKEY_free(key);
}

static void a_request_that_was_tampered_with_is_refused(void **state)
{
    (void)state;
    struct pem request, chain;
    EVP_PKEY *key = forge_read_key(&usc_key);
    forge_request(key, EVP_sha256(), 0, &request);
    assert_ok(sign(&request, "", &chain, NULL)); /* the forge makes good ones too */
    forge_request(key, EVP_sha256(), 1, &request);
    assert_refused(&request, "not signed by its own key");
    EVP_PKEY_free(key);
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    struct pem const nothing = {""};
    struct pem const broken = {"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"};
    assert_refused(&nothing, "not a certificate request");
    assert_refused(&broken, "not a certificate request");
    assert_refused(&ours.root, "not a certificate request");
}

static void a_text_without_end_is_refused(void **state)
{
    (void)state;
    struct pem request, chain;
    struct fault fault;
    memset(request.text, '-', sizeof request.text); /* no terminator in PEM_BYTES_MAX + 1 bytes */
    assert_int_equal(sign(&request, "", &chain, &fault), STATUS_EXHAUSTED);
}

static void the_same_key_has_the_same_digest_in_request_and_certificate(void **state)
{
    (void)state;
    struct pem again, chain, other_key, other_request;
    struct digest first, second, third, other;
    assert_ok(identity_make_request(&usc_key, &again, NULL));
    assert_ok(sign(&again, "", &chain, NULL));
    assert_ok(identity_make_key(&other_key, NULL));
    assert_ok(identity_make_request(&other_key, &other_request, NULL));
    assert_ok(identity_request_key_digest(&usc_request, &first, NULL));
    assert_ok(identity_request_key_digest(&again, &second, NULL));
    assert_ok(identity_request_key_digest(&chain, &third, NULL));
    assert_ok(identity_request_key_digest(&other_request, &other, NULL));
    assert_true(digest_equal(&first, &second));
    assert_true(digest_equal(&first, &third));
    assert_false(digest_equal(&first, &other));
}

static void an_intermediate_signs_for_its_own_federation_only(void **state)
{
    (void)state;
    struct pem chain;
    struct fault fault;
    struct identity_subject foreign = fixture_subject("bruin", "usc");
    assert_int_equal(identity_sign_request(&ours.intermediate_key, &ours.intermediate, &usc_request,
                                           &foreign, "", ours.validity, &chain, &fault),
                     STATUS_INVALID);
    assert_non_null(strstr(fault.text, "bruin"));
}

static void a_leaf_does_not_outlive_its_intermediate(void **state)
{
    (void)state;
    struct pem chain;
    struct identity_subject subject = fixture_subject("trojan", "usc");
    struct certificate_validity longer = ours.validity;
    longer.until_wall_ms += MS_PER_SECOND;
    assert_int_equal(identity_sign_request(&ours.intermediate_key, &ours.intermediate, &usc_request,
                                           &subject, "", longer, &chain, NULL),
                     STATUS_PRECONDITION);
}

static void keys_and_certificates_that_do_not_match_are_refused(void **state)
{
    (void)state;
    struct pem chain, made;
    struct identity_subject subject = fixture_subject("trojan", "usc");
    assert_int_equal(identity_sign_request(&usc_key, &ours.intermediate, &usc_request, &subject, "",
                                           ours.validity, &chain, NULL),
                     STATUS_INVALID);
    assert_ok(sign(&usc_request, "", &chain, NULL)); /* a leaf is no authority */
    assert_int_equal(
        identity_make_intermediate(&usc_key, &chain, &usc_key, ours.validity, &made, NULL),
        STATUS_INVALID);
}

static void names_and_dates_that_are_none_are_refused(void **state)
{
    (void)state;
    struct pem made;
    struct name federation = {"Trojan.Horse"};
    assert_int_equal(identity_make_root(&ours.root_key, &federation, ours.validity, &made, NULL),
                     STATUS_INVALID);
    struct certificate_validity backwards = {FIXTURE_NOW, FIXTURE_NOW};
    assert_int_equal(identity_make_root(&ours.root_key, &ours.name, backwards, &made, NULL),
                     STATUS_INVALID);
    struct certificate_validity beyond = {FIXTURE_NOW, INT64_MAX};
    assert_int_equal(identity_make_root(&ours.root_key, &ours.name, beyond, &made, NULL),
                     STATUS_INVALID);
    struct identity_subject subject = fixture_subject("trojan", "USC!");
    assert_int_equal(identity_sign_request(&ours.intermediate_key, &ours.intermediate, &usc_request,
                                           &subject, "", ours.validity, &made, NULL),
                     STATUS_INVALID);
    subject = fixture_subject("trojan", "usc");
    subject.role = IDENTITY_BROKER; /* the broker has no member name */
    assert_int_equal(identity_sign_request(&ours.intermediate_key, &ours.intermediate, &usc_request,
                                           &subject, "", ours.validity, &made, NULL),
                     STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_made_for_tls_both_ways_and_cannot_sign),
        cmocka_unit_test(tls_finds_the_names_it_asks_for_and_no_others),
        cmocka_unit_test(a_host_that_is_none_is_refused),
        cmocka_unit_test(two_certificates_never_share_a_serial_number),
        cmocka_unit_test(a_request_for_another_curve_is_refused),
        cmocka_unit_test(a_request_that_spells_its_curve_out_is_refused),
        cmocka_unit_test(a_request_that_was_tampered_with_is_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(a_text_without_end_is_refused),
        cmocka_unit_test(the_same_key_has_the_same_digest_in_request_and_certificate),
        cmocka_unit_test(an_intermediate_signs_for_its_own_federation_only),
        cmocka_unit_test(a_leaf_does_not_outlive_its_intermediate),
        cmocka_unit_test(keys_and_certificates_that_do_not_match_are_refused),
        cmocka_unit_test(names_and_dates_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, make_federation, NULL);
}
