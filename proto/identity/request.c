/*
 * Request: a PKCS#10 signing request. It carries a public key and proves possession of the private
 * half; every name in it is ignored, so there is nothing to validate but the key and the proof.
 */
#include "proto/identity/openssl.h"

enum status identity_make_request(const struct pem *key, struct pem *request, struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *pair = NULL;
    enum status status = pem_read_key(key, "the requester", &pair, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_REQUEST *made = X509_REQ_new();
    OWNED_BIO *bio = BIO_new(BIO_s_mem());
    if (made == NULL || bio == NULL || X509_REQ_set_version(made, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_pubkey(made, pair) != 1 || X509_REQ_sign(made, pair, EVP_sha256()) == 0 ||
        PEM_write_bio_X509_REQ(bio, made) != 1)
        return openssl_fault(fault, STATUS_INTERNAL, "cannot make a certificate request");
    return pem_take(bio, "the certificate request", request, fault);
}

static enum status read_request(const struct pem *pem, X509_REQ **request, struct fault *fault)
{
    OWNED_BIO *bio = NULL;
    enum status status = pem_open(pem, "the certificate request", &bio, fault);
    if (status != STATUS_OK)
        return status;
    *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    if (*request == NULL)
        return openssl_fault(fault, STATUS_INVALID,
                             "this is not a certificate request in PEM text");
    return STATUS_OK;
}

enum status request_take_key(const struct pem *pem, EVP_PKEY **key, struct fault *fault)
{
    OWNED_REQUEST *request = NULL;
    enum status status = read_request(pem, &request, fault);
    if (status != STATUS_OK)
        return status;
    EVP_PKEY *carried = X509_REQ_get0_pubkey(request);
    if (carried == NULL)
        return openssl_fault(fault, STATUS_INVALID,
                             "the key of the certificate request is unreadable");
    status = key_check_p256(carried, "the certificate request", fault);
    if (status != STATUS_OK)
        return status;
    if (X509_REQ_verify(request, carried) != 1)
        return openssl_fault(fault, STATUS_INVALID,
                             "the certificate request is not signed by its own key: it was changed "
                             "on the way, or its sender does not hold the key");
    *key = X509_REQ_get_pubkey(request);
    return *key != NULL ? STATUS_OK : openssl_fault(fault, STATUS_NO_MEMORY, "no memory for a key");
}

/* The subject public key of a request, or of the first certificate of a PEM text. */
static enum status read_public_key(const struct pem *pem, EVP_PKEY **key, struct fault *fault)
{
    OWNED_REQUEST *request = NULL;
    if (read_request(pem, &request, NULL) == STATUS_OK) {
        *key = X509_REQ_get_pubkey(request);
    } else {
        OWNED_X509 *certificate = NULL;
        enum status status =
            pem_read_certificate(pem, "a certificate request or certificate", &certificate, fault);
        if (status != STATUS_OK)
            return status;
        *key = X509_get_pubkey(certificate);
    }
    if (*key == NULL)
        return openssl_fault(fault, STATUS_INVALID, "its public key is unreadable");
    return STATUS_OK;
}

enum status identity_request_key_digest(const struct pem *request, struct digest *digest,
                                        struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *key = NULL;
    enum status status = read_public_key(request, &key, fault);
    if (status != STATUS_OK)
        return status;
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    if (size <= 0)
        return openssl_fault(fault, STATUS_INVALID, "its public key is unreadable");
    digest_bytes(der, (size_t)size, digest);
    OPENSSL_free(der);
    return STATUS_OK;
}
