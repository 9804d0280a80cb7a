/*
 * Identity: who is who. Certificates (X.509, P-256), enrolment requests, pins, Ed25519 signatures,
 * digests, tokens.
 *
 * The only home of OpenSSL's headers: everything crosses this header as PEM text or plain bytes.
 * Trust: a root (exported, kept offline) signs an online intermediate, which signs the broker and
 * the members. A member's certificate has two SANs: the URI spiffe://FEDERATION/member/NAME and the
 * DNS name NAME.member.FEDERATION; the broker's are spiffe://FEDERATION/broker and
 * broker.FEDERATION. A client asks TLS for the DNS name of the one it means (identity_dns_name), a
 * server reads the caller from the URI (identity_parse_uri). Ownership: all results go into the
 * caller's storage. Thread rule: pure functions of their arguments, any thread. Secrets are wiped
 * from temporary memory. Errors: fault names the object ("certificate of member usc: ...") and the
 * mend.
 */
#ifndef ENTENTE_PROTO_IDENTITY_IDENTITY_H
#define ENTENTE_PROTO_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/domain/bytes.h"
#include "base/domain/name.h"
#include "base/fault.h"

enum {
    PEM_BYTES_MAX = CERTIFICATE_BYTES_MAX,
    IDENTITY_TEXT_MAX = 320,
    SERIAL_TEXT_MAX = 48,
    SECRET_BYTES = 32
};

/* PEM text: one key, one certificate, or a chain (leaf first). Wipe those with private keys with
 * pem_wipe. */
struct pem {
    char text[PEM_BYTES_MAX + 1];
};

void pem_wipe(struct pem *pem);

/* --- certificates --- */

enum identity_role { IDENTITY_BROKER, IDENTITY_MEMBER };

struct identity_subject {
    enum identity_role role;
    struct name federation; /* a DNS label: a-z 0-9 - */
    struct name member;     /* "" for the broker */
};

struct certificate_validity {
    int64_t from_wall_ms;
    int64_t until_wall_ms;
};

/* What a reader wants to know of a certificate. */
struct certificate_facts {
    struct identity_subject subject; /* from the URI SAN; role and names */
    char serial[SERIAL_TEXT_MAX];    /* hex */
    struct digest fingerprint;       /* SHA-256 of the DER */
    struct certificate_validity validity;
};

/* A fresh P-256 private key, PKCS#8. */
MUST_USE enum status identity_make_key(struct pem *key, struct fault *fault);

MUST_USE enum status identity_make_root(const struct pem *key, const struct name *federation,
                                        struct certificate_validity validity,
                                        struct pem *certificate, struct fault *fault);

/* An intermediate for intermediate_key, signed by the root; may sign leaves only (path length 0).
 */
MUST_USE enum status identity_make_intermediate(const struct pem *root_key,
                                                const struct pem *root_certificate,
                                                const struct pem *intermediate_key,
                                                struct certificate_validity validity,
                                                struct pem *certificate, struct fault *fault);

/* A certificate signing request: proves possession of key; its names are ignored by whoever signs.
 */
MUST_USE enum status identity_make_request(const struct pem *key, struct pem *request,
                                           struct fault *fault);

/*
 * Signs a request: takes only the (P-256) public key from it, sets names and SANs from subject.
 * extra_host is one more DNS name or IP address to put into the SANs ("" for none; the broker's
 * public host name). *chain = leaf, then intermediate. INVALID: the request is not signed by its
 * own key, the key is not P-256, or a name is none; PRECONDITION: the leaf would outlive the
 * intermediate.
 */
MUST_USE enum status identity_sign_request(
    const struct pem *intermediate_key, const struct pem *intermediate_certificate,
    const struct pem *request, const struct identity_subject *subject, const char *extra_host,
    struct certificate_validity validity, struct pem *chain, struct fault *fault);

/* Reads the first certificate of a PEM text. */
MUST_USE enum status identity_read_certificate(const struct pem *certificate,
                                               struct certificate_facts *facts,
                                               struct fault *fault);

/* Does chain (leaf first) lead to root at that wall time, is its leaf of the root's federation, and
 * does key belong to that leaf (key may be NULL)? CORRUPT where not, INVALID where the text is no
 * chain. */
MUST_USE enum status identity_verify_chain(const struct pem *chain, const struct pem *root,
                                           const struct pem *key, int64_t wall_ms,
                                           struct fault *fault);

/* The digest of the public key that a request or certificate carries: the same key enrols again,
 * another doesn't. */
MUST_USE enum status identity_request_key_digest(const struct pem *request, struct digest *digest,
                                                 struct fault *fault);

/* "spiffe://FEDERATION/member/NAME" and back. The text need not be terminated. */
const char *identity_uri(const struct identity_subject *subject,
                         char text[static IDENTITY_TEXT_MAX]);
MUST_USE enum status identity_parse_uri(const char *text, size_t length,
                                        struct identity_subject *subject, struct fault *fault);

/* "NAME.member.FEDERATION", "broker.FEDERATION". */
const char *identity_dns_name(const struct identity_subject *subject,
                              char text[static IDENTITY_TEXT_MAX]);

/* --- the pin --- */

/* SHA-256 of the root's DER: what a join token carries. */
MUST_USE enum status identity_pin(const struct pem *root, struct digest *pin, struct fault *fault);

/*
 * Dials address (HOST:PORT, loopback or not), performs a TLS handshake that trusts nobody yet,
 * takes the presented chain, and accepts it only if it ends in a root whose digest is pin and the
 * leaf is that federation's broker. *root = that root; *federation. Nothing is sent but the
 * handshake. So the broker's enrolment listener serves leaf, intermediate AND root (append the root
 * to the chain); its other listeners serve leaf and intermediate. Blocks up to timeout_ms
 * (resolving a host name is the resolver's time on top). UNAVAILABLE: nobody answers there, or not
 * in TLS; DEADLINE. DENIED: the pin is another (somebody stands in between, or the token is of
 * another broker).
 */
MUST_USE enum status identity_fetch_pinned_root(const char *address, const struct digest *pin,
                                                int timeout_ms, const struct clock *clock,
                                                struct pem *root, struct name *federation,
                                                struct fault *fault);

/* --- signatures --- */

struct signing_secret {
    uint8_t bytes[SECRET_BYTES]; /* Ed25519 private key; wipe after use */
};

/* What a signature is for; each has its own tag, so that one can't be passed off as another. */
enum signature_domain {
    SIGN_LEASE,
    SIGN_RECEIPT_HOST,
    SIGN_RECEIPT_HOME,
    SIGN_REVOCATIONS,
    SIGN_LEDGER_HEAD
};

MUST_USE enum status signing_make(struct signing_secret *secret, struct signing_key *key,
                                  struct fault *fault);
MUST_USE enum status signing_public(const struct signing_secret *secret, struct signing_key *key,
                                    struct fault *fault);

/* Signs tag || body, deterministic. */
MUST_USE enum status signing_sign(const struct signing_secret *secret, enum signature_domain domain,
                                  struct bytes body, struct signature *signature,
                                  struct fault *fault);

/* CORRUPT where the signature isn't that key's over that domain and body. */
MUST_USE enum status signing_verify(const struct signing_key *key, enum signature_domain domain,
                                    struct bytes body, const struct signature *signature,
                                    struct fault *fault);

/* The key id of a signing key: the first 16 hex digits of its SHA-256. */
void signing_key_id(const struct signing_key *key, struct name *id);

/* --- digests and randomness --- */

enum { DIGEST_STATE_BYTES = 256 };

/* Incremental SHA-256. The caller's storage, not to be copied; every digest_begin needs its
 * digest_end, which frees what the state holds. */
struct digest_state {
    _Alignas(16) unsigned char opaque[DIGEST_STATE_BYTES];
};

void digest_begin(struct digest_state *state);
void digest_add(struct digest_state *state, const void *data, size_t size);
void digest_end(struct digest_state *state, struct digest *digest);
void digest_bytes(const void *data, size_t size, struct digest *digest);
const char *digest_format(const struct digest *digest,
                          char text[static DIGEST_TEXT_MAX]); /* lower-case hex */
MUST_USE bool digest_parse(const char *text, struct digest *digest);
bool digest_equal(const struct digest *a, const struct digest *b); /* in constant time */

/* From the system's generator; aborts where it has none. */
void random_bytes(void *data, size_t size);

/* --- join tokens --- */

/* A token names the federation's pin and a 32-byte secret: "entente1.PIN-HEX.SECRET-HEX". The
 * broker keeps only the secret's digest. */
struct join_token {
    struct digest pin;
    uint8_t secret[SECRET_BYTES];
};

void join_token_make(const struct digest *pin, struct join_token *token);
const char *join_token_format(const struct join_token *token, char text[static TOKEN_BYTES_MAX]);
MUST_USE enum status join_token_parse(const char *text, struct join_token *token,
                                      struct fault *fault);
void join_token_digest(const struct join_token *token,
                       struct digest *digest); /* what the broker stores */

#endif
