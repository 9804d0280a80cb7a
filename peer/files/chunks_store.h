/* The store's inside, shared by the files that implement peer/files/chunks.h and by nobody else. */
#ifndef ENTENTE_PEER_FILES_CHUNKS_STORE_H
#define ENTENTE_PEER_FILES_CHUNKS_STORE_H

#include <stdatomic.h>

#include "peer/files/chunks.h"

#define CHUNKS_INCOMING "incoming" /* chunks being written; swept when old */

enum { CHUNK_PLACE_MAX = DIGEST_TEXT_MAX + 1 };

struct chunks {
    int directory;
    uint64_t quota_bytes; /* 0: none */
    atomic_uint_least64_t used_bytes;
    atomic_uint_least64_t serial; /* names of incoming files */
    struct digest *marked;        /* [marked_count], owned */
    size_t marked_count;
    size_t marked_room;
};

/* "ab/cdef...", relative to the store. */
const char *chunk_place(const struct digest *digest, char place[static CHUNK_PLACE_MAX]);

/* Stores bytes that are known to hash to digest. */
MUST_USE enum status chunk_store(struct chunks *chunks, const struct digest *digest,
                                 struct bytes data, struct fault *fault);

/* Calls visit for each chunk there is; stops at the first status that isn't OK. */
struct chunk_entry {
    struct digest digest;
    uint64_t size_bytes;
    int64_t used_s; /* last put or got, wall seconds: only an order, never a duration */
};
typedef enum status chunk_visit(void *context, const struct chunk_entry *entry);
MUST_USE enum status chunks_walk(struct chunks *chunks, chunk_visit *visit, void *context,
                                 struct fault *fault);

/* All of data, or an error in errno. */
bool write_whole(int fd, const void *data, size_t size);
/* Up to size bytes, fewer only at the end of the file; -1 with errno on error. */
ssize_t read_whole(int fd, void *data, size_t size);

#endif
