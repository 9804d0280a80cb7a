/* File sets: which are allowed, and what their digests see. */
#include "tests/support/support.h"

#include <string.h>

#include "peer/files/chunks.h"
#include "proto/identity/identity.h"

/* PATH_BYTES_MAX and BUNDLE_DEPTH_MAX are the last lengths that are allowed. */
static void paths_have_their_limits(void **state)
{
    (void)state;
    char path[PATH_BYTES_MAX + 2];
    memset(path, 'x', sizeof path);
    path[PATH_BYTES_MAX] = '\0';
    assert_true(bundle_path_valid(path));
    path[PATH_BYTES_MAX] = 'x';
    path[PATH_BYTES_MAX + 1] = '\0';
    assert_false(bundle_path_valid(path));
    for (size_t i = 0; i < BUNDLE_DEPTH_MAX; i++) {
        path[2 * i] = 'd';
        path[2 * i + 1] = '/';
    }
    path[2 * BUNDLE_DEPTH_MAX - 1] = '\0';
    assert_true(bundle_path_valid(path));
    memcpy(path + 2 * BUNDLE_DEPTH_MAX - 1, "/d", 3);
    assert_false(bundle_path_valid(path));
}

static void a_set_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct digest digest = {{0}};
    struct bundle_file twice[] = {{.path = "a"}, {.path = "b"}, {.path = "a"}};
    struct bundle_file both[] = {{.path = "a"}, {.path = "a-b"}, {.path = "a/c"}};
    struct bundle_file size[] = {{.path = "a", .size_bytes = 1}};
    struct bundle_file mode[] = {{.path = "a", .mode = 04755}};
    struct bundle_file good[] = {
        {.path = "a", .size_bytes = 1, .chunks = &digest, .chunk_count = 1}, {.path = "a-b"}};
    assert_int_equal(file_set_check(&(struct file_set){twice, 3}, NULL), STATUS_INVALID);
    assert_int_equal(file_set_check(&(struct file_set){both, 3}, NULL), STATUS_INVALID);
    assert_int_equal(file_set_check(&(struct file_set){size, 1}, NULL), STATUS_INVALID);
    assert_int_equal(file_set_check(&(struct file_set){mode, 1}, NULL), STATUS_INVALID);
    assert_ok(file_set_check(&(struct file_set){good, 2}, NULL));
}

static void digests_see_every_field_and_no_order(void **state)
{
    (void)state;
    struct digest chunk = {{1}};
    struct bundle_file files[] = {
        {.path = "b", .mode = 0644, .size_bytes = 1, .chunks = &chunk, .chunk_count = 1},
        {.path = "a", .mode = 0755},
    };
    struct bundle_file turned[] = {files[1], files[0]};
    struct digest one;
    struct digest other;
    file_set_digest(&(struct file_set){files, 2}, &one);
    file_set_digest(&(struct file_set){turned, 2}, &other);
    assert_true(digest_equal(&one, &other));
    turned[0].mode = 0700;
    file_set_digest(&(struct file_set){turned, 2}, &other);
    assert_false(digest_equal(&one, &other));

    const char *arguments[] = {"train", "--fast"};
    const char *joined[] = {"train--fast"};
    struct job_specification specification = {
        .arguments = arguments,
        .argument_count = 2,
        .files = files,
        .file_count = 2,
        .checkpoint_path = "",
    };
    bundle_digest(&specification, &one);
    specification.arguments = joined;
    specification.argument_count = 1;
    bundle_digest(&specification, &other);
    assert_false(digest_equal(&one, &other));
    bundle_digest(&specification, &one);
    specification.limits.network = true;
    bundle_digest(&specification, &other);
    assert_false(digest_equal(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_their_limits),
        cmocka_unit_test(a_set_that_contradicts_itself_is_refused),
        cmocka_unit_test(digests_see_every_field_and_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
