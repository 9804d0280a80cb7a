#include "tests/broker/store_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- files */

struct place {
    char directory[256];
    char path[300];
    struct arena arena;
    struct fault fault;
};

static int place_make(void **state)
{
    struct place *place = test_calloc(1, sizeof *place);
    support_make_directory(place->directory);
    snprintf(place->path, sizeof place->path, "%s/broker.db", place->directory);
    arena_init(&place->arena, ARENA_MESSAGE_BYTES);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    support_remove_tree(place->directory);
    arena_fini(&place->arena);
    test_free(place);
    return 0;
}

#define place_test(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

static struct store *opened(struct place *place, enum store_mode mode)
{
    struct store *store = NULL;
    if (store_open(place->path, mode, &store, &place->fault) != STATUS_OK)
        fail_msg("%s", place->fault.text);
    return store;
}

static void put_number(struct place *place, struct store *store, int64_t value)
{
    assert_ok(store_begin(store, &place->fault));
    assert_ok(store_number_put(store, "n", value, &place->fault));
    assert_ok(store_commit(store, &place->fault));
}

static int64_t get_number(struct place *place, struct store *store)
{
    int64_t value = -1;
    assert_ok(store_number_get(store, "n", -1, &value, &place->fault));
    return value;
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct place *place = *state;
    struct store *store = opened(place, STORE_CREATE);
    put_number(place, store, 7);
    assert_ok(store_begin(store, &place->fault));
    assert_ok(store_number_put(store, "n", 8, &place->fault));
    store_close(store); /* without a commit */
    store = opened(place, STORE_WRITE);
    assert_int_equal(get_number(place, store), 7);
    store_close(store);
}

static void a_rolled_back_change_is_gone(void **state)
{
    struct place *place = *state;
    struct store *store = opened(place, STORE_CREATE);
    put_number(place, store, 7);
    assert_ok(store_begin(store, &place->fault));
    assert_ok(store_number_put(store, "n", 8, &place->fault));
    assert_true(store_in_transaction(store));
    store_rollback(store);
    assert_false(store_in_transaction(store));
    assert_int_equal(get_number(place, store), 7);
    store_rollback(store); /* nothing is open: nothing happens */
    store_close(store);
}

static void a_store_is_private_to_its_owner(void **state)
{
    struct place *place = *state;
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    struct store *store = opened(place, STORE_CREATE);
    put_number(place, store, 7);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[320];
        struct stat about;
        snprintf(path, sizeof path, "%s%s", place->path, endings[i]);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    store_close(store);
}

static void a_store_is_not_created_over_another_nor_opened_where_none_is(void **state)
{
    struct place *place = *state;
    struct store *store = NULL;
    assert_int_equal(store_open(place->path, STORE_WRITE, &store, &place->fault), STATUS_NOT_FOUND);
    assert_int_equal(store_open(place->path, STORE_READ, &store, &place->fault), STATUS_NOT_FOUND);
    store_close(opened(place, STORE_CREATE));
    assert_int_equal(store_open(place->path, STORE_CREATE, &store, &place->fault), STATUS_EXISTS);
    assert_null(store);
}

static void a_second_writer_is_refused(void **state)
{
    struct place *place = *state;
    struct store *second = NULL;
    struct store *store = opened(place, STORE_CREATE);
    assert_int_equal(store_open(place->path, STORE_WRITE, &second, &place->fault),
                     STATUS_PRECONDITION);
    assert_non_null(strstr(place->fault.text, "another process writes"));
    store_close(store);
    store_close(opened(place, STORE_WRITE));
}

static void a_reader_sees_committed_state_only(void **state)
{
    struct place *place = *state;
    struct store *writer = opened(place, STORE_CREATE);
    put_number(place, writer, 7);
    struct store *reader = opened(place, STORE_READ);
    assert_ok(store_begin(writer, &place->fault));
    assert_ok(store_number_put(writer, "n", 8, &place->fault));
    assert_int_equal(get_number(place, reader), 7);
    assert_ok(store_commit(writer, &place->fault));
    assert_int_equal(get_number(place, reader), 8);
    store_close(reader);
    store_close(writer);
}

static void a_file_that_is_no_store_is_left_alone(void **state)
{
    struct place *place = *state;
    struct store *store = NULL;
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    assert_int_equal(store_open(place->path, STORE_WRITE, &store, &place->fault), STATUS_CORRUPT);
    /* somebody else's database */
    unlink(place->path);
    store = opened(place, STORE_CREATE);
    assert_ok(query_script(store, "PRAGMA application_id = 5", &place->fault));
    store_close(store);
    store = NULL;
    assert_int_equal(store_open(place->path, STORE_WRITE, &store, &place->fault), STATUS_CORRUPT);
    assert_non_null(strstr(place->fault.text, "not a store of entente-broker"));
}

static void a_store_of_a_newer_release_is_refused(void **state)
{
    struct place *place = *state;
    struct store *store = opened(place, STORE_CREATE);
    assert_ok(query_script(store, "PRAGMA user_version = 1000", &place->fault));
    store_close(store);
    store = NULL;
    assert_int_equal(store_open(place->path, STORE_WRITE, &store, &place->fault), STATUS_CORRUPT);
    assert_non_null(strstr(place->fault.text, "newer release"));
}

static void a_store_that_was_never_migrated_is_not_read(void **state)
{
    struct place *place = *state;
    struct store *store = opened(place, STORE_CREATE);
    assert_ok(query_script(store, "PRAGMA user_version = 0", &place->fault));
    store_close(store);
    store = NULL;
    assert_int_equal(store_open(place->path, STORE_READ, &store, &place->fault),
                     STATUS_PRECONDITION);
}

/* Takes back the newest migrations by hand, as far as the one that told of dropped placements. */
static void an_earlier_releases_rounds_are_kept_as_rounds_that_dropped_nothing(void **state)
{
    struct place *place = *state;
    struct store *store = opened(place, STORE_CREATE);
    struct store_round round = {.row = {.round = 7, .placed = 3}, .incarnation = 1, .dropped = 2};
    assert_ok(store_begin(store, &place->fault));
    assert_ok(store_round_add(store, &round, &place->fault));
    assert_ok(store_commit(store, &place->fault));
    assert_ok(query_script(store, "ALTER TABLE rounds DROP COLUMN dropped; PRAGMA user_version = 6",
                           &place->fault));
    store_close(store);
    store = opened(place, STORE_WRITE);
    assert_ok(store_round_find(store, 7, &place->arena, &round, &place->fault));
    assert_int_equal(round.row.placed, 3);
    assert_int_equal(round.dropped, 0);
    store_close(store);
}

static void every_raise_of_the_incarnation_is_one_more(void **state)
{
    struct place *place = *state;
    uint64_t incarnation = 0;
    struct store *store = opened(place, STORE_CREATE);
    assert_ok(store_incarnation(store, &incarnation, &place->fault));
    assert_int_equal(incarnation, 1);
    assert_ok(store_begin(store, &place->fault));
    assert_ok(store_incarnation_raise(store, 0, &incarnation, &place->fault));
    assert_ok(store_commit(store, &place->fault));
    assert_int_equal(incarnation, 2);
    store_close(store);
    store = opened(place, STORE_READ);
    assert_ok(store_incarnation(store, &incarnation, &place->fault));
    assert_int_equal(incarnation, 2);
    store_close(store);
}

static void a_setting_comes_back_and_an_absent_one_is_not_found(void **state)
{
    struct world *world = *state;
    struct bytes value = {(const uint8_t *)"a\0b", 3};
    struct bytes found = {NULL, 0};
    world_begin(world);
    world_ok(world, store_setting_put(world->store, "x", value, &world->fault));
    world_ok(world,
             store_setting_put(world->store, "empty", (struct bytes){NULL, 0}, &world->fault));
    world_commit(world);
    world_ok(world, store_setting_get(world->store, "x", &world->arena, &found, &world->fault));
    assert_int_equal(found.size, 3);
    assert_memory_equal(found.data, "a\0b", 3);
    world_ok(world, store_setting_get(world->store, "empty", &world->arena, &found, &world->fault));
    assert_int_equal(found.size, 0);
    assert_int_equal(store_setting_get(world->store, "y", &world->arena, &found, &world->fault),
                     STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(what_was_committed_is_there_after_reopening),
        place_test(a_rolled_back_change_is_gone),
        place_test(a_store_is_private_to_its_owner),
        place_test(a_store_is_not_created_over_another_nor_opened_where_none_is),
        place_test(a_second_writer_is_refused),
        place_test(a_reader_sees_committed_state_only),
        place_test(a_file_that_is_no_store_is_left_alone),
        place_test(a_store_of_a_newer_release_is_refused),
        place_test(a_store_that_was_never_migrated_is_not_read),
        place_test(an_earlier_releases_rounds_are_kept_as_rounds_that_dropped_nothing),
        place_test(every_raise_of_the_incarnation_is_one_more),
        world_test(a_setting_comes_back_and_an_absent_one_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
