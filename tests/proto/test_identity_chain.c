#include "tests/proto/identity_forge.h"

#include <stdio.h>

static struct federation_fixture ours;
static struct federation_fixture theirs; /* another root under the same federation's name */
static struct pem usc_key, usc_chain;

static int make_federations(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", FIXTURE_NOW);
    fixture_make(&theirs, "trojan", FIXTURE_NOW);
    fixture_enrol(&ours, "usc", &usc_key, &usc_chain);
    return 0;
}

static int wipe_federations(void **state)
{
    (void)state;
    pem_wipe(&usc_key);
    struct pem const empty = {""};
    assert_memory_equal(&usc_key, &empty, sizeof empty);
    return 0;
}

static void assert_not_believed(const struct pem *chain, const struct pem *root,
                                const struct pem *key, int64_t wall_ms, const char *because)
{
    struct fault fault = {0};
    assert_int_equal(identity_verify_chain(chain, root, key, wall_ms, &fault), STATUS_CORRUPT);
    if (strstr(fault.text, because) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, because);
}

static void a_members_chain_leads_to_its_root(void **state)
{
    (void)state;
    struct fault fault = {0};
    enum status status =
        identity_verify_chain(&usc_chain, &ours.root, &usc_key, FIXTURE_NOW, &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(status, STATUS_OK);
    assert_ok(identity_verify_chain(&usc_chain, &ours.root, NULL, FIXTURE_NOW, NULL));
}

static void a_certificate_says_whose_it_is(void **state)
{
    (void)state;
    struct certificate_facts facts;
    assert_ok(identity_read_certificate(&usc_chain, &facts, NULL));
    assert_int_equal(facts.subject.role, IDENTITY_MEMBER);
    assert_string_equal(facts.subject.federation.text, "trojan");
    assert_string_equal(facts.subject.member.text, "usc");
    assert_int_equal(facts.validity.from_wall_ms, ours.validity.from_wall_ms);
    assert_int_equal(facts.validity.until_wall_ms, ours.validity.until_wall_ms);
    assert_int_equal(strlen(facts.serial), 32); /* 128 bits in hex */
}

static void another_root_of_the_same_name_is_not_believed(void **state)
{
    (void)state;
    assert_not_believed(&usc_chain, &theirs.root, NULL, FIXTURE_NOW, "another federation's root");
}

static void an_expired_certificate_is_not_believed(void **state)
{
    (void)state;
    int64_t until = ours.validity.until_wall_ms;
    assert_ok(identity_verify_chain(&usc_chain, &ours.root, NULL, until - 1000, NULL));
    assert_not_believed(&usc_chain, &ours.root, NULL, until, "renew it");
}

static void a_certificate_from_tomorrow_is_not_believed(void **state)
{
    (void)state;
    int64_t from = ours.validity.from_wall_ms;
    assert_ok(identity_verify_chain(&usc_chain, &ours.root, NULL, from, NULL));
    assert_not_believed(&usc_chain, &ours.root, NULL, from - 1000, "clock");
}

static void another_members_key_does_not_fit(void **state)
{
    (void)state;
    struct pem key;
    assert_ok(identity_make_key(&key, NULL));
    assert_not_believed(&usc_chain, &ours.root, &key, FIXTURE_NOW, "private key does not belong");
}

static void a_leaf_without_its_intermediate_is_not_believed(void **state)
{
    (void)state;
    struct pem alone = usc_chain;
    char *second = strstr(alone.text + 1, "-----BEGIN");
    *second = '\0';
    assert_not_believed(&alone, &ours.root, NULL, FIXTURE_NOW, "certificate 1");
}

static void a_leaf_that_signs_a_leaf_is_not_believed(void **state)
{
    (void)state;
    /* usc plays intermediate: the forge signs with whatever it is given. */
    struct federation_fixture within = ours;
    struct pem chain;
    struct forged_name const name = {GEN_URI, "spiffe://trojan/broker", 22};
    within.intermediate_key = usc_key;
    within.intermediate = usc_chain;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    forge_chain(&within, key, &name, 1, &chain);
    EVP_PKEY_free(key);
    fixture_append(&chain, &ours.intermediate);
    assert_not_believed(&chain, &ours.root, NULL, FIXTURE_NOW, "invalid CA certificate");
}

static void an_authority_is_nobodys_identity(void **state)
{
    (void)state;
    struct certificate_facts facts;
    assert_not_believed(&ours.intermediate, &ours.root, NULL, FIXTURE_NOW, "certificate 1");
    assert_not_believed(&ours.root, &ours.root, NULL, FIXTURE_NOW, "certificate 1");
    assert_int_equal(identity_read_certificate(&ours.root, &facts, NULL), STATUS_INVALID);
}

static void a_changed_certificate_is_not_believed(void **state)
{
    (void)state;
    X509 *leaf = forge_read_certificate(&usc_chain);
    unsigned char *der = NULL;
    int size = i2d_X509(leaf, &der);
    assert_true(size > 0);
    der[size - 1] ^= 1;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio(bio, PEM_STRING_X509, "", der, size);
    BIO_puts(bio, ours.intermediate.text);
    struct pem changed;
    forge_take(bio, &changed);
    OPENSSL_free(der);
    X509_free(leaf);
    assert_not_believed(&changed, &ours.root, NULL, FIXTURE_NOW, "signature failure");
}

/* The intermediate's true signature does not make these somebody. */
static void a_certificate_without_one_good_uri_is_nobodys(void **state)
{
    (void)state;
    static const struct forged_name two_uris[] = {{GEN_URI, "spiffe://trojan/member/usc", 26},
                                                  {GEN_URI, "spiffe://trojan/broker", 22}};
    static const struct forged_name twice[] = {{GEN_URI, "spiffe://trojan/member/usc", 26},
                                               {GEN_URI, "spiffe://trojan/member/usc", 26}};
    static const struct forged_name nul_inside[] = {
        {GEN_URI, "spiffe://trojan/member/usc\0.evil", 32}};
    static const struct forged_name empty[] = {{GEN_URI, "", 0}};
    static const struct forged_name dns_only[] = {{GEN_DNS, "usc.member.trojan", 17}};
    static const struct forged_name uri_as_dns[] = {{GEN_DNS, "spiffe://trojan/member/usc", 26}};
    char absurd_text[4000];
    memset(absurd_text, 'a', sizeof absurd_text);
    memcpy(absurd_text, "spiffe://trojan/member/", 23);
    const struct forged_name absurd[] = {{GEN_URI, absurd_text, sizeof absurd_text}};
    const struct {
        const struct forged_name *names;
        int count;
    } cases[] = {{NULL, 0},  {two_uris, 2}, {twice, 2},      {nul_inside, 1},
                 {empty, 1}, {dns_only, 1}, {uri_as_dns, 1}, {absurd, 1}};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pem chain;
        struct certificate_facts facts;
        forge_chain(&ours, key, cases[i].names, cases[i].count, &chain);
        if (identity_read_certificate(&chain, &facts, NULL) != STATUS_INVALID)
            fail_msg("case %zu was read as somebody's", i);
        if (identity_verify_chain(&chain, &ours.root, NULL, FIXTURE_NOW, NULL) != STATUS_INVALID)
            fail_msg("case %zu was believed", i);
    }
    EVP_PKEY_free(key);
}

static void many_names_are_refused(void **state)
{
    (void)state;
    struct forged_name names[17]; /* one over SANS_MAX */
    for (size_t i = 0; i < 17; i++)
        names[i] = (struct forged_name){GEN_DNS, "a.example", 9};
    names[0] = (struct forged_name){GEN_URI, "spiffe://trojan/member/usc", 26};
    struct pem chain;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    forge_chain(&ours, key, names, 16, &chain);
    assert_ok(identity_verify_chain(&chain, &ours.root, NULL, FIXTURE_NOW, NULL));
    forge_chain(&ours, key, names, 17, &chain);
    assert_int_equal(identity_verify_chain(&chain, &ours.root, NULL, FIXTURE_NOW, NULL),
                     STATUS_INVALID);
    EVP_PKEY_free(key);
}

static void a_name_of_another_federation_is_not_believed(void **state)
{
    (void)state;
    struct pem chain;
    struct forged_name const name = {GEN_URI, "spiffe://bruin/broker", 21};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    forge_chain(&ours, key, &name, 1, &chain);
    EVP_PKEY_free(key);
    assert_not_believed(&chain, &ours.root, NULL, FIXTURE_NOW, "federation 'bruin'");
}

static void a_weaker_or_other_key_is_not_believed(void **state)
{
    (void)state;
    struct pem chain;
    struct forged_name const name = {GEN_URI, "spiffe://trojan/broker", 22};
    EVP_PKEY *key = EVP_RSA_gen(1024);
    forge_chain(&ours, key, &name, 1, &chain);
    EVP_PKEY_free(key);
    assert_int_equal(identity_verify_chain(&chain, &ours.root, NULL, FIXTURE_NOW, NULL),
                     STATUS_INVALID);
}

static void texts_that_are_no_chain_are_refused(void **state)
{
    (void)state;
    struct pem text = {"no certificate"};
    struct fault fault;
    assert_int_equal(identity_verify_chain(&text, &ours.root, NULL, FIXTURE_NOW, &fault),
                     STATUS_INVALID);
    memset(text.text, 'A', sizeof text.text); /* oversized: no end within PEM_BYTES_MAX */
    assert_int_equal(identity_verify_chain(&text, &ours.root, NULL, FIXTURE_NOW, &fault),
                     STATUS_EXHAUSTED);
    assert_int_equal(identity_verify_chain(&usc_chain, &text, NULL, FIXTURE_NOW, &fault),
                     STATUS_EXHAUSTED);
    text = usc_chain; /* a good chain, then broken text behind it */
    strncat(text.text, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
            PEM_BYTES_MAX - strlen(text.text));
    assert_int_equal(identity_verify_chain(&text, &ours.root, NULL, FIXTURE_NOW, &fault),
                     STATUS_INVALID);
}

static void a_chain_of_many_is_refused(void **state)
{
    (void)state;
    struct pem many = usc_chain; /* two certificates */
    for (int i = 0; i < 2; i++)
        fixture_append(&many, &ours.intermediate);
    assert_ok(identity_verify_chain(&many, &ours.root, NULL, FIXTURE_NOW, NULL));
    fixture_append(&many, &ours.intermediate);
    assert_int_equal(identity_verify_chain(&many, &ours.root, NULL, FIXTURE_NOW, NULL),
                     STATUS_EXHAUSTED);
}

static void an_encrypted_key_is_refused_without_asking_anybody(void **state)
{
    (void)state;
    struct pem encrypted;
    struct fault fault = {0};
    char passphrase[] = "secret";
    EVP_PKEY *key = forge_read_key(&usc_key);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), passphrase, 6, NULL, NULL), 1);
    forge_take(bio, &encrypted);
    EVP_PKEY_free(key);
    assert_int_equal(identity_verify_chain(&usc_chain, &ours.root, &encrypted, FIXTURE_NOW, &fault),
                     STATUS_INVALID);
    assert_non_null(strstr(fault.text, "unencrypted"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_members_chain_leads_to_its_root),
        cmocka_unit_test(a_certificate_says_whose_it_is),
        cmocka_unit_test(another_root_of_the_same_name_is_not_believed),
        cmocka_unit_test(an_expired_certificate_is_not_believed),
        cmocka_unit_test(a_certificate_from_tomorrow_is_not_believed),
        cmocka_unit_test(another_members_key_does_not_fit),
        cmocka_unit_test(a_leaf_without_its_intermediate_is_not_believed),
        cmocka_unit_test(a_leaf_that_signs_a_leaf_is_not_believed),
        cmocka_unit_test(an_authority_is_nobodys_identity),
        cmocka_unit_test(a_changed_certificate_is_not_believed),
        cmocka_unit_test(a_certificate_without_one_good_uri_is_nobodys),
        cmocka_unit_test(many_names_are_refused),
        cmocka_unit_test(a_name_of_another_federation_is_not_believed),
        cmocka_unit_test(a_weaker_or_other_key_is_not_believed),
        cmocka_unit_test(texts_that_are_no_chain_are_refused),
        cmocka_unit_test(a_chain_of_many_is_refused),
        cmocka_unit_test(an_encrypted_key_is_refused_without_asking_anybody),
    };
    return cmocka_run_group_tests(tests, make_federations, wipe_federations);
}
