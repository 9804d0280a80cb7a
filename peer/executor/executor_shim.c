/*
 * The shim: the small process that stands between the peer and one run, and outlives the peer.
 *
 * It is its own session leader, starts the job in its sandbox and cgroups, writes its output to the
 * capped log, passes a stop on (SIGTERM to the job's own process, SIGKILL to everything after the
 * grace), kills whatever the job leaves behind, and at last writes how it ended. If the shim itself
 * is killed, the kernel kills the sandbox with it: no job runs unwatched.
 * Thread rule: one thread; this process does nothing else.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "peer/executor/capped_log.h"
#include "peer/executor/executor_sandbox.h"
#include "peer/executor/executor_state.h"
#include "peer/executor/system_calls.h"

enum {
    SHIM_POLL_MS = 20,           /* while a stop waits to be passed on */
    SHIM_KILL_ROUNDS_MAX = 5000, /* of a millisecond */
    SHIM_QUIET_ROUNDS = 20,      /* before orphans are searched for: most have gone by then */
    SHIM_INFO_MAX = 1024,
    SHIM_READ_BYTES = 65536,
    SHIM_LOOK_MS = 5000,    /* is the run's directory still ours? */
    JOB_DESCRIPTORS = 1024, /* a job's soft limit; it may raise it to the hard one */
    SHIM_FAILED = 126       /* the exit code where the job could not be started */
};

struct shim {
    const char *directory;
    struct launch launch;
    struct arena arena;
    struct capped_log log;
    int output;  /* the job's stdout and stderr come out here; -1: closed */
    int info;    /* bwrap's words; -1: closed */
    int filter;  /* of system calls, for bubblewrap; -1: no sandbox */
    int signals; /* signalfd */
    char info_text[SHIM_INFO_MAX];
    size_t info_length;
    pid_t child; /* bwrap, or the job itself */
    struct process_identity
        inner; /* the sandbox's first process, or the job; pid 0: not yet known */
    uint64_t memory_kills_before;
    bool child_ended; /* but not yet reaped: its pid still names its process group */
    int32_t exit_code;
    bool stopping;
    bool stop_passed_on;
    bool killed;
    int64_t kill_at_boot_ms;
};

static enum status prepare(struct shim *shim, struct fault *fault);
static enum status start_child(struct shim *shim, struct fault *fault);
static void watch_child(struct shim *shim);
static void take_signal(struct shim *shim);
static void take_ended(struct shim *shim);
static void take_info(struct shim *shim);
static void take_output(struct shim *shim);
static void pass_stop_on(struct shim *shim);
static void kill_all(struct shim *shim);
static void clear_up(struct shim *shim);
static void finish(struct shim *shim);
static void say(struct shim *shim, const char *text);

int process_shim_main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) { /* the command's name is in argv[0] or a word of its own */
        fprintf(stderr, "usage: %s run-shim DIRECTORY (the peer starts it)\n",
                argc > 0 ? argv[0] : "entente-peer");
        return EXIT_CODE_USAGE;
    }
    struct shim shim = {.directory = argv[argc - 1], .log = {.fd = -1}, .output = -1, .info = -1};
    struct fault fault = {0};
    arena_init(&shim.arena, LAUNCH_BYTES_MAX + ARENA_MESSAGE_BYTES);
    enum status status = prepare(&shim, &fault);
    if (status == STATUS_OK)
        status = start_child(&shim, &fault);
    if (status == STATUS_OK) {
        watch_child(&shim);
        clear_up(&shim);
    } else {
        say(&shim, fault.text);
        shim.child_ended = true;
        shim.exit_code = SHIM_FAILED;
    }
    finish(&shim);
    capped_log_close(&shim.log);
    arena_fini(&shim.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

/* For the job's owner, where our own part fails. */
static void say(struct shim *shim, const char *text)
{
    char line[FAULT_TEXT_MAX + 16];
    int const length = snprintf(line, sizeof line, "entente: %s\n", text);
    capped_log_write(&shim->log, line, (size_t)length);
}

/* Signals come as reads, so that none arrives between a look and a wait. */
static enum status prepare(struct shim *shim, struct fault *fault)
{
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_SETMASK, &watched, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    shim->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of the job come to us */

    if (shim->signals < 0)
        return fault_set(fault, STATUS_IO, "signalfd: %s", strerror(errno));

    char path[FILE_PATH_MAX];
    enum status status = path_join(path, shim->directory, "log", fault);
    if (status == STATUS_OK)
        status = capped_log_open(&shim->log, path, EXECUTOR_LOG_BYTES_MAX, fault);
    if (status != STATUS_OK)
        return status;
    struct process_identity self;
    if (!process_identify(getpid(), &self))
        return fault_set(fault, STATUS_IO, "/proc can't be read");
    status = state_write_identity(shim->directory, "shim", &self, fault);
    if (status == STATUS_OK)
        status = launch_read(shim->directory, &shim->arena, &shim->launch, fault);
    shim->memory_kills_before = cgroup_memory_kills(&shim->launch.cgroups);
    return status;
}

/* Between fork and exec; only async-signal-safe calls. */
static void become_job(const struct shim *shim, int output, int info, const char *work,
                       char *const *arguments)
{
    static const char no_cgroup[] = "entente: the job could not enter its cgroups\n";
    static const char no_exec[] = "entente: the job's sandbox could not be started\n";
    static const int defaulted[] = {SIGPIPE, SIGHUP, SIGINT};
    char *const nothing[] = {NULL};
    struct rlimit const none = {0, 0};
    struct rlimit descriptors;
    sigset_t all;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_max >= JOB_DESCRIPTORS) {
        descriptors.rlim_cur = JOB_DESCRIPTORS; /* as elsewhere; the daemon has all it may have */
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    sigemptyset(&all);
    for (size_t s = 0; s < sizeof defaulted / sizeof defaulted[0]; s++)
        signal(defaulted[s], SIG_DFL);
    sigprocmask(SIG_SETMASK, &all, NULL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (shim->launch.sandboxed) {
        dup2(info, SANDBOX_INFO_FD);
        dup2(shim->filter, SANDBOX_FILTER_FD);
    }
    if (!cgroup_enter(&shim->launch.cgroups)) {
        ssize_t const ignored = write(STDERR_FILENO, no_cgroup, sizeof no_cgroup - 1);
        (void)ignored;
        _exit(SHIM_FAILED);
    }
    if (chdir(work) == 0)
        execve(arguments[0], arguments, nothing);
    ssize_t const ignored = write(STDERR_FILENO, no_exec, sizeof no_exec - 1);
    (void)ignored;
    _exit(SHIM_FAILED);
}

/* A descriptor that is none of 0..4, which the job's start moves others to. */
static int above(int fd)
{
    int const moved = fcntl(fd, F_DUPFD_CLOEXEC, SANDBOX_FILTER_FD + 1);
    close(fd);
    return moved;
}

/* bubblewrap's own two descriptors come before all that the peer said. */
static enum status make_arguments(struct shim *shim, char ***made, struct fault *fault)
{
    static char options[][12] = {"--info-fd", SANDBOX_INFO_TEXT, "--seccomp", SANDBOX_FILTER_TEXT};
    enum { OPTIONS = sizeof options / sizeof options[0] };
    char **arguments =
        arena_alloc(&shim->arena, LAUNCH_ARGUMENTS_MAX + OPTIONS + 1, sizeof *arguments);
    if (arguments == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    uint32_t count = 0;
    for (uint32_t a = 0; a < shim->launch.argument_count; a++) {
        const char *text = shim->launch.arguments[a];
        arguments[count] = arena_copy_text(&shim->arena, text, strlen(text));
        if (arguments[count++] == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
        for (size_t o = 0; a == 0 && shim->launch.sandboxed && o < OPTIONS; o++)
            arguments[count++] = options[o];
    }
    *made = arguments;
    return STATUS_OK;
}

static enum status start_child(struct shim *shim, struct fault *fault)
{
    char work[FILE_PATH_MAX];
    enum status status = path_join(work, shim->directory, "work", fault);
    if (status != STATUS_OK)
        return status;
    int output[2] = {-1, -1};
    int info[2] = {-1, -1};
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(info, O_CLOEXEC) != 0)
        return fault_set(fault, STATUS_IO, "pipe: %s", strerror(errno));
    shim->output = above(output[0]);
    shim->info = above(info[0]);
    int const output_end = above(output[1]);
    int const info_end = above(info[1]);
    fcntl(SHIM_LOCK_FD, F_SETFD, FD_CLOEXEC);
    fcntl(shim->output, F_SETFL, O_NONBLOCK);
    fcntl(shim->info, F_SETFL, O_NONBLOCK);

    char **arguments = NULL;
    int filter = -1;
    status = make_arguments(shim, &arguments, fault);
    if (status == STATUS_OK && shim->launch.sandboxed)
        status = system_calls_filter(&filter, fault);
    if (status != STATUS_OK)
        return status;
    shim->filter = filter >= 0 ? above(filter) : -1;
    shim->child = fork();
    if (shim->child == 0)
        become_job(shim, output_end, info_end, work, arguments);
    close(output_end);
    close(info_end);
    if (shim->filter >= 0)
        close(shim->filter);
    if (shim->child < 0)
        return fault_set(fault, STATUS_IO, "fork: %s", strerror(errno));
    if (!shim->launch.sandboxed && process_identify(shim->child, &shim->inner))
        return state_write_identity(shim->directory, "sandbox", &shim->inner, fault);
    return STATUS_OK;
}

static int wait_ms(const struct shim *shim)
{
    if (!shim->stopping)
        return SHIM_LOOK_MS;
    if (!shim->stop_passed_on || shim->killed)
        return SHIM_POLL_MS;
    int64_t const left = shim->kill_at_boot_ms - clock_boot_ms(clock_real());
    if (left <= 0)
        return 0;
    return left < 60000 ? (int)left : 60000;
}

/* A state directory that was put back from a backup, or removed, knows nothing of this run: no peer
 * would ever adopt it, meter it or stop it, and its GPUs will be given to others. */
static bool disowned(const struct shim *shim)
{
    char path[FILE_PATH_MAX];
    struct stat held, there;
    if (path_join(path, shim->directory, "state/lock", NULL) != STATUS_OK ||
        fstat(SHIM_LOCK_FD, &held) != 0)
        return false;
    if (stat(path, &there) != 0)
        return errno == ENOENT;
    return held.st_ino != there.st_ino || held.st_dev != there.st_dev;
}

static void watch_child(struct shim *shim)
{
    while (!shim->child_ended) {
        struct pollfd waits[] = {
            {.fd = shim->signals, .events = POLLIN},
            {.fd = shim->output, .events = POLLIN},
            {.fd = shim->info, .events = POLLIN},
        };
        poll(waits, sizeof waits / sizeof waits[0], wait_ms(shim));
        if (waits[2].revents != 0)
            take_info(shim);
        if (waits[1].revents != 0)
            take_output(shim);
        if (waits[0].revents != 0)
            take_signal(shim);
        if (shim->stopping && !shim->stop_passed_on)
            pass_stop_on(shim);
        bool const overdue = shim->stopping && clock_boot_ms(clock_real()) >= shim->kill_at_boot_ms;
        if (overdue || disowned(shim))
            kill_all(shim);
    }
}

static void take_signal(struct shim *shim)
{
    struct signalfd_siginfo about;
    while (read(shim->signals, &about, sizeof about) == (ssize_t)sizeof about) {
        int64_t grace_ms;
        if (about.ssi_signo != SIGTERM || !state_read_stop(shim->directory, &grace_ms))
            continue;
        int64_t const kill_at = clock_boot_ms(clock_real()) + grace_ms;
        if (!shim->stopping || kill_at < shim->kill_at_boot_ms)
            shim->kill_at_boot_ms = kill_at;
        shim->stopping = true;
    }
    take_ended(shim);
}

/* Reaps orphans; the job's own end is only noted. */
static void take_ended(struct shim *shim)
{
    while (!shim->child_ended) {
        siginfo_t about = {0};
        if (waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0 || about.si_pid == 0)
            return;
        if (about.si_pid == shim->child) {
            shim->child_ended = true;
            shim->exit_code = about.si_code == CLD_EXITED ? about.si_status : 128 + about.si_status;
        } else {
            waitpid(about.si_pid, NULL, WNOHANG);
        }
    }
}

/* { "child-pid": 1234, ... }: the first process of the sandbox. */
static void take_info(struct shim *shim)
{
    ssize_t const got = read(shim->info, shim->info_text + shim->info_length,
                             sizeof shim->info_text - 1 - shim->info_length);
    if (got > 0)
        shim->info_length += (size_t)got;
    if (got < 0 && errno == EAGAIN)
        return;
    const char *key = strstr(shim->info_text, "\"child-pid\":");
    const char *end = key != NULL ? strchr(key, '\n') : NULL;
    if (shim->inner.pid == 0 && end != NULL) {
        long const pid = strtol(key + strlen("\"child-pid\":"), NULL, 10);
        if (pid > 1 && process_identify((pid_t)pid, &shim->inner))
            (void)!state_write_identity(shim->directory, "sandbox", &shim->inner, NULL);
    }
    if (got <= 0) {
        close(shim->info);
        shim->info = -1;
    }
}

static void take_output(struct shim *shim)
{
    char buffer[SHIM_READ_BYTES];
    ssize_t const got = read(shim->output, buffer, sizeof buffer);
    if (got > 0) {
        capped_log_write(&shim->log, buffer, (size_t)got);
    } else if (got == 0) {
        close(shim->output);
        shim->output = -1;
    }
}

/* --- stopping */

/* To the job's own process alone, as container runtimes do it: a job that starts others decides
 * itself what they do. In the sandbox that is process 2; process 1 is bwrap's. */
static void pass_stop_on(struct shim *shim)
{
    pid_t job = shim->child;
    if (shim->launch.sandboxed)
        job = shim->inner.pid != 0 ? process_find_child(shim->inner.pid, 2) : 0;
    if (job > 1 && kill(job, SIGTERM) == 0)
        shim->stop_passed_on = true;
}

/* The end of a pid namespace's first process ends all in it. */
static void kill_all(struct shim *shim)
{
    shim->killed = true;
    if (shim->inner.pid != 0)
        process_signal(&shim->inner, SIGKILL);
    if (shim->child > 1 && !shim->child_ended) {
        kill(-shim->child, SIGKILL);
        kill(shim->child, SIGKILL);
    }
    cgroup_kill(&shim->launch.cgroups, 1);
}

/* The job has ended; nothing that it started may go on. Orphans become our children, so we are done
 * when we have none. */
static void clear_up(struct shim *shim)
{
    kill(-shim->child, SIGKILL);
    for (int round = 0; round < SHIM_KILL_ROUNDS_MAX; round++) {
        if (shim->inner.pid != 0)
            process_signal(&shim->inner, SIGKILL);
        cgroup_kill(&shim->launch.cgroups, 1);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        bool const childless = waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
        if (childless && (shim->inner.pid == 0 || !process_alive(&shim->inner)))
            break;
        /* This looks at all processes of the machine; the sandbox's own end without it. */
        bool const search = !childless && round >= SHIM_QUIET_ROUNDS;
        pid_t const orphan = search ? process_find_child(getpid(), 0) : 0;
        if (orphan > 1)
            kill(orphan, SIGKILL);
        usleep(1000);
    }
    for (int i = 0; shim->output >= 0 && i < SHIM_KILL_ROUNDS_MAX; i++) {
        struct pollfd wait = {.fd = shim->output, .events = POLLIN};
        if (poll(&wait, 1, 0) <= 0)
            break;
        take_output(shim);
    }
}

static void finish(struct shim *shim)
{
    assert(shim->child_ended);
    struct exit_record record = {
        .code = shim->exit_code,
        .stopped = shim->stopping,
        .out_of_memory = cgroup_memory_kills(&shim->launch.cgroups) > shim->memory_kills_before,
    };
    cgroup_remove(&shim->launch.cgroups);
    struct fault fault;
    if (state_write_exit(shim->directory, &record, &fault) != STATUS_OK)
        say(shim, fault.text); /* the peer will find the run lost */
}
