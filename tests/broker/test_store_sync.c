/* Many commits, one sync: what was synced survives a power failure; of the rest nothing is half
 * there. */
#include "tests/broker/power_loss.h"
#include "base/file.h"
#include "base/rng.h"
#include "tests/broker/store_fixture.h"

/* More than a checkpoint's thousand pages, so that the log begins anew several times. */
enum { COMMITS = 4000 };

struct place {
    char directory[256];
    char image[300];
    char path[300];
    struct power_loss disk;
    struct arena arena;
    struct fault fault;
    struct store *store;
};

static int make(void **state)
{
    struct place *place = test_calloc(1, sizeof *place);
    support_make_directory(place->directory);
    snprintf(place->path, sizeof place->path, "%s/broker.db", place->directory);
    snprintf(place->image, sizeof place->image, "%s/image", place->directory);
    assert_ok(directory_make(place->image, 0700, NULL));
    arena_init(&place->arena, ARENA_ROUND_BYTES);
    power_loss_begin(&place->disk, place->image);
    assert_ok(store_open(place->path, STORE_CREATE, &place->store, &place->fault));
    *state = place;
    return 0;
}

static int drop(void **state)
{
    struct place *place = *state;
    store_close(place->store);
    power_loss_end(&place->disk);
    support_remove_tree(place->directory);
    arena_fini(&place->arena);
    test_free(place);
    return 0;
}

/* Two rows that must agree, and padding so that the log fills. */
static void put(struct place *place, int64_t value)
{
    static const uint8_t padding[3000];
    assert_ok(store_begin(place->store, &place->fault));
    assert_ok(store_number_put(place->store, "n", value, &place->fault));
    assert_ok(store_setting_put(place->store, "padding", (struct bytes){padding, sizeof padding},
                                &place->fault));
    assert_ok(store_number_put(place->store, "minus-n", -value, &place->fault));
    assert_ok(store_commit(place->store, &place->fault));
}

/* n as the image has it; on a copy, since opening recovers the files. */
static int64_t after_power_loss(struct place *place)
{
    static const char *const files[] = {"broker.db", "broker.db-wal"};
    char found[700];
    char from[700];
    char directory[400];
    struct store *store = NULL;
    int64_t n = 0;
    int64_t minus_n = 0;
    snprintf(directory, sizeof directory, "%s/after", place->directory);
    support_remove_tree(directory);
    assert_ok(directory_make(directory, 0700, NULL));
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", place->image, files[i]);
        snprintf(found, sizeof found, "%s/%s", directory, files[i]);
        power_loss_copy(from, found);
    }
    snprintf(found, sizeof found, "%s/broker.db", directory);
    power_loss_end(&place->disk);
    if (store_open(found, STORE_WRITE, &store, &place->fault) != STATUS_OK)
        fail_msg("%s", place->fault.text);
    assert_ok(store_number_get(store, "n", 0, &n, &place->fault));
    assert_ok(store_number_get(store, "minus-n", 0, &minus_n, &place->fault));
    assert_int_equal(n, -minus_n);
    store_close(store);
    uint32_t syncs = place->disk.syncs;
    power_loss_begin(&place->disk, place->image);
    place->disk.syncs = syncs;
    return n;
}

static void a_commit_alone_is_synced_by_itself(void **state)
{
    struct place *place = *state;
    put(place, 1);
    assert_false(store_unsynced(place->store));
    assert_int_equal(after_power_loss(place), 1);
}

static void a_deferred_commit_waits_for_the_sync(void **state)
{
    struct place *place = *state;
    assert_ok(store_defer_sync(place->store, &place->fault));
    put(place, 1);
    assert_true(store_unsynced(place->store));
    assert_ok(store_sync(place->store, &place->fault));
    assert_false(store_unsynced(place->store));
    put(place, 2);
    assert_int_equal(after_power_loss(place), 1); /* else the disk of this test keeps too much */
    assert_ok(store_sync(place->store, &place->fault));
    assert_int_equal(after_power_loss(place), 2);
}

static void reading_leaves_nothing_to_sync(void **state)
{
    struct place *place = *state;
    int64_t n = 0;
    assert_ok(store_defer_sync(place->store, &place->fault));
    assert_ok(store_number_get(place->store, "n", 0, &n, &place->fault));
    assert_false(store_unsynced(place->store));
}

/* Whatever checkpoints and new beginnings of the log come between. */
static void what_was_synced_survives_and_the_rest_is_whole_or_gone(void **state)
{
    struct place *place = *state;
    struct rng rng;
    int64_t synced = 0;
    rng_init(&rng, 1, 0);
    assert_ok(store_defer_sync(place->store, &place->fault));
    for (int64_t i = 1; i <= COMMITS; i++) {
        put(place, i);
        if (rng_below(&rng, 40) == 0) {
            assert_ok(store_sync(place->store, &place->fault));
            synced = i;
        }
        if (synced > 0 && rng_below(&rng, 100) == 0) {
            int64_t found = after_power_loss(place);
            assert_true(found >= synced && found <= i);
        }
    }
    assert_true(place->disk.syncs < COMMITS / 4); /* that is what it is for */
}

#define sync_test(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sync_test(a_commit_alone_is_synced_by_itself),
        sync_test(a_deferred_commit_waits_for_the_sync),
        sync_test(reading_leaves_nothing_to_sync),
        sync_test(what_was_synced_survives_and_the_rest_is_whole_or_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
