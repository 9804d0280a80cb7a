/*
 * Certificate: how ours are made. Keys are P-256, signatures ECDSA with SHA-256, serials 128 random
 * bits, times given by the caller and cut to whole seconds.
 *
 * One function (certificate_build) writes every certificate from a plan, so that root, intermediate
 * and leaf differ in data alone:
 *
 *     root           O=FEDERATION OU=authority CN=root          CA, path length 1
 *     intermediate   O=FEDERATION OU=authority CN=intermediate  CA, path length 0
 *     leaf           O=FEDERATION OU=broker|member CN=...       TLS client and server, SANs
 *
 * OU keeps a member who is called "root" apart from the root. What a request asks for is not read:
 * only its key is taken, after it has proved possession (request.c).
 */
#include "proto/identity/certificate.h"

enum { SERIAL_BITS = 128 };

/* The steps of certificate_build(), in its order; each is true when done. */
static bool set_serial(X509 *certificate);
static bool set_validity(X509 *certificate, struct certificate_validity validity);
static bool set_names(X509 *certificate, const struct certificate_plan *plan);
static bool set_constraints(X509 *certificate, const struct certificate_plan *plan);
static bool set_key_ids(X509 *certificate, X509 *issuer);

X509 *certificate_build(const struct certificate_plan *plan, struct fault *fault)
{
    OWNED_X509 *certificate = X509_new();
    if (certificate == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        !set_serial(certificate) || !set_validity(certificate, plan->validity) ||
        !set_names(certificate, plan) || X509_set_pubkey(certificate, plan->key) != 1 ||
        !set_constraints(certificate, plan) ||
        !set_key_ids(certificate, plan->issuer != NULL ? plan->issuer : certificate) ||
        X509_sign(certificate, plan->issuer_key, EVP_sha256()) == 0) {
        (void)openssl_fault(fault, STATUS_INTERNAL, "cannot make the certificate of %s '%s'",
                            plan->unit, plan->common_name);
        return NULL;
    }
    X509 *made = certificate;
    certificate = NULL;
    return made;
}

static bool set_serial(X509 *certificate)
{
    uint8_t bytes[SERIAL_BITS / 8];
    random_bytes(bytes, sizeof bytes);
    bytes[0] |= 0x40; /* never zero, and always sixteen bytes; BIGNUMs here are positive */
    BIGNUM *number = BN_bin2bn(bytes, (int)sizeof bytes, NULL);
    bool done =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static bool set_validity(X509 *certificate, struct certificate_validity validity)
{
    time_t from = (time_t)(validity.from_wall_ms / MS_PER_SECOND);
    time_t until = (time_t)(validity.until_wall_ms / MS_PER_SECOND);
    return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), until) != NULL;
}

static bool add_entry(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                      0) == 1;
}

static bool set_names(X509 *certificate, const struct certificate_plan *plan)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (!add_entry(subject, NID_organizationName, plan->federation) ||
        !add_entry(subject, NID_organizationalUnitName, plan->unit) ||
        !add_entry(subject, NID_commonName, plan->common_name))
        return false;
    X509_NAME *issuer = plan->issuer != NULL ? X509_get_subject_name(plan->issuer) : subject;
    if (X509_set_issuer_name(certificate, issuer) != 1)
        return false;
    return plan->names == NULL ||
           X509_add1_ext_i2d(certificate, NID_subject_alt_name, plan->names, 0, 0) == 1;
}

/* Extensions whose text is a constant of this file; no remote text ever reaches OpenSSL's
 * configuration language. */
static bool add_constant(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool set_constraints(X509 *certificate, const struct certificate_plan *plan)
{
    if (plan->path_length < 0)
        return add_constant(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
               add_constant(certificate, NID_key_usage, "critical,digitalSignature") &&
               add_constant(certificate, NID_ext_key_usage, "clientAuth,serverAuth");
    return add_constant(certificate, NID_basic_constraints,
                        plan->path_length == 0 ? "critical,CA:TRUE,pathlen:0"
                                               : "critical,CA:TRUE,pathlen:1") &&
           add_constant(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
}

/* The subject key id is SHA-1 of the key, as every tool computes it [RFC 5280, 4.2.1.2]; it names a
 * key and protects nothing. */
static bool set_key_ids(X509 *certificate, X509 *issuer)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *own = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash");
    bool done = own != NULL && X509_add_ext(certificate, own, -1) == 1;
    X509_EXTENSION_free(own);
    if (!done)
        return false;
    X509_EXTENSION *signer =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    done = signer != NULL && X509_add_ext(certificate, signer, -1) == 1;
    X509_EXTENSION_free(signer);
    return done;
}

/* --- what all makers check and write --- */

/* Year 9999 is the last that X.509 can write. */
enum status certificate_check_validity(struct certificate_validity validity, struct fault *fault)
{
    int64_t const last_ms = INT64_C(253402300799) * MS_PER_SECOND;
    if (validity.from_wall_ms < 0 || validity.until_wall_ms > last_ms ||
        validity.until_wall_ms - validity.from_wall_ms < MS_PER_SECOND)
        return fault_set(fault, STATUS_INVALID,
                         "a certificate must be valid for a second or more between 1970 and 9999");
    return STATUS_OK;
}

/* A certificate that outlives its issuer would stop working before the day it states. */
enum status certificate_check_issuer(const X509 *issuer, struct certificate_validity validity,
                                     struct fault *fault)
{
    time_t until = (time_t)(validity.until_wall_ms / MS_PER_SECOND);
    if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(issuer), until) < 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the certificate would outlive its issuer: make it shorter, or renew the "
                         "issuer first");
    return STATUS_OK;
}

enum status certificate_check_federation(const struct name *federation, struct fault *fault)
{
    if (!member_name_valid(federation->text))
        return fault_set(fault, STATUS_INVALID,
                         "federation '%.80s' is not a federation's name: use 1 to %d lower-case "
                         "letters, digits and inner dashes, as in a host name",
                         federation->text, NAME_BYTES_MAX);
    return STATUS_OK;
}

/* Replaces *pem with the certificates given (second may be NULL). */
enum status certificate_write(X509 *first, X509 *second, struct pem *pem, struct fault *fault)
{
    OWNED_BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, first) != 1 ||
        (second != NULL && PEM_write_bio_X509(bio, second) != 1))
        return openssl_fault(fault, STATUS_INTERNAL, "cannot write a certificate");
    return pem_take(bio, "the certificate", pem, fault);
}
