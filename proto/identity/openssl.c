#include "proto/identity/openssl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pem_wipe(struct pem *pem)
{
    OPENSSL_cleanse(pem->text, sizeof pem->text);
}

enum status openssl_fault(struct fault *fault, enum status status, const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    if (reason == NULL)
        return fault_set(fault, status, "%s", text);
    return fault_set(fault, status, "%s (OpenSSL: %s)", text, reason);
}

/* --- PEM text in and out --- */

enum status pem_open(const struct pem *pem, const char *what, BIO **bio, struct fault *fault)
{
    size_t length = strnlen(pem->text, sizeof pem->text);
    if (length > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%s is over %d bytes of PEM text", what,
                         PEM_BYTES_MAX);
    *bio = BIO_new_mem_buf(pem->text, (int)length);
    if (*bio == NULL)
        return openssl_fault(fault, STATUS_NO_MEMORY, "%s", what);
    return STATUS_OK;
}

enum status pem_take(BIO *bio, const char *what, struct pem *pem, struct fault *fault)
{
    char *text;
    long length = BIO_get_mem_data(bio, &text);
    if (length <= 0)
        return openssl_fault(fault, STATUS_INTERNAL, "%s came out empty", what);
    if (length > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%s would be over %d bytes of PEM text", what,
                         PEM_BYTES_MAX);
    memset(pem->text, 0, sizeof pem->text);
    memcpy(pem->text, text, (size_t)length);
    return STATUS_OK;
}

/* Without this OpenSSL asks the terminal, and a daemon hangs on an encrypted key. */
static int refuse_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

enum status pem_read_key(const struct pem *pem, const char *what, EVP_PKEY **key,
                         struct fault *fault)
{
    OWNED_BIO *bio = NULL;
    enum status status = pem_open(pem, what, &bio, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_KEY *read = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
    if (read == NULL)
        return openssl_fault(fault, STATUS_INVALID,
                             "%s is not an unencrypted private key in PEM text", what);
    status = key_check_p256(read, what, fault);
    if (status != STATUS_OK)
        return status;
    *key = read;
    read = NULL;
    return STATUS_OK;
}

enum status pem_read_certificate(const struct pem *pem, const char *what, X509 **certificate,
                                 struct fault *fault)
{
    OWNED_BIO *bio = NULL;
    enum status status = pem_open(pem, what, &bio, fault);
    if (status != STATUS_OK)
        return status;
    *certificate = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL);
    if (*certificate == NULL)
        return openssl_fault(fault, STATUS_INVALID, "%s is not a certificate in PEM text", what);
    return STATUS_OK;
}

/* At the end of the text PEM_read_bio says "no start line"; anything else is broken text. */
static bool at_end_of_pem(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

enum status pem_read_chain(const struct pem *pem, const char *what, X509_STACK **chain,
                           struct fault *fault)
{
    OWNED_BIO *bio = NULL;
    enum status status = pem_open(pem, what, &bio, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_STACK *read = sk_X509_new_null();
    for (int count = 0; read != NULL && count <= CHAIN_CERTIFICATES_MAX; count++) {
        OWNED_X509 *certificate = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL);
        if (certificate == NULL && count > 0 && at_end_of_pem()) {
            ERR_clear_error();
            *chain = read;
            read = NULL;
            return STATUS_OK;
        }
        if (certificate == NULL)
            return openssl_fault(fault, STATUS_INVALID, "%s: certificate %d of the PEM text", what,
                                 count + 1);
        if (sk_X509_push(read, certificate) == 0)
            break;
        certificate = NULL;
    }
    if (read != NULL && sk_X509_num(read) > CHAIN_CERTIFICATES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%s has over %d certificates", what,
                         CHAIN_CERTIFICATES_MAX);
    return openssl_fault(fault, STATUS_NO_MEMORY, "%s", what);
}

/* --- keys and certificates --- */

enum status key_check_p256(const EVP_PKEY *key, const char *what, struct fault *fault)
{
    char group[32] = "";
    int explicit_curve = 0;
    bool named = EVP_PKEY_is_a(key, "EC") == 1 &&
                 EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
                 strcmp(group, "prime256v1") == 0;
    bool asked = named && EVP_PKEY_get_int_param(key, "decoded-from-explicit", &explicit_curve);
    ERR_clear_error();
    if (!named || (asked && explicit_curve != 0))
        return fault_set(fault, STATUS_INVALID,
                         "the key of %s is not P-256 (prime256v1, curve by name): make one with "
                         "'openssl ecparam -name prime256v1 -genkey'",
                         what);
    return STATUS_OK;
}

bool certificate_fingerprint(const X509 *certificate, struct digest *digest)
{
    unsigned size = 0;
    return X509_digest(certificate, EVP_sha256(), digest->bytes, &size) == 1 &&
           size == DIGEST_BYTES;
}
