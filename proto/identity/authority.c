/*
 * Authority: the two keys that others trust. The root signs the intermediate once and then goes
 * offline; the intermediate (path length 0) signs the broker and the members (leaf.c).
 */
#include "proto/identity/certificate.h"

enum status identity_make_key(struct pem *key, struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *made = EVP_EC_gen("P-256");
    OWNED_BIO *bio = BIO_new(BIO_s_mem()); /* OpenSSL wipes a memory BIO when it frees it */
    if (made == NULL || bio == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL) != 1)
        return openssl_fault(fault, STATUS_INTERNAL, "cannot make a P-256 key");
    return pem_take(bio, "the key", key, fault);
}

enum status identity_make_root(const struct pem *key, const struct name *federation,
                               struct certificate_validity validity, struct pem *certificate,
                               struct fault *fault)
{
    ERR_clear_error();
    enum status status = certificate_check_federation(federation, fault);
    if (status == STATUS_OK)
        status = certificate_check_validity(validity, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_KEY *pair = NULL;
    status = pem_read_key(key, "the root", &pair, fault);
    if (status != STATUS_OK)
        return status;
    const struct certificate_plan plan = {
        .federation = federation->text,
        .unit = "authority",
        .common_name = "root",
        .path_length = 1,
        .key = pair,
        .issuer_key = pair,
        .validity = validity,
    };
    OWNED_X509 *made = certificate_build(&plan, fault);
    if (made == NULL)
        return STATUS_INTERNAL;
    return certificate_write(made, NULL, certificate, fault);
}

/* The key and certificate of an authority, checked to belong together. The caller owns both. */
enum status authority_read(const struct pem *key_pem, const struct pem *certificate_pem,
                           const char *what, EVP_PKEY **key, X509 **certificate,
                           struct fault *fault)
{
    OWNED_KEY *pair = NULL;
    OWNED_X509 *read = NULL;
    enum status status = pem_read_key(key_pem, what, &pair, fault);
    if (status == STATUS_OK)
        status = pem_read_certificate(certificate_pem, what, &read, fault);
    if (status != STATUS_OK)
        return status;
    if (X509_check_ca(read) != 1)
        return fault_set(fault, STATUS_INVALID, "the certificate of %s is not an authority's",
                         what);
    if (X509_check_private_key(read, pair) != 1)
        return openssl_fault(fault, STATUS_INVALID,
                             "the key of %s does not belong to its certificate", what);
    *key = pair;
    *certificate = read;
    pair = NULL;
    read = NULL;
    return STATUS_OK;
}

enum status identity_make_intermediate(const struct pem *root_key,
                                       const struct pem *root_certificate,
                                       const struct pem *intermediate_key,
                                       struct certificate_validity validity,
                                       struct pem *certificate, struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *signer = NULL;
    OWNED_X509 *root = NULL;
    OWNED_KEY *key = NULL;
    struct name federation;
    enum status status =
        authority_read(root_key, root_certificate, "the root", &signer, &root, fault);
    if (status == STATUS_OK)
        status = authority_federation(root, &federation, fault);
    if (status == STATUS_OK)
        status = pem_read_key(intermediate_key, "the intermediate", &key, fault);
    if (status == STATUS_OK)
        status = certificate_check_validity(validity, fault);
    if (status == STATUS_OK)
        status = certificate_check_issuer(root, validity, fault);
    if (status != STATUS_OK)
        return status;
    const struct certificate_plan plan = {
        .federation = federation.text,
        .unit = "authority",
        .common_name = "intermediate",
        .path_length = 0,
        .key = key,
        .issuer = root,
        .issuer_key = signer,
        .validity = validity,
    };
    OWNED_X509 *made = certificate_build(&plan, fault);
    if (made == NULL)
        return STATUS_INTERNAL;
    return certificate_write(made, NULL, certificate, fault);
}
