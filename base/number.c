#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_POWER_MAX = 22, DECIMALS_TRIED = 9, MANTISSA_DIGITS_MAX = 19, EXPONENT_MAX = 99999 };

#define MANTISSA_MAX UINT64_C(9007199254740992) /* 2^53: whole numbers up to it are doubles */

static const double power_of_ten[EXACT_POWER_MAX + 1] = {
    1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A number taken apart: ± mantissa × 10^exponent. */
struct parts {
    bool negative;
    bool exact; /* all digits are in the mantissa */
    uint64_t mantissa;
    int exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from *at on into the mantissa; those behind the point count down the exponent. */
static bool take_digits(const char *text, size_t length, size_t *at, bool behind_point,
                        struct parts *parts, int *digits)
{
    size_t const first = *at;
    for (; *at < length && is_digit(text[*at]); (*at)++) {
        if (*digits == MANTISSA_DIGITS_MAX)
            parts->exact = false;
        if (!parts->exact)
            continue;
        parts->mantissa = parts->mantissa * 10 + (uint64_t)(text[*at] - '0');
        *digits += parts->mantissa > 0;
        parts->exponent -= behind_point;
    }
    return *at > first;
}

static bool take_exponent(const char *text, size_t length, size_t *at, struct parts *parts)
{
    (*at)++;
    bool const negative = *at < length && text[*at] == '-';
    if (*at < length && (text[*at] == '-' || text[*at] == '+'))
        (*at)++;
    size_t const first = *at;
    int exponent = 0;
    for (; *at < length && is_digit(text[*at]); (*at)++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (text[*at] - '0');
    parts->exponent += negative ? -exponent : exponent;
    return *at > first;
}

static bool take_apart(const char *text, size_t length, struct parts *parts)
{
    size_t at = 0;
    int digits = 0;
    *parts = (struct parts){.exact = true};
    if (length > 0 && text[0] == '-') {
        parts->negative = true;
        at++;
    }
    size_t const whole = at;
    if (!take_digits(text, length, &at, false, parts, &digits))
        return false;
    if (text[whole] == '0' && at > whole + 1)
        return false; /* 007 */
    if (at < length && text[at] == '.') {
        at++;
        if (!take_digits(text, length, &at, true, parts, &digits))
            return false;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E') &&
        !take_exponent(text, length, &at, parts))
        return false;
    return at == length;
}

bool number_parse(const char *text, size_t length, double *number)
{
    struct parts parts;
    if (length > NUMBER_BYTES_MAX || !take_apart(text, length, &parts))
        return false;
    if (parts.exact && parts.mantissa <= MANTISSA_MAX && parts.exponent <= EXACT_POWER_MAX &&
        parts.exponent >= -EXACT_POWER_MAX) {
        double const mantissa = (double)parts.mantissa;
        double const value = parts.exponent < 0 ? mantissa / power_of_ten[-parts.exponent]
                                                : mantissa * power_of_ten[parts.exponent];
        *number = parts.negative ? -value : value;
        return true;
    }
    char copy[NUMBER_BYTES_MAX + 1];
    memcpy(copy, text, length);
    copy[length] = '\0';
    *number = strtod(copy, NULL);
    return true;
}

bool number_parse_integer(const char *text, size_t length, int64_t *number)
{
    struct parts parts;
    if (memchr(text, '.', length) != NULL || !take_apart(text, length, &parts) || !parts.exact ||
        parts.exponent != 0 || memchr(text, 'e', length) != NULL ||
        memchr(text, 'E', length) != NULL || parts.mantissa > INT64_MAX)
        return false;
    *number = parts.negative ? -(int64_t)parts.mantissa : (int64_t)parts.mantissa;
    return true;
}

size_t number_format_whole(uint64_t number, char text[static NUMBER_TEXT_MAX])
{
    char reversed[NUMBER_TEXT_MAX];
    size_t length = 0;
    do {
        reversed[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    return length;
}

/* digits × 10^−decimals, which is the number. */
static size_t write_decimals(uint64_t digits, int decimals, char text[static NUMBER_TEXT_MAX])
{
    uint64_t const power = (uint64_t)power_of_ten[decimals];
    size_t length = number_format_whole(digits / power, text);
    if (decimals == 0)
        return length;
    text[length++] = '.';
    uint64_t rest = digits % power;
    for (int i = decimals - 1; i >= 0; i--) {
        text[length + (size_t)i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    return length + (size_t)decimals;
}

size_t number_format(double number, char text[static NUMBER_TEXT_MAX])
{
    assert(isfinite(number));
    double const size = fabs(number);
    size_t const sign = signbit(number) && size > 0 ? 1 : 0;
    text[0] = '-';
    for (int decimals = 0; decimals <= DECIMALS_TRIED; decimals++) {
        double const digits = size * power_of_ten[decimals];
        if (digits > 1e15)
            break;
        double const rounded = nearbyint(digits);
        if (rounded / power_of_ten[decimals] == size && (rounded > 0 || size == 0)) {
            char unsigned_text[NUMBER_TEXT_MAX];
            size_t const length = write_decimals((uint64_t)rounded, decimals, unsigned_text);
            memcpy(text + sign, unsigned_text, length);
            text[sign + length] = '\0';
            return sign + length;
        }
    }
    for (int precision = 15; precision <= 17; precision++) {
        int const length = snprintf(text, NUMBER_TEXT_MAX, "%.*g", precision, number);
        if (precision == 17 || strtod(text, NULL) == number)
            return (size_t)length;
    }
    return 0;
}
