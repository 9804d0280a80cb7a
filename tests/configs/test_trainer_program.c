/* entente-trainer as a job runs it: real data, real signals, its exit codes and files. */
#include "tests/support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "configs/demo/trainer/dataset.h"

enum { WAIT_MS_MAX = 60000, STOPPED = 75 };

struct place {
    char root[256];
    char trainer[512];
    char checkpoint[300];
    char progress[300];
    char output[300];
    char result[300];
    struct arena arena;
};

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    const char *programs = getenv("ENTENTE_BIN_DIR");
    support_make_directory(place->root);
    snprintf(place->trainer, sizeof place->trainer, "%s/entente-trainer",
             programs != NULL ? programs : "build/dev/bin");
    snprintf(place->checkpoint, sizeof place->checkpoint, "%s/checkpoint", place->root);
    snprintf(place->progress, sizeof place->progress, "%s/progress", place->root);
    snprintf(place->output, sizeof place->output, "%s/output", place->root);
    snprintf(place->result, sizeof place->result, "%s/metrics.json", place->root);
    arena_init(&place->arena, ARENA_MESSAGE_BYTES);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    arena_fini(&place->arena);
    support_remove_tree(place->root);
    free(place);
    return 0;
}

static pid_t start(struct place *place, const char *options)
{
    pid_t const pid = fork();
    if (pid != 0)
        return pid;
    char command[2048];
    snprintf(command, sizeof command, "exec %s --result %s %s >%s 2>&1", place->trainer,
             place->result, options, place->output);
    setenv("ENTENTE_CHECKPOINT", place->checkpoint, 1);
    setenv("ENTENTE_PROGRESS", place->progress, 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(99);
}

static int finish(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct bytes read_file(struct place *place, const char *path)
{
    struct bytes bytes = {(const uint8_t *)"", 0};
    if (file_read(path, ARENA_MESSAGE_BYTES / 4, &place->arena, &bytes, NULL) != STATUS_OK)
        bytes = (struct bytes){(const uint8_t *)"", 0};
    return bytes;
}

static const char *read_text(struct place *place, const char *path)
{
    return (const char *)read_file(place, path).data;
}

static bool data_is_absent(void)
{
    bool const absent = access(DATASET_DIRECTORY "/train-images-idx3-ubyte.gz", R_OK) != 0;
    if (absent)
        print_message("skipped: no " DATASET_DIRECTORY ": install dataset-fashion-mnist\n");
    return absent;
}
#define NEEDS_DATA()                                                                               \
    do {                                                                                           \
        if (data_is_absent())                                                                      \
            skip();                                                                                \
    } while (0)

/* A linear classifier reaches some 0.83 on Fashion-MNIST in the long run [Xiao et al. 2017]; one
 * epoch of this network reaches that too. */
static void one_epoch_gives_three_quarters_right(void **state)
{
    struct place *place = *state;
    NEEDS_DATA();
    assert_int_equal(finish(start(place, "--unpaced --examples 60000 --gpus 2")), 0);
    const char *key = strstr(read_text(place, place->result), "\"test_accuracy\": ");
    assert_non_null(key);
    assert_true(strtod(key + strlen("\"test_accuracy\": "), NULL) > 0.75);
    assert_non_null(strstr(read_text(place, place->progress), "examples 60000\n"));
    assert_non_null(strstr(read_text(place, place->progress), "steps 938\n"));
}

static void stopped_and_resumed_it_ends_as_if_never_stopped(void **state)
{
    struct place *place = *state;
    NEEDS_DATA();
    const char *options = "--data-limit 2000 --examples 3000 --speed 4 --gpus 2 --seed 5";
    assert_int_equal(finish(start(place, options)), 0);
    struct bytes const whole = read_file(place, place->checkpoint);
    assert_true(whole.size > 0);
    assert_int_equal(unlink(place->checkpoint), 0);
    assert_int_equal(unlink(place->progress), 0);

    pid_t const first = start(place, options);
    for (int waited = 0; access(place->progress, F_OK) != 0; waited += 5) {
        assert_true(waited < WAIT_MS_MAX);
        usleep(5000);
    }
    assert_int_equal(kill(first, SIGTERM), 0);
    assert_int_equal(finish(first), STOPPED);
    assert_non_null(strstr(read_text(place, place->output), "checkpoint written"));
    assert_int_equal(finish(start(place, options)), 0);
    assert_non_null(strstr(read_text(place, place->output), "resumed from"));
    struct bytes const pieced = read_file(place, place->checkpoint);
    assert_int_equal(pieced.size, whole.size);
    assert_memory_equal(pieced.data, whole.data, whole.size);
}

static void work_that_is_done_is_not_done_again(void **state)
{
    struct place *place = *state;
    NEEDS_DATA();
    const char *options = "--unpaced --data-limit 1000 --examples 1000";
    assert_int_equal(finish(start(place, options)), 0);
    struct bytes const once = read_file(place, place->checkpoint);
    assert_int_equal(finish(start(place, options)), 0);
    struct bytes const twice = read_file(place, place->checkpoint);
    assert_memory_equal(once.data, twice.data, once.size);
    assert_non_null(strstr(read_text(place, place->result), "\"resumed_from_examples\": 1000"));
}

static void a_corrupt_checkpoint_ends_it_with_1_and_a_sentence(void **state)
{
    struct place *place = *state;
    assert_ok(
        file_write(place->checkpoint, (struct bytes){(const uint8_t *)"garbage", 7}, 0644, NULL));
    assert_int_equal(finish(start(place, "--examples 100")), 1);
    assert_non_null(strstr(read_text(place, place->output), "is refused: it is too short"));
    assert_string_equal(read_text(place, place->checkpoint), "garbage"); /* left as it was */
}

static void wrong_usage_ends_it_with_2(void **state)
{
    struct place *place = *state;
    static const char *const wrong[] = {"--examples 0",   "--examples -1", "--batch 1e3",
                                        "--speed nan",    "--model huge",  "--gpus 65",
                                        "--no-such-thing"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(finish(start(place, wrong[i])), 2);
    assert_int_equal(finish(start(place, "--predict --gpus 4 --speed 1")), 0);
    assert_string_equal(read_text(place, place->output), "2909.1\n"); /* 64 examples in 22 ms */
}

static void an_absent_data_set_is_named(void **state)
{
    struct place *place = *state;
    assert_int_equal(finish(start(place, "--data /nonexistent")), 1);
    assert_non_null(strstr(read_text(place, place->output), "dataset-fashion-mnist"));
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(one_epoch_gives_three_quarters_right),
        CLAIM(stopped_and_resumed_it_ends_as_if_never_stopped),
        CLAIM(work_that_is_done_is_not_done_again),
        CLAIM(a_corrupt_checkpoint_ends_it_with_1_and_a_sentence),
        CLAIM(wrong_usage_ends_it_with_2),
        CLAIM(an_absent_data_set_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
