#include "tests/sim/disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, SECTOR_BYTES = 512, NEW_NAME_BYTES = 4096 };

static struct sim_disk *disks;
static unsigned temporary_number;

void sim_disk_add(struct sim_disk *disk)
{
    disk->next = disks;
    disks = disk;
}

void sim_disk_remove_all(void)
{
    disks = NULL;
}

/* --- whose file it is */

static bool all_is_well(void)
{
    for (const struct sim_disk *disk = disks; disk != NULL; disk = disk->next)
        if (disk->full || disk->dead || disk->dies_in > 0)
            return false;
    return true;
}

static struct sim_disk *disk_of_path(const char *path)
{
    for (struct sim_disk *disk = disks; disk != NULL; disk = disk->next) {
        size_t length = strlen(disk->directory);
        if (strncmp(path, disk->directory, length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return disk;
    }
    return NULL;
}

static struct sim_disk *disk_of_fd(int fd)
{
    char link[64], path[PATH_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return NULL;
    path[length] = '\0';
    return disk_of_path(path);
}

static struct sim_disk *disk_at(int directory, const char *path)
{
    return directory == AT_FDCWD || path[0] == '/' ? disk_of_path(path) : disk_of_fd(directory);
}

/* --- may it change? */

/* Does the process die with this change, or was it dead before? *torn: after a part of it. */
static bool is_dead(struct sim_disk *disk, bool *torn)
{
    *torn = false;
    if (disk->dead)
        return true;
    if (disk->dies_in == 0 || --disk->dies_in > 0)
        return false;
    disk->dead = true;
    *torn = disk->dies_torn;
    disk->died(disk->context);
    return true;
}

/* Of so many new bytes, how many fit. */
static int64_t room_for(struct sim_disk *disk, int64_t bytes)
{
    if (!disk->full || bytes <= 0)
        return bytes;
    int64_t fits = bytes < disk->room_bytes ? bytes : disk->room_bytes;
    disk->room_bytes -= fits;
    disk->refused += fits < bytes;
    return fits;
}

/* A change of names, which needs so much room (0: none). False, and errno: it may not be. */
static bool may_change(struct sim_disk *disk, int64_t bytes)
{
    bool torn = false;
    if (disk == NULL)
        return true;
    if (is_dead(disk, &torn)) {
        errno = EIO;
        return false;
    }
    if (room_for(disk, bytes) < bytes) {
        errno = ENOSPC;
        return false;
    }
    return true;
}

static bool may_change_at(int directory, const char *path, int64_t bytes)
{
    return all_is_well() || may_change(disk_at(directory, path), bytes);
}

/* How many of the bytes at this place may be written; -1, and errno: none. */
static ssize_t writable(int fd, size_t size, off_t at)
{
    struct stat about;
    bool torn = false;
    struct sim_disk *disk = all_is_well() ? NULL : disk_of_fd(fd);
    if (disk == NULL)
        return (ssize_t)size;
    if (is_dead(disk, &torn)) {
        errno = EIO;
        size_t part = size / 2 / SECTOR_BYTES * SECTOR_BYTES;
        return torn && part > 0 ? (ssize_t)part : -1;
    }
    if (fstat(fd, &about) != 0)
        return -1;
    int64_t end = (int64_t)at + (int64_t)size;
    int64_t grows = end > about.st_size ? end - about.st_size : 0;
    int64_t lacks = grows - room_for(disk, grows);
    if (lacks >= (int64_t)size && size > 0) {
        errno = ENOSPC;
        return -1;
    }
    return (ssize_t)((int64_t)size - lacks);
}

/* --- what this program has instead of the C library's */

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    bool makes = (flags & O_CREAT) != 0 && faccessat(directory, path, F_OK, 0) != 0;
    if ((makes || (flags & O_TRUNC) != 0) &&
        !may_change_at(directory, path, makes ? NEW_NAME_BYTES : 0))
        return -1;
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(arguments, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(directory, path, flags, mode);
}

int mkostemp(char *template, int flags)
{
    char *digits = template + strlen(template) - 6;
    for (int tries = 0; tries < 1000; tries++) {
        char number[16];
        snprintf(number, sizeof number, "%06u", temporary_number++ % 1000000);
        memcpy(digits, number, 6);
        int fd = open_at(AT_FDCWD, template, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* What a torn write did is on the disk, and nobody is told. */
static ssize_t told(ssize_t may, size_t size, ssize_t done)
{
    if (done >= 0 && may < (ssize_t)size && errno == EIO) {
        errno = EIO;
        return -1;
    }
    return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
    off_t at = all_is_well() ? 0 : lseek(fd, 0, SEEK_CUR);
    errno = 0;
    ssize_t may = writable(fd, size, at);
    return may < 0 ? -1 : told(may, size, syscall(SYS_write, fd, data, (size_t)may));
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t at)
{
    errno = 0;
    ssize_t may = writable(fd, size, at);
    return may < 0 ? -1 : told(may, size, syscall(SYS_pwrite64, fd, data, (size_t)may, at));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return write_at(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return write_at(fd, data, size, at);
}

static bool may_change_fd(int fd)
{
    return all_is_well() || may_change(disk_of_fd(fd), 0);
}

int ftruncate64(int fd, off64_t size)
{
    return may_change_fd(fd) ? (int)syscall(SYS_ftruncate, fd, size) : -1;
}

int fsync(int fd)
{
    return may_change_fd(fd) ? 0 : -1; /* there is no power to fail here */
}

int fdatasync(int fd)
{
    return may_change_fd(fd) ? 0 : -1;
}

int mkdir(const char *path, mode_t mode)
{
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return may_change_at(AT_FDCWD, path, NEW_NAME_BYTES)
               ? (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode)
               : -1;
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    if (faccessat(directory, path, F_OK, 0) == 0) {
        errno = EEXIST;
        return -1;
    }
    return may_change_at(directory, path, NEW_NAME_BYTES)
               ? (int)syscall(SYS_mkdirat, directory, path, mode)
               : -1;
}

int rename(const char *from, const char *to)
{
    return may_change_at(AT_FDCWD, to, 0) ? (int)syscall(SYS_rename, from, to) : -1;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return may_change_at(to_directory, to, 0)
               ? (int)syscall(SYS_renameat, from_directory, from, to_directory, to)
               : -1;
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    return may_change_at(to_directory, to, 1)
               ? (int)syscall(SYS_linkat, from_directory, from, to_directory, to, flags)
               : -1;
}

int unlink(const char *path)
{
    return may_change_at(AT_FDCWD, path, 0) ? (int)syscall(SYS_unlink, path) : -1;
}

int remove(const char *path)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return -1;
    return unlinkat(AT_FDCWD, path, S_ISDIR(about.st_mode) ? AT_REMOVEDIR : 0);
}

int unlinkat(int directory, const char *path, int flags)
{
    return may_change_at(directory, path, 0) ? (int)syscall(SYS_unlinkat, directory, path, flags)
                                             : -1;
}

/* What room_check() asks. */
int statvfs(const char *path, struct statvfs *about)
{
    int (*real)(const char *, struct statvfs *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    const struct sim_disk *disk = disk_of_path(path);
    int answer = real(path, about);
    if (answer == 0 && disk != NULL && disk->full)
        about->f_bavail = 0;
    return answer;
}

/* --- locks */

static int control(int fd, int command, void *argument)
{
    if (command == F_SETLK)
        return 0;
    if (command == F_GETLK) {
        ((struct flock *)argument)->l_type = F_UNLCK;
        return 0;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control(fd, command, argument);
}
