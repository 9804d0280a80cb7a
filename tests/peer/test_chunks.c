/* The chunk store: whole or absent, never outside its directory, never over its quota. */
#include "tests/support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "peer/files/chunks.h"
#include "proto/identity/identity.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 };

struct place {
    char root[256];
    char store[512];
    char source[512];
    char target[512];
    struct chunks *chunks;
    struct arena arena;
    struct fault fault;
};

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    support_make_directory(place->root);
    snprintf(place->store, sizeof place->store, "%s/store", place->root);
    snprintf(place->source, sizeof place->source, "%s/source", place->root);
    snprintf(place->target, sizeof place->target, "%s/target", place->root);
    assert_ok(directory_make(place->source, 0755, NULL));
    assert_ok(directory_make(place->target, 0755, NULL));
    arena_init(&place->arena, ARENA_BYTES);
    assert_ok(chunks_open(place->store, 0, &place->chunks, NULL));
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    chunks_close(place->chunks);
    arena_fini(&place->arena);
    support_remove_tree(place->root);
    free(place);
    return 0;
}

static void make_file(const char *directory, const char *relative, struct bytes bytes, mode_t mode)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, relative);
    char parent[FILE_PATH_MAX];
    memcpy(parent, path, sizeof parent);
    *strrchr(parent, '/') = '\0';
    assert_ok(directory_make(parent, 0755, NULL));
    assert_ok(file_write(path, bytes, mode, NULL));
}

static struct bytes text(const char *letters)
{
    return (struct bytes){(const uint8_t *)letters, strlen(letters)};
}

/* size bytes that no two chunks of have in common. */
static struct bytes noise(struct place *place, size_t size, uint64_t seed)
{
    uint8_t *data = arena_alloc(&place->arena, size, 1);
    assert_non_null(data);
    struct rng rng;
    rng_init(&rng, seed, 0);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)rng_next(&rng);
    return (struct bytes){data, size};
}

static enum status scan(struct place *place, const char *path, struct file_set *set)
{
    struct chunks_source const source = {
        .directory = place->source, .paths = &path, .path_count = 1};
    return chunks_scan(place->chunks, &source, &place->arena, set, &place->fault);
}

static void assert_file(struct place *place, const char *relative, struct bytes expected)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", place->target, relative);
    struct bytes actual;
    assert_ok(file_read(path, ARENA_BYTES, &place->arena, &actual, NULL));
    assert_int_equal(actual.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(actual.data, expected.data, expected.size);
}

static void what_is_scanned_is_assembled_byte_for_byte(void **state)
{
    struct place *place = *state;
    /* Three chunks, the last one of 7 bytes; an empty file; one byte over no boundary. */
    struct bytes const large = noise(place, 2 * CHUNK_BYTES_MAX + 7, 1);
    make_file(place->source, "job/model/weights.bin", large, 0644);
    make_file(place->source, "job/empty", text(""), 0600);
    make_file(place->source, "job/run.sh", text("#!/bin/sh\n"), 0755);
    struct file_set set;
    assert_ok(scan(place, "job", &set));
    assert_int_equal(set.count, 3);
    assert_string_equal(set.files[1].path, "job/model/weights.bin");
    assert_int_equal(set.files[1].chunk_count, 3);
    assert_int_equal(set.files[0].chunk_count, 0);
    assert_ok(chunks_assemble(place->chunks, &set, place->target, &place->fault));
    assert_file(place, "job/model/weights.bin", large);
    assert_file(place, "job/empty", text(""));
    assert_file(place, "job/run.sh", text("#!/bin/sh\n"));
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/job/run.sh", place->target);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0755);
}

static void a_second_assembly_replaces_what_the_first_made(void **state)
{
    struct place *place = *state;
    struct file_set set;
    make_file(place->source, "state", text("first"), 0644);
    assert_ok(scan(place, "state", &set));
    assert_ok(chunks_assemble(place->chunks, &set, place->target, &place->fault));
    make_file(place->source, "state", text("second"), 0644);
    assert_ok(scan(place, "state", &set));
    assert_ok(chunks_assemble(place->chunks, &set, place->target, &place->fault));
    assert_ok(chunks_assemble(place->chunks, &set, place->target, &place->fault));
    assert_file(place, "state", text("second"));
}

/* A transfer from one store to another that breaks after each chunk resumes with what lacks. */
static void a_broken_transfer_goes_on_with_the_chunks_that_lack(void **state)
{
    struct place *place = *state;
    struct bytes const content = noise(place, 3 * CHUNK_BYTES_MAX, 2);
    make_file(place->source, "data", content, 0644);
    struct file_set set;
    assert_ok(scan(place, "data", &set));
    char other[600];
    snprintf(other, sizeof other, "%s/other", place->root);
    uint8_t *buffer = malloc(CHUNK_BYTES_MAX);
    for (uint32_t lacks = 3; lacks > 0; lacks--) {
        struct chunks *receiver; /* opened anew each time: the receiver was restarted */
        assert_ok(chunks_open(other, 0, &receiver, NULL));
        struct digest *missing;
        uint32_t count;
        assert_ok(
            chunks_missing(receiver, &set, 100, &place->arena, &missing, &count, &place->fault));
        assert_int_equal(count, lacks);
        assert_int_equal(chunks_assemble(receiver, &set, place->target, NULL), STATUS_NOT_FOUND);
        size_t size;
        assert_ok(chunks_get(place->chunks, &missing[0], buffer, &size, NULL));
        assert_ok(chunks_put(receiver, &missing[0], (struct bytes){buffer, size}, NULL));
        assert_ok(chunks_put(receiver, &missing[0], (struct bytes){buffer, size}, NULL));
        chunks_close(receiver);
    }
    free(buffer);
    struct chunks *receiver;
    assert_ok(chunks_open(other, 0, &receiver, NULL));
    assert_int_equal(chunks_used_bytes(receiver), content.size);
    assert_ok(chunks_assemble(receiver, &set, place->target, NULL));
    chunks_close(receiver);
    assert_file(place, "data", content);
}

static void a_chunk_that_is_in_many_files_is_asked_for_once(void **state)
{
    struct place *place = *state;
    struct digest digests[2];
    digest_bytes("a", 1, &digests[0]);
    digest_bytes("b", 1, &digests[1]);
    struct bundle_file files[3] = {
        {.path = "one", .size_bytes = 1, .chunks = &digests[0], .chunk_count = 1},
        {.path = "two", .size_bytes = 1, .chunks = &digests[1], .chunk_count = 1},
        {.path = "three", .size_bytes = 1, .chunks = &digests[0], .chunk_count = 1},
    };
    struct file_set const set = {files, 3};
    struct digest *missing;
    uint32_t count;
    assert_ok(chunks_missing(place->chunks, &set, 10, &place->arena, &missing, &count, NULL));
    assert_int_equal(count, 2);
    assert_ok(chunks_missing(place->chunks, &set, 1, &place->arena, &missing, &count, NULL));
    assert_int_equal(count, 1); /* the limit */
}

static void a_chunk_with_other_bytes_is_refused_and_not_stored(void **state)
{
    struct place *place = *state;
    struct digest digest;
    digest_bytes("good", 4, &digest);
    assert_int_equal(chunks_put(place->chunks, &digest, text("evil"), &place->fault),
                     STATUS_CORRUPT);
    assert_false(chunks_has(place->chunks, &digest));
    assert_int_equal(chunks_used_bytes(place->chunks), 0);
    assert_ok(chunks_put(place->chunks, &digest, text("good"), NULL));
    assert_true(chunks_has(place->chunks, &digest));
}

static void a_chunk_damaged_on_disk_is_noticed_and_lacks_again(void **state)
{
    struct place *place = *state;
    struct digest digest;
    digest_bytes("good", 4, &digest);
    assert_ok(chunks_put(place->chunks, &digest, text("good"), NULL));
    char hex[DIGEST_TEXT_MAX];
    char path[FILE_PATH_MAX];
    digest_format(&digest, hex);
    snprintf(path, sizeof path, "%s/%.2s/%s", place->store, hex, hex + 2);
    assert_ok(file_write(path, text("evil"), 0600, NULL));
    uint8_t *buffer = malloc(CHUNK_BYTES_MAX);
    size_t size;
    assert_int_equal(chunks_get(place->chunks, &digest, buffer, &size, &place->fault),
                     STATUS_CORRUPT);
    free(buffer);
    assert_false(chunks_has(place->chunks, &digest));
}

static void paths_that_leave_the_directory_are_refused(void **state)
{
    struct place *place = *state;
    static const char *const evil[] = {
        "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "", ".", "a/./b", "a\nb", "a/..",
    };
    struct file_set set;
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        assert_false(bundle_path_valid(evil[i]));
        struct bundle_file file = {.path = evil[i], .mode = 0644};
        set = (struct file_set){&file, 1};
        assert_int_equal(chunks_assemble(place->chunks, &set, place->target, NULL), STATUS_INVALID);
        assert_int_equal(scan(place, evil[i], &set), STATUS_INVALID);
    }
    assert_true(bundle_path_valid("a/..b/...")); /* odd, but inside */
}

static void a_planted_link_leads_nowhere(void **state)
{
    struct place *place = *state;
    char outside[600];
    char link[640];
    snprintf(outside, sizeof outside, "%s/outside", place->root);
    assert_ok(directory_make(outside, 0755, NULL));
    make_file(place->source, "sub/file", text("x"), 0644);
    struct file_set set;
    assert_ok(scan(place, "sub", &set));

    /* A link where a directory should be made: refused, nothing written outside. */
    snprintf(link, sizeof link, "%s/sub", place->target);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(chunks_assemble(place->chunks, &set, place->target, NULL), STATUS_INVALID);
    snprintf(link, sizeof link, "%s/file", outside);
    assert_int_not_equal(access(link, F_OK), 0);

    /* A link in the place of the file itself: replaced, its target untouched. */
    assert_ok(file_write(link, text("host's own"), 0600, NULL));
    char planted[600];
    snprintf(planted, sizeof planted, "%s/sub", place->target);
    assert_int_equal(unlink(planted), 0);
    assert_ok(directory_make(planted, 0755, NULL));
    snprintf(planted, sizeof planted, "%s/sub/file", place->target);
    assert_int_equal(symlink(link, planted), 0);
    assert_ok(chunks_assemble(place->chunks, &set, place->target, NULL));
    struct bytes kept;
    assert_ok(file_read(link, 100, &place->arena, &kept, NULL));
    assert_memory_equal(kept.data, "host's own", 10);

    /* A result that is a link to the host's files: not read. */
    snprintf(planted, sizeof planted, "%s/result", place->source);
    assert_int_equal(symlink("/etc/passwd", planted), 0);
    assert_int_equal(scan(place, "result", &set), STATUS_INVALID);
}

static void what_is_neither_file_nor_directory_is_refused_without_waiting(void **state)
{
    struct place *place = *state;
    char path[600];
    snprintf(path, sizeof path, "%s/pipe", place->source);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct file_set set;
    assert_int_equal(scan(place, "pipe", &set), STATUS_INVALID);
}

static void an_absent_result_is_skipped_where_that_is_allowed(void **state)
{
    struct place *place = *state;
    make_file(place->source, "there", text("x"), 0644);
    const char *paths[] = {"absent", "there"};
    struct chunks_source source = {.directory = place->source, .paths = paths, .path_count = 2};
    struct file_set set;
    assert_int_equal(chunks_scan(place->chunks, &source, &place->arena, &set, &place->fault),
                     STATUS_NOT_FOUND);
    source.absent = CHUNKS_ABSENT_SKIPPED;
    assert_ok(chunks_scan(place->chunks, &source, &place->arena, &set, &place->fault));
    assert_int_equal(set.count, 1);
}

static void a_set_with_a_file_twice_is_not_assembled(void **state)
{
    struct place *place = *state;
    struct bundle_file twice[] = {{.path = "a"}, {.path = "b"}, {.path = "a"}};
    assert_int_equal(
        chunks_assemble(place->chunks, &(struct file_set){twice, 3}, place->target, NULL),
        STATUS_INVALID);
}

static void the_quota_refuses_and_a_sweep_makes_room(void **state)
{
    struct place *place = *state;
    struct digest old;
    struct digest needed;
    struct digest fresh;
    digest_bytes("old", 3, &old);
    digest_bytes("needed", 6, &needed);
    digest_bytes("fresh", 5, &fresh);
    char path[600];
    snprintf(path, sizeof path, "%s/small", place->root);
    struct chunks *small;
    assert_ok(chunks_open(path, 10, &small, NULL)); /* room for "old" and "needed", not for all */
    assert_ok(chunks_put(small, &old, text("old"), NULL));
    assert_ok(chunks_put(small, &needed, text("needed"), NULL));
    assert_int_equal(chunks_put(small, &fresh, text("fresh"), &place->fault), STATUS_EXHAUSTED);
    assert_ok(chunks_put(small, &needed, text("needed"), NULL)); /* it has its room already */
    struct bundle_file file = {.path = "f", .size_bytes = 6, .chunks = &needed, .chunk_count = 1};
    chunks_mark_begin(small);
    assert_ok(chunks_mark(small, &(struct file_set){&file, 1}, NULL));
    uint64_t freed;
    assert_ok(chunks_sweep(small, 9, &freed, NULL));
    assert_int_equal(freed, 0); /* 9 are used, 9 may be kept */
    assert_ok(chunks_sweep(small, 0, &freed, NULL));
    assert_int_equal(freed, 3);
    assert_false(chunks_has(small, &old));
    assert_true(chunks_has(small, &needed));
    assert_int_equal(chunks_used_bytes(small), 6);
    assert_int_equal(chunks_put(small, &fresh, text("fresh"), NULL), STATUS_EXHAUSTED);
    chunks_mark_begin(small);
    assert_ok(chunks_sweep(small, 0, &freed, NULL));
    assert_ok(chunks_put(small, &fresh, text("fresh"), NULL));
    chunks_close(small);
}

struct put_many {
    struct place *place;
    pthread_t thread;
    uint32_t failed;
};

enum { SAME_CHUNKS = 64, PUT_THREADS = 4 };

static void *put_many(void *argument)
{
    struct put_many *job = argument;
    for (uint32_t i = 0; i < SAME_CHUNKS; i++) {
        struct digest digest;
        digest_bytes(&i, sizeof i, &digest);
        struct bytes const data = {(const uint8_t *)&i, sizeof i};
        if (chunks_put(job->place->chunks, &digest, data, NULL) != STATUS_OK)
            job->failed++;
    }
    return NULL;
}

static void threads_that_put_the_same_chunks_count_them_once(void **state)
{
    struct place *place = *state;
    struct put_many jobs[PUT_THREADS];
    for (size_t j = 0; j < PUT_THREADS; j++) {
        jobs[j] = (struct put_many){.place = place};
        assert_int_equal(pthread_create(&jobs[j].thread, NULL, put_many, &jobs[j]), 0);
    }
    for (size_t j = 0; j < PUT_THREADS; j++) {
        pthread_join(jobs[j].thread, NULL);
        assert_int_equal(jobs[j].failed, 0);
    }
    assert_int_equal(chunks_used_bytes(place->chunks), SAME_CHUNKS * sizeof(uint32_t));
    chunks_close(place->chunks);
    assert_ok(chunks_open(place->store, 0, &place->chunks, NULL)); /* counts what is there */
    assert_int_equal(chunks_used_bytes(place->chunks), SAME_CHUNKS * sizeof(uint32_t));
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_scanned_is_assembled_byte_for_byte),
        CLAIM(a_second_assembly_replaces_what_the_first_made),
        CLAIM(a_broken_transfer_goes_on_with_the_chunks_that_lack),
        CLAIM(a_chunk_that_is_in_many_files_is_asked_for_once),
        CLAIM(a_chunk_with_other_bytes_is_refused_and_not_stored),
        CLAIM(a_chunk_damaged_on_disk_is_noticed_and_lacks_again),
        CLAIM(paths_that_leave_the_directory_are_refused),
        CLAIM(a_planted_link_leads_nowhere),
        CLAIM(what_is_neither_file_nor_directory_is_refused_without_waiting),
        CLAIM(an_absent_result_is_skipped_where_that_is_allowed),
        CLAIM(a_set_with_a_file_twice_is_not_assembled),
        CLAIM(the_quota_refuses_and_a_sweep_makes_room),
        CLAIM(threads_that_put_the_same_chunks_count_them_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
