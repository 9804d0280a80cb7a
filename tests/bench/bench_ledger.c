/*
 * Bench: what the durable core costs on this disk.
 *
 * Prints postings (two entries each, hash chain, balances) a second with 1 and 100 to a commit, a
 * round of leases in one commit, their receipts with 1 and 100 to a commit, and verification. Not a
 * test: it asserts nothing about time.
 *
 *     build/release/bin/bench_ledger [POSTINGS [LEASES [DIRECTORY]]]
 */
#include "tests/broker/store_fixture.h"

#include <stdlib.h>
#include <time.h>

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void line(const char *what, uint32_t count, double since)
{
    double took = now_seconds() - since;
    printf("%-44s %9u in %8.3f s %12.0f/s\n", what, (unsigned)count, took, (double)count / took);
}

static void postings(struct world *world, uint32_t count, uint32_t each, const char *what)
{
    double since = now_seconds();
    for (uint32_t i = 0; i < count; i += each) {
        world_begin(world);
        for (uint32_t k = 0; k < each; k++)
            world_ok(world, ledger_deposit(world->store, &world->names[i % WORLD_MEMBERS],
                                           MICROS(1), "bench", NOW, &world->fault));
        world_commit(world);
    }
    line(what, count, since);
}

/* All of one round, foreign, a GPU each on nodes of 64. */
static void leases_commit(struct world *world, struct lease **leases, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        leases[i] = world_lease(world, USC, ISI, UINT64_C(1) << (i % 64));
        leases[i]->nodes[0].node = i / 64;
        leases[i]->cap = MICROS(100);
    }
    double since = now_seconds();
    world_begin(world);
    for (uint32_t i = 0; i < count; i++)
        world_ok(world, world_add(world, leases[i], false, NOW, NOW + DURATION));
    world_commit(world);
    line("leases committed, one round", count, since);
}

static void receipts_settle(struct world *world, struct lease **leases, uint32_t count,
                            uint32_t each, const char *what)
{
    struct signed_receipt *sent = arena_alloc(&world->arena, count, sizeof *sent);
    assert_non_null(sent);
    for (uint32_t i = 0; i < count; i++) {
        struct receipt receipt = world_receipt(leases[i], 1000);
        sent[i] = world_sign_receipt(world, &receipt, true);
    }
    double since = now_seconds();
    for (uint32_t i = 0; i < count; i += each) {
        world_begin(world);
        for (uint32_t k = 0; k < each; k++) {
            struct settle_verdict verdict;
            world_ok(world, settle_receipt(world->store, &world->names[ISI], &sent[i + k],
                                           &world_limits, NOW + HOUR_MS, &verdict, &world->fault));
            if (!verdict.accepted)
                fail_msg("%s", verdict.reason);
        }
        world_commit(world);
    }
    line(what, count, since);
}

static void open_listed(struct world *world, uint32_t count)
{
    struct store_lease *found = NULL;
    uint32_t listed = 0;
    double since = now_seconds();
    world_ok(world, store_lease_list_open(world->store, LEASE_STATES_OPEN, &world->arena, &found,
                                          &listed, &world->fault));
    assert_int_equal(listed, count);
    line("open leases listed", count, since);
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20000;
    uint32_t lease_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 4000;
    char directory[256], path[300];
    if (argc > 3)
        setenv("TMPDIR", argv[3], 1);
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/bench.db", directory);
    static struct world world;
    struct lease **leases = calloc(lease_count, sizeof(struct lease *));
    if (leases == NULL)
        return 1;
    count -= count % 100;
    lease_count -= lease_count % 200;
    arena_init(&world.arena, ARENA_ROUND_BYTES);
    world_ok(&world, store_open(path, STORE_CREATE, &world.store, &world.fault));
    world_fill(&world);
    postings(&world, count, 1, "postings, 1 a commit");
    postings(&world, count, 100, "postings, 100 a commit");
    leases_commit(&world, leases, lease_count);
    open_listed(&world, lease_count);
    receipts_settle(&world, leases, lease_count / 2, 1, "receipts settled, 1 a commit");
    receipts_settle(&world, leases + lease_count / 2, lease_count / 2, 100,
                    "receipts settled, 100 a commit");
    double since = now_seconds();
    struct ledger_verify_response result;
    world_ok(&world, ledger_verify(world.store, &world.arena, &result, &world.fault));
    line(result.verified ? "entries verified" : result.problem, (uint32_t)result.entries, since);
    store_close(world.store);
    arena_fini(&world.arena);
    free(leases);
    support_remove_tree(directory);
    return 0;
}
