#include "peer/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum status state_lock_take(const char *directory, int *fd, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = directory_make(directory, 0700, fault);
    if (status == STATUS_OK)
        status = path_join(path, directory, "lock", fault);
    if (status != STATUS_OK)
        return status;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    close(*fd);
    *fd = -1;
    return fault_set(fault, STATUS_UNAVAILABLE, "another peer runs on %s: stop it first",
                     directory);
}
