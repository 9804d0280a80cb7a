/*
 * Random lives of leases: whatever members, rounds and clocks do in whatever order, after every
 * commit the ledger verifies (sums, balances, escrow = what open leases hold), no GPU is leased
 * twice, and a refused step has changed nothing.
 */
#include "tests/broker/store_fixture.h"

#include <stdlib.h>

#include "base/rng.h"
#include "broker/money/dispute.h"
#include "broker/money/settlement.h"

enum { STEPS = 1500, LEASES_MAX = 400 };

struct life {
    struct world *world;
    struct arena scratch; /* of one step */
    struct rng rng;
    uint64_t seed;
    int64_t now;
    struct lease *leases[LEASES_MAX];
    uint32_t count;
};

static struct lease *some_lease(struct life *life)
{
    /* mostly a recent one */
    uint64_t span = rng_below(&life->rng, 4) == 0 ? life->count : 8;
    uint64_t back = rng_below(&life->rng, span < life->count ? span : life->count);
    return life->leases[life->count - 1 - back];
}

static enum status add(struct life *life)
{
    struct world *world = life->world;
    if (life->count == LEASES_MAX)
        return STATUS_INVALID;
    int home = (int)rng_below(&life->rng, WORLD_MEMBERS);
    int host = (int)rng_below(&life->rng, WORLD_MEMBERS);
    uint64_t mask = UINT64_C(3) << rng_below(&life->rng, 8);
    struct lease *lease;
    bool renews = life->count > 0 && rng_below(&life->rng, 2) == 0;
    if (renews)
        lease = world_renewal(world, some_lease(life));
    else
        lease = world_lease(world, home, host, mask);
    bool planned = !renews && rng_below(&life->rng, 3) == 0;
    enum status status = world_add(world, lease, planned, life->now, life->now + DURATION);
    if (status == STATUS_OK)
        life->leases[life->count++] = lease;
    return status;
}

static enum status grant(struct life *life)
{
    struct world *world = life->world;
    struct store_lease *ready = NULL;
    uint32_t count = 0;
    enum status status =
        lease_list_ready(world->store, &life->scratch, &ready, &count, &world->fault);
    if (status != STATUS_OK || count == 0)
        return STATUS_INVALID;
    const struct store_lease *chosen = &ready[rng_below(&life->rng, count)];
    const struct lease_terms terms = {.lease = chosen->lease,
                                      .signed_lease = world_sign(world, chosen->lease),
                                      .ends_wall_ms = life->now + DURATION,
                                      .shares = chosen->shares,
                                      .share_count = chosen->share_count,
                                      .now_wall_ms = life->now};
    return lease_grant(world->store, &terms, &world->fault);
}

static enum status report(struct life *life, const struct lease *lease)
{
    const struct lease_report made = {
        .lease = lease->id,
        .kind = (enum lease_report_kind)rng_below(&life->rng, LEASE_REPORT_KIND_COUNT),
        .text = "random"};
    return lease_report(life->world->store, &lease->host, &made, life->now, &life->world->fault);
}

static enum status settle(struct life *life, const struct lease *lease)
{
    struct world *world = life->world;
    struct settle_verdict verdict;
    struct receipt receipt =
        world_receipt(lease, (int64_t)rng_below(&life->rng, (uint64_t)(2 * DURATION)));
    receipt.sequence = 1 + (uint32_t)rng_below(&life->rng, 2);
    receipt.last = rng_below(&life->rng, 2) == 0;
    receipt.outcome = (enum lease_outcome)rng_below(&life->rng, LEASE_OUTCOME_COUNT);
    receipt.unpayable_ms = receipt.held_ms / (int64_t)(1 + rng_below(&life->rng, 4));
    receipt.ended_wall_ms = life->now;
    struct signed_receipt sent = world_sign_receipt(world, &receipt, rng_below(&life->rng, 3) != 0);
    return settle_receipt(world->store, &lease->host, &sent, &world_limits, life->now, &verdict,
                          &world->fault);
}

/* Whoever does whatever about whatever receipt; the operator rules, too. */
static enum status dispute(struct life *life, const struct lease *lease)
{
    static const struct name nobody = {.text = ""};
    const struct name *who[] = {&lease->home, &lease->host, &nobody};
    const struct dispute_request request = {
        .lease = lease->id,
        .sequence = 1 + (uint32_t)rng_below(&life->rng, 2),
        .action = (enum dispute_action)rng_below(&life->rng, DISPUTE_ACTION_COUNT),
        .payable_ms = (int64_t)rng_below(&life->rng, (uint64_t)DURATION),
        .text = "random",
    };
    struct store_dispute found;
    return dispute_act(life->world->store, who[rng_below(&life->rng, 3)], &request, &world_limits,
                       life->now, &found, &life->world->fault);
}

static enum status lapse(struct life *life)
{
    uint32_t lapsed = 0;
    return dispute_sweep(life->world->store, &world_limits, life->now, &life->scratch, &lapsed,
                         &life->world->fault);
}

/* What an operator does with money. */
static enum status operate(struct life *life)
{
    static const struct broker_config config = {.settlement_due_ms = 1000};
    struct world *world = life->world;
    const struct name *member = &world->names[rng_below(&life->rng, WORLD_MEMBERS)];
    uint64_t period = 0;
    switch (rng_below(&life->rng, 3)) {
    case 0: return settlement_close(world->store, &config, life->now, &period, &world->fault);
    case 1: return settlement_write_off(world->store, member, "random", life->now, &world->fault);
    default:
        return ledger_deposit(world->store, member,
                              MICROS((int64_t)rng_below(&life->rng, 4000000) - 2000000), "random",
                              life->now, &world->fault);
    }
}

static enum status sweep(struct life *life)
{
    struct lease_sweep swept;
    return lease_sweep(life->world->store, &world_limits, life->now, &life->scratch, &swept,
                       &life->world->fault);
}

static enum status step(struct life *life)
{
    struct world *world = life->world;
    struct lease *lease = life->count > 0 ? some_lease(life) : NULL;
    uint64_t choice = lease == NULL ? 0 : rng_below(&life->rng, 22);
    switch (choice) {
    case 0:
    case 1:
    case 2:
    case 3: return add(life);
    case 4: return grant(life);
    case 5:
    case 6:
    case 7:
    case 8: return report(life, lease);
    case 9:
    case 10:
    case 11:
    case 12: return settle(life, lease);
    case 13: return lease_void(world->store, lease->id, "random", life->now, &world->fault);
    case 14:
        return lease_end(world->store, lease->id,
                         rng_below(&life->rng, 2) == 0 ? LEASE_EVENT_END : LEASE_EVENT_STOP, GRACE,
                         "random", &world->fault);
    case 15:
    case 16:
    case 17:
    case 18: return dispute(life, lease);
    case 19: return lapse(life);
    case 20: return operate(life);
    default: return sweep(life);
    }
}

/* Held masks of different chains must not meet; the store's own check is not asked. */
static void no_gpu_is_leased_twice(struct life *life)
{
    struct world *world = life->world;
    struct store_lease *open = NULL;
    uint32_t count = 0;
    world_ok(world, store_lease_list_open(world->store, LEASE_STATES_HOLDING, &life->scratch, &open,
                                          &count, &world->fault));
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = a + 1; b < count; b++)
            if (open[a].chain != open[b].chain &&
                name_equal(&open[a].lease->host, &open[b].lease->host) &&
                (open[a].lease->nodes[0].gpus & open[b].lease->nodes[0].gpus) != 0)
                fail_msg("rows %llu and %llu; ENTENTE_TEST_SEED=%llu",
                         (unsigned long long)open[a].row, (unsigned long long)open[b].row,
                         (unsigned long long)life->seed);
}

/* A scan of a table that grows for ever would slow a broker down year by year. */
static void no_query_scans_a_table_that_grows(struct store *store)
{
    static const char *const bounded[] = {
        "ledger_head",                  /* one row */
        "FROM accounts a ORDER",        /* verification: three a member */
        "FROM lease_gpus WHERE held",   /* what is leased now */
        "row > ? AND (1 << state & ?)", /* a page, by row */
        "FROM settlements",             /* one a month */
        "FROM members m LEFT JOIN"      /* the members: 4,096 at most */
    };
    for (uint32_t i = 0; i < store->prepared_count; i++) {
        sqlite3_stmt *statement = store->prepared[i].statement;
        bool fine = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) == 0;
        for (size_t k = 0; k < sizeof bounded / sizeof bounded[0] && !fine; k++)
            fine = strstr(store->prepared[i].sql, bounded[k]) != NULL;
        if (!fine)
            fail_msg("scans a table: %s", store->prepared[i].sql);
    }
}

static void whatever_happens_money_and_gpus_stay_whole(void **state)
{
    static struct life life;
    uint32_t done = 0;
    life = (struct life){.world = *state, .seed = support_seed(11), .now = NOW};
    rng_init(&life.rng, life.seed, 1);
    arena_init(&life.scratch, ARENA_MESSAGE_BYTES);
    for (int i = 0; i < STEPS; i++) {
        struct world *world = life.world;
        /* mostly seconds, at times a day */
        life.now += (int64_t)rng_below(&life.rng, rng_below(&life.rng, 50) == 0 ? 90000000 : 60000);
        world_begin(world);
        enum status status = step(&life);
        if (status == STATUS_OK && store_commit(world->store, &world->fault) != STATUS_OK)
            fail_msg("%s; ENTENTE_TEST_SEED=%llu", world->fault.text,
                     (unsigned long long)life.seed);
        /* a plan that can't be carried out is refused by name, never a defect */
        if (status == STATUS_INTERNAL || status == STATUS_CORRUPT || status == STATUS_IO)
            fail_msg("%s; ENTENTE_TEST_SEED=%llu", world->fault.text,
                     (unsigned long long)life.seed);
        if (status != STATUS_OK)
            store_rollback(world->store);
        done += status == STATUS_OK;
        struct ledger_verify_response result;
        world_ok(world, ledger_verify(world->store, &life.scratch, &result, &world->fault));
        if (!result.verified)
            fail_msg("step %d: %s; ENTENTE_TEST_SEED=%llu", i, result.problem,
                     (unsigned long long)life.seed);
        no_gpu_is_leased_twice(&life);
        arena_reset(&life.scratch);
    }
    arena_fini(&life.scratch);
    no_query_scans_a_table_that_grows(life.world->store);
    /* else the test would show little */
    assert_true(done > STEPS / 3);
    assert_true(life.count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(whatever_happens_money_and_gpus_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
