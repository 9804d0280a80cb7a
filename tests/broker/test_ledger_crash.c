/*
 * What was acknowledged survives kill -9 at any instant. [DESIGN §8.3]
 *
 * A child commits transactions (a deposit, a lease, its report and its receipt, in turn) and says
 * so through a pipe after each commit; the parent kills it after a random number of those words, or
 * in the middle of one, opens the store again and looks for all that was said.
 */
#include "tests/broker/store_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"

enum { KILLS = 12, ACKNOWLEDGED_MAX = 120 };

static void step(struct world *world, uint64_t number)
{
    world->leases = (uint32_t)(number / 4);
    struct lease *lease = world_lease(world, USC, ISI, 0xF);
    struct receipt receipt = world_receipt(lease, 1000);
    switch (number % 4) {
    case 0:
        world_begin(world);
        world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(1), "step", NOW,
                                       &world->fault));
        world_ok(world, store_number_put(world->store, "step", (int64_t)number + 1, &world->fault));
        world_commit(world);
        return;
    case 1:
        world_begin(world);
        world_ok(world, world_add(world, lease, false, NOW, NOW + DURATION));
        break;
    case 2: {
        const struct lease_report report = {
            .lease = lease->id, .kind = LEASE_REPORT_RUNNING, .text = ""};
        world_begin(world);
        world_ok(world,
                 lease_report(world->store, &world->names[ISI], &report, NOW, &world->fault));
        break;
    }
    default: {
        struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
        struct settle_verdict verdict;
        world_begin(world);
        world_ok(world, settle_receipt(world->store, &world->names[ISI], &sent, &world_limits,
                                       NOW + HOUR_MS, &verdict, &world->fault));
        assert_true(verdict.accepted);
    }
    }
    world_ok(world, store_number_put(world->store, "step", (int64_t)number + 1, &world->fault));
    world_commit(world);
}

static _Noreturn void child(struct world *world, const char *path, int pipe_fd)
{
    int64_t number = 0;
    if (store_open(path, STORE_WRITE, &world->store, &world->fault) != STATUS_OK ||
        store_number_get(world->store, "step", 0, &number, &world->fault) != STATUS_OK)
        _exit(1);
    for (;; number++) {
        int64_t done = number + 1;
        arena_reset(&world->arena);
        step(world, (uint64_t)number);
        if (write(pipe_fd, &done, sizeof done) != (ssize_t)sizeof done)
            _exit(1);
    }
}

/* Starts the child, kills it after `wanted` words; the last one heard. */
static int64_t run_and_kill(struct world *world, const char *path, uint64_t wanted,
                            useconds_t delay)
{
    int ends[2];
    int64_t heard = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child(world, path, ends[1]);
    }
    close(ends[1]);
    for (uint64_t i = 0; i < wanted; i++)
        assert_int_equal(read(ends[0], &heard, sizeof heard), sizeof heard);
    usleep(delay); /* to die in the middle of a transaction, not after one */
    kill(pid, SIGKILL);
    int64_t more = 0;
    while (read(ends[0], &more, sizeof more) == (ssize_t)sizeof more)
        heard = more;
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how));
    close(ends[0]);
    return heard;
}

static void what_was_acknowledged_survives_being_killed(void **state)
{
    (void)state;
    char directory[256];
    char path[300];
    uint64_t seed = support_seed(59);
    struct rng rng;
    struct world world = {0};
    support_make_directory(directory);
    snprintf(path, sizeof path, "%s/broker.db", directory);
    arena_init(&world.arena, ARENA_MESSAGE_BYTES);
    rng_init(&rng, seed, 1);
    world_ok(&world, store_open(path, STORE_CREATE, &world.store, &world.fault));
    world_fill(&world);
    store_close(world.store);
    for (int i = 0; i < KILLS; i++) {
        int64_t heard = run_and_kill(&world, path, 1 + rng_below(&rng, ACKNOWLEDGED_MAX),
                                     (useconds_t)rng_below(&rng, 3000));
        int64_t kept = 0;
        /* a reader comes first at times, as `replay` may after a crash */
        if (i % 2 == 0) {
            world_ok(&world, store_open(path, STORE_READ, &world.store, &world.fault));
            world_verify(&world);
            store_close(world.store);
        }
        world_ok(&world, store_open(path, STORE_WRITE, &world.store, &world.fault));
        world_ok(&world, store_number_get(world.store, "step", 0, &kept, &world.fault));
        /* all that was said, and at most the one whose word was cut off */
        if (kept < heard || kept > heard + 1)
            fail_msg("heard %lld, kept %lld; ENTENTE_TEST_SEED=%llu", (long long)heard,
                     (long long)kept, (unsigned long long)seed);
        world_verify(&world);
        /* deposits and settlements are as many as the steps say, not one more or less */
        int64_t deposits = (kept + 3) / 4;
        int64_t settled = kept / 4;
        int64_t paid = settled * 2000; /* 0.002 credits a second for a second */
        int64_t held = world_micros(&world, ACCOUNT_ESCROW, USC);
        assert_int_equal(held, kept % 4 >= 2 ? 1260000 : 0);
        assert_int_equal(world_micros(&world, ACCOUNT_MEMBER, USC) + held,
                         10000000 + deposits * 1000000 - paid);
        store_close(world.store);
    }
    arena_fini(&world.arena);
    support_remove_tree(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_being_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
