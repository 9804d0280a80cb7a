/*
 * Log: one line an event, for the operator: time, level, component, text.
 *
 * Secrets (tokens, keys) are never passed to it. A struct log is passed in; there is no global.
 * Thread rule: any thread; each line is written with one write(2). Complexity: O(length).
 */
#ifndef ENTENTE_BASE_LOG_H
#define ENTENTE_BASE_LOG_H

#include "base/clock.h"
#include "base/status.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_LINE_MAX = 2048 };

struct log {
    int fd; /* -1: nowhere */
    enum log_level level;
    const struct clock *clock;
    const char *component; /* "broker", "peer usc" */
};

/* Nothing is written where log is NULL, its fd is -1, or level is above the log's. */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(log, ...)   log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(log, ...)    log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
