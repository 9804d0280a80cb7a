#include "tests/sim/world.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/files/tree.h"
#include "tests/sim/loop.h"
#include "tests/sim/memory.h"
#include "tests/sim/plant.h"
#include "tests/sim/random.h"

/* 2026-11-23T12:00:00Z, a multiple of every round length used. */
#define WORLD_START_WALL_MS INT64_C(1795435200000)

enum { BOOT_MS_FIRST = 1000000, BUSY_STEP_MS = 1000 };

#define DIRECTORY_PREFIX "entente-sim-"

static const char *parent_directory(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* Its process' number is part of its name, so that what nobody owns any more is known. */
static void make_directory(struct world *world)
{
    snprintf(world->directory, sizeof world->directory, "%s/" DIRECTORY_PREFIX "%ld-XXXXXX",
             parent_directory(), (long)getpid());
    if (mkdtemp(world->directory) == NULL)
        world_fail(world, "%s can't be made", world->directory);
}

void world_remove_left_over(void)
{
    char path[FILE_PATH_MAX];
    DIR *directory = opendir(parent_directory());
    if (directory == NULL)
        return;
    for (struct dirent *item; (item = readdir(directory)) != NULL;) {
        size_t const length = sizeof DIRECTORY_PREFIX - 1;
        if (strncmp(item->d_name, DIRECTORY_PREFIX, length) != 0)
            continue;
        long owner = strtol(item->d_name + length, NULL, 10);
        if (owner <= 0 || kill((pid_t)owner, 0) == 0 || errno != ESRCH)
            continue;
        snprintf(path, sizeof path, "%s/%s", parent_directory(), item->d_name);
        if (tree_remove(path, NULL) != STATUS_OK)
            fprintf(stderr, "%s could not be removed\n", path);
    }
    closedir(directory);
}

static void start_clock(struct clock_simulated *clock)
{
    clock_simulated_init(clock, WORLD_START_WALL_MS);
    clock->now_boot_ms = BOOT_MS_FIRST;
}

static void make_founders(struct world *world)
{
    struct store *store = NULL;
    struct fault fault;
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, world->broker.directory, "broker.db", &fault);
    if (status == STATUS_OK)
        status = store_open(path, STORE_WRITE, &store, &fault);
    for (uint32_t p = 0; status == STATUS_OK && p < world->peer_count; p++) {
        start_clock(&world->peers[p].clock);
        world_peer_init(world, p);
        status = world_enrol(store, &world->peers[p], &fault);
    }
    if (status != STATUS_OK)
        world_fail(world, "nobody can join: %s", fault.text);
    store_close(store);
}

void world_open(struct world *world, uint64_t seed, uint32_t peers, int trace_fd)
{
    assert(peers >= 1 && peers <= WORLD_PEERS_MAX);
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->trace_fd = trace_fd;
    rng_init(&world->rng, seed, 1);
    sim_random_seed(seed);
    make_directory(world);
    start_clock(&world->time);
    start_clock(&world->broker.clock);
    sim_network_init(&world->network);
    world->network.clock = &world->time.clock;
    world->started_boot_ms = BOOT_MS_FIRST;
    world->peer_count = peers;
    world_broker_init(world);
    make_founders(world);
    sim_operator_open(&world->person, &world->network);
    stranger_open(&world->stranger, &world->network);
    bool started = world_start_broker(world);
    for (uint32_t p = 0; p < peers; p++)
        started = world_start_peer(&world->peers[p]) && started;
    assert(started); /* nothing is wrong yet */
}

static void remove_files(const struct world *world)
{
    if (world->keep)
        fprintf(stderr, "files are in %s\n", world->directory);
    else if (tree_remove(world->directory, NULL) != STATUS_OK)
        fprintf(stderr, "%s could not be removed\n", world->directory);
}

void world_close(struct world *world)
{
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].peer != NULL)
            world_kill_peer(&world->peers[p]);
    if (world->broker.up)
        world_kill_broker(world);
    sim_operator_close(&world->person);
    stranger_close(&world->stranger);
    sim_network_fini(&world->network);
    sim_disk_remove_all();
    remove_files(world);
}

int64_t world_now_ms(const struct world *world)
{
    return world->time.now_boot_ms - world->started_boot_ms;
}

/* --- time */

static void advance(struct world *world, int64_t by_ms)
{
    clock_simulated_advance(&world->time, by_ms);
    clock_simulated_advance(&world->broker.clock, by_ms);
    for (uint32_t p = 0; p < world->peer_count; p++) {
        struct world_peer *peer = &world->peers[p];
        peer->clock.now_wall_ms += by_ms;
        peer->clock.now_boot_ms += by_ms * peer->clock_percent / 100;
    }
}

static void step(struct world *world, int64_t by_ms)
{
    int64_t now_ms = world_now_ms(world);
    sim_memory_begin();
    sim_network_run(&world->network);
    if (world->broker.up)
        sim_loop_run(world->broker.daemon.loop);
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].peer != NULL &&
            (by_ms > PEER_TICK_MS || (now_ms + (int64_t)p * WORLD_STEP_MS) % PEER_TICK_MS == 0))
            peer_tick(world->peers[p].peer);
    sim_memory_end();
    sim_operator_tick(&world->person);
    stranger_tick(&world->stranger, &world->broker.config.federation,
                  &world->peers[0].config.member, world->peers[1].serial);
    plant_tick(world);
    world_check_step(world);
    if (world->each_step != NULL)
        world->each_step(world->step_context);
    advance(world, by_ms);
}

void world_run(struct world *world, int64_t ms)
{
    world_run_in_steps(world, ms, WORLD_STEP_MS);
}

/* Then a long step would let leases overrun their ends. */
static bool jobs_run(const struct world *world)
{
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (devices_busy(&world->peers[p].devices))
            return true;
    return false;
}

void world_run_in_steps(struct world *world, int64_t ms, int64_t step_ms)
{
    for (int64_t run = 0; run < ms;) {
        int64_t by_ms = step_ms > BUSY_STEP_MS && jobs_run(world) ? BUSY_STEP_MS : step_ms;
        step(world, by_ms);
        run += by_ms;
    }
}

/* --- failing */

void world_fail(const struct world *world, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "seed %" PRIu64 " at %.2f s: %s\n", world->seed,
            (double)world_now_ms(world) / 1000, text);
    sim_disk_remove_all();
    sim_memory_end();
    remove_files(world);
    _exit(1);
}

/* --- disks and backups */

void world_add_disk(struct sim_disk *disk, const char *directory, void (*died)(void *context),
                    void *context)
{
    *disk = (struct sim_disk){.died = died, .context = context};
    snprintf(disk->directory, sizeof disk->directory, "%.*s", (int)sizeof disk->directory - 1,
             directory);
    sim_disk_add(disk);
}

void world_refused_start(const struct world *world, const struct sim_disk *disk, const char *who,
                         const struct fault *fault)
{
    if (!disk->full && !disk->dead && sim_memory_failed() == world->memory_failed)
        world_fail(world, "%s does not start: %s", who, fault->text);
    dprintf(world->trace_fd, "*** %s does not start: %s\n", who, fault->text);
}

/* Of a process that is down. */
static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    FILE *in = fopen(from, "re");
    if (in == NULL) {
        unlink(to);
        return;
    }
    FILE *out = fopen(to, "we");
    assert(out != NULL);
    for (size_t got = fread(buffer, 1, sizeof buffer, in); got > 0;
         got = fread(buffer, 1, sizeof buffer, in)) {
        size_t put = fwrite(buffer, 1, got, out);
        assert(put == got);
    }
    fclose(in);
    fclose(out);
}

static void keep_path(const char *directory, const char *prefix, const char *database,
                      const char *suffix, char path[static FILE_PATH_MAX])
{
    snprintf(path, FILE_PATH_MAX, "%.2000s/%s%s%s", directory, prefix, database, suffix);
}

static const char *const parts[] = {"", "-wal"};

void world_copy_out(const char *directory, const char *database)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        keep_path(directory, "", database, parts[i], from);
        keep_path(directory, "kept-", database, parts[i], to);
        copy_file(from, to);
    }
}

void world_copy_back(const char *directory, const char *database)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        keep_path(directory, "kept-", database, parts[i], from);
        keep_path(directory, "", database, parts[i], to);
        copy_file(from, to);
    }
    keep_path(directory, "", database, "-shm", to);
    unlink(to);
}
