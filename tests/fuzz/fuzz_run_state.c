/*
 * Fuzz target of a run's directory (executor_state.h): the first byte picks the file, the rest is
 * what stands in it; then everything there is read. report/progress is the job's own to write, and
 * the rest may be anything after a power cut.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "peer/executor/executor_state.h"
#include "tests/fuzz/fuzz.h"

static const char *const files[] = {"report/progress", "state/exit", "state/launch",
                                    "state/shim",      "state/stop", "state/slot",
                                    "state/checkpoint"};

enum { FILE_COUNT = sizeof files / sizeof files[0], DIRECTORY_BYTES = 64 };

static char directory[DIRECTORY_BYTES];

static void remove_directory(void)
{
    char path[DIRECTORY_BYTES * 2];
    for (size_t f = 0; f < FILE_COUNT; f++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[f]);
        remove(path);
    }
    static const char *const folders[] = {"report", "state", "work", "."};
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        snprintf(path, sizeof path, "%s/%s", directory, folders[f]);
        remove(path);
    }
    remove(directory);
}

static void make_directory(void)
{
    static const char *const folders[] = {"report", "state", "work"};
    char path[DIRECTORY_BYTES * 2];
    snprintf(directory, sizeof directory, "/tmp/fuzz_run_state.XXXXXX");
    bool made = mkdtemp(directory) != NULL;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        snprintf(path, sizeof path, "%s/%s", directory, folders[f]);
        made = made && mkdir(path, 0700) == 0;
    }
    assert(made);
    atexit(remove_directory);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[DIRECTORY_BYTES * 2];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert(file != NULL);
    size_t written = fwrite(data, 1, size, file);
    int closed = fclose(file);
    assert(written == size && closed == 0);
}

static void read_all(struct arena *arena)
{
    struct executor_status status = {0};
    struct exit_record record;
    struct process_identity identity;
    struct launch launch;
    int64_t grace_ms;
    uint32_t slot;
    state_read_progress(directory, &status);
    assert(isfinite(status.examples_per_second) && status.examples_per_second >= 0);
    if (state_read_exit(directory, &record))
        assert(record.code >= 0 && record.code <= 255);
    if (launch_read(directory, arena, &launch, NULL) == STATUS_OK) {
        assert(launch.argument_count <= LAUNCH_ARGUMENTS_MAX);
        for (uint32_t a = 0; a < launch.argument_count; a++)
            assert(memchr(launch.arguments[a], 0, LAUNCH_BYTES_MAX) != NULL);
        assert(launch.arguments[launch.argument_count] == NULL);
    }
    if (state_read_identity(directory, "shim", &identity))
        assert(identity.pid > 0);
    if (state_read_stop(directory, &grace_ms))
        assert(grace_ms >= 0);
    (void)state_read_slot(directory, &slot);
    (void)state_count_checkpoint(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    if (directory[0] == '\0')
        make_directory();
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    put(files[data[0] % FILE_COUNT], data + 1, size - 1);
    read_all(&arena);
    arena_fini(&arena);
    return 0;
}
