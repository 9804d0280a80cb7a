/*
 * OpenSSL: what the files of this folder share and nobody else sees.
 *
 * Owners: OWNED_X509 *certificate = ... frees itself where its scope ends, so that a step leaves
 * early without a ladder of labels; NULL is fine. PEM: every text is bounded before a parser sees
 * it and every result before it is copied out. Faults end with OpenSSL's own reason, which names
 * what a human needs ("bad signature", "no start line"). The error queue is the thread's, and gRPC
 * lives on the same threads: each entry point begins with ERR_clear_error().
 */
#ifndef ENTENTE_PROTO_IDENTITY_OPENSSL_H
#define ENTENTE_PROTO_IDENTITY_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/units.h"
#include "proto/identity/identity.h"

enum { CHAIN_CERTIFICATES_MAX = 4 }; /* leaf, intermediate, root, and one to spare */

/* clang-format takes STACK_OF(X509) * for a product. */
#define X509_STACK STACK_OF(X509)

#define OWNED_BIO      __attribute__((cleanup(drop_bio))) BIO
#define OWNED_KEY      __attribute__((cleanup(drop_key))) EVP_PKEY
#define OWNED_DIGESTER __attribute__((cleanup(drop_digester))) EVP_MD_CTX
#define OWNED_NAMES    __attribute__((cleanup(drop_names))) GENERAL_NAMES
#define OWNED_REQUEST  __attribute__((cleanup(drop_request))) X509_REQ
#define OWNED_STACK    __attribute__((cleanup(drop_stack))) X509_STACK
#define OWNED_STORE    __attribute__((cleanup(drop_store))) X509_STORE
#define OWNED_VERIFIER __attribute__((cleanup(drop_verifier))) X509_STORE_CTX
#define OWNED_X509     __attribute__((cleanup(drop_x509))) X509

static inline void drop_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static inline void drop_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key); /* wipes the private half */
}

static inline void drop_digester(EVP_MD_CTX **digester)
{
    EVP_MD_CTX_free(*digester);
}

static inline void drop_names(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static inline void drop_request(X509_REQ **request)
{
    X509_REQ_free(*request);
}

static inline void drop_stack(X509_STACK **stack)
{
    sk_X509_pop_free(*stack, X509_free);
}

static inline void drop_store(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static inline void drop_verifier(X509_STORE_CTX **verifier)
{
    X509_STORE_CTX_free(*verifier);
}

static inline void drop_x509(X509 **certificate)
{
    X509_free(*certificate);
}

/* fault_set with OpenSSL's newest reason behind the text; empties the thread's error queue. */
enum status openssl_fault(struct fault *fault, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* A reader over a PEM text, at most PEM_BYTES_MAX bytes; `what` is named in the fault. */
MUST_USE enum status pem_open(const struct pem *pem, const char *what, BIO **bio,
                              struct fault *fault);

/* Copies what was written to a memory BIO; EXHAUSTED where it is over PEM_BYTES_MAX. */
MUST_USE enum status pem_take(BIO *bio, const char *what, struct pem *pem, struct fault *fault);

/* One object of a PEM text. The caller owns it. Keys are P-256 and never encrypted (OpenSSL would
 * ask the terminal for a passphrase). */
MUST_USE enum status pem_read_key(const struct pem *pem, const char *what, EVP_PKEY **key,
                                  struct fault *fault);
MUST_USE enum status pem_read_certificate(const struct pem *pem, const char *what,
                                          X509 **certificate, struct fault *fault);

/* All certificates of a PEM text in its order, 1 to CHAIN_CERTIFICATES_MAX. */
MUST_USE enum status pem_read_chain(const struct pem *pem, const char *what, X509_STACK **chain,
                                    struct fault *fault);

/* INVALID unless the key is P-256 by name (explicit curve parameters are refused). */
MUST_USE enum status key_check_p256(const EVP_PKEY *key, const char *what, struct fault *fault);

/* The public key of a signing request that proved possession of it. The caller owns it. */
MUST_USE enum status request_take_key(const struct pem *pem, EVP_PKEY **key, struct fault *fault);

/* CORRUPT unless every certificate of the chain leads, one to the next, to root at that time. The
 * leaf must be fit for TLS. */
MUST_USE enum status chain_verify(X509_STACK *chain, X509 *root, int64_t wall_ms,
                                  struct fault *fault);

/* Who a certificate says it is: exactly one URI SAN, well-formed. */
MUST_USE enum status certificate_subject(const X509 *certificate, struct identity_subject *subject,
                                         struct fault *fault);

/* The federation that an authority's certificate (root or intermediate) names. */
MUST_USE enum status authority_federation(const X509 *certificate, struct name *federation,
                                          struct fault *fault);

/* SHA-256 of a certificate's DER; false where OpenSSL can't. */
MUST_USE bool certificate_fingerprint(const X509 *certificate, struct digest *digest);

#endif
