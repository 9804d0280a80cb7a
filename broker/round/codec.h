/*
 * Codec: the bricks of the snapshot's encoding: a growing writer and a reading cursor, each with a
 * sticky error, so that callers check once at the end.
 *
 * Thread rule: one thread per struct. Complexity: amortised O(1) a byte.
 */
#ifndef ENTENTE_BROKER_ROUND_CODEC_H
#define ENTENTE_BROKER_ROUND_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/domain/bytes.h"
#include "base/domain/lease.h"
#include "base/domain/name.h"

struct codec_writer {
    uint8_t *data; /* malloc'ed: codec_writer_fini() */
    size_t size;
    size_t capacity;
    size_t limit;
    bool broken; /* over the limit, or no memory */
};

void codec_writer_init(struct codec_writer *writer, size_t limit);
void codec_writer_fini(struct codec_writer *writer);
void codec_put_raw(struct codec_writer *writer, const void *bytes, size_t size);
void codec_put_unsigned(struct codec_writer *writer, uint64_t value);
void codec_put_signed(struct codec_writer *writer, int64_t value);
void codec_put_double(struct codec_writer *writer, double value);
void codec_put_name(struct codec_writer *writer, const struct name *name);
void codec_put_nodes(struct codec_writer *writer, const struct lease_node *nodes, uint32_t count);

struct codec_reader {
    const uint8_t *at;
    const uint8_t *end;
    const char *problem; /* NULL: none yet; the first one stays */
};

/* Zero after a problem. `most` bounds the value. */
uint64_t codec_unsigned(struct codec_reader *reader, uint64_t most, const char *what);
int64_t codec_signed(struct codec_reader *reader, int64_t least, int64_t most, const char *what);
double codec_double(struct codec_reader *reader, const char *what);
void codec_name(struct codec_reader *reader, struct name *name, const char *what);
/* A count of things that take at least one byte each: never more than what is left. */
uint32_t codec_count(struct codec_reader *reader, uint32_t most, const char *what);
void codec_expect(struct codec_reader *reader, const void *bytes, size_t size, const char *what);

#endif
