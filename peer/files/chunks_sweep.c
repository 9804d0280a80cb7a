/*
 * Keeping the chunk store small: walk, mark, sweep.
 *
 * What is marked is needed (a bundle, a checkpoint, an offer under way); the rest may go, longest
 * unused first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/chunks_store.h"
#include "proto/identity/identity.h"

enum {
    SHELVES = 256,              /* directories, by a digest's first byte */
    SWEEP_ENTRIES_MAX = 1 << 22 /* chunks: 4 TiB */
};

struct sweep {
    const struct chunks *chunks;
    struct chunk_entry *entries; /* [count], not marked */
    size_t count;
    size_t room;
};

static DIR *open_shelf(const struct chunks *chunks, const char *name);
static void find_shelves(const struct chunks *chunks, bool there[static SHELVES]);
static enum status walk_shelf(struct chunks *chunks, unsigned shelf, chunk_visit *visit,
                              void *context);
static enum status collect(void *context, const struct chunk_entry *entry);
static enum status remove_oldest(struct chunks *chunks, const struct sweep *sweep,
                                 uint64_t keep_bytes, uint64_t *freed_bytes);
static void clear_incoming(struct chunks *chunks);
static int compare_digests(const void *left, const void *right);
static int compare_age(const void *left, const void *right);

enum status chunks_walk(struct chunks *chunks, chunk_visit *visit, void *context,
                        struct fault *fault)
{
    bool there[SHELVES] = {false};
    find_shelves(chunks, there);
    for (unsigned shelf = 0; shelf < SHELVES; shelf++) {
        enum status status = there[shelf] ? walk_shelf(chunks, shelf, visit, context) : STATUS_OK;
        if (status != STATUS_OK)
            return fault_set(fault, status, "chunk store, directory %02x: %s", shelf,
                             status_name(status));
    }
    return STATUS_OK;
}

/* A small store has few of them: to try all would be most of the cost of its opening. Where they
 * can't be listed each is tried, and says why it can't be read. */
static void find_shelves(const struct chunks *chunks, bool there[static SHELVES])
{
    DIR *directory = open_shelf(chunks, ".");
    if (directory == NULL) {
        for (unsigned shelf = 0; shelf < SHELVES; shelf++)
            there[shelf] = true;
        return;
    }
    for (struct dirent *item; (item = readdir(directory)) != NULL;) {
        char *end = NULL;
        unsigned long shelf = strtoul(item->d_name, &end, 16);
        if (strlen(item->d_name) == 2 && *end == '\0' && shelf < SHELVES)
            there[shelf] = true;
    }
    closedir(directory);
}

static enum status walk_shelf(struct chunks *chunks, unsigned shelf, chunk_visit *visit,
                              void *context)
{
    char name[4];
    snprintf(name, sizeof name, "%02x", shelf & 0xffu);
    DIR *directory = open_shelf(chunks, name);
    if (directory == NULL)
        return errno == ENOENT ? STATUS_OK : STATUS_IO;
    enum status status = STATUS_OK;
    for (struct dirent *item; status == STATUS_OK && (item = readdir(directory)) != NULL;) {
        char hex[3 + NAME_MAX];
        snprintf(hex, sizeof hex, "%.2s%s", name, item->d_name);
        struct chunk_entry entry;
        struct stat about;
        if (!digest_parse(hex, &entry.digest) ||
            fstatat(dirfd(directory), item->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        entry.size_bytes = (uint64_t)about.st_size;
        entry.used_s = about.st_mtime;
        status = visit(context, &entry);
    }
    closedir(directory);
    return status;
}

static DIR *open_shelf(const struct chunks *chunks, const char *name)
{
    int fd = openat(chunks->directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (directory == NULL)
        close(fd);
    return directory;
}

void chunks_mark_begin(struct chunks *chunks)
{
    chunks->marked_count = 0;
}

enum status chunks_mark(struct chunks *chunks, const struct file_set *set, struct fault *fault)
{
    size_t more = 0;
    for (uint32_t i = 0; i < set->count; i++)
        more += set->files[i].chunk_count;
    if (chunks->marked_count + more > chunks->marked_room) {
        size_t const room = (chunks->marked_count + more) * 2;
        struct digest *grown = reallocarray(chunks->marked, room, sizeof *grown);
        if (grown == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory to mark %zu chunks", room);
        chunks->marked = grown;
        chunks->marked_room = room;
    }
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t c = 0; c < set->files[i].chunk_count; c++)
            chunks->marked[chunks->marked_count++] = set->files[i].chunks[c];
    return STATUS_OK;
}

enum status chunks_sweep(struct chunks *chunks, uint64_t keep_bytes, uint64_t *freed_bytes,
                         struct fault *fault)
{
    *freed_bytes = 0;
    clear_incoming(chunks);
    if (chunks->marked_count > 0)
        qsort(chunks->marked, chunks->marked_count, sizeof chunks->marked[0], compare_digests);
    struct sweep sweep = {.chunks = chunks};
    enum status status = chunks_walk(chunks, collect, &sweep, fault);
    if (status == STATUS_OK && sweep.count > 0) {
        qsort(sweep.entries, sweep.count, sizeof sweep.entries[0], compare_age);
        status = remove_oldest(chunks, &sweep, keep_bytes, freed_bytes);
        if (status != STATUS_OK)
            fault_set(fault, status, "a chunk can't be removed: %s", strerror(errno));
    }
    free(sweep.entries);
    return status;
}

static enum status collect(void *context, const struct chunk_entry *entry)
{
    struct sweep *sweep = context;
    if (sweep->chunks->marked_count > 0 &&
        bsearch(&entry->digest, sweep->chunks->marked, sweep->chunks->marked_count,
                sizeof entry->digest, compare_digests) != NULL)
        return STATUS_OK;
    if (sweep->count == sweep->room) {
        size_t const room = sweep->room == 0 ? 1024 : sweep->room * 2;
        if (room > SWEEP_ENTRIES_MAX)
            return STATUS_OK; /* the next sweep takes the rest */
        struct chunk_entry *grown = reallocarray(sweep->entries, room, sizeof *grown);
        if (grown == NULL)
            return STATUS_NO_MEMORY;
        sweep->entries = grown;
        sweep->room = room;
    }
    sweep->entries[sweep->count++] = *entry;
    return STATUS_OK;
}

static enum status remove_oldest(struct chunks *chunks, const struct sweep *sweep,
                                 uint64_t keep_bytes, uint64_t *freed_bytes)
{
    for (size_t i = 0; i < sweep->count && chunks_used_bytes(chunks) > keep_bytes; i++) {
        char place[CHUNK_PLACE_MAX];
        chunk_place(&sweep->entries[i].digest, place);
        if (unlinkat(chunks->directory, place, 0) != 0)
            return STATUS_IO;
        atomic_fetch_sub(&chunks->used_bytes, sweep->entries[i].size_bytes);
        *freed_bytes += sweep->entries[i].size_bytes;
    }
    return STATUS_OK;
}

/* Nobody writes while we sweep, so whatever lies here was left by a crash. */
static void clear_incoming(struct chunks *chunks)
{
    DIR *directory = open_shelf(chunks, CHUNKS_INCOMING);
    if (directory == NULL)
        return;
    for (struct dirent *item; (item = readdir(directory)) != NULL;)
        if (item->d_name[0] != '.')
            unlinkat(dirfd(directory), item->d_name, 0);
    closedir(directory);
}

static int compare_digests(const void *left, const void *right)
{
    return memcmp(left, right, DIGEST_BYTES);
}

static int compare_age(const void *left, const void *right)
{
    const struct chunk_entry *a = left;
    const struct chunk_entry *b = right;
    if (a->used_s != b->used_s)
        return a->used_s < b->used_s ? -1 : 1;
    return compare_digests(&a->digest, &b->digest);
}
