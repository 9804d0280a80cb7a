/*
 * Signing: Ed25519 [RFC 8032] over a domain tag and the exact bytes that travel.
 *
 * What is signed is TAG || 0x00 || body. The tags are fixed and none contains a zero byte, so no
 * (tag, body) equals another pair's bytes, and a receipt's signature never passes for a lease's.
 * Deterministic: the same key, domain and body give the same 64 bytes. Cost: about 35 µs to sign,
 * 90 µs to verify, and one copy of the body.
 */
#include "proto/identity/openssl.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* What is signed is a message or smaller (ARENA_MESSAGE_BYTES). */
enum { SIGNED_BODY_BYTES_MAX = 16 * 1024 * 1024 };

static const char *domain_tag(enum signature_domain domain)
{
    switch (domain) {
    case SIGN_LEASE: return "entente.v1.lease";
    case SIGN_RECEIPT_HOST: return "entente.v1.receipt.host";
    case SIGN_RECEIPT_HOME: return "entente.v1.receipt.home";
    case SIGN_REVOCATIONS: return "entente.v1.revocations";
    case SIGN_LEDGER_HEAD: return "entente.v1.ledger-head";
    }
    assert(false && "a signature domain that exists");
    return "";
}

/* Ed25519 reads its input twice, so OpenSSL wants it in one piece. The caller frees *input. */
static enum status tagged(enum signature_domain domain, struct bytes body, uint8_t **input,
                          size_t *size, struct fault *fault)
{
    const char *tag = domain_tag(domain);
    size_t tag_size = strlen(tag) + 1;
    if (body.size > SIGNED_BODY_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "a signed body of %zu bytes is over %d",
                         body.size, SIGNED_BODY_BYTES_MAX);
    *size = tag_size + body.size;
    *input = malloc(*size);
    if (*input == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to sign %zu bytes", *size);
    memcpy(*input, tag, tag_size);
    if (body.size > 0)
        memcpy(*input + tag_size, body.data, body.size);
    return STATUS_OK;
}

static EVP_PKEY *private_key(const struct signing_secret *secret)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->bytes,
                                        sizeof secret->bytes);
}

enum status signing_make(struct signing_secret *secret, struct signing_key *key,
                         struct fault *fault)
{
    /* An Ed25519 private key is any 32 random bytes [RFC 8032, 5.1.5]. */
    random_bytes(secret->bytes, sizeof secret->bytes);
    return signing_public(secret, key, fault);
}

enum status signing_public(const struct signing_secret *secret, struct signing_key *key,
                           struct fault *fault)
{
    ERR_clear_error();
    OWNED_KEY *pair = private_key(secret);
    size_t size = sizeof key->bytes;
    if (pair == NULL || EVP_PKEY_get_raw_public_key(pair, key->bytes, &size) != 1 ||
        size != sizeof key->bytes)
        return openssl_fault(fault, STATUS_INTERNAL, "cannot derive an Ed25519 public key");
    return STATUS_OK;
}

enum status signing_sign(const struct signing_secret *secret, enum signature_domain domain,
                         struct bytes body, struct signature *signature, struct fault *fault)
{
    ERR_clear_error();
    uint8_t *input = NULL;
    size_t input_size;
    enum status status = tagged(domain, body, &input, &input_size, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_KEY *pair = private_key(secret);
    OWNED_DIGESTER *digester = EVP_MD_CTX_new();
    size_t size = sizeof signature->bytes;
    if (pair == NULL || digester == NULL ||
        EVP_DigestSignInit(digester, NULL, NULL, NULL, pair) != 1 ||
        EVP_DigestSign(digester, signature->bytes, &size, input, input_size) != 1 ||
        size != sizeof signature->bytes)
        status = openssl_fault(fault, STATUS_INTERNAL, "cannot sign with Ed25519");
    free(input);
    return status;
}

enum status signing_verify(const struct signing_key *key, enum signature_domain domain,
                           struct bytes body, const struct signature *signature,
                           struct fault *fault)
{
    ERR_clear_error();
    uint8_t *input = NULL;
    size_t input_size;
    enum status status = tagged(domain, body, &input, &input_size, fault);
    if (status != STATUS_OK)
        return status;
    OWNED_KEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);
    OWNED_DIGESTER *digester = EVP_MD_CTX_new();
    if (public_key == NULL || digester == NULL ||
        EVP_DigestVerifyInit(digester, NULL, NULL, NULL, public_key) != 1)
        status = openssl_fault(fault, STATUS_CORRUPT, "the key is not an Ed25519 public key");
    else if (EVP_DigestVerify(digester, signature->bytes, sizeof signature->bytes, input,
                              input_size) != 1)
        status = openssl_fault(fault, STATUS_CORRUPT,
                               "the signature is not that key's over these bytes as '%s': they "
                               "were changed on the way, or signed by another",
                               domain_tag(domain));
    free(input);
    return status;
}

void signing_key_id(const struct signing_key *key, struct name *id)
{
    enum { KEY_ID_DIGITS = 16 };
    struct digest digest;
    char text[DIGEST_TEXT_MAX];
    digest_bytes(key->bytes, sizeof key->bytes, &digest);
    digest_format(&digest, text);
    *id = (struct name){0};
    memcpy(id->text, text, KEY_ID_DIGITS);
}
