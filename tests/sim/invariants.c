/* World, invariants: what DESIGN §8 promises, looked at from outside. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/money/ledger.h"
#include "broker/round/replay.h"
#include "broker/store/leases.h"
#include "proto/wire/methods.h"
#include "tests/sim/memory.h"
#include "tests/sim/world.h"

/* --- after every step */

void world_check_step(struct world *world)
{
    if (world->stranger.served > 0)
        world_fail(world, "invariant 6: a stranger was served");
    for (uint32_t p = 0; p < world->peer_count; p++)
        if (world->peers[p].devices.doubled > 0)
            world_fail(world, "invariant 1: at %s %s", world->peers[p].config.member.text,
                       world->peers[p].devices.doubled_text);
}

/* --- the books */

static void check_held(struct world *world, struct arena *arena)
{
    struct store_held_node *held = NULL;
    uint32_t count = 0;
    struct fault fault;
    if (store_lease_held(world->broker.daemon.core.store, arena, &held, &count, &fault) !=
        STATUS_OK)
        world_fail(world, "held GPUs can't be read: %s", fault.text);
    for (uint32_t h = 0; h < count; h++)
        for (uint32_t p = 0; p < world->peer_count; p++) {
            const struct world_peer *peer = &world->peers[p];
            if (!name_equal(&peer->config.member, &held[h].host))
                continue;
            if (held[h].node >= peer->pool.nodes || held[h].gpus >> peer->pool.gpus_per_node != 0 ||
                !name_equal(&held[h].gpu, &peer->pool.gpu))
                world_fail(world, "invariant 1: %s has no GPUs %" PRIx64 " on node %" PRIu32,
                           held[h].host.text, held[h].gpus, held[h].node);
        }
}

/* What was deposited is all there is: with its members or in escrow. */
static void check_sum(struct world *world)
{
    struct store *store = world->broker.daemon.core.store;
    int64_t sum_micros = 0;
    struct fault fault;
    for (uint32_t p = 0; p < world->peer_count; p++) {
        struct ledger_position position;
        if (ledger_position(store, &world->peers[p].config.member, &position, &fault) != STATUS_OK)
            world_fail(world, "a balance can't be read: %s", fault.text);
        if (position.escrow.micros < 0)
            world_fail(world, "%s: escrow below zero", world->peers[p].config.member.text);
        sum_micros += position.balance.micros + position.escrow.micros;
    }
    const struct sim_operator *person = &world->person;
    int64_t deposited =
        INT64_C(1000000) * WORLD_DEPOSIT_CREDITS * world->peer_count + person->deposited.micros;
    bool asking = person->method == &method_member_credit; /* done or not: nobody was told yet */
    if (sum_micros != deposited &&
        !(asking && sum_micros == deposited + person->credit.amount.micros))
        world_fail(world,
                   "invariant 2: members have %" PRId64 " micro-credits, %" PRId64
                   " were deposited",
                   sum_micros, deposited);
}

void world_check_books(struct world *world)
{
    struct arena arena;
    struct fault fault = {0};
    struct ledger_verify_response result;
    if (!world->broker.up)
        return;
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (ledger_verify(world->broker.daemon.core.store, &arena, &result, &fault) != STATUS_OK)
        world_fail(world, "the ledger can't be read: %s", fault.text);
    if (!result.verified)
        world_fail(world, "invariant 2: ledger: %s", result.problem);
    check_held(world, &arena);
    check_sum(world);
    arena_fini(&arena);
}

/* --- the end */

static bool jobs_are_final(struct world *world, char what[static 256])
{
    for (uint32_t j = 0; j < world->job_count; j++) {
        const struct world_job *job = &world->jobs[j];
        struct local_job_row row;
        struct fault fault;
        struct peer *home = world->peers[job->home].peer;
        if (job->lost || world->peers[job->home].revoked)
            continue;
        if (home_row(home->home, &job->name, &row, &fault) != STATUS_OK)
            world_fail(world, "invariant 3: job %s was acknowledged: %s", job->name.text,
                       fault.text);
        if (!job_state_final(row.state)) {
            snprintf(what, 256, "job %s is %s: %.120s", job->name.text, job_state_name(row.state),
                     row.text);
            return false;
        }
    }
    return true;
}

static bool leases_are_final(struct world *world, char what[static 256])
{
    struct arena arena;
    struct fault fault;
    struct store_lease *leases = NULL;
    uint32_t count = 0;
    char id[LEASE_ID_TEXT_MAX];
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (store_lease_list_open(world->broker.daemon.core.store, LEASE_STATES_OPEN, &arena, &leases,
                              &count, &fault) != STATUS_OK)
        world_fail(world, "open leases can't be read: %s", fault.text);
    if (count > 0)
        snprintf(what, 256, "%" PRIu32 " leases are open, %s (%s at %s) is %s", count,
                 lease_id_format(leases[0].lease->id, id), leases[0].lease->job.text,
                 leases[0].lease->host.text, lease_state_name(leases[0].state));
    arena_fini(&arena);
    return count == 0;
}

/* A broker that was restored does not know every lease, a restored host makes receipts anew that
 * are settled already: what is refused is kept for a ruling. */
static uint32_t refused_for_good(const struct world *world, const struct world_peer *it)
{
    const struct peer *peer = it->peer;
    enum { REFUSED_MAX = 256 };
    struct arena arena;
    struct spool_receipt *receipts = NULL;
    uint32_t count = 0;
    if (!world->broker.restored && !it->restored && sim_memory_failed() == 0)
        return 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (spool_receipts(peer->spool, RECEIPT_REFUSED, REFUSED_MAX, &arena, &receipts, &count,
                       NULL) != STATUS_OK)
        count = 0;
    arena_fini(&arena);
    return count;
}

static bool spools_are_empty(struct world *world, char what[static 256])
{
    for (uint32_t p = 0; p < world->peer_count; p++) {
        const struct peer *peer = world->peers[p].peer;
        struct arena arena;
        struct lease_report *reports = NULL;
        uint32_t count = 0;
        if (world->peers[p].revoked)
            continue;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        bool read = spool_reports(peer->spool, 16, &arena, &reports, &count, NULL) == STATUS_OK;
        uint32_t receipts =
            spool_receipts_count(peer->spool) - refused_for_good(world, &world->peers[p]);
        uint32_t gpus = 0;
        for (uint32_t i = 0; i < peer->inventory.pool_count; i++) {
            struct pool_count in_use = inventory_count(&peer->inventory.pools[i]);
            gpus += in_use.leased + in_use.local;
        }
        arena_fini(&arena);
        if (!read || count + receipts + gpus > 0) {
            snprintf(what, 256,
                     "%s still has %" PRIu32 " reports and %" PRIu32 " receipts, %" PRIu32
                     " GPUs in use",
                     peer->config->member.text, count, receipts, gpus);
            return false;
        }
    }
    return true;
}

bool world_is_over(struct world *world, char what[static 256])
{
    return jobs_are_final(world, what) && leases_are_final(world, what) &&
           spools_are_empty(world, what);
}

static bool ran_to_its_end(const struct world *world, const struct name *job)
{
    for (uint32_t p = 0; p < world->peer_count; p++) {
        const struct executor_fake *fake = &world->peers[p].devices.fake;
        for (uint32_t r = 0; r < fake->run_count; r++) {
            const struct fake_run *run = &fake->runs[r];
            if (run->script.job != NULL && strcmp(run->script.job, job->text) == 0 &&
                run->last.examples >= run->script.examples)
                return true;
        }
    }
    return false;
}

/* A job that its home says is done did all of its work somewhere. */
static void check_done(struct world *world)
{
    for (uint32_t j = 0; j < world->job_count; j++) {
        const struct world_job *job = &world->jobs[j];
        struct local_job_row row;
        if (job->lost ||
            home_row(world->peers[job->home].peer->home, &job->name, &row, NULL) != STATUS_OK ||
            row.state != JOB_STATE_DONE || ran_to_its_end(world, &job->name))
            continue;
        world_fail(world, "job %s is done at its home and was nowhere", job->name.text);
    }
}

/* The newest rounds, computed again from what was stored of them. */
static void check_replay(struct world *world)
{
    enum { ROUNDS_MAX = 8 };
    struct replay replay = {.round = 0};
    struct fault fault;
    uint64_t number = 0; /* the newest */
    for (int r = 0; r < ROUNDS_MAX; r++) {
        struct arena arena;
        arena_init(&arena, ARENA_ROUND_BYTES);
        enum status status =
            replay_round(world->broker.daemon.core.store, number, &arena, &replay, &fault);
        bool same = status == STATUS_OK && replay.same;
        if (status != STATUS_NOT_FOUND && !same)
            world_fail(world, "invariant 8: round %" PRIu64 " does not replay: %s", replay.round,
                       status == STATUS_OK ? replay.difference : fault.text);
        arena_fini(&arena);
        number = replay.round - 1;
        if (status == STATUS_NOT_FOUND || number == 0)
            return;
    }
}

void world_check_end(struct world *world)
{
    char what[256] = "";
    check_done(world);
    check_replay(world);
    world_check_books(world);
    if (!world_is_over(world, what))
        world_fail(world, "not over: %s", what);
    for (uint32_t p = 0; p < world->peer_count; p++) {
        struct ledger_position position;
        if (ledger_position(world->broker.daemon.core.store, &world->peers[p].config.member,
                            &position, NULL) != STATUS_OK ||
            position.escrow.micros != 0)
            world_fail(world, "invariant 2: %s still has %" PRId64 " micro-credits in escrow",
                       world->peers[p].config.member.text, position.escrow.micros);
    }
}
