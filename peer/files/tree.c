#include "peer/files/tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_DIRECTORIES_MAX = 16 };

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

enum status tree_remove(const char *path, struct fault *fault)
{
    /* Most are empty, or not there, and a walk costs more than that. */
    if (rmdir(path) == 0 || errno == ENOENT)
        return STATUS_OK;
    if (nftw(path, remove_one, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return STATUS_OK;
    return fault_set(fault, STATUS_IO, "%s: can't be removed: %s", path, strerror(errno));
}
