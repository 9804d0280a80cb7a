#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};

/* Control characters in remote text must not forge a second line. */
static void flatten(char *line, int length)
{
    for (int i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (log == NULL || log->fd < 0 || level > log->level)
        return;
    char line[LOG_LINE_MAX];
    char date[CLOCK_TEXT_MAX];
    int length = snprintf(line, sizeof line,
                          "%s %s %s: ", clock_format_wall(clock_wall_ms(log->clock), date),
                          level_names[level], log->component);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    if (length > LOG_LINE_MAX - 2)
        length = LOG_LINE_MAX - 2;
    flatten(line, length);
    line[length] = '\n';
    ssize_t ignored = write(log->fd, line, (size_t)length + 1);
    (void)ignored;
}
