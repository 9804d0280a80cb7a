/*
 * Number: doubles as decimal text and back, exact and fast: files of millions of numbers.
 *
 * Guarantee: number_parse() gives the nearest double, as strtod() does; what number_format() writes
 * reads back as the same double. Short numbers take a short way: up to 2^53 times a power of ten up
 * to 10^22 is one correctly rounded operation [Clinger 1990]. Thread rule: pure. Complexity:
 * O(length).
 */
#ifndef ENTENTE_BASE_NUMBER_H
#define ENTENTE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { NUMBER_BYTES_MAX = 400, NUMBER_TEXT_MAX = 32 };

/* Of exactly these bytes, in JSON's grammar. False: no such number, or over NUMBER_BYTES_MAX. One
 * beyond the range of doubles becomes an infinity, which the caller's range refuses. */
MUST_USE bool number_parse(const char *text, size_t length, double *number);

/* A number without point and exponent that fits. */
MUST_USE bool number_parse_integer(const char *text, size_t length, int64_t *number);

/* Finite; returns the length, without the terminator that is written. */
size_t number_format(double number, char text[static NUMBER_TEXT_MAX]);

/* Digits of a whole number; returns their length; no terminator. */
size_t number_format_whole(uint64_t number, char text[static NUMBER_TEXT_MAX]);

#endif
