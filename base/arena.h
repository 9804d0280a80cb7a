/*
 * Arena: memory that lives exactly as long as one message or one round, under a bound.
 *
 * Guarantee: an arena never hands out more than its limit; what it hands out is zeroed, aligned for
 * any type and freed at once by arena_fini(). A full arena is an answer (NULL), not a crash, so
 * that remote input can't exhaust the daemon. Ownership: the caller owns the struct; pointers from
 * it die with it. Thread rule: one thread at a time. Complexity: amortised O(size) per allocation.
 */
#ifndef ENTENTE_BASE_ARENA_H
#define ENTENTE_BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"

struct arena_block;

struct arena {
    struct arena_block *newest;
    size_t used_bytes;  /* handed out */
    size_t limit_bytes; /* never exceeded */
};

enum {
    ARENA_MESSAGE_BYTES = 16 * 1024 * 1024, /* the bound of one message's lifetime */
    ARENA_ROUND_BYTES = 1024 * 1024 * 1024  /* the bound of one round's lifetime */
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_fini(struct arena *arena);

/* Forgets everything handed out, keeps the limit. */
void arena_reset(struct arena *arena);

/* count × size zeroed bytes; NULL at the limit, on overflow, or without memory. count 0 gives a
 * valid pointer. */
MUST_USE void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* A terminated copy of the first length bytes of text; NULL as above. */
MUST_USE char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/* A copy of the bytes; NULL as above. */
MUST_USE void *arena_copy(struct arena *arena, const void *bytes, size_t size);

#endif
