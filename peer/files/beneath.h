/*
 * Beneath: opening what a relative path names without ever leaving its directory.
 *
 * Job owners and other members choose these paths, and jobs can put symbolic links into their own
 * directories; so each part is opened from its parent with O_NOFOLLOW, and nothing a job plants can
 * lead a daemon elsewhere. Errors: INVALID where a part is a link or not a directory, NOT_FOUND,
 * IO. Ownership: the caller closes descriptors (all are close-on-exec). Thread rule: any thread.
 * Complexity: O(parts).
 */
#ifndef ENTENTE_PEER_FILES_BENEATH_H
#define ENTENTE_PEER_FILES_BENEATH_H

#include <stdbool.h>

#include "base/fault.h"

enum beneath_make { BENEATH_EXISTING, BENEATH_MAKE_DIRECTORIES };

/* The directory that holds the last part of path; *last points at that part within path. path
 * passes bundle_path_valid. */
MUST_USE enum status beneath_open_parent(int directory, const char *path, enum beneath_make make,
                                         int *parent, const char **last, struct fault *fault);

/* What path names, for reading: a regular file or a directory, never blocking on a pipe. */
MUST_USE enum status beneath_open(int directory, const char *path, int *fd, struct fault *fault);

#endif
