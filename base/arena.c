#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MIN = 4096 };

/* No piece is near this; below it, rounding up and adding a header can't wrap, whatever the limit.
 */
#define PIECE_BYTES_MAX ((size_t)PTRDIFF_MAX / 2)

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_fini(struct arena *arena)
{
    while (arena->newest != NULL) {
        struct arena_block *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
    arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
    arena_fini(arena);
}

/* Blocks double in size, so that n bytes cost O(log n) calls of malloc. */
static struct arena_block *grow(struct arena *arena, size_t wanted)
{
    size_t size = arena->newest != NULL ? arena->newest->size * 2 : BLOCK_BYTES_MIN;
    if (size > arena->limit_bytes)
        size = arena->limit_bytes;
    if (size < wanted)
        size = wanted;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.older = arena->newest, .size = size};
    arena->newest = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t wanted;
    if (__builtin_mul_overflow(count, size, &wanted) || wanted > PIECE_BYTES_MAX)
        return NULL;
    size_t const align = alignof(max_align_t);
    wanted = (wanted + align - 1) / align * align;
    if (wanted > arena->limit_bytes - arena->used_bytes)
        return NULL;
    struct arena_block *block = arena->newest;
    if (block == NULL || block->size - block->used < wanted)
        block = grow(arena, wanted);
    if (block == NULL)
        return NULL;
    void *bytes = block->bytes + block->used;
    block->used += wanted;
    arena->used_bytes += wanted;
    return memset(bytes, 0, wanted);
}

char *arena_copy_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < PIECE_BYTES_MAX ? arena_alloc(arena, length + 1, 1) : NULL;
    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size, 1);
    if (copy != NULL && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}
