#include "base/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char *text, int wanted)
{
    if (wanted >= FAULT_TEXT_MAX)
        memcpy(text + FAULT_TEXT_MAX - 4, "...", 4);
}

enum status fault_set(struct fault *fault, enum status status, const char *format, ...)
{
    assert(status != STATUS_OK);
    if (fault == NULL)
        return status;
    fault->status = status;
    va_list arguments;
    va_start(arguments, format);
    mark_cut(fault->text, vsnprintf(fault->text, sizeof fault->text, format, arguments));
    va_end(arguments);
    return status;
}

enum status fault_prefix(struct fault *fault, enum status status, const char *format, ...)
{
    assert(status != STATUS_OK);
    if (fault == NULL)
        return status;
    char old[FAULT_TEXT_MAX];
    memcpy(old, fault->text, sizeof old);
    char context[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    fault->status = status;
    mark_cut(fault->text, snprintf(fault->text, sizeof fault->text, "%s: %s", context, old));
    return status;
}
