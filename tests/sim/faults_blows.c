/* Faults, blows: each strikes somebody once; and what follows from it later. */
#include <inttypes.h>
#include <stdio.h>

#include "peer/home/home.h"
#include "tests/sim/faults.h"
#include "tests/sim/memory.h"

enum {
    DOWN_MS_MAX = 20000,
    CUT_MS_MAX = 15000,
    SKEW_MS_MAX = 2000,
    FULL_MS_MAX = 12000,
    ROOM_BYTES_MAX = 150000,
    WRITES_TO_DEATH_MAX = 80,
    ALLOCATIONS_TO_FAILURE_MAX = 4000,
    ALLOCATIONS_FAILING_MAX = 400,
    ASTRAY_MS_MAX = 3600 * 1000
};

static int64_t in_ms(struct faults *faults, uint64_t most)
{
    return world_now_ms(faults->world) + (int64_t)fault_draw(faults, most);
}

static struct world_peer *some_peer(struct faults *faults)
{
    return &faults->world->peers[fault_draw(faults, faults->world->peer_count)];
}

static uint32_t number_of(const struct faults *faults, const struct world_peer *peer)
{
    return (uint32_t)(peer - faults->world->peers);
}

/* --- the network and the clocks */

static void cut(struct faults *faults)
{
    struct world *world = faults->world;
    uint32_t a = (uint32_t)fault_draw(faults, world->peer_count + 1);
    uint32_t b = (uint32_t)fault_draw(faults, world->peer_count + 1);
    int64_t until_ms = in_ms(faults, CUT_MS_MAX);
    faults->cut_until_ms[a][b] = until_ms;
    if (fault_chance(faults, 800000)) /* else one way only */
        faults->cut_until_ms[b][a] = until_ms;
    dprintf(world->trace_fd, "*** %" PRIu32 " and %" PRIu32 " are cut until %.2f s\n", a, b,
            (double)until_ms / 1000);
}

static void skew(struct faults *faults, struct world_peer *peer)
{
    int64_t off_ms = (int64_t)fault_draw(faults, 2 * SKEW_MS_MAX) - SKEW_MS_MAX;
    peer->clock.now_wall_ms = faults->world->time.now_wall_ms + off_ms;
    faults->astray[number_of(faults, peer)] = false;
}

static void go_astray(struct faults *faults, struct world_peer *peer)
{
    const struct world *world = faults->world;
    int64_t off_ms =
        world->broker.config.skew_ms_max + 1000 + (int64_t)fault_draw(faults, ASTRAY_MS_MAX);
    if (faults->astray[number_of(faults, peer)]) {
        skew(faults, peer);
        return;
    }
    peer->clock.now_wall_ms =
        world->time.now_wall_ms + (fault_chance(faults, 500000) ? off_ms : -off_ms);
    faults->astray[number_of(faults, peer)] = true;
    dprintf(world->trace_fd, "*** %s's clock goes astray\n", peer->config.member.text);
}

/* --- processes */

static int64_t down_until(struct faults *faults)
{
    return in_ms(faults, fault_chance(faults, 500000) ? DOWN_MS_MAX : 500);
}

static void kill_broker(struct faults *faults)
{
    if (!faults->world->broker.up)
        return;
    world_kill_broker(faults->world);
    faults->broker_up_ms = down_until(faults);
}

static void kill_peer(struct faults *faults, struct world_peer *peer)
{
    if (peer->peer == NULL)
        return;
    world_kill_peer(peer);
    faults->peer_up_ms[number_of(faults, peer)] = down_until(faults);
}

/* Inside what it next writes, or a little later. */
static void arm(struct faults *faults, struct sim_disk *disk)
{
    disk->dies_torn = fault_chance(faults, 500000);
    disk->dies_in = 1 + (uint32_t)fault_draw(faults, WRITES_TO_DEATH_MAX);
}

static void strike_broker(struct faults *faults)
{
    if (fault_chance(faults, 400000) || !faults->world->broker.up)
        kill_broker(faults);
    else
        arm(faults, &faults->world->broker.disk);
}

static void strike_peer(struct faults *faults, struct world_peer *peer)
{
    if (fault_chance(faults, 400000) || peer->peer == NULL)
        kill_peer(faults, peer);
    else
        arm(faults, &peer->disk);
}

static void reboot(struct faults *faults, struct world_peer *peer)
{
    if (peer->peer == NULL)
        return;
    kill_peer(faults, peer);
    dprintf(faults->world->trace_fd, "*** its machine restarts\n");
    executor_fake_reboot(&peer->devices.fake);
    peer->clock.now_boot_ms = 1000 + (int64_t)fault_draw(faults, 30000);
}

/* --- what they need */

static struct sim_disk *disk_number(struct world *world, uint32_t d)
{
    return d == 0 ? &world->broker.disk : &world->peers[d - 1].disk;
}

static void fill_disk(struct faults *faults)
{
    struct world *world = faults->world;
    uint32_t d = (uint32_t)fault_draw(faults, world->peer_count + 1);
    struct sim_disk *disk = disk_number(world, d);
    disk->full = true;
    disk->room_bytes =
        fault_chance(faults, 500000) ? 0 : (int64_t)fault_draw(faults, ROOM_BYTES_MAX);
    faults->full_until_ms[d] = in_ms(faults, FULL_MS_MAX);
    dprintf(world->trace_fd, "*** disk %" PRIu32 " has room for %" PRId64 " bytes until %.2f s\n",
            d, disk->room_bytes, (double)faults->full_until_ms[d] / 1000);
}

static void take_memory(struct faults *faults)
{
    uint64_t after = fault_draw(faults, ALLOCATIONS_TO_FAILURE_MAX);
    uint64_t failing =
        fault_chance(faults, 500000) ? 1 : 1 + fault_draw(faults, ALLOCATIONS_FAILING_MAX);
    sim_memory_fail(after, failing);
    dprintf(faults->world->trace_fd, "*** %" PRIu64 " allocations fail after %" PRIu64 "\n",
            failing, after);
}

/* --- people */

static void cancel(struct faults *faults)
{
    struct world *world = faults->world;
    if (world->job_count == 0)
        return;
    struct world_job *job = &world->jobs[fault_draw(faults, world->job_count)];
    struct peer *home = world->peers[job->home].peer;
    if (home == NULL)
        return;
    sim_memory_begin();
    enum status status = home_cancel(home->home, &job->name, NULL);
    sim_memory_end();
    if (status == STATUS_OK && !world->peers[job->home].disk.dead)
        job->cancelled = true;
}

static void operate(struct faults *faults, struct world_peer *peer)
{
    struct world *world = faults->world;
    bool *suspended = &faults->suspended[number_of(faults, peer)];
    if (sim_operator_is_busy(&world->person) || !peer->enrolled || peer->revoked)
        return;
    if (fault_chance(faults, 500000)) {
        struct credits amount = {1 + (int64_t)fault_draw(faults, 50000000)};
        sim_operator_deposit(&world->person, &peer->config.member, amount);
    } else {
        *suspended = !*suspended;
        sim_operator_act(&world->person, &peer->config.member,
                         *suspended ? MEMBER_SUSPEND : MEMBER_RESUME);
    }
}

static void revoke(struct faults *faults, struct world_peer *peer)
{
    struct world *world = faults->world;
    bool one = false;
    for (uint32_t p = 0; p < world->peer_count; p++)
        one = one || world->peers[p].revoked;
    if (one || sim_operator_is_busy(&world->person) || !peer->enrolled)
        return;
    dprintf(world->trace_fd, "*** %s is revoked\n", peer->config.member.text);
    peer->revoked = true;
    sim_operator_act(&world->person, &peer->config.member, MEMBER_REVOKE);
}

static void restore_broker(struct faults *faults)
{
    struct world *world = faults->world;
    if (!world->broker.saved) {
        world_save_broker(world);
    } else if (!sim_operator_is_busy(&world->person)) {
        kill_broker(faults);
        world_restore_broker(world);
    }
}

static void restore_peer(struct faults *faults, struct world_peer *peer)
{
    if (!peer->saved) {
        world_save_peer(peer);
    } else {
        kill_peer(faults, peer);
        world_restore_peer(peer);
    }
}

void faults_strike(struct faults *faults, enum fault_kind kind)
{
    struct devices *devices = &some_peer(faults)->devices;
    switch (kind) {
    case FAULT_PARTITION: cut(faults); break;
    case FAULT_SKEW: skew(faults, some_peer(faults)); break;
    case FAULT_ASTRAY: go_astray(faults, some_peer(faults)); break;
    case FAULT_KILL_BROKER: strike_broker(faults); break;
    case FAULT_KILL_PEER: strike_peer(faults, some_peer(faults)); break;
    case FAULT_REBOOT: reboot(faults, some_peer(faults)); break;
    case FAULT_CANCEL: cancel(faults); break;
    case FAULT_EXECUTOR: devices->start_fails_ppm = (uint32_t)fault_draw(faults, 2) * 500000; break;
    case FAULT_BLACK_HOLE: devices->black_hole = !devices->black_hole; break;
    case FAULT_DISK: fill_disk(faults); break;
    case FAULT_MEMORY: take_memory(faults); break;
    case FAULT_SUSPEND: operate(faults, some_peer(faults)); break;
    case FAULT_REVOKE: revoke(faults, some_peer(faults)); break;
    case FAULT_JOIN: world_join(faults->world); break;
    case FAULT_OLD_BROKER: restore_broker(faults); break;
    case FAULT_OLD_PEER: restore_peer(faults, some_peer(faults)); break;
    case FAULT_SLOW:
    case FAULT_LOSS:
    case FAULT_REPEAT:
    case FAULT_LIAR:
    case FAULT_SILENT:
    case FAULT_KIND_COUNT: break;
    }
}

/* --- what follows */

static void give_room(struct faults *faults, int64_t now_ms)
{
    struct world *world = faults->world;
    for (uint32_t d = 0; d <= world->peer_count; d++)
        if (faults->full_until_ms[d] <= now_ms)
            disk_number(world, d)->full = false;
}

static void let_in_again(struct faults *faults)
{
    struct world *world = faults->world;
    for (uint32_t p = 0; p < world->peer_count; p++) {
        if (!faults->suspended[p] || world->peers[p].revoked ||
            sim_operator_is_busy(&world->person))
            continue;
        faults->suspended[p] = false;
        sim_operator_act(&world->person, &world->peers[p].config.member, MEMBER_RESUME);
    }
}

static void start_again(struct faults *faults, int64_t now_ms)
{
    struct world *world = faults->world;
    enum { AGAIN_MS = 1000 };
    if (!world->broker.up && faults->broker_up_ms <= now_ms && !world_start_broker(world))
        faults->broker_up_ms = now_ms + AGAIN_MS;
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].peer == NULL && world->peers[p].enrolled &&
            faults->peer_up_ms[p] <= now_ms && !world_start_peer(&world->peers[p]))
            faults->peer_up_ms[p] = now_ms + AGAIN_MS;
}

void faults_follow(struct faults *faults)
{
    struct world *world = faults->world;
    int64_t now_ms = world_now_ms(world);
    if (world->broker.disk.dead)
        kill_broker(faults);
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].disk.dead)
            kill_peer(faults, &world->peers[p]);
    give_room(faults, now_ms);
    start_again(faults, now_ms);
    if (faults->over)
        let_in_again(faults);
}
