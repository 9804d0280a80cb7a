/*
 * Digest: SHA-256 whole or in pieces, its text, and random bytes. Thread rule: any thread; a state
 * belongs to one. Cost: about 1 µs and then 400 MB/s or more. SHA-256 and the generator can only
 * fail for want of memory or of the operating system: that aborts, since no caller could go on.
 */
#include "proto/identity/openssl.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* EVP_MD_CTX is opaque, so the storage holds a pointer to one; digest_end frees it. */
struct digest_inside {
    EVP_MD_CTX *context;
};

static_assert(sizeof(struct digest_inside) <= DIGEST_STATE_BYTES, "digest_state is too small");

static struct digest_inside *inside(struct digest_state *state)
{
    return (struct digest_inside *)(void *)state->opaque;
}

void digest_begin(struct digest_state *state)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert(context != NULL);
    int begun = EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    assert(begun == 1);
    inside(state)->context = context;
}

void digest_add(struct digest_state *state, const void *data, size_t size)
{
    int added = size == 0 || EVP_DigestUpdate(inside(state)->context, data, size) == 1;
    assert(added);
}

void digest_end(struct digest_state *state, struct digest *digest)
{
    unsigned size = 0;
    int ended = EVP_DigestFinal_ex(inside(state)->context, digest->bytes, &size);
    assert(ended == 1 && size == DIGEST_BYTES);
    EVP_MD_CTX_free(inside(state)->context);
    inside(state)->context = NULL;
}

void digest_bytes(const void *data, size_t size, struct digest *digest)
{
    struct digest_state state;
    digest_begin(&state);
    digest_add(&state, data, size);
    digest_end(&state, digest);
}

const char *digest_format(const struct digest *digest, char text[static DIGEST_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest->bytes[i] >> 4];
        text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    text[DIGEST_TEXT_MAX - 1] = '\0';
    return text;
}

/* -1 for anything but a lower-case hex digit: one digest has one spelling. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(const char *text, struct digest *digest)
{
    if (strnlen(text, DIGEST_TEXT_MAX) != DIGEST_TEXT_MAX - 1)
        return false;
    struct digest parsed;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        parsed.bytes[i] = (uint8_t)(high * 16 + low);
    }
    *digest = parsed;
    return true;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void random_bytes(void *data, size_t size)
{
    assert(size <= INT_MAX);
    int drawn = RAND_bytes(data, (int)size);
    assert(drawn == 1);
}
