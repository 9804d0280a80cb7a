#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status system_fault(struct fault *fault, const char *path, const char *verb)
{
    enum status status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    return fault_set(fault, status, "%s: cannot %s: %s", path, verb, strerror(errno));
}

static enum status read_all(int fd, const char *path, size_t size, struct arena *arena,
                            struct bytes *bytes, struct fault *fault)
{
    uint8_t *data = arena_alloc(arena, size + 1, 1);
    if (data == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory for its %zu bytes", path, size);
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(fd, data + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_fault(fault, path, "read");
        if (got == 0)
            break;
        have += (size_t)got;
    }
    *bytes = (struct bytes){.data = data, .size = have};
    return STATUS_OK;
}

enum status file_read(const char *path, size_t bytes_max, struct arena *arena, struct bytes *bytes,
                      struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return system_fault(fault, path, "open");
    struct stat about;
    enum status status;
    if (fstat(fd, &about) != 0)
        status = system_fault(fault, path, "read");
    else if (!S_ISREG(about.st_mode))
        status = fault_set(fault, STATUS_IO, "%s: is not a regular file", path);
    else if ((uint64_t)about.st_size > bytes_max)
        status = fault_set(fault, STATUS_EXHAUSTED, "%s: has %lld bytes, over the limit of %zu",
                           path, (long long)about.st_size, bytes_max);
    else
        status = read_all(fd, path, (size_t)about.st_size, arena, bytes, fault);
    close(fd);
    return status;
}

static bool write_all(int fd, struct bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t put = write(fd, bytes.data + done, bytes.size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

static bool sync_directory_of(const char *path)
{
    char directory[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) : 1;
    memcpy(directory, slash != NULL ? path : ".", length);
    if (length == 0)
        directory[length++] = '/';
    directory[length] = '\0';
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

enum status file_write(const char *path, struct bytes bytes, mode_t mode, struct fault *fault)
{
    char temporary[FILE_PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return fault_set(fault, STATUS_EXHAUSTED, "%s: the path is too long", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return system_fault(fault, path, "create a file beside it");
    bool written = fchmod(fd, mode) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 || !written || rename(temporary, path) != 0 || !sync_directory_of(path)) {
        if (!written)
            errno = saved;
        enum status status = system_fault(fault, path, "write");
        unlink(temporary);
        return status;
    }
    return STATUS_OK;
}

enum status directory_sync_of(const char *path, struct fault *fault)
{
    return sync_directory_of(path) ? STATUS_OK : system_fault(fault, path, "sync the directory of");
}

enum status directory_make(const char *path, mode_t mode, struct fault *fault)
{
    char partial[FILE_PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return fault_set(fault, STATUS_INVALID, "'%.80s': not a usable directory path", path);
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        char rest = partial[i];
        partial[i] = '\0';
        bool last = rest == '\0';
        if (mkdir(partial, last ? mode : 0755) != 0 && errno != EEXIST)
            return system_fault(fault, partial, "make the directory");
        partial[i] = rest;
    }
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return fault_set(fault, STATUS_IO, "%s: is not a directory", path);
    return STATUS_OK;
}

enum status path_join(char path[static FILE_PATH_MAX], const char *directory, const char *name,
                      struct fault *fault)
{
    if (snprintf(path, FILE_PATH_MAX, "%s/%s", directory, name) >= FILE_PATH_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "%.80s...: the path is too long", directory);
    return STATUS_OK;
}
