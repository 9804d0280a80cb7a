#include "base/units.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool credits_add(struct credits a, struct credits b, struct credits *sum)
{
    int64_t micros;
    if (__builtin_add_overflow(a.micros, b.micros, &micros))
        return false;
    sum->micros = micros;
    return true;
}

bool credits_subtract(struct credits a, struct credits b, struct credits *difference)
{
    int64_t micros;
    if (__builtin_sub_overflow(a.micros, b.micros, &micros))
        return false;
    difference->micros = micros;
    return true;
}

/* nanos × gpus × ms is in 1e-12 credits: a million of them make one micro-credit. */
bool price_amount(struct price price, int64_t gpus, int64_t held_ms, struct credits *amount)
{
    assert(price.nanos >= 0 && gpus >= 0 && held_ms >= 0);
    int64_t gpu_ms;
    int64_t picos;
    if (__builtin_mul_overflow(gpus, held_ms, &gpu_ms))
        return false;
    if (!__builtin_mul_overflow(price.nanos, gpu_ms, &picos) && picos <= INT64_MAX - 500000) {
        amount->micros = (picos + 500000) / 1000000;
        return true;
    }
    /* Too large for 64 bits in picos: whole micro-credits of the price first, then the remainder.
     */
    int64_t whole;
    int64_t rest;
    if (__builtin_mul_overflow(price.nanos / 1000000, gpu_ms, &whole))
        return false;
    if (__builtin_mul_overflow(price.nanos % 1000000, gpu_ms, &rest))
        return false;
    return !__builtin_add_overflow(whole, (rest / 1000000) + (rest % 1000000 >= 500000),
                                   &amount->micros);
}

const char *credits_format(struct credits amount, char text[static CREDITS_TEXT_MAX])
{
    uint64_t magnitude = amount.micros < 0 ? 0 - (uint64_t)amount.micros : (uint64_t)amount.micros;
    snprintf(text, CREDITS_TEXT_MAX, "%s%" PRIu64 ".%06" PRIu64, amount.micros < 0 ? "-" : "",
             magnitude / MICROS_PER_CREDIT, magnitude % MICROS_PER_CREDIT);
    return text;
}

static bool parse_digits(const char **cursor, int max_digits, int64_t *value, int *digits)
{
    *value = 0;
    *digits = 0;
    for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++) {
        if (++*digits > max_digits)
            return false;
        *value = *value * 10 + (**cursor - '0');
    }
    return true;
}

bool credits_parse(const char *text, struct credits *amount)
{
    enum { WHOLE_DIGITS_MAX = 12, DECIMALS_MAX = 6 };
    bool negative = *text == '-';
    const char *cursor = text + (negative ? 1 : 0);
    int64_t whole;
    int64_t fraction = 0;
    int whole_digits;
    int decimals = 0;
    if (!parse_digits(&cursor, WHOLE_DIGITS_MAX, &whole, &whole_digits) || whole_digits == 0)
        return false;
    if (*cursor == '.') {
        cursor++;
        if (!parse_digits(&cursor, DECIMALS_MAX, &fraction, &decimals) || decimals == 0)
            return false;
    }
    if (*cursor != '\0')
        return false;
    for (; decimals < DECIMALS_MAX; decimals++)
        fraction *= 10;
    int64_t micros = whole * MICROS_PER_CREDIT + fraction;
    amount->micros = negative ? -micros : micros;
    return true;
}

static bool scaled(double value, double scale, int64_t *result)
{
    if (!isfinite(value) || fabs(value * scale) >= 9.2e18)
        return false;
    *result = (int64_t)llround(value * scale);
    return true;
}

bool credits_from_double(double credits, struct credits *amount)
{
    return scaled(credits, MICROS_PER_CREDIT, &amount->micros);
}

bool price_from_double(double credits_per_gpu_second, struct price *price)
{
    return scaled(credits_per_gpu_second, NANOS_PER_CREDIT, &price->nanos);
}

double credits_to_double(struct credits amount)
{
    return (double)amount.micros / MICROS_PER_CREDIT;
}

double price_to_double(struct price price)
{
    return (double)price.nanos / NANOS_PER_CREDIT;
}
