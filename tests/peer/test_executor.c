/*
 * The process executor with real processes: what a job gets and says, how it is stopped, and that
 * it goes on when the peer doesn't.
 */
#include "tests/peer/executor_bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/executor/executor_state.h"

static void a_job_runs_and_its_output_and_exit_code_are_kept(void **state)
{
    struct executor_bench *bench = *state;
    assert_int_equal(bench_look(bench).phase, EXECUTOR_ABSENT);
    bench_start(bench, "echo to stdout; echo to stderr >&2; exit 7");
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.phase, EXECUTOR_EXITED);
    assert_int_equal(status.exit_code, 7);
    assert_false(status.out_of_memory);
    assert_string_equal(bench_read_text(bench, "log"), "to stdout\nto stderr\n");
    assert_int_equal(status.log_bytes, strlen("to stdout\nto stderr\n"));
}

static void a_job_is_told_what_it_leased(void **state)
{
    struct executor_bench *bench = *state;
    const char *variables[] = {"GREETING=it's $HOME", "ENTENTE_GPUS=99"};
    const char *extra[] = {"ENTENTE_GPU_SPEED=1.5"};
    bench->specification.variables = variables;
    bench->specification.variable_count = 2;
    bench->run.extra_variables = extra;
    bench->run.extra_count = 1;
    bench_start(bench, "echo $ENTENTE_JOB $ENTENTE_GPU $ENTENTE_GPUS $CUDA_VISIBLE_DEVICES "
                       "$ENTENTE_GPU_SPEED; echo \"$GREETING\"");
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    /* its own ENTENTE_GPUS does not hold against ours; nothing in a value is expanded */
    assert_string_equal(bench_read_text(bench, "log"), "usc-1 H100 2 0,2 1.5\nit's $HOME\n");
}

static void progress_and_checkpoints_are_seen(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(
        bench,
        "printf 'steps 12\\nexamples 768\\nexamples_per_second 99.5\\n' >$ENTENTE_PROGRESS.new\n"
        "mv $ENTENTE_PROGRESS.new $ENTENTE_PROGRESS\n"
        "echo one >$ENTENTE_CHECKPOINT.new; mv $ENTENTE_CHECKPOINT.new $ENTENTE_CHECKPOINT\n"
        "while ! [ -e go ]; do sleep 0.01; done\n"
        "echo two >$ENTENTE_CHECKPOINT.new; mv $ENTENTE_CHECKPOINT.new $ENTENTE_CHECKPOINT");
    bench_wait_for_file(bench, "work/state/checkpoint");
    struct executor_status const status = bench_look(bench);
    assert_int_equal(status.steps, 12);
    assert_int_equal(status.examples, 768);
    assert_near(status.examples_per_second, 99.5, 1e-12);
    assert_int_equal(status.checkpoint_number, 1);
    assert_int_equal(bench_look(bench).checkpoint_number, 1);
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/work/go", bench->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"", 0}, 0644, NULL));
    assert_int_equal(bench_wait_for_end(bench).checkpoint_number, 2);
}

/* Home has that one already: it need not be pushed again. */
static void the_checkpoint_a_job_resumes_from_is_not_counted(void **state)
{
    struct executor_bench *bench = *state;
    char path[FILE_PATH_MAX];
    assert_ok(bench->executor->operations->prepare(bench->executor, bench->directory, NULL));
    snprintf(path, sizeof path, "%s/work/state", bench->directory);
    assert_ok(directory_make(path, 0755, NULL));
    snprintf(path, sizeof path, "%s/work/state/checkpoint", bench->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"old", 3}, 0600, NULL));
    bench_start(bench, "cat $ENTENTE_CHECKPOINT");
    struct executor_status const status = bench_wait_for_end(bench);
    assert_string_equal(bench_read_text(bench, "log"), "old");
    assert_int_equal(status.checkpoint_number, 0);
}

static void what_a_job_says_of_itself_may_be_nonsense(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "printf 'steps -5\\nexamples x\\nexamples_per_second nan\\n' "
                       ">$ENTENTE_PROGRESS; ln -s /etc/shadow $ENTENTE_CHECKPOINT");
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.steps, 0);
    assert_int_equal(status.examples, 0);
    assert_near(status.examples_per_second, 0, 0);
    assert_int_equal(status.checkpoint_number, 0);
}

static void starting_twice_starts_once(void **state)
{
    struct executor_bench *bench = *state;
    const char *script = "echo started; while ! [ -e go ]; do sleep 0.01; done";
    bench_start(bench, script);
    bench_start(bench, script);
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/work/go", bench->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"", 0}, 0644, NULL));
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    assert_string_equal(bench_read_text(bench, "log"), "started\n");
    assert_int_equal(bench->executor->operations->start(bench->executor, &bench->run, NULL),
                     STATUS_PRECONDITION); /* over; release first */
}

static void a_stopped_job_writes_its_checkpoint_first(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "trap 'echo saved >new; mv new $ENTENTE_CHECKPOINT; exit 75' TERM\n"
                       "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    assert_ok(
        bench->executor->operations->stop(bench->executor, bench->directory, GRACE_LONG_MS, NULL));
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 75);
    assert_int_equal(status.checkpoint_number, 1);
    assert_string_equal(bench_read_text(bench, "work/state/checkpoint"), "saved\n");
    assert_ok(bench->executor->operations->stop(bench->executor, bench->directory, 1, NULL));
}

static void a_job_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "trap '' TERM; touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    assert_ok(bench->executor->operations->stop(bench->executor, bench->directory, 50, NULL));
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 128 + SIGKILL);
}

static void a_second_stop_can_shorten_the_grace(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "trap 'touch told' TERM; touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    int64_t const an_hour_ms = 3600000;
    assert_ok(
        bench->executor->operations->stop(bench->executor, bench->directory, an_hour_ms, NULL));
    bench_wait_for_file(bench, "work/told"); /* else both stops might be taken as one */
    assert_ok(bench->executor->operations->stop(bench->executor, bench->directory, 0, NULL));
    assert_int_equal(bench_wait_for_end(bench).phase, EXECUTOR_STOPPED);
}

/* Another process starts the job and ends: exec'd, so that nothing of its memory is left. */
static void a_job_outlives_the_peer_and_is_adopted(void **state)
{
    struct executor_bench *bench = *state;
    pid_t const peer = fork();
    if (peer == 0) {
        execl("/proc/self/exe", "test_executor", "start-and-end", bench->directory, (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(peer, &status, 0), peer);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    bench->executor->operations->close(bench->executor);
    bench_open_executor(bench); /* a new peer, which knows nothing */
    assert_ok(bench->executor->operations->adopt(bench->executor, bench->directory, NULL));
    bench_wait_for_file(bench, "work/ready");
    assert_int_equal(bench_look(bench).phase, EXECUTOR_RUNNING);
    assert_ok(
        bench->executor->operations->stop(bench->executor, bench->directory, GRACE_LONG_MS, NULL));
    struct executor_status const ended = bench_wait_for_end(bench);
    assert_int_equal(ended.phase, EXECUTOR_STOPPED);
    assert_int_equal(ended.exit_code, 75);
    assert_ok(bench->executor->operations->adopt(bench->executor, bench->directory, NULL));
}

static _Noreturn void start_and_end(const char *directory)
{
    struct executor_bench *bench;
    void *state;
    bench_begin(&state);
    bench = state;
    support_remove_tree(bench->root); /* the run lies in the other's */
    bench->run.directory = directory;
    snprintf(bench->directory, sizeof bench->directory, "%s", directory);
    bench_start(bench, "trap 'exit 75' TERM; touch ready; while :; do sleep 0.01; done");
    _exit(0); /* like a crash: nothing is closed */
}

static void nothing_to_adopt_is_said(void **state)
{
    struct executor_bench *bench = *state;
    assert_ok(bench->executor->operations->prepare(bench->executor, bench->directory, NULL));
    assert_int_equal(bench->executor->operations->adopt(bench->executor, bench->directory, NULL),
                     STATUS_NOT_FOUND);
}

/* As after a reboot: the state says running, and no such process is there. The sandbox dies with
 * its shim, so nothing runs on unwatched. */
static void a_run_whose_shim_is_gone_is_lost_and_has_no_processes(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    struct process_identity shim;
    assert_true(state_read_identity(bench->directory, "shim", &shim));
    assert_int_equal(kill(shim.pid, SIGKILL), 0);
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.phase, EXECUTOR_LOST);
    assert_int_equal(bench->executor->operations->adopt(bench->executor, bench->directory, NULL),
                     STATUS_NOT_FOUND);
    struct process_identity inner;
    assert_true(state_read_identity(bench->directory, "sandbox", &inner));
    for (int waited = 0; process_alive(&inner); waited += 5) {
        assert_true(waited < WAIT_MS_MAX);
        usleep(5000);
    }
}

static void release_kills_what_runs_and_can_be_followed_by_another_run(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    struct process_identity shim;
    assert_true(state_read_identity(bench->directory, "shim", &shim));
    bench->executor->operations->release(bench->executor, bench->directory);
    assert_false(process_alive(&shim));
    assert_int_equal(bench_look(bench).phase, EXECUTOR_ABSENT);
    bench->executor->operations->release(bench->executor, bench->directory);
    bench_start(bench, "echo again");
    assert_int_equal(bench_wait_for_end(bench).phase, EXECUTOR_EXITED);
    assert_string_equal(bench_read_text(bench, "log"), "again\n");
}

static void a_flood_of_output_is_capped_and_does_not_stop_the_job(void **state)
{
    struct executor_bench *bench = *state;
    bench_start(bench, "head -c 20000000 /dev/zero | tr '\\0' x; exit 3");
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.exit_code, 3);
    assert_int_equal(status.log_bytes, EXECUTOR_LOG_BYTES_MAX);
    const char *log = bench_read_text(bench, "log");
    assert_non_null(strstr(log + EXECUTOR_LOG_BYTES_MAX - 100, "the log is full"));
}

static void a_program_of_the_bundle_is_found_by_its_name(void **state)
{
    struct executor_bench *bench = *state;
    char path[FILE_PATH_MAX];
    static const char program[] = "#!/bin/sh\necho $0 $1\n";
    assert_ok(bench->executor->operations->prepare(bench->executor, bench->directory, NULL));
    snprintf(path, sizeof path, "%s/work/train", bench->directory);
    assert_ok(
        file_write(path, (struct bytes){(const uint8_t *)program, sizeof program - 1}, 0755, NULL));
    struct bundle_file file = {.path = "train"};
    const char *arguments[] = {"train", "a b"};
    bench->specification.files = &file;
    bench->specification.file_count = 1;
    bench->specification.arguments = arguments;
    bench->specification.argument_count = 2;
    assert_ok(bench->executor->operations->start(bench->executor, &bench->run, NULL));
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    assert_string_equal(bench_read_text(bench, "log"), "./train a b\n");
}

static void a_program_that_is_not_there_says_so(void **state)
{
    struct executor_bench *bench = *state;
    const char *arguments[] = {"no-such-program"};
    bench->specification.arguments = arguments;
    bench->specification.argument_count = 1;
    assert_ok(bench->executor->operations->prepare(bench->executor, bench->directory, NULL));
    assert_ok(bench->executor->operations->start(bench->executor, &bench->run, NULL));
    assert_int_equal(bench_wait_for_end(bench).exit_code, 127);
    assert_non_null(strstr(bench_read_text(bench, "log"), "no-such-program"));
}

static void without_a_sandbox_too_a_job_dies_with_its_shim(void **state)
{
    struct executor_bench *bench = *state;
    bench->executor->operations->close(bench->executor);
    bench->settings.sandbox = false;
    bench_open_executor(bench);
    bench_start(bench, "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    struct process_identity shim;
    struct process_identity job;
    assert_true(state_read_identity(bench->directory, "shim", &shim));
    assert_true(state_read_identity(bench->directory, "sandbox", &job));
    assert_int_equal(kill(shim.pid, SIGKILL), 0);
    for (int waited = 0; process_alive(&job); waited += 5) {
        assert_true(waited < WAIT_MS_MAX);
        usleep(5000);
    }
    assert_int_equal(bench_wait_for_end(bench).phase, EXECUTOR_LOST);
}

/* A pid alone proves nothing: another start time, or another boot, is another process. */
static void a_process_is_known_by_more_than_its_pid(void **state)
{
    (void)state;
    struct process_identity self;
    assert_true(process_identify(getpid(), &self));
    assert_true(process_alive(&self));
    struct process_identity other = self;
    other.start_ticks++;
    assert_false(process_alive(&other));
    assert_false(process_signal(&other, 0));
    other = self;
    other.boot[0] = other.boot[0] == '0' ? '1' : '0';
    assert_false(process_alive(&other));
    assert_false(process_identify(-1, &other));
}

static void without_a_sandbox_a_job_runs_and_stops_all_the_same(void **state)
{
    struct executor_bench *bench = *state;
    bench->executor->operations->close(bench->executor);
    bench->settings.sandbox = false;
    bench_open_executor(bench);
    assert_false(bench->abilities.sandbox);
    assert_non_null(strstr(bench->abilities.missing, "switched off"));
    bench_start(bench, "trap 'echo saved >new; mv new $ENTENTE_CHECKPOINT; exit 75' TERM\n"
                       "(setsid sleep 1000 &) ; echo $CUDA_VISIBLE_DEVICES\n"
                       "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    assert_ok(
        bench->executor->operations->stop(bench->executor, bench->directory, GRACE_LONG_MS, NULL));
    struct executor_status const status = bench_wait_for_end(bench);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 75);
    assert_int_equal(status.checkpoint_number, 1);
    assert_string_equal(bench_read_text(bench, "log"), "0,2\n");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "run-shim") == 0)
        return process_shim_main(argc, argv);
    if (argc == 3 && strcmp(argv[1], "start-and-end") == 0)
        start_and_end(argv[2]);
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        CLAIM(a_job_runs_and_its_output_and_exit_code_are_kept),
        CLAIM(a_job_is_told_what_it_leased),
        CLAIM(progress_and_checkpoints_are_seen),
        CLAIM(the_checkpoint_a_job_resumes_from_is_not_counted),
        CLAIM(what_a_job_says_of_itself_may_be_nonsense),
        CLAIM(starting_twice_starts_once),
        CLAIM(a_stopped_job_writes_its_checkpoint_first),
        CLAIM(a_job_that_ignores_sigterm_is_killed_after_the_grace),
        CLAIM(a_second_stop_can_shorten_the_grace),
        CLAIM(a_job_outlives_the_peer_and_is_adopted),
        CLAIM(nothing_to_adopt_is_said),
        CLAIM(a_run_whose_shim_is_gone_is_lost_and_has_no_processes),
        CLAIM(release_kills_what_runs_and_can_be_followed_by_another_run),
        CLAIM(a_flood_of_output_is_capped_and_does_not_stop_the_job),
        CLAIM(a_program_of_the_bundle_is_found_by_its_name),
        CLAIM(a_program_that_is_not_there_says_so),
        CLAIM(without_a_sandbox_too_a_job_dies_with_its_shim),
        CLAIM(a_process_is_known_by_more_than_its_pid),
        CLAIM(without_a_sandbox_a_job_runs_and_stops_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
