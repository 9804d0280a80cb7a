/*
 * What a disk may do to the store: be full, lose its tail, flip bits. Nothing may crash, nothing be
 * half done, and what is read wrongly must not verify.
 */
#include "tests/broker/store_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "broker/money/export.h"

struct damage {
    char directory[256];
    char path[300];
    char copy[300];
    struct world world;
};

/* A store with leases in several states, closed. */
static int damage_make(void **state)
{
    struct damage *damage = test_calloc(1, sizeof *damage);
    struct world *world = &damage->world;
    support_make_directory(damage->directory);
    snprintf(damage->path, sizeof damage->path, "%s/broker.db", damage->directory);
    snprintf(damage->copy, sizeof damage->copy, "%s/copy.db", damage->directory);
    arena_init(&world->arena, ARENA_MESSAGE_BYTES);
    world_ok(world, store_open(damage->path, STORE_CREATE, &world->store, &world->fault));
    world_fill(world);
    for (uint64_t bit = 1; bit < UINT64_C(1) << 20; bit <<= 1) {
        struct lease *lease = world_lease(world, USC, ISI, bit);
        world_grant(world, lease);
        struct receipt receipt = world_receipt(lease, 1000);
        struct signed_receipt sent = world_sign_receipt(world, &receipt, true);
        if (lease->id.index % 2 == 0)
            assert_true(world_settle(world, ISI, &sent, NOW + HOUR_MS).accepted);
    }
    *state = damage;
    return 0;
}

static int damage_remove(void **state)
{
    struct damage *damage = *state;
    store_close(damage->world.store);
    arena_fini(&damage->world.arena);
    support_remove_tree(damage->directory);
    test_free(damage);
    return 0;
}

static void a_full_disk_rolls_back_whole(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t before = 0;
    uint64_t after = 0;
    struct digest hash;
    enum status status = STATUS_OK;
    world_ok(world, ledger_head(world->store, &before, &hash, &world->fault));
    /* SQLite answers a database at its page limit as it answers a full disk */
    world_ok(world, query_script(world->store, "PRAGMA max_page_count = 1", &world->fault));
    world_begin(world);
    for (int i = 0; i < 10000 && status == STATUS_OK; i++)
        status =
            ledger_deposit(world->store, &world->names[USC], CREDIT(1), "much", NOW, &world->fault);
    assert_int_equal(status, STATUS_IO);
    store_rollback(world->store);
    world_ok(world, ledger_head(world->store, &after, &hash, &world->fault));
    assert_int_equal(after, before);
    world_verify(world);
    /* with room again the work goes on */
    world_ok(world, query_script(world->store, "PRAGMA max_page_count = 100000", &world->fault));
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[USC], CREDIT(1), "more", NOW,
                                   &world->fault));
    world_commit(world);
    world_verify(world);
}

static size_t file_read(const char *path, uint8_t **bytes)
{
    struct stat about;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &about), 0);
    *bytes = test_malloc((size_t)about.st_size);
    assert_int_equal(read(fd, *bytes, (size_t)about.st_size), about.st_size);
    close(fd);
    return (size_t)about.st_size;
}

static void file_write(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

/* Reads all there is to read; only that it comes back matters. */
static void read_everything(struct world *world, struct store *store, struct arena *arena)
{
    struct store_lease *leases = NULL;
    struct store_member *members = NULL;
    struct store_held_node *held = NULL;
    struct lease_event *events = NULL;
    uint64_t next = 0;
    uint32_t count = 0;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    if (store_lease_page(store, &world->names[USC], LEASE_STATES_ALL, 0, 1000, arena, &leases,
                         &count, &next, NULL) != STATUS_OK ||
        store_member_list(store, arena, &members, &count, NULL) != STATUS_OK ||
        store_lease_held(store, arena, &held, &count, NULL) != STATUS_OK ||
        store_event_list(store, &world->names[ISI], 0, 1000, arena, &events, &count, NULL) !=
            STATUS_OK ||
        export_ledger(store, EXPORT_BEANCOUNT, to, NULL) != STATUS_OK)
        print_message(".");
    fclose(to);
    free(text);
}

/* Opens the damaged copy; true where its ledger verifies with the head it had. */
static bool verifies(struct damage *damage, const struct ledger_verify_response *good)
{
    struct world *world = &damage->world;
    struct store *store = NULL;
    struct ledger_verify_response found = {.verified = false};
    struct arena arena;
    if (store_open(damage->copy, STORE_WRITE, &store, NULL) != STATUS_OK)
        return false;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    read_everything(world, store, &arena);
    enum status status = ledger_verify(store, &arena, &found, NULL);
    bool same = status == STATUS_OK && found.verified && found.entries == good->entries &&
                digest_equal(&found.head, &good->head);
    bool wrong = status == STATUS_OK && found.verified && !same;
    arena_fini(&arena);
    store_close(store);
    assert_false(wrong); /* verified, and yet another ledger */
    return same;
}

static void damaged_bytes_crash_nothing_and_no_wrong_ledger_verifies(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    struct ledger_verify_response good;
    uint8_t *bytes = NULL;
    uint64_t seed = support_seed(3);
    uint32_t unharmed = 0;
    struct rng rng;
    rng_init(&rng, seed, 1);
    world_ok(world, ledger_verify(world->store, &world->arena, &good, &world->fault));
    store_close(world->store); /* writes the log back into the file */
    world->store = NULL;
    size_t size = file_read(damage->path, &bytes);
    print_message("seed %llu ", (unsigned long long)seed);
    for (int i = 0; i < 300; i++) {
        size_t at[4];
        uint8_t old[4];
        uint64_t flips = 1 + rng_below(&rng, 4);
        for (uint64_t k = 0; k < flips; k++) {
            at[k] = (size_t)rng_below(&rng, size);
            old[k] = bytes[at[k]];
            bytes[at[k]] ^= (uint8_t)(1 + rng_below(&rng, 255));
        }
        file_write(damage->copy, bytes, i % 10 == 9 ? (size_t)rng_below(&rng, size) : size);
        unharmed += verifies(damage, &good);
        for (uint64_t k = flips; k-- > 0;)
            bytes[at[k]] = old[k];
    }
    print_message("\n");
    /* most of the file is not the ledger, so that most flips leave it whole; but not all */
    assert_true(unharmed > 0 && unharmed < 300);
    test_free(bytes);
}

static void what_is_verified_stands_still_while_another_writes(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    struct store *reader = NULL;
    struct credits balance;
    const struct ledger_account account = {ACCOUNT_MEMBER, world->names[JPL]};
    world_ok(world, store_open(damage->path, STORE_READ, &reader, &world->fault));
    world_ok(world, store_read_begin(reader, &world->fault));
    world_ok(world, ledger_balance(reader, &account, &balance, &world->fault));
    int64_t before = balance.micros;
    world_begin(world);
    world_ok(world, ledger_deposit(world->store, &world->names[JPL], CREDIT(1), "more", NOW,
                                   &world->fault));
    world_commit(world);
    world_ok(world, ledger_balance(reader, &account, &balance, &world->fault));
    assert_int_equal(balance.micros, before);
    store_read_end(reader);
    world_ok(world, ledger_balance(reader, &account, &balance, &world->fault));
    assert_int_equal(balance.micros, before + 1000000);
    store_close(reader);
}

#define damage_test(test) cmocka_unit_test_setup_teardown(test, damage_make, damage_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        damage_test(a_full_disk_rolls_back_whole),
        damage_test(damaged_bytes_crash_nothing_and_no_wrong_ledger_verifies),
        damage_test(what_is_verified_stands_still_while_another_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
