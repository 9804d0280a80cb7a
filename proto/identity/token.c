/*
 * Token: what an operator hands to a new member, once: "entente1.PIN-HEX.SECRET-HEX". The pin lets
 * the member know the broker before it shows the secret; the secret lets the broker know the
 * member. The broker stores the secret's digest only, so a stolen database admits nobody.
 */
#include "proto/identity/openssl.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "entente1.";

enum {
    PREFIX_LENGTH = sizeof prefix - 1,
    HEX_LENGTH = DIGEST_TEXT_MAX - 1,
    SECRET_AT = PREFIX_LENGTH + HEX_LENGTH + 1,
    TOKEN_LENGTH = SECRET_AT + HEX_LENGTH
};

static_assert((int)TOKEN_LENGTH < (int)TOKEN_BYTES_MAX, "a token fits its buffer");
static_assert((int)SECRET_BYTES == (int)DIGEST_BYTES, "a secret is written as a digest is");

void join_token_make(const struct digest *pin, struct join_token *token)
{
    token->pin = *pin;
    random_bytes(token->secret, sizeof token->secret);
}

const char *join_token_format(const struct join_token *token, char text[static TOKEN_BYTES_MAX])
{
    struct digest secret;
    char secret_text[DIGEST_TEXT_MAX];
    char pin_text[DIGEST_TEXT_MAX];
    memcpy(secret.bytes, token->secret, sizeof secret.bytes);
    snprintf(text, TOKEN_BYTES_MAX, "%s%s.%s", prefix, digest_format(&token->pin, pin_text),
             digest_format(&secret, secret_text));
    OPENSSL_cleanse(&secret, sizeof secret);
    OPENSSL_cleanse(secret_text, sizeof secret_text);
    return text;
}

enum status join_token_parse(const char *text, struct join_token *token, struct fault *fault)
{
    struct digest pin;
    struct digest secret = {{0}};
    char pin_text[DIGEST_TEXT_MAX] = "";
    bool good = strnlen(text, TOKEN_LENGTH + 1) == TOKEN_LENGTH &&
                memcmp(text, prefix, PREFIX_LENGTH) == 0 && text[SECRET_AT - 1] == '.';
    if (good)
        memcpy(pin_text, text + PREFIX_LENGTH, HEX_LENGTH);
    good = good && digest_parse(pin_text, &pin) && digest_parse(text + SECRET_AT, &secret);
    if (good) {
        token->pin = pin;
        memcpy(token->secret, secret.bytes, sizeof token->secret);
    }
    OPENSSL_cleanse(&secret, sizeof secret);
    if (!good) /* the text is not shown: it may be most of a secret */
        return fault_set(fault, STATUS_INVALID,
                         "this is not a join token: expected entente1.PIN.SECRET with 64 "
                         "lower-case hex digits each; copy the whole line that 'entente-broker "
                         "token create' printed");
    return STATUS_OK;
}

void join_token_digest(const struct join_token *token, struct digest *digest)
{
    digest_bytes(token->secret, sizeof token->secret, digest);
}
