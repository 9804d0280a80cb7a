/*
 * File: whole files, read under a bound and written so that a crash leaves the old or the new one,
 * never half of either.
 *
 * Faults name the path and the system's reason. Thread rule: any thread. Complexity: O(bytes).
 */
#ifndef ENTENTE_BASE_FILE_H
#define ENTENTE_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/domain/bytes.h"
#include "base/fault.h"

enum { FILE_PATH_MAX = 4096 };

/* The whole file, with a terminating NUL behind it that size does not count. NOT_FOUND, EXHAUSTED
 * (over max), IO. */
MUST_USE enum status file_read(const char *path, size_t bytes_max, struct arena *arena,
                               struct bytes *bytes, struct fault *fault);

/* Writes a temporary file beside it, syncs, renames, syncs the directory. mode as for open(2), not
 * widened by umask. */
MUST_USE enum status file_write(const char *path, struct bytes bytes, mode_t mode,
                                struct fault *fault);

/* Makes a name in the directory of path (made, renamed, removed) survive power loss. */
MUST_USE enum status directory_sync_of(const char *path, struct fault *fault);

/* Makes the directory and its parents where missing; the last one gets mode. OK where it is there.
 */
MUST_USE enum status directory_make(const char *path, mode_t mode, struct fault *fault);

/* path = directory/name; EXHAUSTED where too long. */
MUST_USE enum status path_join(char path[static FILE_PATH_MAX], const char *directory,
                               const char *name, struct fault *fault);

#endif
