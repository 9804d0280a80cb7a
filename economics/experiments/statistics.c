#include "economics/experiments/statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/elementary.h"

enum { BISECTIONS_MAX = 200 };

static double compensated_sum(const double *values, uint32_t count)
{
    double sum = 0;
    double lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        double next = sum + values[i];
        lost += fabs(sum) >= fabs(values[i]) ? (sum - next) + values[i] : (values[i] - next) + sum;
        sum = next;
    }
    return sum + lost;
}

static double deviation_of(const double *values, uint32_t count, double mean)
{
    double squares = 0;
    for (uint32_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (count - 1));
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

static void bootstrap(const double *values, uint32_t count, double confidence, double *means,
                      struct summary *summary)
{
    struct rng rng;
    rng_init(&rng, 0x626f6f7473747270u, count);
    for (int sample = 0; sample < STATISTICS_RESAMPLES; sample++) {
        double sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += values[rng_below(&rng, count)];
        means[sample] = sum / count;
    }
    qsort(means, STATISTICS_RESAMPLES, sizeof means[0], by_size);
    int outside = (int)floor((STATISTICS_RESAMPLES + 1) * (1 - confidence) / 2);
    if (outside < 1)
        outside = 1;
    summary->low = means[outside - 1];
    summary->high = means[STATISTICS_RESAMPLES - outside];
}

void statistics_sum_up(const double *values, uint32_t count, enum interval_kind kind,
                       double confidence, double *scratch, struct summary *summary)
{
    assert(count > 0);
    double mean = compensated_sum(values, count) / count;
    *summary = (struct summary){.count = count, .mean = mean, .low = mean, .high = mean};
    if (count < 2)
        return;
    summary->deviation = deviation_of(values, count, mean);
    if (kind == INTERVAL_BOOTSTRAP) {
        bootstrap(values, count, confidence, scratch, summary);
        return;
    }
    double half = statistics_student(confidence, count - 1) * summary->deviation / sqrt(count);
    summary->low = mean - half;
    summary->high = mean + half;
}

/* P(|T| <= t), by the finite series for whole degrees of freedom [Abramowitz & Stegun 26.7.3-4]. */
static double within(double t, uint32_t degrees)
{
    double sine = t / sqrt(degrees + t * t);
    double cosine = sqrt(degrees / (degrees + t * t));
    double square = cosine * cosine;
    bool odd = degrees % 2 == 1;
    double term = odd ? cosine : 1;
    double sum = degrees == 1 ? 0 : term;
    for (uint32_t k = odd ? 3 : 2; k + 2 <= degrees; k += 2) {
        term *= square * (k - 1) / k;
        sum += term;
    }
    if (!odd)
        return sine * sum;
    return 0x1.45f306dc9c883p-1 * (elementary_atan(t / sqrt(degrees)) + sine * sum);
}

/* Above this many degrees the series is long and t changes by less than 1e-4: the next smaller
 * value is used, which makes intervals wider, never narrower. */
enum { DEGREES_MAX = 2000 };

double statistics_student(double confidence, uint32_t degrees)
{
    assert(confidence > 0 && confidence < 1 && degrees > 0);
    if (degrees > DEGREES_MAX)
        degrees = DEGREES_MAX;
    double low = 0;
    double high = 1;
    while (within(high, degrees) < confidence && high < 1e12)
        high *= 2;
    for (int step = 0; step < BISECTIONS_MAX && high - low > 1e-13 * high; step++) {
        double middle = (low + high) / 2;
        if (within(middle, degrees) < confidence)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
