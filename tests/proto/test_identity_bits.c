/*
 * Every single bit of a certificate and of a request, flipped once: none is believed, none crashes
 * a parser. Exhaustive, so nothing is left to chance.
 */
#include "tests/proto/identity_forge.h"

static struct federation_fixture ours;
static struct pem usc_key, usc_chain, usc_request;

static int make_federation(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", FIXTURE_NOW);
    fixture_enrol(&ours, "usc", &usc_key, &usc_chain);
    assert_ok(identity_make_request(&usc_key, &usc_request, NULL));
    return 0;
}

/* The DER of the first object of a PEM text; OPENSSL_free it. */
static unsigned char *der_of(const struct pem *pem, long *size)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    BIO *bio = BIO_new_mem_buf(pem->text, -1);
    assert_int_equal(PEM_read_bio(bio, &name, &header, &der, size), 1);
    BIO_free(bio);
    OPENSSL_free(name);
    OPENSSL_free(header);
    return der;
}

static void pem_of(const char *name, const unsigned char *der, long size, const char *rest,
                   struct pem *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio(bio, name, "", der, size);
    BIO_puts(bio, rest);
    forge_take(bio, pem);
}

static void no_flipped_bit_of_a_certificate_is_believed(void **state)
{
    (void)state;
    long size;
    unsigned char *der = der_of(&usc_chain, &size);
    for (long bit = 0; bit < size * 8; bit++) {
        struct pem changed;
        struct certificate_facts facts;
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
        pem_of(PEM_STRING_X509, der, size, ours.intermediate.text, &changed);
        if (identity_verify_chain(&changed, &ours.root, NULL, FIXTURE_NOW, NULL) == STATUS_OK)
            fail_msg("believed with bit %ld of byte %ld flipped", bit % 8, bit / 8);
        (void)!identity_read_certificate(&changed, &facts, NULL);
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    struct pem whole;
    pem_of(PEM_STRING_X509, der, size, ours.intermediate.text, &whole);
    assert_ok(identity_verify_chain(&whole, &ours.root, NULL, FIXTURE_NOW, NULL));
    OPENSSL_free(der);
}

static void no_flipped_bit_of_a_request_is_signed(void **state)
{
    (void)state;
    long size;
    unsigned char *der = der_of(&usc_request, &size);
    struct identity_subject subject = fixture_subject("trojan", "usc");
    for (long bit = 0; bit < size * 8; bit++) {
        struct pem changed, chain;
        struct digest digest;
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
        pem_of(PEM_STRING_X509_REQ, der, size, "", &changed);
        if (identity_sign_request(&ours.intermediate_key, &ours.intermediate, &changed, &subject,
                                  "", ours.validity, &chain, NULL) == STATUS_OK)
            fail_msg("signed with bit %ld of byte %ld flipped", bit % 8, bit / 8);
        (void)!identity_request_key_digest(&changed, &digest, NULL);
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    OPENSSL_free(der);
}

static void no_shortened_certificate_is_believed(void **state)
{
    (void)state;
    long size;
    unsigned char *der = der_of(&usc_chain, &size);
    for (long kept = 1; kept < size; kept++) {
        struct pem changed;
        pem_of(PEM_STRING_X509, der, kept, ours.intermediate.text, &changed);
        assert_int_not_equal(identity_verify_chain(&changed, &ours.root, NULL, FIXTURE_NOW, NULL),
                             STATUS_OK);
    }
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_bit_of_a_certificate_is_believed),
        cmocka_unit_test(no_flipped_bit_of_a_request_is_signed),
        cmocka_unit_test(no_shortened_certificate_is_believed),
    };
    return cmocka_run_group_tests(tests, make_federation, NULL);
}
