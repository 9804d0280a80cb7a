#include "tests/sim/faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/commit.h"

#define NEVER_MS INT64_MAX

enum { BLOWS_EVERY_MS = 6000, DOWN_MS_MAX = 20000, CUT_MS_MAX = 15000, SKEW_MS_MAX = 2000 };

static const char *const names[FAULT_KIND_COUNT] = {
    [FAULT_SLOW] = "slow",           [FAULT_LOSS] = "loss",     [FAULT_REPEAT] = "repeat",
    [FAULT_PARTITION] = "partition", [FAULT_SKEW] = "skew",     [FAULT_KILL_BROKER] = "kill-broker",
    [FAULT_KILL_PEER] = "kill-peer", [FAULT_REBOOT] = "reboot", [FAULT_EXECUTOR] = "executor",
    [FAULT_CANCEL] = "cancel",       [FAULT_LIAR] = "liar",     [FAULT_SILENT] = "silent",
};

const char *fault_kind_name(enum fault_kind kind)
{
    return names[kind];
}

static bool has(const struct faults *faults, enum fault_kind kind)
{
    return (faults->kinds >> kind & 1) != 0;
}

static uint64_t draw(struct faults *faults, uint64_t bound)
{
    return rng_below(&faults->rng, bound);
}

static bool chance(struct faults *faults, uint64_t ppm)
{
    return draw(faults, 1000000) < ppm;
}

/* --- weather */

static uint32_t index_of(const struct world *world, const struct name *name)
{
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (name_equal(&world->peers[p].config.member, name))
            return p + 1;
    return 0;
}

/* 0: the broker, which is never silent. */
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
        return (int64_t)draw(faults, 3);
    if (has(faults, FAULT_LOSS) && chance(faults, faults->loss_ppm))
        return -1;
    if (!has(faults, FAULT_SLOW))
        return (int64_t)draw(faults, 5);
    return (int64_t)(chance(faults, 20000) ? draw(faults, 12000) : draw(faults, 150));
}

static int64_t repeat_ms(void *context, const struct name *from, const struct name *to)
{
    struct faults *faults = context;
    (void)from;
    (void)to;
    if (faults->over || !has(faults, FAULT_REPEAT) || !chance(faults, 50000))
        return -1;
    return (int64_t)(chance(faults, 200000) ? draw(faults, 8000) : draw(faults, 100));
}

/* --- blows */

static struct world_peer *some_peer(struct faults *faults)
{
    return &faults->world->peers[draw(faults, faults->world->peer_count)];
}

static void cut(struct faults *faults)
{
    struct world *world = faults->world;
    uint32_t a = (uint32_t)draw(faults, world->peer_count + 1);
    uint32_t b = (uint32_t)draw(faults, world->peer_count + 1);
    int64_t until_ms = world_now_ms(world) + (int64_t)draw(faults, CUT_MS_MAX);
    faults->cut_until_ms[a][b] = until_ms;
    if (chance(faults, 800000)) /* else one way only */
        faults->cut_until_ms[b][a] = until_ms;
    dprintf(world->trace_fd, "*** %" PRIu32 " and %" PRIu32 " are cut until %.2f s\n", a, b,
            (double)until_ms / 1000);
}

static void skew(struct faults *faults, struct world_peer *peer)
{
    int64_t off_ms = (int64_t)draw(faults, 2 * SKEW_MS_MAX) - SKEW_MS_MAX;
    peer->clock.now_wall_ms = faults->world->time.now_wall_ms + off_ms;
}

static int64_t down_until(struct faults *faults)
{
    uint64_t most = chance(faults, 500000) ? DOWN_MS_MAX : 500;
    return world_now_ms(faults->world) + (int64_t)draw(faults, most);
}

static void kill_broker(struct faults *faults)
{
    if (!faults->world->broker.up)
        return;
    world_kill_broker(faults->world);
    sim_commit_disarm();
    faults->broker_up_ms = down_until(faults);
}

/* At any moment, or right at a commit. */
static void strike_broker(struct faults *faults)
{
    if (chance(faults, 400000) || !faults->world->broker.up)
        kill_broker(faults);
    else
        sim_commit_arm(&faults->world->broker.listener, 1 + (uint32_t)draw(faults, 12),
                       chance(faults, 500000));
}

static void kill_peer(struct faults *faults, struct world_peer *peer)
{
    if (peer->peer == NULL)
        return;
    world_kill_peer(peer);
    faults->peer_up_ms[peer - faults->world->peers] = down_until(faults);
}

static void reboot(struct faults *faults, struct world_peer *peer)
{
    if (peer->peer == NULL)
        return;
    kill_peer(faults, peer);
    dprintf(faults->world->trace_fd, "*** its machine restarts\n");
    executor_fake_reboot(&peer->devices.fake);
    peer->clock.now_boot_ms = 1000 + (int64_t)draw(faults, 30000);
}

static void cancel(struct faults *faults)
{
    struct world *world = faults->world;
    if (world->job_count == 0)
        return;
    struct world_job *job = &world->jobs[draw(faults, world->job_count)];
    struct peer *home = world->peers[job->home].peer;
    if (home != NULL && home_cancel(home->home, &job->name, NULL) == STATUS_OK)
        job->cancelled = true;
}

static void strike(struct faults *faults, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_PARTITION: cut(faults); break;
    case FAULT_SKEW: skew(faults, some_peer(faults)); break;
    case FAULT_KILL_BROKER: strike_broker(faults); break;
    case FAULT_KILL_PEER: kill_peer(faults, some_peer(faults)); break;
    case FAULT_REBOOT: reboot(faults, some_peer(faults)); break;
    case FAULT_CANCEL: cancel(faults); break;
    case FAULT_EXECUTOR:
        some_peer(faults)->devices.start_fails_ppm = (uint32_t)draw(faults, 2) * 500000;
        break;
    case FAULT_SLOW:
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_LIAR:
    case FAULT_SILENT:
    case FAULT_KIND_COUNT: break;
    }
}

/* One of those that there are. */
static enum fault_kind some_kind(struct faults *faults)
{
    uint32_t of = (uint32_t)__builtin_popcount(faults->kinds);
    uint64_t which = of > 0 ? draw(faults, of) : 0;
    for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++)
        if (has(faults, (enum fault_kind)k) && which-- == 0)
            return (enum fault_kind)k;
    return FAULT_KIND_COUNT;
}

static void start_again(struct faults *faults)
{
    struct world *world = faults->world;
    int64_t now_ms = world_now_ms(world);
    if (!world->broker.up && faults->broker_up_ms <= now_ms)
        world_start_broker(world);
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].peer == NULL && faults->peer_up_ms[p] <= now_ms)
            world_start_peer(&world->peers[p]);
}

static void each_step(void *context)
{
    struct faults *faults = context;
    int64_t now_ms = world_now_ms(faults->world);
    if (sim_commit_struck())
        kill_broker(faults);
    start_again(faults);
    if (faults->over || now_ms < faults->next_ms)
        return;
    faults->next_ms = now_ms + (int64_t)draw(faults, BLOWS_EVERY_MS);
    strike(faults, some_kind(faults));
}

/* --- from first to last */

static void make_silent(struct faults *faults)
{
    struct world *world = faults->world;
    uint32_t who = (uint32_t)draw(faults, world->peer_count);
    dprintf(world->trace_fd, "*** %s will fall silent\n", world->peers[who].config.member.text);
    faults->silent = who;
    faults->silent_from_ms = 10000 + (int64_t)draw(faults, 30000);
}

void faults_start(struct faults *faults, struct world *world, uint32_t kinds)
{
    memset(faults, 0, sizeof *faults);
    faults->world = world;
    rng_init(&faults->rng, world->seed, 3);
    faults->kinds = (uint32_t)draw(faults, 1u << FAULT_KIND_COUNT);
    if (kinds != FAULTS_AS_SEED_SAYS)
        faults->kinds = kinds;
    faults->loss_ppm = 1000 + (uint32_t)draw(faults, 30000);
    faults->weather = (struct sim_weather){delay_ms, repeat_ms, faults};
    faults->silent_from_ms = NEVER_MS;
    world->network.weather = &faults->weather;
    world->each_step = each_step;
    world->step_context = faults;
    for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++)
        if (has(faults, (enum fault_kind)k))
            dprintf(world->trace_fd, "*** fault: %s\n", names[k]);
    if (has(faults, FAULT_LIAR))
        some_peer(faults)->clock_percent = 150;
    if (has(faults, FAULT_SILENT))
        make_silent(faults);
}

void faults_stop(struct faults *faults)
{
    struct world *world = faults->world;
    dprintf(world->trace_fd, "*** faults stop\n");
    faults->over = true;
    if (!sim_commit_struck())
        sim_commit_disarm();
    memset(faults->cut_until_ms, 0, sizeof faults->cut_until_ms);
    faults->broker_up_ms = 0;
    memset(faults->peer_up_ms, 0, sizeof faults->peer_up_ms);
    for (uint32_t p = 0; p < world->peer_count; p++)
        world->peers[p].devices.start_fails_ppm = 0;
    start_again(faults);
}

bool faults_silence(const struct faults *faults)
{
    return has(faults, FAULT_SILENT) && !faults->silence_over;
}

void faults_end_silence(struct faults *faults)
{
    dprintf(faults->world->trace_fd, "*** the silent member is back\n");
    faults->silence_over = true;
}

bool faults_take_days(const struct faults *faults)
{
    return has(faults, FAULT_LIAR) || has(faults, FAULT_SILENT);
}
