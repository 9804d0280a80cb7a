/*
 * Pin: how a newcomer who knows nothing but a join token finds the federation's root.
 *
 * The token carries the digest of the root's certificate. The enrolment listener presents leaf,
 * intermediate and root; we take the root from there only if its digest is the pin, and then hold
 * the rest of the chain to it. Somebody in between can present the true root (it is public), but no
 * leaf under it whose key he holds: the handshake proved possession of the leaf's key.
 */
#include "proto/identity/handshake.h"

static bool is_self_signed(X509 *certificate)
{
    bool signs_itself = X509_self_signed(certificate, 1) == 1;
    ERR_clear_error();
    return signs_itself;
}

enum status identity_pin(const struct pem *root, struct digest *pin, struct fault *fault)
{
    ERR_clear_error();
    OWNED_X509 *certificate = NULL;
    enum status status = pem_read_certificate(root, "the root certificate", &certificate, fault);
    if (status != STATUS_OK)
        return status;
    if (!is_self_signed(certificate))
        return fault_set(fault, STATUS_INVALID,
                         "the root certificate is not signed by itself: a pin names a root");
    if (!certificate_fingerprint(certificate, pin))
        return openssl_fault(fault, STATUS_INTERNAL, "cannot digest the root certificate");
    return STATUS_OK;
}

/* The last of the chain, if it is the root that the pin names; NULL with the fault set. */
static X509 *pinned_root(X509_STACK *chain, const char *address, const struct digest *pin,
                         struct fault *fault)
{
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    struct digest found;
    if (!is_self_signed(last)) {
        (void)fault_set(fault, STATUS_DENIED,
                        "%s does not present its federation's root: is it the broker's enrolment "
                        "address, and not its main one?",
                        address);
        return NULL;
    }
    if (certificate_fingerprint(last, &found) && digest_equal(&found, pin))
        return last;
    (void)fault_set(fault, STATUS_DENIED,
                    "%s belongs to another root than the one the token names: the token is of "
                    "another broker, or somebody stands between you and the broker. Nothing was "
                    "sent. Ask the operator for the address and a fresh token",
                    address);
    return NULL;
}

static enum status check_broker(X509 *leaf, X509 *root, struct name *federation,
                                struct fault *fault)
{
    struct identity_subject subject;
    enum status status = certificate_subject(leaf, &subject, fault);
    if (status == STATUS_OK)
        status = authority_federation(root, federation, fault);
    if (status != STATUS_OK)
        return status;
    if (subject.role != IDENTITY_BROKER)
        return fault_set(fault, STATUS_DENIED, "it is member '%s', not the broker",
                         subject.member.text);
    if (!name_equal(&subject.federation, federation))
        return fault_set(fault, STATUS_DENIED, "it is of federation '%s', its root of '%s'",
                         subject.federation.text, federation->text);
    return STATUS_OK;
}

static enum status write_root(X509 *root, struct pem *pem, struct fault *fault)
{
    OWNED_BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, root) != 1)
        return openssl_fault(fault, STATUS_INTERNAL, "cannot write the root certificate");
    return pem_take(bio, "the root certificate", pem, fault);
}

enum status identity_fetch_pinned_root(const char *address, const struct digest *pin,
                                       int timeout_ms, const struct clock *clock, struct pem *root,
                                       struct name *federation, struct fault *fault)
{
    ERR_clear_error();
    OWNED_STACK *chain = NULL;
    struct name named;
    enum status status = handshake_fetch_chain(address, timeout_ms, clock, &chain, fault);
    if (status != STATUS_OK)
        return status;
    X509 *last = pinned_root(chain, address, pin, fault);
    if (last == NULL)
        return STATUS_DENIED;
    status = chain_verify(chain, last, clock_wall_ms(clock), fault);
    if (status == STATUS_OK)
        status = check_broker(sk_X509_value(chain, 0), last, &named, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, STATUS_DENIED, "%s is not to be trusted", address);
    status = write_root(last, root, fault);
    if (status == STATUS_OK)
        *federation = named;
    return status;
}
