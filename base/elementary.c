#include "base/elementary.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts: multiples of the first by small integers are exact. */
static const double ln2_high = 0x1.62e42feep-1;
static const double ln2_low = 0x1.a39ef35793c76p-33;

enum { EXP_TERMS = 14, LOG_TERMS = 11, ATAN_TERMS = 12, ATAN_HALVINGS = 3 };

/* x = k ln 2 + r with |r| <= ln 2 / 2; Taylor of r by Horner; the error of 14 terms is under
 * (0.35)^15 / 15! = 1e-19. */
double elementary_exp(double x)
{
    if (isnan(x))
        return x;
    if (x > 709.782712893384)
        return HUGE_VAL;
    if (x < -745.2)
        return 0;
    double k = floor(x / (ln2_high + ln2_low) + 0.5);
    double r = (x - k * ln2_high) - k * ln2_low;
    double sum = 1;
    for (int term = EXP_TERMS; term >= 1; term--)
        sum = 1 + r * sum / term;
    return ldexp(sum, (int)k);
}

/* x = 2^k m with m in [√½, √2); log m = 2 artanh s, s = (m - 1)/(m + 1), |s| <= 0.172. */
double elementary_log(double x)
{
    if (isnan(x) || x < 0)
        return (double)NAN;
    if (x <= 0)
        return -HUGE_VAL;
    if (isinf(x))
        return x;
    int k;
    double m = frexp(x, &k);
    if (m < 0.70710678118654752) {
        m *= 2;
        k--;
    }
    double s = (m - 1) / (m + 1);
    double square = s * s;
    double tail = 0;
    for (int term = LOG_TERMS; term >= 1; term--)
        tail = square * (1.0 / (2 * term + 1) + tail);
    return k * ln2_high + (2 * s + (2 * s * tail + k * ln2_low));
}

double elementary_pow(double x, double y)
{
    return elementary_exp(y * elementary_log(x));
}

/* atan x = 2 atan(x / (1 + √(1 + x²))), thrice, then the series at |x| <= 0.2. */
double elementary_atan(double x)
{
    static const double half_pi = 0x1.921fb54442d18p+0;
    if (isnan(x))
        return x;
    if (fabs(x) > 1e17)
        return x > 0 ? half_pi : -half_pi;
    for (int halving = 0; halving < ATAN_HALVINGS; halving++)
        x = x / (1 + sqrt(1 + x * x));
    double square = x * x;
    double sum = 0;
    for (int term = ATAN_TERMS; term >= 0; term--)
        sum = 1.0 / (2 * term + 1) - square * sum;
    return (1 << ATAN_HALVINGS) * x * sum;
}
