#include "broker/call_rate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/units.h"

struct call_bucket {
    struct name member; /* the hash key */
    int64_t filled_boot_ms;
    int64_t thousandths; /* of a call */
    UT_hash_handle hh;
};

static struct call_bucket *bucket_of(struct call_rates *rates, const struct name *member,
                                     int64_t full)
{
    struct call_bucket *bucket = NULL;
    HASH_FIND_STR(rates->buckets, member->text, bucket);
    if (bucket != NULL)
        return bucket;
    bucket = calloc(1, sizeof *bucket);
    if (bucket == NULL)
        return NULL;
    bucket->member = *member;
    bucket->thousandths = full;
    HASH_ADD_STR(rates->buckets, member.text, bucket);
    if (HASH_TOOK(bucket))
        return bucket;
    free(bucket);
    return NULL;
}

enum status call_rate_take(struct call_rates *rates, const struct clock *clock,
                           const struct name *member, uint32_t per_second, struct fault *fault)
{
    int64_t const full = (int64_t)per_second * CALL_RATE_BURST_SECONDS * MS_PER_SECOND;
    int64_t now = clock_boot_ms(clock);
    struct call_bucket *bucket = bucket_of(rates, member, full);
    if (bucket == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for member %s's calls", member->text);
    int64_t passed_ms = now - bucket->filled_boot_ms;
    if (passed_ms > CALL_RATE_BURST_SECONDS * MS_PER_SECOND)
        passed_ms = CALL_RATE_BURST_SECONDS * MS_PER_SECOND;
    bucket->thousandths += passed_ms * per_second; /* a call a second is a thousandth a ms */
    if (bucket->thousandths > full)
        bucket->thousandths = full;
    bucket->filled_boot_ms = now;
    if (bucket->thousandths < MS_PER_SECOND)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "member %s makes more than %" PRIu32
                         " calls a second (quotas.calls_per_second); try again later",
                         member->text, per_second);
    bucket->thousandths -= MS_PER_SECOND;
    return STATUS_OK;
}

void call_rates_fini(struct call_rates *rates)
{
    struct call_bucket *bucket = NULL;
    struct call_bucket *next = NULL;
    HASH_ITER(hh, rates->buckets, bucket, next)
    {
        HASH_DEL(rates->buckets, bucket);
        free(bucket);
    }
}
