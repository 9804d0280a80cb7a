/*
 * What the market commands share: clocks (economics itself has none), progress on a terminal, whole
 * numbers as options.
 */
#ifndef ENTENTE_ECONOMICS_COMMANDS_MARKET_CLOCK_H
#define ENTENTE_ECONOMICS_COMMANDS_MARKET_CLOCK_H

#include <argp.h>
#include <stdint.h>

#include "base/status.h"

double clock_wall_seconds(void *context); /* monotonic; context is not used */
double clock_cpu_seconds(void);           /* of this process, all threads */

/* On standard error where that is a terminal: a line that the next one replaces. */
void progress_say(const char *format, ...) PRINTF_LIKE(1, 2);
void progress_clear(void);

/* Digits alone, no more than most; else argp's complaint. */
uint64_t option_whole(const char *text, const char *name, uint64_t most, struct argp_state *state);

#endif
