/*
 * Bytes: a borrowed run of bytes, and the fixed-size values made of bytes. Plain data; whoever
 * hands one out owns the memory.
 */
#ifndef ENTENTE_BASE_DOMAIN_BYTES_H
#define ENTENTE_BASE_DOMAIN_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/domain/limits.h"

struct bytes {
    const uint8_t *data; /* NULL only where size is 0 */
    size_t size;
};

struct digest {
    uint8_t bytes[DIGEST_BYTES]; /* SHA-256 */
};

struct signature {
    uint8_t bytes[SIGNATURE_BYTES]; /* Ed25519 */
};

struct signing_key {
    uint8_t bytes[SIGNING_KEY_BYTES]; /* Ed25519, public half */
};

enum { DIGEST_TEXT_MAX = DIGEST_BYTES * 2 + 1 };

#endif
