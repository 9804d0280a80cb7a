#include "broker/lease/epoch.h"

#include <assert.h>

void broker_time_init(struct broker_time *time, const struct clock *clock)
{
    *time = (struct broker_time){
        .clock = clock,
        .wall_ms = clock_wall_ms(clock),
        .boot_ms = clock_boot_ms(clock),
    };
}

int64_t broker_time_now_ms(const struct broker_time *time)
{
    return time->wall_ms + clock_boot_ms(time->clock) - time->boot_ms;
}

int64_t epoch_lease_end_ms(int64_t now_ms, int64_t round_ms, int64_t lead_ms)
{
    assert(now_ms >= 0 && round_ms > 0 && lead_ms >= 0 && lead_ms < round_ms);
    return ((now_ms + lead_ms) / round_ms + 1) * round_ms;
}

int64_t epoch_next_full_ms(int64_t now_ms, int64_t round_ms, int64_t lead_ms)
{
    return epoch_lease_end_ms(now_ms, round_ms, lead_ms) - lead_ms;
}
