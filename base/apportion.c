#include "base/apportion.h"

#include <assert.h>
#include <stdbool.h>

__extension__ typedef __int128 wide;

/* A unit to each of the `left` largest remainders, found in falling order: no memory is needed. */
static void give_rest(int64_t amount, const int64_t *weights, uint32_t count, wide total,
                      int64_t left, int64_t *parts)
{
    wide last = total; /* no remainder is so large */
    uint32_t last_at = 0;
    for (; left > 0; left--) {
        wide best = 0;
        uint32_t best_at = count;
        for (uint32_t i = 0; i < count; i++) {
            wide const rest = (wide)amount * weights[i] % total;
            bool const taken = rest > last || (rest == last && i <= last_at);
            if (!taken && (best_at == count || rest > best)) {
                best = rest;
                best_at = i;
            }
        }
        assert(best_at < count);
        parts[best_at]++;
        last = best;
        last_at = best_at;
    }
}

void apportion(int64_t amount, const int64_t *weights, uint32_t count, int64_t *parts)
{
    wide total = 0;
    int64_t left = amount;
    assert(amount >= 0);
    for (uint32_t i = 0; i < count; i++) {
        assert(weights[i] >= 0);
        total += weights[i];
    }
    assert(total > 0 || amount == 0);
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = total == 0 ? 0 : (int64_t)((wide)amount * weights[i] / total);
        left -= parts[i];
    }
    /* the floors lack less than one unit each */
    assert(left >= 0 && left <= (int64_t)count);
    give_rest(amount, weights, count, total, left, parts);
}
