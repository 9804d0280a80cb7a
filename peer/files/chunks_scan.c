/*
 * Scanning: from paths below a directory to a file set, its chunks stored.
 *
 * First the paths are found (directories opened one after the other through a list, so that depth
 * costs no stack), then put in order, then each file is read once.
 */
#include <dirent.h>
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

enum { SCAN_PATHS_MAX = 2 * FILES_PER_BUNDLE_MAX }; /* files and directories */

struct scan {
    struct chunks *chunks;
    struct arena *arena;
    int directory;
    const char **paths; /* [path_count] still to be opened, then what was opened */
    uint32_t path_count;
    const char **files; /* [file_count] regular files found */
    uint32_t file_count;
    uint8_t *buffer; /* [CHUNK_BYTES_MAX] */
};

static enum status find_files(struct scan *scan, const struct chunks_source *source,
                              struct fault *fault);
static enum status add_path(struct scan *scan, const char *parent, const char *name,
                            struct fault *fault);
static enum status open_path(struct scan *scan, const char *path, struct fault *fault);
static enum status list_directory(struct scan *scan, int fd, const char *path, struct fault *fault);
static void order_files(struct scan *scan);
static enum status read_files(struct scan *scan, struct file_set *set, struct fault *fault);
static enum status read_file(struct scan *scan, const char *path, struct bundle_file *file,
                             struct fault *fault);
static enum status read_chunks(struct scan *scan, int fd, struct bundle_file *file,
                               struct fault *fault);

enum status chunks_scan(struct chunks *chunks, const struct chunks_source *source,
                        struct arena *arena, struct file_set *set, struct fault *fault)
{
    struct scan scan = {
        .chunks = chunks,
        .arena = arena,
        .paths = calloc(SCAN_PATHS_MAX, sizeof *scan.paths),
        .files = calloc(FILES_PER_BUNDLE_MAX, sizeof *scan.files),
        .buffer = malloc(CHUNK_BYTES_MAX),
        .directory = open(source->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };
    enum status status;
    if (scan.paths == NULL || scan.files == NULL || scan.buffer == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to scan files");
    else if (scan.directory < 0)
        status = fault_set(fault, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                           "directory %s: %s", source->directory, strerror(errno));
    else
        status = find_files(&scan, source, fault);
    if (status == STATUS_OK) {
        order_files(&scan);
        status = read_files(&scan, set, fault);
    }
    if (scan.directory >= 0)
        close(scan.directory);
    free(scan.buffer);
    free(scan.files);
    free(scan.paths);
    return status;
}

static enum status find_files(struct scan *scan, const struct chunks_source *source,
                              struct fault *fault)
{
    for (uint32_t i = 0; i < source->path_count; i++) {
        enum status status = add_path(scan, NULL, source->paths[i], fault);
        if (status != STATUS_OK)
            return status;
    }
    for (uint32_t i = 0; i < scan->path_count; i++) {
        enum status status = open_path(scan, scan->paths[i], fault);
        if (status == STATUS_NOT_FOUND && source->absent == CHUNKS_ABSENT_SKIPPED)
            continue;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status add_path(struct scan *scan, const char *parent, const char *name,
                            struct fault *fault)
{
    if (scan->path_count == SCAN_PATHS_MAX)
        return fault_set(fault, STATUS_INVALID,
                         "more than %d files and directories: put them into an archive",
                         SCAN_PATHS_MAX);
    char path[PATH_BYTES_MAX + NAME_MAX + 2];
    int const length = parent != NULL ? snprintf(path, sizeof path, "%s/%s", parent, name)
                                      : snprintf(path, sizeof path, "%s", name);
    if (length < 0 || (size_t)length >= sizeof path || !bundle_path_valid(path))
        return fault_set(fault, STATUS_INVALID,
                         "file '%s': a path must be relative, without '.', '..', empty parts or "
                         "control characters, at most %d bytes and %d directories deep",
                         path, PATH_BYTES_MAX, BUNDLE_DEPTH_MAX);
    const char *copy = arena_copy_text(scan->arena, path, (size_t)length);
    if (copy == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no room for the names of files");
    scan->paths[scan->path_count++] = copy;
    return STATUS_OK;
}

static enum status open_path(struct scan *scan, const char *path, struct fault *fault)
{
    int fd;
    enum status status = beneath_open(scan->directory, path, &fd, fault);
    if (status != STATUS_OK)
        return status;
    struct stat about;
    if (fstat(fd, &about) != 0)
        status = fault_set(fault, STATUS_IO, "file '%s': %s", path, strerror(errno));
    else if (S_ISDIR(about.st_mode))
        return list_directory(scan, fd, path, fault);
    else if (scan->file_count == FILES_PER_BUNDLE_MAX)
        status = fault_set(fault, STATUS_INVALID, "more than %d files: put them into an archive",
                           FILES_PER_BUNDLE_MAX);
    else
        scan->files[scan->file_count++] = path;
    close(fd);
    return status;
}

/* Takes fd. */
static enum status list_directory(struct scan *scan, int fd, const char *path, struct fault *fault)
{
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to list '%s'", path);
    }
    enum status status = STATUS_OK;
    for (struct dirent *item; status == STATUS_OK && (item = readdir(directory)) != NULL;)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            status = add_path(scan, path, item->d_name, fault);
    closedir(directory);
    return status;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* In order of path, each once: a file may have been named by itself and by its directory. */
static void order_files(struct scan *scan)
{
    if (scan->file_count == 0)
        return;
    qsort(scan->files, scan->file_count, sizeof scan->files[0], compare_texts);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < scan->file_count; i++)
        if (strcmp(scan->files[i], scan->files[kept - 1]) != 0)
            scan->files[kept++] = scan->files[i];
    scan->file_count = kept;
}

static enum status read_files(struct scan *scan, struct file_set *set, struct fault *fault)
{
    struct bundle_file *files = arena_alloc(scan->arena, scan->file_count, sizeof *files);
    if (files == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no room for %u files", scan->file_count);
    for (uint32_t i = 0; i < scan->file_count; i++) {
        enum status status = read_file(scan, scan->files[i], &files[i], fault);
        if (status != STATUS_OK)
            return status;
    }
    *set = (struct file_set){.files = files, .count = scan->file_count};
    return STATUS_OK;
}

static enum status read_file(struct scan *scan, const char *path, struct bundle_file *file,
                             struct fault *fault)
{
    int fd;
    enum status status = beneath_open(scan->directory, path, &fd, fault);
    if (status != STATUS_OK)
        return status;
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return fault_set(fault, STATUS_INVALID, "file '%s' changed while it was read", path);
    }
    *file = (struct bundle_file){
        .path = path,
        .mode = (uint32_t)about.st_mode & CHUNK_FILE_MODE_MASK,
        .size_bytes = (uint64_t)about.st_size,
    };
    uint64_t const chunks =
        file->size_bytes / CHUNK_BYTES_MAX + (file->size_bytes % CHUNK_BYTES_MAX != 0);
    if (chunks > CHUNKS_PER_FILE_MAX) {
        close(fd);
        return fault_set(fault, STATUS_INVALID, "file '%s' is larger than %d chunks of %d bytes",
                         path, CHUNKS_PER_FILE_MAX, CHUNK_BYTES_MAX);
    }
    file->chunk_count = (uint32_t)chunks;
    file->chunks = arena_alloc(scan->arena, file->chunk_count, sizeof *file->chunks);
    if (file->chunks == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no room for the chunks of '%s'", path);
    else
        status = read_chunks(scan, fd, file, fault);
    close(fd);
    return status;
}

static enum status read_chunks(struct scan *scan, int fd, struct bundle_file *file,
                               struct fault *fault)
{
    uint64_t left = file->size_bytes;
    for (uint32_t c = 0; c < file->chunk_count; c++) {
        size_t const size = left < CHUNK_BYTES_MAX ? (size_t)left : CHUNK_BYTES_MAX;
        ssize_t const got = read_whole(fd, scan->buffer, size);
        if (got < 0)
            return fault_set(fault, STATUS_IO, "file '%s': %s", file->path, strerror(errno));
        if ((size_t)got != size)
            return fault_set(fault, STATUS_INVALID, "file '%s' changed while it was read",
                             file->path);
        digest_bytes(scan->buffer, size, &file->chunks[c]);
        enum status status =
            chunk_store(scan->chunks, &file->chunks[c], (struct bytes){scan->buffer, size}, fault);
        if (status != STATUS_OK)
            return status;
        left -= size;
    }
    uint8_t more;
    if (read_whole(fd, &more, 1) != 0)
        return fault_set(fault, STATUS_INVALID, "file '%s' changed while it was read", file->path);
    return STATUS_OK;
}
