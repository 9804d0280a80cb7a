/*
 * Hash: uthash's tables, with a hash function that clang compiles without a warning (its default
 * falls through in a switch). Include this, not <uthash.h>. Thread rule: the table owner's.
 */
#ifndef ENTENTE_BASE_HASH_H
#define ENTENTE_BASE_HASH_H

/* Jenkins' one-at-a-time: keys here are names and numbers, a few dozen bytes */
#define HASH_FUNCTION(key, length, hash) HASH_OAT(key, length, hash)

#include <uthash.h>

#endif
