/*
 * Leaf: the certificate of a broker or a member, signed on request by the intermediate. The request
 * gives its key and nothing else: subject and alternative names come from whoever admitted the
 * member, as values, and never pass through OpenSSL's configuration language.
 */
#include "proto/identity/certificate.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOST_BYTES_MAX = 253 };

static enum status check_subject(const struct identity_subject *subject, X509 *intermediate,
                                 struct fault *fault)
{
    struct name federation;
    enum status status = certificate_check_federation(&subject->federation, fault);
    if (status == STATUS_OK)
        status = authority_federation(intermediate, &federation, fault);
    if (status != STATUS_OK)
        return status;
    if (!name_equal(&federation, &subject->federation))
        return fault_set(fault, STATUS_INVALID,
                         "an intermediate of federation '%s' does not sign for federation '%s'",
                         federation.text, subject->federation.text);
    if (subject->role == IDENTITY_MEMBER && !member_name_valid(subject->member.text))
        return fault_set(fault, STATUS_INVALID, "member '%.80s' is not a member's name",
                         subject->member.text);
    if (subject->role == IDENTITY_BROKER && !name_empty(&subject->member))
        return fault_set(fault, STATUS_INVALID, "the broker's identity has no member name");
    return STATUS_OK;
}

static bool add_san(GENERAL_NAMES *names, int type, const void *bytes, size_t size)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes, (int)size) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) != 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

/* Letters, digits, dashes and dots, no empty label: a host name and nothing cleverer. */
static bool host_name_valid(const char *host)
{
    size_t length = strnlen(host, HOST_BYTES_MAX + 1);
    char before = '.';
    if (length == 0 || length > HOST_BYTES_MAX || host[length - 1] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = host[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return true;
}

static enum status add_host(GENERAL_NAMES *names, const char *host, struct fault *fault)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool added;
    if (inet_pton(AF_INET, host, address) == 1)
        added = add_san(names, GEN_IPADD, address, sizeof(struct in_addr));
    else if (inet_pton(AF_INET6, host, address) == 1)
        added = add_san(names, GEN_IPADD, address, sizeof(struct in6_addr));
    else if (host_name_valid(host))
        added = add_san(names, GEN_DNS, host, strlen(host));
    else
        return fault_set(fault, STATUS_INVALID, "'%.80s' is neither a host name nor an IP address",
                         host);
    return added ? STATUS_OK : fault_set(fault, STATUS_NO_MEMORY, "no memory for a certificate");
}

static enum status make_sans(const struct identity_subject *subject, const char *extra_host,
                             GENERAL_NAMES **names, struct fault *fault)
{
    char uri[IDENTITY_TEXT_MAX];
    char dns[IDENTITY_TEXT_MAX];
    identity_uri(subject, uri);
    identity_dns_name(subject, dns);
    *names = sk_GENERAL_NAME_new_null();
    if (*names == NULL || !add_san(*names, GEN_URI, uri, strlen(uri)) ||
        !add_san(*names, GEN_DNS, dns, strlen(dns)))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a certificate");
    return extra_host[0] == '\0' ? STATUS_OK : add_host(*names, extra_host, fault);
}

enum status identity_sign_request(const struct pem *intermediate_key,
                                  const struct pem *intermediate_certificate,
                                  const struct pem *request, const struct identity_subject *subject,
                                  const char *extra_host, struct certificate_validity validity,
                                  struct pem *chain, struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *signer = NULL;
    OWNED_X509 *intermediate = NULL;
    OWNED_KEY *key = NULL;
    OWNED_NAMES *names = NULL;
    enum status status = authority_read(intermediate_key, intermediate_certificate,
                                        "the intermediate", &signer, &intermediate, fault);
    if (status == STATUS_OK)
        status = check_subject(subject, intermediate, fault);
    if (status == STATUS_OK)
        status = certificate_check_validity(validity, fault);
    if (status == STATUS_OK)
        status = certificate_check_issuer(intermediate, validity, fault);
    if (status == STATUS_OK)
        status = request_take_key(request, &key, fault);
    if (status == STATUS_OK)
        status = make_sans(subject, extra_host, &names, fault);
    if (status != STATUS_OK)
        return status;
    bool broker = subject->role == IDENTITY_BROKER;
    const struct certificate_plan plan = {
        .federation = subject->federation.text,
        .unit = broker ? "broker" : "member",
        .common_name = broker ? "broker" : subject->member.text,
        .path_length = -1,
        .key = key,
        .issuer = intermediate,
        .issuer_key = signer,
        .names = names,
        .validity = validity,
    };
    OWNED_X509 *leaf = certificate_build(&plan, fault);
    if (leaf == NULL)
        return STATUS_INTERNAL;
    return certificate_write(leaf, intermediate, chain, fault);
}
