/*
 * Observations: what one run saw, as bytes that go into the journal as they are.
 *
 * Encoding, little-endian: metric u16, lengths of series and subject u8 each, both texts, the value
 * as the bits of a double; a number that isn't finite is stored as NaN and means "missing".
 *
 * Ownership: the buffer is the struct's; texts of a read observation borrow from the bytes. Thread
 * rule: one thread per struct. Complexity: amortised O(bytes).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_OBSERVATIONS_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_OBSERVATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct observations {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint32_t count;
    enum status status; /* the first trouble */
};

/* One observation, read. */
struct observation {
    uint16_t metric;
    char series[48]; /* EXPERIMENT_LABEL_MAX and its end */
    char subject[48];
    double value; /* NaN: missing */
};

void observations_init(struct observations *observations);
void observations_fini(struct observations *observations);
void observations_clear(struct observations *observations);

/* Trouble (memory, a label too long, too many) sticks in status. */
void observations_put(struct observations *observations, uint16_t metric, const char *series,
                      const char *subject, double value);

/* The observation at *at, which moves on. CORRUPT where the bytes aren't one. */
MUST_USE enum status observations_next(const uint8_t *bytes, size_t size, size_t *at,
                                       struct observation *observation);

#endif
