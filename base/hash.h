/*
 * Hash: uthash's tables, with a hash function that clang compiles without a warning (its default
 * falls through in a switch), and that fail where memory is out. Include this, not <uthash.h>.
 * Thread rule: the table owner's.
 */
#ifndef ENTENTE_BASE_HASH_H
#define ENTENTE_BASE_HASH_H

/* Jenkins' one-at-a-time: keys here are names and numbers, a few dozen bytes */
#define HASH_FUNCTION(key, length, hash) HASH_OAT(key, length, hash)

/* else uthash ends the process where memory is out */
#define HASH_NONFATAL_OOM 1

#include <uthash.h>

/* After HASH_ADD of a zeroed element: false where there was no memory for it. */
#define HASH_TOOK(element) ((element)->hh.tbl != NULL)

#endif
