/*
 * Identity forge: what an attacker or a careless tool could send, made with OpenSSL directly, since
 * proto/identity refuses to make it.
 */
#ifndef ENTENTE_TESTS_PROTO_IDENTITY_FORGE_H
#define ENTENTE_TESTS_PROTO_IDENTITY_FORGE_H

#include "tests/proto/identity_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline EVP_PKEY *forge_read_key(const struct pem *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static inline X509 *forge_read_certificate(const struct pem *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

static inline void forge_take(BIO *bio, struct pem *pem)
{
    char *text;
    long length = BIO_get_mem_data(bio, &text);
    assert_in_range(length, 1, PEM_BYTES_MAX);
    memset(pem, 0, sizeof *pem);
    memcpy(pem->text, text, (size_t)length);
    BIO_free(bio);
}

/* One alternative name: raw bytes, so that a NUL can stand among them. */
struct forged_name {
    int type; /* GEN_URI, GEN_DNS */
    const char *bytes;
    size_t size;
};

/*
 * A leaf under the federation's intermediate with these alternative names (none: no extension), for
 * `key`, with the chain behind it. A true signature over a false statement.
 */
static inline void forge_chain(const struct federation_fixture *by, EVP_PKEY *key,
                               const struct forged_name *names, int count, struct pem *chain)
{
    EVP_PKEY *signer = forge_read_key(&by->intermediate_key);
    X509 *issuer = forge_read_certificate(&by->intermediate);
    X509 *leaf = X509_new();
    GENERAL_NAMES *sans = sk_GENERAL_NAME_new_null();
    for (int i = 0; i < count; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, names[i].bytes, (int)names[i].size);
        GENERAL_NAME_set0_value(name, names[i].type, value);
        sk_GENERAL_NAME_push(sans, name);
    }
    X509_set_version(leaf, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(leaf), 7);
    ASN1_TIME_set(X509_getm_notBefore(leaf), (time_t)(by->validity.from_wall_ms / 1000));
    ASN1_TIME_set(X509_getm_notAfter(leaf), (time_t)(by->validity.until_wall_ms / 1000));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
                               (const unsigned char *)"forged", -1, -1, 0);
    X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
    X509_set_pubkey(leaf, key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, leaf, NULL, NULL, 0);
    const int kinds[] = {NID_subject_key_identifier, NID_authority_key_identifier};
    const char *const values[] = {"hash", "keyid:always"};
    for (int i = 0; i < 2; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kinds[i], values[i]);
        X509_add_ext(leaf, extension, -1);
        X509_EXTENSION_free(extension);
    }
    if (count > 0)
        X509_add1_ext_i2d(leaf, NID_subject_alt_name, sans, 0, 0);
    assert_true(X509_sign(leaf, signer, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, leaf);
    PEM_write_bio_X509(bio, issuer);
    forge_take(bio, chain);
    GENERAL_NAMES_free(sans);
    X509_free(leaf);
    X509_free(issuer);
    EVP_PKEY_free(signer);
}

/* A request for `key`; with break_proof its signature is one bit off. */
static inline void forge_request(EVP_PKEY *key, const EVP_MD *digest, int break_proof,
                                 struct pem *request)
{
    X509_REQ *made = X509_REQ_new();
    X509_REQ_set_version(made, X509_REQ_VERSION_1);
    X509_REQ_set_pubkey(made, key);
    assert_true(X509_REQ_sign(made, key, digest) > 0);
    unsigned char *der = NULL;
    int size = i2d_X509_REQ(made, &der);
    assert_true(size > 0);
    if (break_proof)
        der[size - 1] ^= 1; /* the signature is the last field, and its last byte that of s */
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, size);
    forge_take(bio, request);
    OPENSSL_free(der);
    X509_REQ_free(made);
}

#endif
