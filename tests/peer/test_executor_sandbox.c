/* What a job can't do, see or leave behind. Each claim needs an ability; where it lacks the test
 * says so.
 */
#include "tests/peer/executor_bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "peer/executor/executor_state.h"

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
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    NEEDS(geteuid() == 0, "root, so that a job has a uid to be counted by");
    bench_start(bench, "setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 &) ; nohup sleep 1000 & "
                       "echo done");
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    assert_int_equal(processes_of_uid(bench->settings.first_uid), 0);
}

static void a_fork_bomb_is_contained(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.process_limit, "process limit");
    /* Each shell starts two more, for ever; without a limit there would be thousands at once. */
    bench_start(bench, "b() { b & b & wait; }; b 2>/dev/null; touch ready; sleep 1000");
    for (int i = 0; i < 100 && bench_look(bench).phase == EXECUTOR_RUNNING; i++) {
        if (geteuid() == 0 && bench->abilities.sandbox)
            assert_true(processes_of_uid(bench->settings.first_uid) <= 64);
        usleep(2000);
    }
    assert_ok(bench->executor->operations->stop(bench->executor, bench->directory, 0, NULL));
    bench_wait_for_end(bench);
    if (geteuid() == 0 && bench->abilities.sandbox)
        assert_int_equal(processes_of_uid(bench->settings.first_uid), 0);
}

static void a_memory_bomb_is_killed_and_reported(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.memory_limit, "memory limit");
    bench->specification.limits.memory_bytes = 32 << 20;
    /* One line of 500 MB, which tail must hold, where 48 MiB are allowed. */
    bench_start(bench, "head -c 500000000 /dev/zero | tail -n 1 | wc -c; exit 5");
    struct executor_status const status = bench_wait_for_end(bench);
    assert_true(status.out_of_memory);
    assert_int_equal(status.phase, EXECUTOR_EXITED);
    assert_null(strstr(bench_read_text(bench, "log"), "500000000"));
}

static void a_full_scratch_is_the_jobs_own_trouble(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    bench_start(bench, "head -c 8000000 /dev/zero >$ENTENTE_SCRATCH/fits && "
                       "! head -c 20000000 /dev/zero >$ENTENTE_SCRATCH/big");
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0); /* 16 MiB are there */
}

static void a_job_has_no_network(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    bench->specification.limits.network = true; /* asks, and is not allowed */
    bench_start(bench, "grep -c : /proc/net/dev; grep : /proc/net/dev | cut -d: -f1");
    bench_wait_for_end(bench);
    assert_string_equal(bench_read_text(bench, "log"), "1\n    lo\n");
}

/* A file of the kernel's, whose size says nothing. */
static const char *read_kernel(struct executor_bench *bench, const char *path)
{
    char *text = arena_alloc(&bench->arena, 65536, 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t const length = fread(text, 1, 65535, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void a_job_gets_the_network_where_it_asks_and_the_host_allows(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    bench->executor->operations->close(bench->executor);
    bench->settings.allow_network = true;
    bench_open_executor(bench);
    unsigned interfaces = 0;
    for (const char *c = read_kernel(bench, "/proc/net/dev"); *c != '\0'; c++)
        interfaces += *c == ':';
    char expected[32];
    snprintf(expected, sizeof expected, "%u\n", interfaces);
    bench->specification.limits.network = true;
    bench_start(bench, "grep -c : /proc/net/dev");
    bench_wait_for_end(bench);
    assert_string_equal(bench_read_text(bench, "log"), expected);
    bench->executor->operations->release(bench->executor, bench->directory);
    bench->specification.limits.network = false; /* does not ask */
    bench_start(bench, "grep -c : /proc/net/dev");
    bench_wait_for_end(bench);
    assert_string_equal(bench_read_text(bench, "log") + strlen(expected), "1\n");
}

static void a_run_is_held_in_its_cgroups_until_it_is_released(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.memory_limit && bench->abilities.process_limit, "cgroups");
    bench->specification.limits.memory_bytes = 64 << 20;
    bench->specification.limits.processes = 10;
    bench_start(bench, "touch ready; while :; do sleep 0.01; done");
    bench_wait_for_file(bench, "work/ready");
    struct launch launch;
    assert_ok(launch_read(bench->directory, &bench->arena, &launch, NULL));
    const char *memory = launch.cgroups.directories[CGROUP_MEMORY];
    const char *processes = launch.cgroups.directories[CGROUP_PROCESSES];
    char path[700];
    snprintf(path, sizeof path, "%s/pids.max", processes);
    assert_string_equal(read_kernel(bench, path), "12\n"); /* and bubblewrap's two */
    snprintf(path, sizeof path, "%s/cgroup.procs", memory);
    assert_string_not_equal(read_kernel(bench, path), "");
    bench->executor->operations->release(bench->executor, bench->directory);
    assert_int_not_equal(access(memory, F_OK), 0);
    assert_int_not_equal(access(processes, F_OK), 0);
}

static void a_job_sees_nothing_of_the_host(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    char secret[FILE_PATH_MAX];
    snprintf(secret, sizeof secret, "%s/secret", bench->root);
    assert_ok(file_write(secret, (struct bytes){(const uint8_t *)"x", 1}, 0644, NULL));
    char script[FILE_PATH_MAX + 1024];
    snprintf(script, sizeof script,
             "for f in %s /etc/shadow /root /home /var /run /boot /sys; do\n"
             "    [ -e $f ] && echo \"sees $f\"\ndone\n"
             "for f in /usr/x /etc/x /x /dev/x; do\n"
             "    touch $f 2>/dev/null && echo \"writes $f\"\ndone\n"
             "echo /proc/[0-9]*\nhostname\n"
             "ls / | tr '\\n' ' '\n"
             "kill -9 1 2>/dev/null; kill -0 %ld 2>/dev/null && echo signals\n"
             "chroot / true 2>/dev/null && echo chroots\nid -u\n",
             secret, (long)getpid());
    bench_start(bench, script);
    bench_wait_for_end(bench);
    char expected[512];
    snprintf(expected, sizeof expected, "%u\n",
             geteuid() == 0 ? bench->settings.first_uid : geteuid());
    const char *log = bench_read_text(bench, "log");
    /* bubblewrap and the shell itself are all the processes there are */
    static const char begins[] = "/proc/1 /proc/2\njob\n";
    if (strncmp(log, begins, sizeof begins - 1) != 0 || strstr(log, "sees") != NULL ||
        strstr(log, "writes") != NULL || strstr(log, "signals") != NULL ||
        strstr(log, "chroots") != NULL || strstr(log, expected) == NULL)
        fail_msg("the job saw: %s", log);
}

static void a_job_cannot_use_its_variables_against_the_host(void **state)
{
    struct executor_bench *bench = *state;
    const char *variables[] = {"LD_PRELOAD=/work/evil.so", "A='; echo injected >&2; '"};
    bench->specification.variables = variables;
    bench->specification.variable_count = 2;
    bench_start(bench, "echo ran");
    bench_wait_for_end(bench);
    /* only the job's own shell tried to load it, not bwrap or setpriv */
    const char *log = bench_read_text(bench, "log");
    assert_non_null(strstr(log, "ran\n"));
    assert_null(strstr(log, "injected\n"));
    const char *first = strstr(log, "/work/evil.so");
    if (first == NULL || strstr(first + 1, "/work/evil.so") != NULL)
        fail_msg("not loaded once: %s", log);

    const char *bad[] = {"A B=1"};
    bench->executor->operations->release(bench->executor, bench->directory);
    bench->specification.variables = bad;
    bench->specification.variable_count = 1;
    assert_int_equal(bench->executor->operations->start(bench->executor, &bench->run, NULL),
                     STATUS_INVALID);
}

static void a_job_sees_only_the_devices_it_leased(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.device_isolation, "device isolation");
    char devices[600];
    char path[700];
    snprintf(devices, sizeof devices, "%s/dev", bench->root);
    assert_ok(directory_make(devices, 0755, NULL));
    for (unsigned d = 0; d < 8; d++) {
        snprintf(path, sizeof path, "%s/nvidia%u", devices, d);
        /* they behave as /dev/null, and number 4 as /dev/zero, to be told apart */
        if (mknod(path, S_IFCHR | 0666, makedev(1, d == 4 ? 5 : 3)) != 0 ||
            chmod(path, 0666) != 0) {
            print_message("skipped: no device can be made here to stand for a GPU\n");
            skip();
        }
    }
    bench->executor->operations->close(bench->executor);
    bench->settings.device_directory = devices;
    bench_open_executor(bench);
    bench->run.first_device = 4; /* the pool's GPUs are this machine's 4 to 7: 0x5 means 4 and 6 */
    bench->run.gpus_per_node = 4;
    bench_start(
        bench, "echo /dev/nvidia*; head -c 3 /dev/nvidia4 | wc -c; head -c 3 /dev/nvidia6 | wc -c; "
               "echo $CUDA_VISIBLE_DEVICES; mknod /scratch/n c 1 3 2>/dev/null && echo made");
    bench_wait_for_end(bench);
    assert_string_equal(bench_read_text(bench, "log"), "/dev/nvidia4 /dev/nvidia6\n3\n0\n4,6\n");
}

static void a_data_set_is_shown_read_only_at_its_place(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    char data[600];
    char path[700];
    snprintf(data, sizeof data, "%s/data", bench->root);
    assert_int_equal(chmod(bench->root, 0755), 0);
    assert_ok(directory_make(data, 0755, NULL));
    snprintf(path, sizeof path, "%s/set", data);
    assert_ok(file_write(path, (struct bytes){(const uint8_t *)"images\n", 7}, 0666, NULL));
    const char *paths[] = {data};
    bench->run.read_only_paths = paths;
    bench->run.path_count = 1;
    char script[1600];
    snprintf(script, sizeof script, "cat %s; echo x >%s", path, path);
    bench_start(bench, script);
    assert_int_not_equal(bench_wait_for_end(bench).exit_code, 0);
    assert_int_equal(strncmp(bench_read_text(bench, "log"), "images\n", 7), 0);
}

/* Inside the sandbox: what the kernel says to calls that a job has no business with. */
static int try_calls(void)
{
    static char stack[65536];
    static const struct {
        const char *name;
        long number;
        long arguments[3];
    } calls[] = {
        {"keyctl", SYS_keyctl, {0, -3, 1}}, /* KEYCTL_GET_KEYRING_ID of the session */
        {"unshare", SYS_unshare, {CLONE_NEWUSER, 0, 0}},
        {"clone", SYS_clone, {CLONE_NEWUSER | SIGCHLD, 0, 0}},
        {"ptrace", SYS_ptrace, {0, 0, 0}}, /* PTRACE_TRACEME */
        {"bpf", SYS_bpf, {0, 0, 0}},
        {"perf_event_open", SYS_perf_event_open, {0, 0, 0}},
        {"userfaultfd", SYS_userfaultfd, {0, 0, 0}},
        {"io_uring_setup", 425, {1, (long)(uintptr_t)stack, 0}},
        {"mount", SYS_mount, {0, 0, 0}},
        {"kexec_load", SYS_kexec_load, {0, 0, 0}},
        {"clone3", 435, {0, 0, 0}},
        {"AF_ALG", SYS_socket, {38, SOCK_SEQPACKET, 0}},
        {"AF_UNIX", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
        {"getpid", SYS_getpid, {0, 0, 0}},
    };
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        errno = 0;
        long answer = syscall(calls[c].number, calls[c].arguments[0], calls[c].arguments[1],
                              calls[c].arguments[2], 0, 0);
        if (calls[c].number == SYS_clone && answer == 0)
            _exit(0);
        printf("%s %d\n", calls[c].name, answer < 0 ? errno : 0);
    }
    return 0;
}

static void a_job_does_not_get_at_the_kernels_back_doors(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    char program[600];
    char script[700];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(length > 0);
    program[length] = '\0';
    const char *paths[] = {program};
    bench->run.read_only_paths = paths;
    bench->run.path_count = 1;
    /* a sanitizer would look for leaks by the very calls that are forbidden */
    snprintf(script, sizeof script, "ASAN_OPTIONS=detect_leaks=0 %s try-calls", program);
    bench_start(bench, script);
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "keyctl %d\nunshare %d\nclone %d\nptrace %d\nbpf %d\nperf_event_open %d\n"
             "userfaultfd %d\nio_uring_setup %d\nmount %d\nkexec_load %d\nclone3 %d\nAF_ALG %d\n"
             "AF_UNIX 0\ngetpid 0\n",
             EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, ENOSYS,
             EAFNOSUPPORT);
    assert_string_equal(bench_read_text(bench, "log"), expected);
}

/* What the peer itself lives by: its keys, its spool, the files of other jobs. */
static void a_job_reads_nothing_of_the_peer_or_of_other_jobs(void **state)
{
    struct executor_bench *bench = *state;
    NEEDS(bench->abilities.sandbox, "sandbox");
    static const char *const others[] = {"identity/member.pem", "spool.db",
                                         "runs/9.9.9/work/model"};
    char path[FILE_PATH_MAX];
    char script[4 * FILE_PATH_MAX] = "";
    for (size_t o = 0; o < sizeof others / sizeof others[0]; o++) {
        snprintf(path, sizeof path, "%s/%s", bench->root, others[o]);
        *strrchr(path, '/') = '\0';
        assert_ok(directory_make(path, 0755, NULL));
        snprintf(path, sizeof path, "%s/%s", bench->root, others[o]);
        assert_ok(file_write(path, (struct bytes){(const uint8_t *)"x", 1}, 0666, NULL));
        size_t const at = strlen(script);
        snprintf(script + at, sizeof script - at, "cat %s 2>/dev/null && echo read\n", path);
    }
    size_t used = strlen(script);
    snprintf(script + used, sizeof script - used,
             "ln -s %s/spool.db l; cat l 2>/dev/null && echo followed\ntrue\n", bench->root);
    bench_start(bench, script);
    assert_int_equal(bench_wait_for_end(bench).exit_code, 0);
    const char *log = bench_read_text(bench, "log");
    if (strstr(log, "read") != NULL || strstr(log, "followed") != NULL)
        fail_msg("the job read: %s", log);
}

/* Its peer was restored from a backup that knows nothing of it: nobody would ever stop it. */
static void a_job_whose_directory_was_replaced_does_not_run_on(void **state)
{
    struct executor_bench *bench = *state;
    char aside[FILE_PATH_MAX + 16];
    char path[FILE_PATH_MAX + 32];
    bench_start(bench, "touch ready; while :; do sleep 0.05; done");
    bench_wait_for_file(bench, "work/ready");
    struct process_identity shim;
    assert_true(state_read_identity(bench->directory, "shim", &shim));
    snprintf(aside, sizeof aside, "%s.aside", bench->directory);
    assert_int_equal(rename(bench->directory, aside), 0);
    for (int waited = 0; process_alive(&shim); waited += 10) {
        assert_true(waited < 60000);
        usleep(10000);
    }
    assert_int_equal(rename(aside, bench->directory), 0);
    snprintf(path, sizeof path, "%s/state/exit", bench->directory);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "try-calls") == 0)
        return try_calls();
    if (argc == 3 && strcmp(argv[1], "run-shim") == 0)
        return process_shim_main(argc, argv);
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        CLAIM(a_job_leaves_no_process_behind),
        CLAIM(a_fork_bomb_is_contained),
        CLAIM(a_memory_bomb_is_killed_and_reported),
        CLAIM(a_full_scratch_is_the_jobs_own_trouble),
        CLAIM(a_job_has_no_network),
        CLAIM(a_job_gets_the_network_where_it_asks_and_the_host_allows),
        CLAIM(a_run_is_held_in_its_cgroups_until_it_is_released),
        CLAIM(a_job_sees_nothing_of_the_host),
        CLAIM(a_job_cannot_use_its_variables_against_the_host),
        CLAIM(a_job_sees_only_the_devices_it_leased),
        CLAIM(a_data_set_is_shown_read_only_at_its_place),
        CLAIM(a_job_does_not_get_at_the_kernels_back_doors),
        CLAIM(a_job_whose_directory_was_replaced_does_not_run_on),
        CLAIM(a_job_reads_nothing_of_the_peer_or_of_other_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
