/* The store itself: where a chunk lies, how it gets there whole, and how it is read back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/chunks_store.h"
#include "proto/identity/identity.h"

static enum status count_chunk(void *context, const struct chunk_entry *entry);
static enum status reserve(struct chunks *chunks, uint64_t bytes, struct fault *fault);
static enum status write_incoming(struct chunks *chunks, const struct digest *digest,
                                  struct bytes data);
static bool move_in(struct chunks *chunks, const char *incoming, const struct digest *digest);
static bool sync_directory(int at, const char *path);

enum status chunks_open(const char *directory, uint64_t quota_bytes, struct chunks **chunks,
                        struct fault *fault)
{
    bool made = mkdir(directory, 0700) == 0;
    if (!made && errno != EEXIST)
        return fault_set(fault, STATUS_IO, "chunk store %s: %s", directory, strerror(errno));
    struct chunks *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a chunk store");
    opened->quota_bytes = quota_bytes;
    opened->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened->directory < 0) {
        enum status status =
            fault_set(fault, STATUS_IO, "chunk store %s: %s", directory, strerror(errno));
        chunks_close(opened);
        return status;
    }
    enum status status = made ? STATUS_OK : chunks_walk(opened, count_chunk, opened, fault);
    if (status != STATUS_OK) {
        chunks_close(opened);
        return status;
    }
    *chunks = opened;
    return STATUS_OK;
}

static enum status count_chunk(void *context, const struct chunk_entry *entry)
{
    struct chunks *chunks = context;
    atomic_fetch_add(&chunks->used_bytes, entry->size_bytes);
    return STATUS_OK;
}

void chunks_close(struct chunks *chunks)
{
    if (chunks == NULL)
        return;
    if (chunks->directory >= 0)
        close(chunks->directory);
    free(chunks->marked);
    free(chunks);
}

uint64_t chunks_used_bytes(const struct chunks *chunks)
{
    return atomic_load(&chunks->used_bytes);
}

const char *chunk_place(const struct digest *digest, char place[static CHUNK_PLACE_MAX])
{
    char hex[DIGEST_TEXT_MAX];
    digest_format(digest, hex);
    snprintf(place, CHUNK_PLACE_MAX, "%.2s/%s", hex, hex + 2);
    return place;
}

bool chunks_has(const struct chunks *chunks, const struct digest *digest)
{
    char place[CHUNK_PLACE_MAX];
    return faccessat(chunks->directory, chunk_place(digest, place), F_OK, 0) == 0;
}

enum status chunks_put(struct chunks *chunks, const struct digest *digest, struct bytes data,
                       struct fault *fault)
{
    if (data.size == 0 || data.size > CHUNK_BYTES_MAX)
        return fault_set(fault, STATUS_INVALID, "a chunk has 1 to %d bytes, not %zu",
                         CHUNK_BYTES_MAX, data.size);
    struct digest actual;
    digest_bytes(data.data, data.size, &actual);
    if (!digest_equal(&actual, digest)) {
        char text[DIGEST_TEXT_MAX];
        return fault_set(fault, STATUS_CORRUPT,
                         "chunk %.12s... came with other bytes: send it again",
                         digest_format(digest, text));
    }
    return chunk_store(chunks, digest, data, fault);
}

enum status chunk_store(struct chunks *chunks, const struct digest *digest, struct bytes data,
                        struct fault *fault)
{
    char place[CHUNK_PLACE_MAX];
    if (utimensat(chunks->directory, chunk_place(digest, place), NULL, AT_SYMLINK_NOFOLLOW) == 0)
        return STATUS_OK; /* there, and now the newest used */
    enum status status = reserve(chunks, data.size, fault);
    if (status != STATUS_OK)
        return status;
    status = write_incoming(chunks, digest, data);
    if (status == STATUS_OK)
        return STATUS_OK;
    int const error = errno;
    atomic_fetch_sub(&chunks->used_bytes, data.size);
    if (status == STATUS_EXISTS)
        return STATUS_OK; /* another thread was quicker */
    return fault_set(fault, STATUS_IO, "chunk %s: %s", place, strerror(error));
}

/* Takes the room before it is used, so that threads together keep within the quota. */
static enum status reserve(struct chunks *chunks, uint64_t bytes, struct fault *fault)
{
    uint64_t const before = atomic_fetch_add(&chunks->used_bytes, bytes);
    if (chunks->quota_bytes == 0 || before + bytes <= chunks->quota_bytes)
        return STATUS_OK;
    atomic_fetch_sub(&chunks->used_bytes, bytes);
    return fault_set(fault, STATUS_EXHAUSTED,
                     "the chunk store is full: %" PRIu64 " of %" PRIu64 " bytes are used", before,
                     chunks->quota_bytes);
}

/* EXISTS where the chunk came into its place meanwhile; IO with errno. */
static enum status write_incoming(struct chunks *chunks, const struct digest *digest,
                                  struct bytes data)
{
    char incoming[64];
    snprintf(incoming, sizeof incoming, CHUNKS_INCOMING "/%ld.%" PRIuLEAST64, (long)getpid(),
             atomic_fetch_add(&chunks->serial, 1));
    int const flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    int fd = openat(chunks->directory, incoming, flags, 0600);
    if (fd < 0 && errno == ENOENT &&
        (mkdirat(chunks->directory, CHUNKS_INCOMING, 0700) == 0 || errno == EEXIST))
        fd = openat(chunks->directory, incoming, flags, 0600);
    if (fd < 0)
        return STATUS_IO;
    bool const written = write_whole(fd, data.data, data.size) && fsync(fd) == 0;
    int error = errno;
    close(fd);
    bool const moved = written && move_in(chunks, incoming, digest);
    if (written)
        error = errno;
    unlinkat(chunks->directory, incoming, 0);
    errno = error;
    if (moved)
        return STATUS_OK;
    return written && error == EEXIST ? STATUS_EXISTS : STATUS_IO;
}

/* A link, not a rename: it tells us when the chunk was there already. */
static bool move_in(struct chunks *chunks, const char *incoming, const struct digest *digest)
{
    char place[CHUNK_PLACE_MAX];
    chunk_place(digest, place);
    char shelf[3] = {place[0], place[1], '\0'};
    if (mkdirat(chunks->directory, shelf, 0700) == 0) {
        if (fsync(chunks->directory) != 0)
            return false;
    } else if (errno != EEXIST) {
        return false;
    }
    return linkat(chunks->directory, incoming, chunks->directory, place, 0) == 0 &&
           sync_directory(chunks->directory, shelf);
}

static bool sync_directory(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool const synced = fsync(fd) == 0;
    int const error = errno;
    close(fd);
    errno = error;
    return synced;
}

enum status chunks_get(struct chunks *chunks, const struct digest *digest,
                       uint8_t data[static CHUNK_BYTES_MAX], size_t *size, struct fault *fault)
{
    char place[CHUNK_PLACE_MAX];
    int fd = openat(chunks->directory, chunk_place(digest, place), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(fault, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "chunk %s: %s",
                         place, strerror(errno));
    ssize_t const length = read_whole(fd, data, CHUNK_BYTES_MAX);
    int const error = errno;
    futimens(fd, NULL);
    close(fd);
    if (length < 0)
        return fault_set(fault, STATUS_IO, "chunk %s: %s", place, strerror(error));
    struct digest actual;
    digest_bytes(data, (size_t)length, &actual);
    if (!digest_equal(&actual, digest)) {
        /* Away with it: then it lacks, and is sent again. */
        if (unlinkat(chunks->directory, place, 0) == 0)
            atomic_fetch_sub(&chunks->used_bytes, (uint64_t)length);
        return fault_set(fault, STATUS_CORRUPT,
                         "chunk %s was damaged on disk and is removed: send it again", place);
    }
    *size = (size_t)length;
    return STATUS_OK;
}

bool write_whole(int fd, const void *data, size_t size)
{
    const uint8_t *next = data;
    while (size > 0) {
        ssize_t const written = write(fd, next, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            next += written;
            size -= (size_t)written;
        }
    }
    return true;
}

ssize_t read_whole(int fd, void *data, size_t size)
{
    uint8_t *next = data;
    size_t room = size;
    while (room > 0) {
        ssize_t const got = read(fd, next, room);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        if (got > 0) {
            next += got;
            room -= (size_t)got;
        }
    }
    return (ssize_t)(size - room);
}
