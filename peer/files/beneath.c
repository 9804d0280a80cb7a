#include "peer/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/chunks.h"

static enum status refuse(const char *path, int error, struct fault *fault)
{
    if (error == ENOENT)
        return fault_set(fault, STATUS_NOT_FOUND, "file '%s' isn't there", path);
    if (error == ELOOP || error == ENOTDIR)
        return fault_set(fault, STATUS_INVALID,
                         "file '%s' leads through a symbolic link or a file: give its real place",
                         path);
    return fault_set(fault, STATUS_IO, "file '%s': %s", path, strerror(error));
}

/* One step down, into the part of path that is length bytes long. */
static int open_part(int parent, const char *part, size_t length, enum beneath_make make)
{
    char name[PATH_BYTES_MAX + 1];
    memcpy(name, part, length);
    name[length] = '\0';
    if (make == BENEATH_MAKE_DIRECTORIES && mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum status beneath_open_parent(int directory, const char *path, enum beneath_make make,
                                int *parent, const char **last, struct fault *fault)
{
    if (!bundle_path_valid(path))
        return fault_set(fault, STATUS_INVALID,
                         "file '%s': a path must be relative, without '.', '..' or empty parts",
                         path);
    int at = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    const char *part = path;
    for (const char *slash; at >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        int next = open_part(at, part, (size_t)(slash - part), make);
        int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    if (at < 0)
        return refuse(path, errno, fault);
    *parent = at;
    *last = part;
    return STATUS_OK;
}

enum status beneath_open(int directory, const char *path, int *fd, struct fault *fault)
{
    int parent;
    const char *last;
    enum status status =
        beneath_open_parent(directory, path, BENEATH_EXISTING, &parent, &last, fault);
    if (status != STATUS_OK)
        return status;
    int opened = openat(parent, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = errno;
    close(parent);
    if (opened < 0)
        return refuse(path, error, fault);
    struct stat about;
    if (fstat(opened, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))) {
        close(opened);
        return fault_set(fault, STATUS_INVALID, "'%s' is neither a file nor a directory", path);
    }
    *fd = opened;
    return STATUS_OK;
}
