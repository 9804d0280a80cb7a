#include "base/status.h"

#include <assert.h>

static const char *const names[STATUS_COUNT] = {
    [STATUS_OK] = "ok",
    [STATUS_INVALID] = "invalid",
    [STATUS_CONFIG] = "configuration",
    [STATUS_NOT_FOUND] = "not found",
    [STATUS_EXISTS] = "exists already",
    [STATUS_DENIED] = "denied",
    [STATUS_UNAUTHENTICATED] = "unauthenticated",
    [STATUS_EXHAUSTED] = "limit reached",
    [STATUS_PRECONDITION] = "not in this state",
    [STATUS_UNAVAILABLE] = "unavailable",
    [STATUS_DEADLINE] = "deadline exceeded",
    [STATUS_CANCELLED] = "cancelled",
    [STATUS_CORRUPT] = "corrupt",
    [STATUS_IO] = "i/o error",
    [STATUS_NO_MEMORY] = "out of memory",
    [STATUS_UNIMPLEMENTED] = "unimplemented",
    [STATUS_INTERNAL] = "internal error",
};

const char *status_name(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return names[status];
}

enum exit_code status_exit_code(enum status status)
{
    if (status == STATUS_OK)
        return EXIT_CODE_OK;
    if (status == STATUS_CONFIG)
        return EXIT_CODE_CONFIG;
    return EXIT_CODE_FAILURE;
}
