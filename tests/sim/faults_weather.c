/* Faults, weather: how long messages take, which are lost, which come twice. */
#include "tests/sim/faults.h"

/* 0: the broker, and the operator beside it. */
static uint32_t index_of(const struct world *world, const struct name *name)
{
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (name_equal(&world->peers[p].config.member, name))
            return p + 1;
    return 0;
}

static bool silenced(const struct faults *faults, uint32_t index)
{
    return !faults->silence_over && index == faults->silent + 1 &&
           world_now_ms(faults->world) >= faults->silent_from_ms;
}

static int64_t delay_ms(void *context, const struct name *from, const struct name *to)
{
    struct faults *faults = context;
    uint32_t a = index_of(faults->world, from), b = index_of(faults->world, to);
    if (faults->cut_until_ms[a][b] > world_now_ms(faults->world) || silenced(faults, a) ||
        silenced(faults, b))
        return -1;
    if (faults->over)
        return (int64_t)fault_draw(faults, 3);
    if (fault_has(faults, FAULT_LOSS) && fault_chance(faults, faults->loss_ppm))
        return -1;
    if (!fault_has(faults, FAULT_SLOW))
        return (int64_t)fault_draw(faults, 5);
    return (int64_t)(fault_chance(faults, 20000) ? fault_draw(faults, 12000)
                                                 : fault_draw(faults, 150));
}

static int64_t repeat_ms(void *context, const struct name *from, const struct name *to)
{
    struct faults *faults = context;
    (void)from;
    (void)to;
    if (faults->over || !fault_has(faults, FAULT_REPEAT) || !fault_chance(faults, 50000))
        return -1;
    return (int64_t)(fault_chance(faults, 200000) ? fault_draw(faults, 8000)
                                                  : fault_draw(faults, 100));
}

void faults_make_weather(struct faults *faults)
{
    faults->weather = (struct sim_weather){delay_ms, repeat_ms, faults};
    faults->world->network.weather = &faults->weather;
}
