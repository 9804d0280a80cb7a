#include "economics/experiments/observations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/experiments/experiment.h"

enum { HEAD_BYTES = 4, VALUE_BYTES = 8, FIRST_CAPACITY = 4096 };

_Static_assert(sizeof((struct observation){0}.series) == EXPERIMENT_LABEL_MAX + 1, "label");

void observations_init(struct observations *observations)
{
    *observations = (struct observations){.status = STATUS_OK};
}

void observations_fini(struct observations *observations)
{
    free(observations->bytes);
    observations_init(observations);
}

void observations_clear(struct observations *observations)
{
    observations->size = 0;
    observations->count = 0;
    observations->status = STATUS_OK;
}

static bool make_room(struct observations *observations, size_t more)
{
    size_t needed = observations->size + more;
    if (needed <= observations->capacity)
        return true;
    size_t capacity = observations->capacity > 0 ? observations->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *grown = realloc(observations->bytes, capacity);
    if (grown == NULL)
        return false;
    observations->bytes = grown;
    observations->capacity = capacity;
    return true;
}

static void put_value(uint8_t *to, double value)
{
    uint64_t bits;
    if (!isfinite(value))
        value = (double)NAN;
    memcpy(&bits, &value, sizeof bits);
    for (int byte = 0; byte < VALUE_BYTES; byte++)
        to[byte] = (uint8_t)(bits >> (8 * byte));
}

void observations_put(struct observations *observations, uint16_t metric, const char *series,
                      const char *subject, double value)
{
    size_t series_length = strlen(series);
    size_t subject_length = strlen(subject);
    if (observations->status != STATUS_OK)
        return;
    if (series_length > EXPERIMENT_LABEL_MAX || subject_length > EXPERIMENT_LABEL_MAX) {
        observations->status = STATUS_INVALID;
        return;
    }
    if (observations->count >= EXPERIMENT_OBSERVATIONS_MAX) {
        observations->status = STATUS_EXHAUSTED;
        return;
    }
    if (!make_room(observations, HEAD_BYTES + series_length + subject_length + VALUE_BYTES)) {
        observations->status = STATUS_NO_MEMORY;
        return;
    }
    uint8_t *to = observations->bytes + observations->size;
    to[0] = (uint8_t)metric;
    to[1] = (uint8_t)(metric >> 8);
    to[2] = (uint8_t)series_length;
    to[3] = (uint8_t)subject_length;
    memcpy(to + HEAD_BYTES, series, series_length);
    memcpy(to + HEAD_BYTES + series_length, subject, subject_length);
    put_value(to + HEAD_BYTES + series_length + subject_length, value);
    observations->size += HEAD_BYTES + series_length + subject_length + VALUE_BYTES;
    observations->count++;
}

enum status observations_next(const uint8_t *bytes, size_t size, size_t *at,
                              struct observation *observation)
{
    if (size - *at < HEAD_BYTES)
        return STATUS_CORRUPT;
    const uint8_t *from = bytes + *at;
    size_t series_length = from[2];
    size_t subject_length = from[3];
    size_t length = HEAD_BYTES + series_length + subject_length + VALUE_BYTES;
    if (series_length > EXPERIMENT_LABEL_MAX || subject_length > EXPERIMENT_LABEL_MAX ||
        size - *at < length)
        return STATUS_CORRUPT;
    *observation = (struct observation){.metric = (uint16_t)(from[0] | (from[1] << 8))};
    memcpy(observation->series, from + HEAD_BYTES, series_length);
    memcpy(observation->subject, from + HEAD_BYTES + series_length, subject_length);
    uint64_t bits = 0;
    for (int byte = 0; byte < VALUE_BYTES; byte++)
        bits |= (uint64_t)from[HEAD_BYTES + series_length + subject_length + (size_t)byte]
                << (8 * byte);
    memcpy(&observation->value, &bits, sizeof bits);
    *at += length;
    return STATUS_OK;
}
