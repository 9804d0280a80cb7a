/*
 * gRPC's log: its errors in the shape of our lines, on standard error.
 *
 * Why a handshake was refused is told nowhere else (the caller sees "Socket closed"), so daemons
 * want these lines; a command line, which opens its loop without a log, wants none but what gRPC
 * says before it aborts. gRPC keeps the function for the whole process: the newest loop decides.
 */
#include "proto/rpc/loop_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grpc/support/log.h>

static void write_line(gpr_log_func_args *arguments)
{
    const struct log log = {
        .fd = STDERR_FILENO,
        .level = LOG_LEVEL_DEBUG,
        .clock = clock_real(),
        .component = "grpc",
    };
    const char *slash = strrchr(arguments->file, '/');
    log_write(&log,
              arguments->severity == GPR_LOG_SEVERITY_ERROR ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
              "%s (%s:%d)", arguments->message, slash != NULL ? slash + 1 : arguments->file,
              arguments->line);
}

static void write_last_words(gpr_log_func_args *arguments)
{
    if (strncmp(arguments->message, "assertion failed", strlen("assertion failed")) == 0)
        write_line(arguments);
}

void rpc_grpc_log_open(const struct log *log)
{
    bool asked = getenv("GRPC_VERBOSITY") != NULL; /* gRPC's own switch, for finding faults */
    bool quiet = !asked && (log == NULL || log->fd < 0 || log->level < LOG_LEVEL_WARNING);
    gpr_set_log_function(quiet ? write_last_words : write_line);
}
