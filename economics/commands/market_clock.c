#include "economics/commands/market_clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double clock_wall_seconds(void *context)
{
    (void)context;
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_cpu_seconds(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void progress_say(const char *format, ...)
{
    if (isatty(STDERR_FILENO) == 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, arguments);
    fputs(" ...", stderr);
    fflush(stderr);
    va_end(arguments);
}

void progress_clear(void)
{
    if (isatty(STDERR_FILENO) != 0)
        fputs("\r\033[K", stderr);
}

uint64_t option_whole(const char *text, const char *name, uint64_t most, struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    unsigned long long const number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > most)
        argp_error(state, "--%s: '%s' is not a whole number of 0 to %llu", name, text,
                   (unsigned long long)most);
    return number;
}
