/*
 * Assembling: what lacks for a file set, and, once nothing does, the files themselves.
 *
 * The set came over the wire: it is checked first. A job may own the directory, so each file is
 * made under a name nobody could foresee, complete, and only then renamed into its place.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/beneath.h"
#include "peer/files/chunks_store.h"
#include "proto/identity/identity.h"

enum {
    PART_NAME_MAX = 48,
    MISSING_SLOTS_MAX = 1 << 22 /* a hash set's slots; a message has room for far fewer digests */
};

/* Digests found missing, each once. */
struct missing {
    struct digest *digests; /* [count] */
    uint32_t count;
    uint32_t *slots; /* index into digests, plus one; 0: free */
    uint64_t slot_mask;
};

struct assembly {
    struct chunks *chunks;
    int directory;
    uint8_t *buffer; /* [CHUNK_BYTES_MAX] */
};

static enum status assemble_file(struct assembly *assembly, const struct bundle_file *file,
                                 struct fault *fault);
static enum status write_file(struct assembly *assembly, int fd, const struct bundle_file *file,
                              struct fault *fault);
static void add_missing(struct missing *missing, const struct digest *digest);
static void part_name(char name[static PART_NAME_MAX]);

enum status chunks_missing(const struct chunks *chunks, const struct file_set *set, uint32_t limit,
                           struct arena *arena, struct digest **missing, uint32_t *missing_count,
                           struct fault *fault)
{
    enum status status = file_set_check(set, fault);
    if (status != STATUS_OK)
        return status;
    if (limit > MISSING_SLOTS_MAX / 2)
        limit = MISSING_SLOTS_MAX / 2;
    uint32_t slots = 1;
    while (slots < limit)
        slots *= 2;
    slots *= 2; /* never more than half full */
    struct missing found = {
        .digests = arena_alloc(arena, limit, sizeof *found.digests),
        .slots = arena_alloc(arena, slots, sizeof *found.slots),
        .slot_mask = slots - 1,
    };
    if (found.digests == NULL || found.slots == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no room to list %u missing chunks", limit);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct bundle_file *file = &set->files[i];
        for (uint32_t c = 0; c < file->chunk_count && found.count < limit; c++)
            if (!chunks_has(chunks, &file->chunks[c]))
                add_missing(&found, &file->chunks[c]);
    }
    *missing = found.digests;
    *missing_count = found.count;
    return STATUS_OK;
}

/* Digests are random already: their first bytes are the hash. */
static void add_missing(struct missing *missing, const struct digest *digest)
{
    uint64_t slot;
    memcpy(&slot, digest->bytes, sizeof slot);
    for (slot &= missing->slot_mask; missing->slots[slot] != 0;
         slot = (slot + 1) & missing->slot_mask)
        if (memcmp(missing->digests[missing->slots[slot] - 1].bytes, digest->bytes, DIGEST_BYTES) ==
            0)
            return;
    missing->digests[missing->count++] = *digest;
    missing->slots[slot] = missing->count;
}

enum status chunks_assemble(struct chunks *chunks, const struct file_set *set,
                            const char *directory, struct fault *fault)
{
    enum status status = file_set_check(set, fault);
    if (status != STATUS_OK)
        return status;
    struct assembly assembly = {
        .chunks = chunks,
        .directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .buffer = malloc(CHUNK_BYTES_MAX),
    };
    if (assembly.directory < 0)
        status = fault_set(fault, STATUS_IO, "directory %s: %s", directory, strerror(errno));
    else if (assembly.buffer == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to assemble files");
    for (uint32_t i = 0; status == STATUS_OK && i < set->count; i++)
        status = assemble_file(&assembly, &set->files[i], fault);
    if (assembly.directory >= 0)
        close(assembly.directory);
    free(assembly.buffer);
    return status;
}

static enum status assemble_file(struct assembly *assembly, const struct bundle_file *file,
                                 struct fault *fault)
{
    int parent;
    const char *last;
    enum status status = beneath_open_parent(assembly->directory, file->path,
                                             BENEATH_MAKE_DIRECTORIES, &parent, &last, fault);
    if (status != STATUS_OK)
        return status;
    char part[PART_NAME_MAX];
    part_name(part);
    int fd = openat(parent, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        status = fault_set(fault, STATUS_IO, "file '%s': %s", file->path, strerror(errno));
        close(parent);
        return status;
    }
    status = write_file(assembly, fd, file, fault);
    close(fd);
    if (status == STATUS_OK && renameat(parent, part, parent, last) != 0)
        status = fault_set(fault, errno == EISDIR ? STATUS_INVALID : STATUS_IO, "file '%s': %s",
                           file->path, strerror(errno));
    if (status == STATUS_OK && fsync(parent) != 0)
        status = fault_set(fault, STATUS_IO, "file '%s': %s", file->path, strerror(errno));
    if (status != STATUS_OK)
        unlinkat(parent, part, 0);
    close(parent);
    return status;
}

static enum status write_file(struct assembly *assembly, int fd, const struct bundle_file *file,
                              struct fault *fault)
{
    uint64_t written = 0;
    for (uint32_t c = 0; c < file->chunk_count; c++) {
        size_t size;
        enum status status =
            chunks_get(assembly->chunks, &file->chunks[c], assembly->buffer, &size, fault);
        if (status != STATUS_OK)
            return fault_prefix(fault, status, "file '%s'", file->path);
        if (!write_whole(fd, assembly->buffer, size))
            return fault_set(fault, STATUS_IO, "file '%s': %s", file->path, strerror(errno));
        written += size;
    }
    if (written != file->size_bytes)
        return fault_set(fault, STATUS_INVALID, "file '%s' has another size than its chunks",
                         file->path);
    if (fchmod(fd, (mode_t)file->mode) != 0 || fsync(fd) != 0)
        return fault_set(fault, STATUS_IO, "file '%s': %s", file->path, strerror(errno));
    return STATUS_OK;
}

static void part_name(char name[static PART_NAME_MAX])
{
    uint64_t random[2];
    random_bytes(random, sizeof random);
    snprintf(name, PART_NAME_MAX, ".part-%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
}
