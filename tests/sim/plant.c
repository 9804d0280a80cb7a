#include "tests/sim/plant.h"

#include <string.h>

#include "broker/money/ledger.h"
#include "broker/request.h"

enum { MINTED_AT_MS = 8000, SAVED_AT_MS = 1000, FORGOTTEN_AT_MS = 18000 };

static enum plant planted;

enum plant plant_of(const char *name)
{
    static const char *const names[PLANT_COUNT] = {
        "none", "double-lease", "mint", "forget", "repeat", "open-door",
    };
    for (int p = 0; p < PLANT_COUNT; p++)
        if (strcmp(names[p], name) == 0)
            return (enum plant)p;
    return PLANT_NONE;
}

void plant_set(enum plant plant)
{
    planted = plant;
}

/* --- in the broker: each request is new to it */

enum status __real_request_admit(struct store *store, const struct store_request *request,
                                 int64_t now_wall_ms, bool *repeated, struct fault *fault);
enum status __wrap_request_admit(struct store *store, const struct store_request *request,
                                 int64_t now_wall_ms, bool *repeated, struct fault *fault);

enum status __wrap_request_admit(struct store *store, const struct store_request *request,
                                 int64_t now_wall_ms, bool *repeated, struct fault *fault)
{
    if (planted != PLANT_REPEAT)
        return __real_request_admit(store, request, now_wall_ms, repeated, fault);
    *repeated = false;
    return STATUS_OK;
}

/* --- in the world */

static void forget_use(struct world *world)
{
    for (uint32_t p = 0; p < world->peer_count; p++) {
        struct peer *peer = world->peers[p].peer;
        for (uint32_t i = 0; peer != NULL && i < peer->inventory.pool_count; i++)
            for (uint32_t n = 0; n < peer->inventory.pools[i].config->nodes; n++) {
                peer->inventory.pools[i].local[n] = 0;
                peer->inventory.pools[i].leased[n] = 0;
            }
    }
}

static void mint(struct world *world)
{
    struct store *store = world->broker.daemon.core.store;
    struct credits amount = {1};
    struct fault fault;
    if (store_begin(store, &fault) != STATUS_OK ||
        ledger_deposit(store, &world->peers[0].config.member, amount, "minted",
                       core_now_ms(&world->broker.daemon.core), &fault) != STATUS_OK ||
        store_commit(store, &fault) != STATUS_OK)
        world_fail(world, "nothing could be minted: %s", fault.text);
}

static void forget_jobs(struct world *world)
{
    if (world->job_count == 0)
        return;
    struct world_peer *home = &world->peers[world->jobs[world->job_count - 1].home];
    world_kill_peer(home);
    world_copy_back(home->config.state_directory, "spool.db");
    (void)world_start_peer(home);
}

void plant_tick(struct world *world)
{
    int64_t now_ms = world_now_ms(world);
    if (planted == PLANT_DOUBLE_LEASE)
        forget_use(world);
    if (planted == PLANT_MINT && now_ms == MINTED_AT_MS)
        mint(world);
    for (uint32_t p = 0; planted == PLANT_FORGET && now_ms == SAVED_AT_MS && p < WORLD_FOUNDERS;
         p++)
        world_copy_out(world->peers[p].config.state_directory, "spool.db");
    if (planted == PLANT_FORGET && now_ms == FORGOTTEN_AT_MS)
        forget_jobs(world);
    if (planted == PLANT_OPEN_DOOR)
        world->broker.listener.admit = NULL;
}
