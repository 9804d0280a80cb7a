/* Faults: which there are, when they strike, and their end. */
#include "tests/sim/faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/memory.h"

#define NEVER_MS INT64_MAX

enum { BLOWS_EVERY_MS = 5000 };

/* Its name, and in how many seeds of 64 it is. */
static const struct {
    const char *name;
    uint32_t of_64;
} kinds_of_fault[FAULT_KIND_COUNT] = {
    [FAULT_SLOW] = {"slow", 32},           [FAULT_LOSS] = {"loss", 32},
    [FAULT_REPEAT] = {"repeat", 32},       [FAULT_PARTITION] = {"partition", 24},
    [FAULT_SKEW] = {"skew", 32},           [FAULT_KILL_BROKER] = {"kill-broker", 32},
    [FAULT_KILL_PEER] = {"kill-peer", 32}, [FAULT_REBOOT] = {"reboot", 20},
    [FAULT_EXECUTOR] = {"executor", 20},   [FAULT_CANCEL] = {"cancel", 20},
    [FAULT_LIAR] = {"liar", 10},           [FAULT_SILENT] = {"silent", 8},
    [FAULT_DISK] = {"disk", 24},           [FAULT_MEMORY] = {"memory", 24},
    [FAULT_ASTRAY] = {"astray", 12},       [FAULT_BLACK_HOLE] = {"black-hole", 12},
    [FAULT_SUSPEND] = {"suspend", 16},     [FAULT_REVOKE] = {"revoke", 8},
    [FAULT_JOIN] = {"join", 12},           [FAULT_OLD_BROKER] = {"old-broker", 0},
    [FAULT_OLD_PEER] = {"old-peer", 0},
};

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds_of_fault[kind].name;
}

/* One of those that there are. */
static enum fault_kind some_kind(struct faults *faults)
{
    uint32_t of = (uint32_t)__builtin_popcount(faults->kinds);
    uint64_t which = of > 0 ? fault_draw(faults, of) : 0;
    for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++)
        if (fault_has(faults, (enum fault_kind)k) && which-- == 0)
            return (enum fault_kind)k;
    return FAULT_KIND_COUNT;
}

static void each_step(void *context)
{
    struct faults *faults = context;
    int64_t now_ms = world_now_ms(faults->world);
    faults_follow(faults);
    if (faults->over || now_ms < faults->next_ms)
        return;
    faults->next_ms = now_ms + (int64_t)fault_draw(faults, BLOWS_EVERY_MS);
    faults_strike(faults, some_kind(faults));
}

/* --- from first to last */

static uint32_t draw_kinds(struct faults *faults)
{
    uint32_t kinds = 0;
    for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++)
        if (fault_draw(faults, 64) < kinds_of_fault[k].of_64)
            kinds |= 1u << k;
    return kinds;
}

static struct world_peer *some_founder(struct faults *faults)
{
    return &faults->world->peers[fault_draw(faults, faults->world->peer_count)];
}

static void make_silent(struct faults *faults)
{
    struct world *world = faults->world;
    uint32_t who = (uint32_t)(some_founder(faults) - world->peers);
    dprintf(world->trace_fd, "*** %s will fall silent\n", world->peers[who].config.member.text);
    faults->silent = who;
    faults->silent_from_ms = 10000 + (int64_t)fault_draw(faults, 20000);
}

void faults_start(struct faults *faults, struct world *world, uint32_t kinds)
{
    memset(faults, 0, sizeof *faults);
    faults->world = world;
    rng_init(&faults->rng, world->seed, 3);
    faults->kinds = draw_kinds(faults);
    if (kinds != FAULTS_AS_SEED_SAYS)
        faults->kinds = kinds;
    faults->loss_ppm = 1000 + (uint32_t)fault_draw(faults, 30000);
    faults->silent_from_ms = NEVER_MS;
    faults_make_weather(faults);
    world->each_step = each_step;
    world->step_context = faults;
    for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++)
        if (fault_has(faults, (enum fault_kind)k))
            dprintf(world->trace_fd, "*** fault: %s\n", kinds_of_fault[k].name);
    if (fault_has(faults, FAULT_LIAR))
        some_founder(faults)->clock_percent = 150;
    if (fault_has(faults, FAULT_SILENT))
        make_silent(faults);
}

void faults_stop(struct faults *faults)
{
    struct world *world = faults->world;
    dprintf(world->trace_fd, "*** faults stop\n");
    faults->over = true;
    sim_memory_fail(0, 0);
    memset(faults->cut_until_ms, 0, sizeof faults->cut_until_ms);
    memset(faults->full_until_ms, 0, sizeof faults->full_until_ms);
    memset(faults->peer_up_ms, 0, sizeof faults->peer_up_ms);
    faults->broker_up_ms = 0;
    world->broker.disk.dies_in = 0;
    for (uint32_t p = 0; p < world->peer_count; p++) {
        struct world_peer *peer = &world->peers[p];
        peer->disk.dies_in = 0;
        peer->devices.start_fails_ppm = 0;
        peer->devices.black_hole = false;
        if (faults->astray[p])
            peer->clock.now_wall_ms = world->time.now_wall_ms;
        faults->astray[p] = false;
    }
    faults_follow(faults);
}

bool faults_silence(const struct faults *faults)
{
    return fault_has(faults, FAULT_SILENT) && !faults->silence_over;
}

void faults_end_silence(struct faults *faults)
{
    dprintf(faults->world->trace_fd, "*** the silent member is back\n");
    faults->silence_over = true;
}

bool faults_take_days(const struct faults *faults)
{
    static const uint32_t slow = 1u << FAULT_LIAR | 1u << FAULT_SILENT | 1u << FAULT_REVOKE |
                                 1u << FAULT_OLD_BROKER | 1u << FAULT_OLD_PEER | 1u << FAULT_ASTRAY;
    return (faults->kinds & slow) != 0;
}
