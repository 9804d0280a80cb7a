#include "economics/experiments/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { HEAD_BYTES = 16, RECORD_HEAD_BYTES = 12, CHECKSUM_BYTES = 8, FIRST_ENTRIES = 1024 };

static const char magic[] = "ENTJRNL1";

static enum status open_file(struct journal *journal, const char *path, bool append,
                             uint64_t identity, struct fault *fault);
static enum status open_others(struct journal *journal, const char *directory, const char *name,
                               uint64_t identity, struct fault *fault);
static enum status read_records(struct journal *journal, uint16_t file, const char *path,
                                uint64_t *end, struct fault *fault);

enum status journal_open(struct journal *journal, const char *directory, const char *name,
                         uint64_t identity, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    *journal = (struct journal){0};
    enum status status = path_join(path, directory, name, fault);
    if (status == STATUS_OK)
        status = open_file(journal, path, true, identity, fault);
    if (status == STATUS_OK)
        status = open_others(journal, directory, name, identity, fault);
    if (status == STATUS_OK)
        journal_sort(journal);
    else
        journal_close(journal);
    return status;
}

void journal_close(struct journal *journal)
{
    for (uint32_t i = 0; i < journal->file_count; i++)
        close(journal->files[i]);
    free(journal->entries);
    *journal = (struct journal){0};
}

/* --- numbers as bytes */

static void put(uint8_t *to, uint64_t value, int bytes)
{
    for (int byte = 0; byte < bytes; byte++)
        to[byte] = (uint8_t)(value >> (8 * byte));
}

static uint64_t get(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int byte = 0; byte < bytes; byte++)
        value |= (uint64_t)from[byte] << (8 * byte);
    return value;
}

static uint64_t checksum(uint64_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static const uint64_t checksum_start = 0xcbf29ce484222325u;

/* --- opening */

static enum status trouble(struct fault *fault, const char *path, const char *what)
{
    return fault_set(fault, STATUS_IO, "%s: %s: %s", path, what, strerror(errno));
}

static enum status begin_file(int descriptor, const char *path, uint64_t identity,
                              struct fault *fault)
{
    uint8_t head[HEAD_BYTES];
    memcpy(head, magic, sizeof magic - 1);
    put(head + 8, identity, 8);
    if (pwrite(descriptor, head, sizeof head, 0) != (ssize_t)sizeof head)
        return trouble(fault, path, "can't be written");
    return STATUS_OK;
}

static enum status open_file(struct journal *journal, const char *path, bool append,
                             uint64_t identity, struct fault *fault)
{
    uint8_t head[HEAD_BYTES];
    uint64_t end;
    int flags = (append ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC;
    if (journal->file_count == JOURNAL_FILES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%s: more than %d journals in one directory",
                         path, JOURNAL_FILES_MAX);
    int descriptor = open(path, flags, 0644);
    if (descriptor < 0)
        return trouble(fault, path, "can't be opened");
    uint16_t file = (uint16_t)journal->file_count;
    journal->files[journal->file_count++] = descriptor;
    ssize_t got = pread(descriptor, head, sizeof head, 0);
    enum status status = STATUS_OK;
    if (got >= 0 && got < (ssize_t)sizeof head && append)
        status = begin_file(descriptor, path, identity, fault);
    else if (got < (ssize_t)sizeof head)
        return append ? trouble(fault, path, "can't be read") : STATUS_OK; /* just being made */
    else if (memcmp(head, magic, sizeof magic - 1) != 0)
        return fault_set(fault, STATUS_CORRUPT, "%s: isn't a journal of experiments", path);
    else if (get(head + 8, 8) != identity)
        return fault_set(fault, STATUS_EXISTS,
                         "%s: is of another design, seed or version; choose another --out "
                         "or remove that directory",
                         path);
    if (status == STATUS_OK)
        status = read_records(journal, file, path, &end, fault);
    if (status != STATUS_OK || !append)
        return status;
    journal->end = end;
    return ftruncate(descriptor, (off_t)end) == 0 ? STATUS_OK : trouble(fault, path, "torn end");
}

static enum status open_others(struct journal *journal, const char *directory, const char *name,
                               uint64_t identity, struct fault *fault)
{
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return trouble(fault, directory, "can't be listed");
    enum status status = STATUS_OK;
    const struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(listing)) != NULL) {
        char path[FILE_PATH_MAX];
        if (strncmp(entry->d_name, "journal", strlen("journal")) != 0 ||
            strcmp(entry->d_name, name) == 0)
            continue;
        status = path_join(path, directory, entry->d_name, fault);
        if (status == STATUS_OK)
            status = open_file(journal, path, false, identity, fault);
    }
    closedir(listing);
    return status;
}

static enum status remember(struct journal *journal, struct journal_entry entry,
                            struct fault *fault)
{
    if (journal->count == journal->capacity) {
        size_t capacity = journal->capacity > 0 ? 2 * journal->capacity : FIRST_ENTRIES;
        struct journal_entry *grown = realloc(journal->entries, capacity * sizeof *grown);
        if (grown == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for the journal's index");
        journal->entries = grown;
        journal->capacity = capacity;
    }
    journal->entries[journal->count++] = entry;
    return STATUS_OK;
}

/* Whole records up to the first that is torn or doesn't verify; *end is where that begins. */
static enum status read_records(struct journal *journal, uint16_t file, const char *path,
                                uint64_t *end, struct fault *fault)
{
    struct stat about;
    int descriptor = journal->files[file];
    uint8_t *buffer = NULL;
    size_t capacity = 0;
    enum status status = STATUS_OK;
    *end = HEAD_BYTES;
    if (fstat(descriptor, &about) != 0)
        return trouble(fault, path, "can't be read");
    uint64_t size = (uint64_t)about.st_size;
    while (status == STATUS_OK && size - *end >= RECORD_HEAD_BYTES + CHECKSUM_BYTES) {
        uint8_t head[RECORD_HEAD_BYTES];
        if (pread(descriptor, head, sizeof head, (off_t)*end) != (ssize_t)sizeof head)
            break;
        struct journal_entry entry = {.arm = (uint32_t)get(head, 4),
                                      .replication = (uint32_t)get(head + 4, 4),
                                      .size = (uint32_t)get(head + 8, 4),
                                      .file = file,
                                      .offset = *end + RECORD_HEAD_BYTES};
        if (entry.size > JOURNAL_RECORD_BYTES_MAX ||
            size - *end < RECORD_HEAD_BYTES + entry.size + CHECKSUM_BYTES)
            break;
        struct journal_entry whole = entry;
        whole.size += CHECKSUM_BYTES;
        status = journal_load(journal, &whole, &buffer, &capacity, fault);
        if (status != STATUS_OK)
            break;
        uint64_t hash = checksum(checksum(checksum_start, head, sizeof head), buffer, entry.size);
        if (hash != get(buffer + entry.size, 8))
            break;
        status = remember(journal, entry, fault);
        *end = entry.offset + entry.size + CHECKSUM_BYTES;
    }
    free(buffer);
    return status;
}

/* --- records */

enum status journal_append(struct journal *journal, uint32_t arm, uint32_t replication,
                           const uint8_t *observations, size_t size, struct fault *fault)
{
    uint8_t head[RECORD_HEAD_BYTES];
    uint8_t tail[CHECKSUM_BYTES];
    if (size > JOURNAL_RECORD_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "a run observed more than %d bytes",
                         JOURNAL_RECORD_BYTES_MAX);
    put(head, arm, 4);
    put(head + 4, replication, 4);
    put(head + 8, size, 4);
    put(tail, checksum(checksum(checksum_start, head, sizeof head), observations, size), 8);
    off_t at = (off_t)journal->end;
    int to = journal->files[0];
    if (pwrite(to, head, sizeof head, at) != (ssize_t)sizeof head ||
        pwrite(to, observations, size, at + (off_t)sizeof head) != (ssize_t)size ||
        pwrite(to, tail, sizeof tail, at + (off_t)(sizeof head + size)) != (ssize_t)sizeof tail)
        return trouble(fault, "journal", "can't be written");
    struct journal_entry entry = {.arm = arm,
                                  .replication = replication,
                                  .size = (uint32_t)size,
                                  .offset = journal->end + sizeof head};
    journal->end += sizeof head + size + sizeof tail;
    return remember(journal, entry, fault);
}

enum status journal_sync(struct journal *journal, struct fault *fault)
{
    return fdatasync(journal->files[0]) == 0 ? STATUS_OK
                                             : trouble(fault, "journal", "can't be synced");
}

static int by_task(const void *one, const void *other)
{
    const struct journal_entry *a = one;
    const struct journal_entry *b = other;
    if (a->arm != b->arm)
        return a->arm < b->arm ? -1 : 1;
    if (a->replication != b->replication)
        return a->replication < b->replication ? -1 : 1;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void journal_sort(struct journal *journal)
{
    size_t kept = 0;
    if (journal->count == 0)
        return;
    qsort(journal->entries, journal->count, sizeof journal->entries[0], by_task);
    for (size_t i = 1; i < journal->count; i++) {
        const struct journal_entry *last = &journal->entries[kept];
        const struct journal_entry *next = &journal->entries[i];
        if (last->arm != next->arm || last->replication != next->replication)
            journal->entries[++kept] = *next;
    }
    journal->count = kept + 1;
}

enum status journal_load(const struct journal *journal, const struct journal_entry *entry,
                         uint8_t **buffer, size_t *capacity, struct fault *fault)
{
    if (*capacity < entry->size || *buffer == NULL) {
        size_t wanted = entry->size > 0 ? entry->size : 1;
        uint8_t *grown = realloc(*buffer, wanted);
        if (grown == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for a record of the journal");
        *buffer = grown;
        *capacity = wanted;
    }
    ssize_t got = pread(journal->files[entry->file], *buffer, entry->size, (off_t)entry->offset);
    if (got != (ssize_t)entry->size)
        return trouble(fault, "journal", "can't be read");
    return STATUS_OK;
}
