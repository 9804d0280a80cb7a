#include "tests/fuzz/input_file.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const char *input_file(int which, const uint8_t *data, size_t size,
                       char path[static INPUT_PATH_MAX])
{
    static int fds[INPUT_FILES_MAX]; /* 0 until made: never standard input's */
    assert(which >= 0 && which < INPUT_FILES_MAX);
    if (fds[which] == 0)
        fds[which] = memfd_create("input", MFD_CLOEXEC);
    assert(fds[which] > 0);
    int emptied = ftruncate(fds[which], 0);
    ssize_t written = pwrite(fds[which], data, size, 0);
    assert(emptied == 0 && written == (ssize_t)size);
    snprintf(path, INPUT_PATH_MAX, "/proc/self/fd/%d", fds[which]);
    return path;
}
