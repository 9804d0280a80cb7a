/*
 * Capped log: a job's output, kept up to a limit and no further.
 *
 * Past the limit output is taken and forgotten, and a last line says so: a job must not hang
 * because it talks. A log that is there is continued. Ownership: capped_log_close. Thread rule: one
 * thread. Complexity: O(bytes).
 */
#ifndef ENTENTE_PEER_EXECUTOR_CAPPED_LOG_H
#define ENTENTE_PEER_EXECUTOR_CAPPED_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct capped_log {
    int fd; /* -1: closed */
    uint32_t bytes;
    uint32_t bytes_max; /* with the last line */
};

MUST_USE enum status capped_log_open(struct capped_log *log, const char *path, uint32_t bytes_max,
                                     struct fault *fault);
void capped_log_write(struct capped_log *log, const char *text, size_t size);
void capped_log_close(struct capped_log *log);

#endif
