#include "tests/peer/executor_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void bench_open_executor(struct executor_bench *bench)
{
    assert_ok(process_executor_open(&bench->settings, &bench->executor, NULL));
    bench->executor->operations->probe(bench->executor, &bench->abilities);
}

int bench_begin(void **state)
{
    struct executor_bench *bench = calloc(1, sizeof *bench);
    support_make_directory(bench->root);
    snprintf(bench->directory, sizeof bench->directory, "%s/run", bench->root);
    arena_init(&bench->arena, 2 * EXECUTOR_LOG_BYTES_MAX);
    bench->settings = (struct process_executor_settings){
        .program = "/proc/self/exe",
        .sandbox = true,
        .memory_bytes_default = 256 << 20,
        .processes_default = 64,
        .scratch_bytes_default = 16 << 20,
        .first_uid = FIRST_UID + (uint32_t)getpid() % UIDS,
    };
    bench->gpu = (struct name){"H100"};
    bench->node = (struct lease_node){.node = 0, .gpus = 0x5}; /* GPUs 0 and 2 */
    bench->specification = (struct job_specification){
        .job = {"usc-1"}, .home = {"usc"}, .checkpoint_path = "state/checkpoint"};
    bench->run = (struct executor_run){
        .directory = bench->directory,
        .specification = &bench->specification,
        .gpu = &bench->gpu,
        .nodes = &bench->node,
        .node_count = 1,
        .gpu_count = 2,
    };
    bench_open_executor(bench);
    *state = bench;
    return 0;
}

int bench_end(void **state)
{
    struct executor_bench *bench = *state;
    bench->executor->operations->release(bench->executor, bench->directory);
    bench->executor->operations->close(bench->executor);
    arena_fini(&bench->arena);
    support_remove_tree(bench->root);
    free(bench);
    return 0;
}

void bench_start(struct executor_bench *bench, const char *script)
{
    struct fault fault = {0};
    bench->script[0] = "sh";
    bench->script[1] = "-c";
    bench->script[2] = script;
    bench->specification.arguments = bench->script;
    bench->specification.argument_count = 3;
    assert_ok(bench->executor->operations->prepare(bench->executor, bench->directory, NULL));
    if (bench->executor->operations->start(bench->executor, &bench->run, &fault) != STATUS_OK)
        fail_msg("start: %s", fault.text);
}

struct executor_status bench_look(struct executor_bench *bench)
{
    struct executor_status status;
    bench->executor->operations->watch(bench->executor, bench->directory, &status);
    return status;
}

struct executor_status bench_wait_for_end(struct executor_bench *bench)
{
    struct executor_status status = bench_look(bench);
    for (int waited = 0; status.phase == EXECUTOR_RUNNING; waited += 5) {
        if (waited >= WAIT_MS_MAX)
            fail_msg("the run does not end");
        usleep(5000);
        status = bench_look(bench);
    }
    return status;
}

const char *bench_read_text(struct executor_bench *bench, const char *relative)
{
    char path[FILE_PATH_MAX];
    struct bytes bytes;
    snprintf(path, sizeof path, "%s/%s", bench->directory, relative);
    if (file_read(path, EXECUTOR_LOG_BYTES_MAX, &bench->arena, &bytes, NULL) != STATUS_OK)
        return "";
    return (const char *)bytes.data;
}

void bench_wait_for_file(struct executor_bench *bench, const char *relative)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", bench->directory, relative);
    for (int waited = 0; access(path, F_OK) != 0; waited += 5) {
        if (waited >= WAIT_MS_MAX || bench_look(bench).phase != EXECUTOR_RUNNING)
            fail_msg("no %s; the log says: %s", relative, bench_read_text(bench, "log"));
        usleep(5000);
    }
}

bool bench_lacks(bool ability, const char *what)
{
    if (!ability)
        print_message("skipped: this machine has no %s\n", what);
    return !ability;
}
