/*
 * The process executor with real processes: what a job gets, what it can't get, and that it goes on
 * when the peer doesn't. This program is its own shim, as entente-peer is.
 */
#include "tests/support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "peer/executor.h"
#include "peer/executor_state.h"

enum {
    WAIT_MS_MAX = 30000, /* far above what anything here takes; only a hang reaches it */
    TEST_UID = 61000,
    GRACE_LONG_MS = 20000
};

struct place {
    char root[256];
    char directory[512];
    struct executor *executor;
    struct executor_abilities abilities;
    struct process_executor_settings settings;
    struct arena arena;
    /* what start_script builds on */
    struct job_specification specification;
    struct executor_run run;
    struct name gpu;
    struct lease_node node;
    const char *script[3];
};

static void open_executor(struct place *place)
{
    assert_ok(process_executor_open(&place->settings, &place->executor, NULL));
    place->executor->operations->probe(place->executor, &place->abilities);
}

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    support_make_directory(place->root);
    snprintf(place->directory, sizeof place->directory, "%s/run", place->root);
    arena_init(&place->arena, 2 * EXECUTOR_LOG_BYTES_MAX);
    place->settings = (struct process_executor_settings){
        .program = "/proc/self/exe",
        .sandbox = true,
        .memory_bytes_default = 256 << 20,
        .processes_default = 64,
        .scratch_bytes_default = 16 << 20,
        .first_uid = TEST_UID,
    };
    place->gpu = (struct name){"H100"};
    place->node = (struct lease_node){.node = 0, .gpus = 0x5}; /* GPUs 0 and 2 */
    place->specification = (struct job_specification){
        .job = {"usc-1"}, .home = {"usc"}, .checkpoint_path = "state/checkpoint"};
    place->run = (struct executor_run){
        .directory = place->directory,
        .specification = &place->specification,
        .gpu = &place->gpu,
        .nodes = &place->node,
        .node_count = 1,
        .gpu_count = 2,
    };
    open_executor(place);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    place->executor->operations->release(place->executor, place->directory);
    place->executor->operations->close(place->executor);
    arena_fini(&place->arena);
    support_remove_tree(place->root);
    free(place);
    return 0;
}

static void start_script(struct place *place, const char *script)
{
    struct fault fault = {0};
    place->script[0] = "sh";
    place->script[1] = "-c";
    place->script[2] = script;
    place->specification.arguments = place->script;
    place->specification.argument_count = 3;
    assert_ok(place->executor->operations->prepare(place->executor, place->directory, NULL));
    if (place->executor->operations->start(place->executor, &place->run, &fault) != STATUS_OK)
        fail_msg("start: %s", fault.text);
}

static struct executor_status look(struct place *place)
{
    struct executor_status status;
    place->executor->operations->watch(place->executor, place->directory, &status);
    return status;
}

static struct executor_status wait_for_end(struct place *place)
{
    struct executor_status status = look(place);
    for (int waited = 0; status.phase == EXECUTOR_RUNNING; waited += 5) {
        if (waited >= WAIT_MS_MAX)
            fail_msg("the run does not end");
        usleep(5000);
        status = look(place);
    }
    return status;
}

static const char *read_text(struct place *place, const char *relative)
{
    char path[FILE_PATH_MAX];
    struct bytes bytes;
    snprintf(path, sizeof path, "%s/%s", place->directory, relative);
    if (file_read(path, EXECUTOR_LOG_BYTES_MAX, &place->arena, &bytes, NULL) != STATUS_OK)
        return "";
    return (const char *)bytes.data;
}

/* Until the job has written this file. */
static void wait_for_file(struct place *place, const char *relative)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", place->directory, relative);
    for (int waited = 0; access(path, F_OK) != 0; waited += 5) {
        if (waited >= WAIT_MS_MAX || look(place).phase != EXECUTOR_RUNNING)
            fail_msg("no %s; the log says: %s", relative, read_text(place, "log"));
        usleep(5000);
    }
}

static bool lacks(bool ability, const char *what)
{
    if (!ability)
        print_message("skipped: this machine has no %s\n", what);
    return !ability;
}
#define NEEDS(ability, what)                                                                       \
    do {                                                                                           \
        if (lacks((ability), (what)))                                                              \
            skip();                                                                                \
    } while (0)

static void a_job_runs_and_its_output_and_exit_code_are_kept(void **state)
{
    struct place *place = *state;
    assert_int_equal(look(place).phase, EXECUTOR_ABSENT);
    start_script(place, "echo to stdout; echo to stderr >&2; exit 7");
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.phase, EXECUTOR_EXITED);
    assert_int_equal(status.exit_code, 7);
    assert_false(status.out_of_memory);
    assert_string_equal(read_text(place, "log"), "to stdout\nto stderr\n");
    assert_int_equal(status.log_bytes, strlen("to stdout\nto stderr\n"));
}

static void a_job_is_told_what_it_leased(void **state)
{
    struct place *place = *state;
    const char *variables[] = {"GREETING=it's $HOME", "ENTENTE_GPUS=99"};
    const char *extra[] = {"ENTENTE_GPU_SPEED=1.5"};
    place->specification.variables = variables;
    place->specification.variable_count = 2;
    place->run.extra_variables = extra;
    place->run.extra_count = 1;
    start_script(place, "echo $ENTENTE_JOB $ENTENTE_GPU $ENTENTE_GPUS $CUDA_VISIBLE_DEVICES "
                        "$ENTENTE_GPU_SPEED; echo \"$GREETING\"");
    assert_int_equal(wait_for_end(place).exit_code, 0);
    /* its own ENTENTE_GPUS does not hold against ours; nothing in a value is expanded */
    assert_string_equal(read_text(place, "log"), "usc-1 H100 2 0,2 1.5\nit's $HOME\n");
}

static void progress_and_checkpoints_are_seen(void **state)
{
    struct place *place = *state;
    start_script(
        place,
        "printf 'steps 12\\nexamples 768\\nexamples_per_second 99.5\\n' >$ENTENTE_PROGRESS.new\n"
        "mv $ENTENTE_PROGRESS.new $ENTENTE_PROGRESS\n"
        "echo one >$ENTENTE_CHECKPOINT.new; mv $ENTENTE_CHECKPOINT.new $ENTENTE_CHECKPOINT\n"
        "while ! [ -e go ]; do sleep 0.01; done\n"
        "echo two >$ENTENTE_CHECKPOINT.new; mv $ENTENTE_CHECKPOINT.new $ENTENTE_CHECKPOINT");
    wait_for_file(place, "work/state/checkpoint");
    struct executor_status const status = look(place);
    assert_int_equal(status.steps, 12);
    assert_int_equal(status.examples, 768);
    assert_near(status.examples_per_second, 99.5, 1e-12);
    assert_int_equal(status.checkpoint_number, 1);
    assert_int_equal(look(place).checkpoint_number, 1);
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/work/go", place->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"", 0}, 0644, NULL));
    assert_int_equal(wait_for_end(place).checkpoint_number, 2);
}

/* Home has that one already: it need not be pushed again. */
static void the_checkpoint_a_job_resumes_from_is_not_counted(void **state)
{
    struct place *place = *state;
    char path[FILE_PATH_MAX];
    assert_ok(place->executor->operations->prepare(place->executor, place->directory, NULL));
    snprintf(path, sizeof path, "%s/work/state", place->directory);
    assert_ok(directory_make(path, 0755, NULL));
    snprintf(path, sizeof path, "%s/work/state/checkpoint", place->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"old", 3}, 0600, NULL));
    start_script(place, "cat $ENTENTE_CHECKPOINT");
    struct executor_status const status = wait_for_end(place);
    assert_string_equal(read_text(place, "log"), "old");
    assert_int_equal(status.checkpoint_number, 0);
}

static void what_a_job_says_of_itself_may_be_nonsense(void **state)
{
    struct place *place = *state;
    start_script(place, "printf 'steps -5\\nexamples x\\nexamples_per_second nan\\n' "
                        ">$ENTENTE_PROGRESS; ln -s /etc/shadow $ENTENTE_CHECKPOINT");
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.steps, 0);
    assert_int_equal(status.examples, 0);
    assert_near(status.examples_per_second, 0, 0);
    assert_int_equal(status.checkpoint_number, 0);
}

static void starting_twice_starts_once(void **state)
{
    struct place *place = *state;
    const char *script = "echo started; while ! [ -e go ]; do sleep 0.01; done";
    start_script(place, script);
    start_script(place, script);
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/work/go", place->directory);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"", 0}, 0644, NULL));
    assert_int_equal(wait_for_end(place).exit_code, 0);
    assert_string_equal(read_text(place, "log"), "started\n");
    assert_int_equal(place->executor->operations->start(place->executor, &place->run, NULL),
                     STATUS_PRECONDITION); /* over; release first */
}

static void a_stopped_job_writes_its_checkpoint_first(void **state)
{
    struct place *place = *state;
    start_script(place, "trap 'echo saved >$ENTENTE_CHECKPOINT; exit 75' TERM\n"
                        "touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    assert_ok(
        place->executor->operations->stop(place->executor, place->directory, GRACE_LONG_MS, NULL));
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 75);
    assert_int_equal(status.checkpoint_number, 1);
    assert_string_equal(read_text(place, "work/state/checkpoint"), "saved\n");
    assert_ok(place->executor->operations->stop(place->executor, place->directory, 1, NULL));
}

static void a_job_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
    struct place *place = *state;
    start_script(place, "trap '' TERM; touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    assert_ok(place->executor->operations->stop(place->executor, place->directory, 50, NULL));
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 128 + SIGKILL);
}

static void a_second_stop_can_shorten_the_grace(void **state)
{
    struct place *place = *state;
    start_script(place, "trap '' TERM; touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    int64_t const an_hour_ms = 3600000;
    assert_ok(
        place->executor->operations->stop(place->executor, place->directory, an_hour_ms, NULL));
    assert_ok(place->executor->operations->stop(place->executor, place->directory, 0, NULL));
    assert_int_equal(wait_for_end(place).phase, EXECUTOR_STOPPED);
}

/* Another process starts the job and ends: exec'd, so that nothing of its memory is left. */
static void a_job_outlives_the_peer_and_is_adopted(void **state)
{
    struct place *place = *state;
    pid_t const peer = fork();
    if (peer == 0) {
        execl("/proc/self/exe", "test_executor", "start-and-end", place->directory, (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(peer, &status, 0), peer);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    place->executor->operations->close(place->executor);
    open_executor(place); /* a new peer, which knows nothing */
    assert_ok(place->executor->operations->adopt(place->executor, place->directory, NULL));
    wait_for_file(place, "work/ready");
    assert_int_equal(look(place).phase, EXECUTOR_RUNNING);
    assert_ok(
        place->executor->operations->stop(place->executor, place->directory, GRACE_LONG_MS, NULL));
    struct executor_status const ended = wait_for_end(place);
    assert_int_equal(ended.phase, EXECUTOR_STOPPED);
    assert_int_equal(ended.exit_code, 75);
    assert_ok(place->executor->operations->adopt(place->executor, place->directory, NULL));
}

static _Noreturn void start_and_end(const char *directory)
{
    struct place *place;
    void *state;
    begin(&state);
    place = state;
    support_remove_tree(place->root); /* the run lies in the other's */
    place->run.directory = directory;
    snprintf(place->directory, sizeof place->directory, "%s", directory);
    start_script(place, "trap 'exit 75' TERM; touch ready; while :; do sleep 0.01; done");
    _exit(0); /* like a crash: nothing is closed */
}

static void nothing_to_adopt_is_said(void **state)
{
    struct place *place = *state;
    assert_ok(place->executor->operations->prepare(place->executor, place->directory, NULL));
    assert_int_equal(place->executor->operations->adopt(place->executor, place->directory, NULL),
                     STATUS_NOT_FOUND);
}

/* As after a reboot: the state says running, and no such process is there. The sandbox dies with
 * its shim, so nothing runs on unwatched. */
static void a_run_whose_shim_is_gone_is_lost_and_has_no_processes(void **state)
{
    struct place *place = *state;
    start_script(place, "touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    struct process_identity shim;
    assert_true(state_read_identity(place->directory, "shim", &shim));
    assert_int_equal(kill(shim.pid, SIGKILL), 0);
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.phase, EXECUTOR_LOST);
    assert_int_equal(place->executor->operations->adopt(place->executor, place->directory, NULL),
                     STATUS_NOT_FOUND);
    struct process_identity inner;
    assert_true(state_read_identity(place->directory, "sandbox", &inner));
    for (int waited = 0; process_alive(&inner); waited += 5) {
        assert_true(waited < WAIT_MS_MAX);
        usleep(5000);
    }
}

static unsigned processes_of_uid(unsigned uid)
{
    char command[128];
    snprintf(command, sizeof command, "ps -o pid= -u %u | wc -l", uid);
    FILE *pipe = popen(command, "r");
    unsigned count = 0;
    assert_int_equal(fscanf(pipe, "%u", &count), 1);
    pclose(pipe);
    return count;
}

static void a_job_leaves_no_process_behind(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.sandbox, "sandbox");
    NEEDS(geteuid() == 0, "root, so that a job has a uid to be counted by");
    start_script(place, "setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 &) ; nohup sleep 1000 & "
                        "echo done");
    assert_int_equal(wait_for_end(place).exit_code, 0);
    assert_int_equal(processes_of_uid(TEST_UID), 0);
}

static void release_kills_what_runs_and_can_be_followed_by_another_run(void **state)
{
    struct place *place = *state;
    start_script(place, "touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    struct process_identity shim;
    assert_true(state_read_identity(place->directory, "shim", &shim));
    place->executor->operations->release(place->executor, place->directory);
    assert_false(process_alive(&shim));
    assert_int_equal(look(place).phase, EXECUTOR_ABSENT);
    place->executor->operations->release(place->executor, place->directory);
    start_script(place, "echo again");
    assert_int_equal(wait_for_end(place).phase, EXECUTOR_EXITED);
    assert_string_equal(read_text(place, "log"), "again\n");
}

static void a_flood_of_output_is_capped_and_does_not_stop_the_job(void **state)
{
    struct place *place = *state;
    start_script(place, "head -c 20000000 /dev/zero | tr '\\0' x; exit 3");
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.exit_code, 3);
    assert_int_equal(status.log_bytes, EXECUTOR_LOG_BYTES_MAX);
    const char *log = read_text(place, "log");
    assert_non_null(strstr(log + EXECUTOR_LOG_BYTES_MAX - 100, "the log is full"));
}

static void a_fork_bomb_is_contained(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.process_limit, "process limit");
    /* Each shell starts two more, for ever; without a limit there would be thousands at once. */
    start_script(place, "b() { b & b & wait; }; b 2>/dev/null; touch ready; sleep 1000");
    for (int i = 0; i < 100 && look(place).phase == EXECUTOR_RUNNING; i++) {
        if (geteuid() == 0 && place->abilities.sandbox)
            assert_true(processes_of_uid(TEST_UID) <= 64);
        usleep(2000);
    }
    assert_ok(place->executor->operations->stop(place->executor, place->directory, 0, NULL));
    wait_for_end(place);
    if (geteuid() == 0 && place->abilities.sandbox)
        assert_int_equal(processes_of_uid(TEST_UID), 0);
}

static void a_memory_bomb_is_killed_and_reported(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.memory_limit, "memory limit");
    place->specification.limits.memory_bytes = 32 << 20;
    /* One line of 500 MB, which tail must hold, where 48 MiB are allowed. */
    start_script(place, "head -c 500000000 /dev/zero | tail -n 1 | wc -c; exit 5");
    struct executor_status const status = wait_for_end(place);
    assert_true(status.out_of_memory);
    assert_int_equal(status.phase, EXECUTOR_EXITED);
    assert_null(strstr(read_text(place, "log"), "500000000"));
}

static void a_full_scratch_is_the_jobs_own_trouble(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.sandbox, "sandbox");
    start_script(place, "head -c 8000000 /dev/zero >$ENTENTE_SCRATCH/fits && "
                        "! head -c 20000000 /dev/zero >$ENTENTE_SCRATCH/big");
    assert_int_equal(wait_for_end(place).exit_code, 0); /* 16 MiB are there */
}

static void a_job_has_no_network(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.sandbox, "sandbox");
    place->specification.limits.network = true; /* asks, and is not allowed */
    start_script(place, "grep -c : /proc/net/dev; grep : /proc/net/dev | cut -d: -f1");
    wait_for_end(place);
    assert_string_equal(read_text(place, "log"), "1\n    lo\n");
}

static void a_job_sees_nothing_of_the_host(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.sandbox, "sandbox");
    char secret[FILE_PATH_MAX];
    snprintf(secret, sizeof secret, "%s/secret", place->root);
    assert_ok(file_write(secret, (struct bytes){(const uint8_t *)"x", 1}, 0644, NULL));
    char script[FILE_PATH_MAX + 1024];
    snprintf(script, sizeof script,
             "for f in %s /etc/shadow /root /home /var /run /boot /sys; do\n"
             "    [ -e $f ] && echo \"sees $f\"\ndone\n"
             "touch /usr/x /etc/x /x /dev/x 2>/dev/null && echo writes\n"
             "ls /proc | grep -c '^[0-9]'\nhostname\n"
             "ls / | tr '\\n' ' '\n"
             "kill -9 1 2>/dev/null; kill -0 %ld 2>/dev/null && echo signals\n"
             "chroot / true 2>/dev/null && echo chroots\nid -u\n",
             secret, (long)getpid());
    start_script(place, script);
    wait_for_end(place);
    char expected[512];
    /* bwrap, the shell, ls and grep are all the processes there are */
    snprintf(expected, sizeof expected, "%u\n", geteuid() == 0 ? TEST_UID : geteuid());
    const char *log = read_text(place, "log");
    if (strncmp(log, "4\njob\n", 6) != 0 || strstr(log, "sees") != NULL ||
        strstr(log, "writes") != NULL || strstr(log, "signals") != NULL ||
        strstr(log, "chroots") != NULL || strstr(log, expected) == NULL)
        fail_msg("the job saw: %s", log);
}

static void a_job_cannot_use_its_variables_against_the_host(void **state)
{
    struct place *place = *state;
    const char *variables[] = {"LD_PRELOAD=/work/evil.so", "A='; echo injected >&2; '"};
    place->specification.variables = variables;
    place->specification.variable_count = 2;
    start_script(place, "echo ran");
    wait_for_end(place);
    /* only the job's own shell tried to load it, not bwrap or setpriv */
    const char *log = read_text(place, "log");
    assert_non_null(strstr(log, "ran\n"));
    assert_null(strstr(log, "injected\n"));
    const char *first = strstr(log, "/work/evil.so");
    if (first == NULL || strstr(first + 1, "/work/evil.so") != NULL)
        fail_msg("not loaded once: %s", log);

    const char *bad[] = {"A B=1"};
    place->executor->operations->release(place->executor, place->directory);
    place->specification.variables = bad;
    place->specification.variable_count = 1;
    assert_int_equal(place->executor->operations->start(place->executor, &place->run, NULL),
                     STATUS_INVALID);
}

static void a_job_sees_only_the_devices_it_leased(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.device_isolation, "device isolation");
    char devices[600];
    char path[700];
    snprintf(devices, sizeof devices, "%s/dev", place->root);
    assert_ok(directory_make(devices, 0755, NULL));
    for (unsigned d = 0; d < 8; d++) {
        snprintf(path, sizeof path, "%s/nvidia%u", devices, d);
        if (mknod(path, S_IFCHR | 0666, makedev(1, 3)) != 0 ||
            chmod(path, 0666) != 0) { /* behaves as /dev/null */
            print_message("skipped: no device can be made here to stand for a GPU\n");
            skip();
        }
    }
    place->executor->operations->close(place->executor);
    place->settings.device_directory = devices;
    open_executor(place);
    place->run.first_device = 4; /* the pool's GPUs are this machine's 4 to 7: 0x5 means 4 and 6 */
    place->run.gpus_per_node = 4;
    start_script(place,
                 "echo /dev/nvidia*; echo x >/dev/nvidia4 && echo opened; "
                 "echo $CUDA_VISIBLE_DEVICES; mknod /scratch/n c 1 3 2>/dev/null && echo made");
    wait_for_end(place);
    assert_string_equal(read_text(place, "log"), "/dev/nvidia4 /dev/nvidia6\nopened\n4,6\n");
}

static void a_data_set_is_shown_read_only_at_its_place(void **state)
{
    struct place *place = *state;
    NEEDS(place->abilities.sandbox, "sandbox");
    char data[600];
    char path[700];
    snprintf(data, sizeof data, "%s/data", place->root);
    assert_int_equal(chmod(place->root, 0755), 0);
    assert_ok(directory_make(data, 0755, NULL));
    snprintf(path, sizeof path, "%s/set", data);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"images\n", 7}, 0644, NULL));
    const char *paths[] = {data};
    place->run.read_only_paths = paths;
    place->run.path_count = 1;
    char script[1600];
    snprintf(script, sizeof script, "cat %s; echo x >%s", path, path);
    start_script(place, script);
    assert_int_not_equal(wait_for_end(place).exit_code, 0);
    assert_int_equal(strncmp(read_text(place, "log"), "images\n", 7), 0);
}

static void a_program_of_the_bundle_is_found_by_its_name(void **state)
{
    struct place *place = *state;
    char path[FILE_PATH_MAX];
    static const char program[] = "#!/bin/sh\necho $0 $1\n";
    assert_ok(place->executor->operations->prepare(place->executor, place->directory, NULL));
    snprintf(path, sizeof path, "%s/work/train", place->directory);
    assert_ok(
        file_write(path, (struct bytes){(const uint8_t *)program, sizeof program - 1}, 0755, NULL));
    struct bundle_file file = {.path = "train"};
    const char *arguments[] = {"train", "a b"};
    place->specification.files = &file;
    place->specification.file_count = 1;
    place->specification.arguments = arguments;
    place->specification.argument_count = 2;
    assert_ok(place->executor->operations->start(place->executor, &place->run, NULL));
    assert_int_equal(wait_for_end(place).exit_code, 0);
    assert_string_equal(read_text(place, "log"), "./train a b\n");
}

static void a_program_that_is_not_there_says_so(void **state)
{
    struct place *place = *state;
    const char *arguments[] = {"no-such-program"};
    place->specification.arguments = arguments;
    place->specification.argument_count = 1;
    assert_ok(place->executor->operations->prepare(place->executor, place->directory, NULL));
    assert_ok(place->executor->operations->start(place->executor, &place->run, NULL));
    assert_int_equal(wait_for_end(place).exit_code, 127);
    assert_non_null(strstr(read_text(place, "log"), "no-such-program"));
}

static void without_a_sandbox_a_job_runs_and_stops_all_the_same(void **state)
{
    struct place *place = *state;
    place->executor->operations->close(place->executor);
    place->settings.sandbox = false;
    open_executor(place);
    assert_false(place->abilities.sandbox);
    assert_non_null(strstr(place->abilities.missing, "switched off"));
    start_script(place, "trap 'echo saved >$ENTENTE_CHECKPOINT; exit 75' TERM\n"
                        "(setsid sleep 1000 &) ; echo $CUDA_VISIBLE_DEVICES\n"
                        "touch ready; while :; do sleep 0.01; done");
    wait_for_file(place, "work/ready");
    assert_ok(
        place->executor->operations->stop(place->executor, place->directory, GRACE_LONG_MS, NULL));
    struct executor_status const status = wait_for_end(place);
    assert_int_equal(status.phase, EXECUTOR_STOPPED);
    assert_int_equal(status.exit_code, 75);
    assert_int_equal(status.checkpoint_number, 1);
    assert_string_equal(read_text(place, "log"), "0,2\n");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "run-shim") == 0)
        return process_shim_main(argc, argv);
    if (argc == 3 && strcmp(argv[1], "start-and-end") == 0)
        start_and_end(argv[2]);
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
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
        CLAIM(a_job_leaves_no_process_behind),
        CLAIM(release_kills_what_runs_and_can_be_followed_by_another_run),
        CLAIM(a_flood_of_output_is_capped_and_does_not_stop_the_job),
        CLAIM(a_fork_bomb_is_contained),
        CLAIM(a_memory_bomb_is_killed_and_reported),
        CLAIM(a_full_scratch_is_the_jobs_own_trouble),
        CLAIM(a_job_has_no_network),
        CLAIM(a_job_sees_nothing_of_the_host),
        CLAIM(a_job_cannot_use_its_variables_against_the_host),
        CLAIM(a_job_sees_only_the_devices_it_leased),
        CLAIM(a_data_set_is_shown_read_only_at_its_place),
        CLAIM(a_program_of_the_bundle_is_found_by_its_name),
        CLAIM(a_program_that_is_not_there_says_so),
        CLAIM(without_a_sandbox_a_job_runs_and_stops_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
