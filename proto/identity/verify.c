/*
 * Verify: what a certificate says, and whether to believe it. Nothing in a certificate is trusted
 * to be well-formed: the subject must be exactly one URI SAN that identity_parse_uri accepts.
 */
#include "proto/identity/openssl.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { SANS_MAX = 16 };

/* --- what it says --- */

static enum status subject_of_names(const GENERAL_NAMES *names, struct identity_subject *subject,
                                    struct fault *fault)
{
    int uris = 0;
    int count = sk_GENERAL_NAME_num(names);
    if (count > SANS_MAX)
        return fault_set(fault, STATUS_INVALID, "the certificate has over %d alternative names",
                         SANS_MAX);
    for (int i = 0; i < count; i++) {
        int type;
        const ASN1_IA5STRING *value =
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != GEN_URI)
            continue;
        if (++uris > 1)
            break;
        enum status status = identity_parse_uri((const char *)ASN1_STRING_get0_data(value),
                                                (size_t)ASN1_STRING_length(value), subject, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (uris != 1)
        return fault_set(fault, STATUS_INVALID,
                         "the certificate has %s URI among its alternative names: it is not one of "
                         "this federation's",
                         uris == 0 ? "no" : "more than one");
    return STATUS_OK;
}

enum status certificate_subject(const X509 *certificate, struct identity_subject *subject,
                                struct fault *fault)
{
    OWNED_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names == NULL)
        return openssl_fault(fault, STATUS_INVALID,
                             "the certificate has no (readable) alternative names: it is not one "
                             "of this federation's");
    return subject_of_names(names, subject, fault);
}

enum status authority_federation(const X509 *certificate, struct name *federation,
                                 struct fault *fault)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
    const ASN1_STRING *value =
        at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    size_t length = value == NULL ? 0 : (size_t)ASN1_STRING_length(value);
    struct name read = {0};
    if (length > 0 && length <= NAME_BYTES_MAX)
        memcpy(read.text, ASN1_STRING_get0_data(value), length);
    if (strlen(read.text) != length || !member_name_valid(read.text))
        return fault_set(fault, STATUS_INVALID,
                         "the authority's certificate names no federation (subject, O)");
    *federation = read;
    return STATUS_OK;
}

static bool read_serial(const X509 *certificate, char text[static SERIAL_TEXT_MAX])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    bool fits = hex != NULL && strlen(hex) < SERIAL_TEXT_MAX;
    if (fits)
        snprintf(text, SERIAL_TEXT_MAX, "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
    return fits;
}

static bool read_time(const ASN1_TIME *time, int64_t *wall_ms)
{
    struct tm utc = {0};
    if (ASN1_TIME_to_tm(time, &utc) != 1)
        return false;
    *wall_ms = (int64_t)timegm(&utc) * MS_PER_SECOND;
    return true;
}

enum status identity_read_certificate(const struct pem *certificate,
                                      struct certificate_facts *facts, struct fault *fault)
{
    ERR_clear_error();
    OWNED_X509 *read = NULL;
    struct certificate_facts found = {0};
    enum status status = pem_read_certificate(certificate, "the certificate", &read, fault);
    if (status == STATUS_OK)
        status = certificate_subject(read, &found.subject, fault);
    if (status != STATUS_OK)
        return status;
    if (!read_serial(read, found.serial) || !certificate_fingerprint(read, &found.fingerprint) ||
        !read_time(X509_get0_notBefore(read), &found.validity.from_wall_ms) ||
        !read_time(X509_get0_notAfter(read), &found.validity.until_wall_ms))
        return openssl_fault(fault, STATUS_INVALID,
                             "the certificate's serial number or dates are unreadable");
    *facts = found;
    return STATUS_OK;
}

/* --- whether to believe it --- */

/* The mend for what goes wrong in practice; OpenSSL's words for the rest. */
static const char *mend_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return ": renew it, or check this machine's clock";
    case X509_V_ERR_CERT_NOT_YET_VALID: return ": check this machine's clock";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return ": it belongs to another federation's root";
    default: return "";
    }
}

static enum status check_keys(X509_STACK *chain, struct fault *fault)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, i));
        enum status status = key_check_p256(key, "a certificate of the chain", fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status chain_verify(X509_STACK *chain, X509 *root, int64_t wall_ms, struct fault *fault)
{
    enum status status = check_keys(chain, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_STORE *store = X509_STORE_new();
    OWNED_VERIFIER *verifier = X509_STORE_CTX_new();
    if (store == NULL || verifier == NULL || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(verifier, store, sk_X509_value(chain, 0), chain) != 1)
        return openssl_fault(fault, STATUS_NO_MEMORY, "no memory to verify a certificate");
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(verifier);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)(wall_ms / MS_PER_SECOND));
    X509_VERIFY_PARAM_set_auth_level(parameters, 2); /* 112 bits or more, no SHA-1 */
    X509_VERIFY_PARAM_set_depth(parameters, CHAIN_CERTIFICATES_MAX);
    if (X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT) != 1 ||
        X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) != 1)
        return openssl_fault(fault, STATUS_INTERNAL, "cannot verify a certificate");
    if (X509_verify_cert(verifier) == 1)
        return STATUS_OK;
    int error = X509_STORE_CTX_get_error(verifier);
    ERR_clear_error();
    return fault_set(fault, STATUS_CORRUPT, "certificate %d of the chain: %s%s",
                     X509_STORE_CTX_get_error_depth(verifier) + 1,
                     X509_verify_cert_error_string(error), mend_of(error));
}

/* The federation's authorities vouch for that federation's names only. */
static enum status check_leaf(X509 *leaf, X509 *root, struct fault *fault)
{
    struct identity_subject subject;
    struct name federation;
    enum status status = certificate_subject(leaf, &subject, fault);
    if (status == STATUS_OK)
        status = authority_federation(root, &federation, fault);
    if (status != STATUS_OK)
        return status;
    if (!name_equal(&federation, &subject.federation))
        return fault_set(fault, STATUS_CORRUPT,
                         "the certificate is of federation '%s', its root of federation '%s'",
                         subject.federation.text, federation.text);
    return STATUS_OK;
}

enum status identity_verify_chain(const struct pem *chain, const struct pem *root,
                                  const struct pem *key, int64_t wall_ms, struct fault *fault)
{
    ERR_clear_error();
    OWNED_STACK *certificates = NULL;
    OWNED_X509 *trusted = NULL;
    OWNED_KEY *pair = NULL;
    enum status status = pem_read_chain(chain, "the certificate chain", &certificates, fault);
    if (status == STATUS_OK)
        status = pem_read_certificate(root, "the root certificate", &trusted, fault);
    if (status == STATUS_OK && key != NULL)
        status = pem_read_key(key, "the leaf", &pair, fault);
    if (status == STATUS_OK)
        status = chain_verify(certificates, trusted, wall_ms, fault);
    if (status == STATUS_OK)
        status = check_leaf(sk_X509_value(certificates, 0), trusted, fault);
    if (status != STATUS_OK)
        return status;
    if (pair != NULL && X509_check_private_key(sk_X509_value(certificates, 0), pair) != 1)
        return openssl_fault(fault, STATUS_CORRUPT,
                             "the private key does not belong to the certificate: they are from "
                             "different enrolments");
    return STATUS_OK;
}
