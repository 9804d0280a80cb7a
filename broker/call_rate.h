/*
 * Call rate: how many calls a member may make, so that none of them starves the others.
 *
 * A bucket a member: it fills with per_second calls each second, holds CALL_RATE_BURST_SECONDS of
 * them, and each call takes one. A member that asks too fast is refused by the quota's name and may
 * try again at once: what it costs the broker is the handshake and a look-up. Ownership: the
 * buckets are call_rates'. Thread rule: the loop's thread. Complexity: O(1) a call, a bucket a
 * member that ever called.
 */
#ifndef ENTENTE_BROKER_CALL_RATE_H
#define ENTENTE_BROKER_CALL_RATE_H

#include "base/clock.h"
#include "base/domain/name.h"
#include "base/fault.h"

enum { CALL_RATE_BURST_SECONDS = 4, CALL_RATE_DEFAULT = 2000, CALL_RATE_MAX = 1000000 };

struct call_bucket;

struct call_rates {
    struct call_bucket *buckets; /* a hash by member; {0} to begin with */
};

/* EXHAUSTED: the member has made more calls than its rate allows. */
MUST_USE enum status call_rate_take(struct call_rates *rates, const struct clock *clock,
                                    const struct name *member, uint32_t per_second,
                                    struct fault *fault);
void call_rates_fini(struct call_rates *rates);

#endif
