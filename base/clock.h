/*
 * Clock: time, passed in, so that a test or an experiment can run years in a second.
 *
 * wall: milliseconds since 1970 UTC, may jump; bounds acceptance and dates entries, never measures
 * a duration. boot: milliseconds of CLOCK_BOOTTIME, never jumps, goes on in suspend; every duration
 * and time-out is measured on it. Thread rule: clock_real() from any thread; a simulated clock from
 * one. Complexity: O(1).
 */
#ifndef ENTENTE_BASE_CLOCK_H
#define ENTENTE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *clock);
    int64_t (*boot_ms)(const struct clock *clock);
};

/* The machine's clocks. A constant; nothing to free. */
const struct clock *clock_real(void);

static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock);
}

static inline int64_t clock_boot_ms(const struct clock *clock)
{
    return clock->boot_ms(clock);
}

/* A clock that moves only when told. Members are set freely; `clock` must stay first. */
struct clock_simulated {
    struct clock clock;
    int64_t now_wall_ms;
    int64_t now_boot_ms;
};

void clock_simulated_init(struct clock_simulated *simulated, int64_t wall_ms);
void clock_simulated_advance(struct clock_simulated *simulated, int64_t by_ms);

enum { CLOCK_TEXT_MAX = 32 };

/* "2026-11-23T04:05:06Z" in UTC. Returns text. */
const char *clock_format_wall(int64_t wall_ms, char text[static CLOCK_TEXT_MAX]);

/* "250ms", "12s", "4m12s", "3h05m", "2d04h": the two largest units; "-" before what is below 0.
 * Returns text. */
const char *clock_format_duration(int64_t duration_ms, char text[static CLOCK_TEXT_MAX]);

/* Reads "2026-11-23", "2026-11-23T04:05:06Z"; -1 where it is neither. */
int64_t clock_parse_wall(const char *text);

/* "90s", "15m", "1h", "30d", "250ms" to milliseconds; -1 where it isn't a duration or is over ten
 * years. */
int64_t clock_parse_duration(const char *text);

#endif
