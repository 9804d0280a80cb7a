/*
 * Epoch: when rounds run and when their leases end (ARCHITECTURE: rounds and time).
 *
 * Ends are aligned: E_k = k × period in broker time, which is the wall clock of the daemon's start
 * carried on by the boot clock, so that a jump of the wall clock moves no lease's end. A full round
 * runs a lead before each E_k; a round at any moment gives leases up to the first end whose full
 * round is still to come. Thread rule: pure. Complexity: O(1).
 */
#ifndef ENTENTE_BROKER_LEASE_EPOCH_H
#define ENTENTE_BROKER_LEASE_EPOCH_H

#include "base/clock.h"

/* Broker time: wall milliseconds that never jump. */
struct broker_time {
    const struct clock *clock;
    int64_t wall_ms; /* at the start */
    int64_t boot_ms;
};

void broker_time_init(struct broker_time *time, const struct clock *clock);
int64_t broker_time_now_ms(const struct broker_time *time);

/* Where the leases of a round at now_ms end: the first E_k with E_k − lead > now. */
int64_t epoch_lease_end_ms(int64_t now_ms, int64_t round_ms, int64_t lead_ms);

/* When the next full round runs; always after now_ms. */
int64_t epoch_next_full_ms(int64_t now_ms, int64_t round_ms, int64_t lead_ms);

#endif
