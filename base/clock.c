#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_wall_ms(const struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

static int64_t real_boot_ms(const struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_BOOTTIME);
}

const struct clock *clock_real(void)
{
    static const struct clock real = {.wall_ms = real_wall_ms, .boot_ms = real_boot_ms};
    return &real;
}

static int64_t simulated_wall_ms(const struct clock *clock)
{
    return ((const struct clock_simulated *)clock)->now_wall_ms;
}

static int64_t simulated_boot_ms(const struct clock *clock)
{
    return ((const struct clock_simulated *)clock)->now_boot_ms;
}

void clock_simulated_init(struct clock_simulated *simulated, int64_t wall_ms)
{
    *simulated = (struct clock_simulated){
        .clock = {.wall_ms = simulated_wall_ms, .boot_ms = simulated_boot_ms},
        .now_wall_ms = wall_ms,
    };
}

void clock_simulated_advance(struct clock_simulated *simulated, int64_t by_ms)
{
    simulated->now_wall_ms += by_ms;
    simulated->now_boot_ms += by_ms;
}

const char *clock_format_wall(int64_t wall_ms, char text[static CLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(text, CLOCK_TEXT_MAX, "(no date)");
    return text;
}

const char *clock_format_duration(int64_t duration_ms, char text[static CLOCK_TEXT_MAX])
{
    const char *sign = duration_ms < 0 ? "-" : "";
    uint64_t ms = duration_ms < 0 ? 0 - (uint64_t)duration_ms : (uint64_t)duration_ms;
    uint64_t seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60;
    if (ms < 1000)
        snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 "ms", sign, ms);
    else if (minutes == 0)
        snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 "s", sign, seconds);
    else if (hours == 0)
        snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 "m%02" PRIu64 "s", sign, minutes, seconds % 60);
    else if (hours < 24)
        snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 "h%02" PRIu64 "m", sign, hours, minutes % 60);
    else
        snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 "d%02" PRIu64 "h", sign, hours / 24,
                 hours % 24);
    return text;
}

int64_t clock_parse_wall(const char *text)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);
        if (end != NULL && *end == '\0')
            return (int64_t)timegm(&utc) * 1000;
    }
    return -1;
}

int64_t clock_parse_duration(const char *text)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t const ten_years_ms = (int64_t)3650 * 86400000;
    int64_t count = 0;
    const char *cursor = text;
    for (; *cursor >= '0' && *cursor <= '9'; cursor++) {
        count = count * 10 + (*cursor - '0');
        if (count > ten_years_ms)
            return -1;
    }
    if (cursor == text)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(cursor, units[i].suffix) == 0)
            return count <= ten_years_ms / units[i].ms ? count * units[i].ms : -1;
    return -1;
}
