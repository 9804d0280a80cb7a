/*
 * Units: money and prices as integers wrapped in one-field structs, so that the compiler keeps them
 * apart.
 *
 * struct credits: an amount, in micro-credits (1e-6 credit). struct price: a rate, in nano-credits
 * (1e-9 credit) per GPU-second. Sums are checked: an overflow is reported, never wrapped. Only
 * economics/ works in doubles; market/rents there crosses to whole nano-credits, and from there on
 * all money is integers. Thread rule: pure functions. Complexity: O(1).
 */
#ifndef ENTENTE_BASE_UNITS_H
#define ENTENTE_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    MICROS_PER_CREDIT = 1000000,
    NANOS_PER_CREDIT = 1000000000,
    MS_PER_SECOND = 1000,
    CREDITS_TEXT_MAX = 32
};

struct credits {
    int64_t micros;
};

struct price {
    int64_t nanos; /* nano-credits per GPU-second */
};

/* *sum = a + b; false (and *sum untouched) on overflow. */
MUST_USE bool credits_add(struct credits a, struct credits b, struct credits *sum);
MUST_USE bool credits_subtract(struct credits a, struct credits b, struct credits *difference);

/* price × GPUs × milliseconds, rounded half away from zero; false on overflow. All three must be >=
 * 0. */
MUST_USE bool price_amount(struct price price, int64_t gpus, int64_t held_ms,
                           struct credits *amount);

/* "12.345678", "-0.000001": exact, at most CREDITS_TEXT_MAX bytes with the terminator. Returns
 * text. */
const char *credits_format(struct credits amount, char text[static CREDITS_TEXT_MAX]);

/* Reads what credits_format writes, and fewer decimals; false where it isn't a number or has over
 * six decimals. */
MUST_USE bool credits_parse(const char *text, struct credits *amount);

/* From a finite double in credits, rounded to nearest; false where not finite or out of range. For
 * configuration files. */
MUST_USE bool credits_from_double(double credits, struct credits *amount);
MUST_USE bool price_from_double(double credits_per_gpu_second, struct price *price);
double credits_to_double(struct credits amount);
double price_to_double(struct price price);

#endif
