#include "peer/executor/capped_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char full[] = "\n[entente: the log is full; what follows is not kept]\n";

enum status capped_log_open(struct capped_log *log, const char *path, uint32_t bytes_max,
                            struct fault *fault)
{
    assert(bytes_max >= sizeof full);
    struct stat about;
    *log = (struct capped_log){.bytes_max = bytes_max};
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log->fd < 0 || fstat(log->fd, &about) != 0)
        return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    log->bytes = about.st_size < (off_t)bytes_max ? (uint32_t)about.st_size : bytes_max;
    return STATUS_OK;
}

void capped_log_write(struct capped_log *log, const char *text, size_t size)
{
    uint32_t const last = log->bytes_max - (uint32_t)(sizeof full - 1);
    if (log->fd < 0 || log->bytes >= last)
        return;
    if (size > last - log->bytes)
        size = last - log->bytes;
    ssize_t const written = write(log->fd, text, size);
    if (written > 0)
        log->bytes += (uint32_t)written;
    if (log->bytes >= last && write(log->fd, full, sizeof full - 1) > 0)
        log->bytes = log->bytes_max;
}

void capped_log_close(struct capped_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
