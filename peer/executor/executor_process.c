/*
 * The process executor: jobs as sandboxed processes of this machine, each behind a shim.
 *
 * It remembers nothing but which uids are taken: all else is in the run's directory
 * (peer/executor/executor_state.h), so a restarted peer adopts by looking. Verbs look, decide, and
 * do one thing; release alone may wait, for at most RELEASE_WAIT_ROUNDS_MAX milliseconds, where
 * something still had to be killed.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/executor/executor_process.h"
#include "peer/executor/executor_state.h"

enum { RELEASE_WAIT_ROUNDS_MAX = 200 };

static void process_probe(struct executor *executor, struct executor_abilities *abilities);
static enum status process_prepare(struct executor *executor, const char *directory,
                                   struct fault *fault);
static enum status process_adopt(struct executor *executor, const char *directory,
                                 struct fault *fault);
static void process_watch(struct executor *executor, const char *directory,
                          struct executor_status *status);
static enum status process_stop(struct executor *executor, const char *directory, int64_t grace_ms,
                                struct fault *fault);
static void process_release(struct executor *executor, const char *directory);
static void process_close(struct executor *executor);

static const struct executor_operations operations = {
    .probe = process_probe,
    .prepare = process_prepare,
    .start = process_start,
    .adopt = process_adopt,
    .watch = process_watch,
    .stop = process_stop,
    .release = process_release,
    .close = process_close,
};

enum status process_executor_open(const struct process_executor_settings *settings,
                                  struct executor **executor, struct fault *fault)
{
    struct process_executor *self = calloc(1, sizeof *self);
    if (self == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an executor");
    self->executor.operations = &operations;
    self->settings = *settings;
    self->root = geteuid() == 0;
    snprintf(self->program, sizeof self->program, "%s", settings->program);
    snprintf(self->devices, sizeof self->devices, "%s",
             settings->device_directory != NULL ? settings->device_directory : "/dev");
    process_find_abilities(self);
    if (self->abilities.missing[0] != '\0')
        log_warning(settings->log, "jobs can't be held to everything here: %s",
                    self->abilities.missing);
    *executor = &self->executor;
    return STATUS_OK;
}

static struct process_executor *own(struct executor *executor)
{
    assert(executor->operations == &operations);
    return (struct process_executor *)executor;
}

static void process_close(struct executor *executor)
{
    free(own(executor));
}

static void process_probe(struct executor *executor, struct executor_abilities *abilities)
{
    *abilities = own(executor)->abilities;
}

static enum status process_prepare(struct executor *executor, const char *directory,
                                   struct fault *fault)
{
    static const struct {
        const char *name;
        mode_t mode;
    } parts[] = {{"work", 0755}, {"report", 0755}, {"scratch", 0755}, {"state", 0700}};
    (void)own(executor);
    enum status status = directory_make(directory, 0700, fault);
    for (size_t p = 0; status == STATUS_OK && p < sizeof parts / sizeof parts[0]; p++) {
        char path[FILE_PATH_MAX];
        status = path_join(path, directory, parts[p].name, fault);
        if (status == STATUS_OK)
            status = directory_make(path, parts[p].mode, fault);
    }
    return status;
}

/* Held by the shim from before it is spawned until its last breath. */
static bool lock_is_held(const char *directory)
{
    struct stat about;
    char path[FILE_PATH_MAX];
    if (path_join(path, directory, "state/launch", NULL) != STATUS_OK || stat(path, &about) != 0)
        return false;
    int const lock = state_lock(directory);
    if (lock < 0)
        return errno == EWOULDBLOCK;
    close(lock);
    return false;
}

static enum executor_phase look(const char *directory, struct executor_status *status)
{
    struct exit_record record;
    struct process_identity shim;
    if (!state_read_exit(directory, &record)) {
        bool const known = state_read_identity(directory, "shim", &shim);
        if (known ? process_alive(&shim) : lock_is_held(directory))
            return EXECUTOR_RUNNING;
        /* It may have ended between the two looks. */
        if (!state_read_exit(directory, &record))
            return known ? EXECUTOR_LOST : EXECUTOR_ABSENT;
    }
    status->exit_code = record.code;
    status->out_of_memory = record.out_of_memory;
    return record.stopped ? EXECUTOR_STOPPED : EXECUTOR_EXITED;
}

/* A shim of ours that ended waits to be reaped; one that an earlier peer started was not ours. */
static void reap(const char *directory)
{
    struct process_identity shim;
    if (state_read_identity(directory, "shim", &shim))
        waitpid(shim.pid, NULL, WNOHANG);
}

static void process_watch(struct executor *executor, const char *directory,
                          struct executor_status *status)
{
    char path[FILE_PATH_MAX];
    struct stat about;
    (void)own(executor);
    *status = (struct executor_status){0};
    reap(directory);
    status->phase = look(directory, status);
    if (status->phase == EXECUTOR_ABSENT)
        return;
    state_read_progress(directory, status);
    status->checkpoint_number = state_count_checkpoint(directory);
    if (path_join(path, directory, "log", NULL) == STATUS_OK && lstat(path, &about) == 0)
        status->log_bytes = (uint64_t)about.st_size;
}

static enum status process_adopt(struct executor *executor, const char *directory,
                                 struct fault *fault)
{
    struct process_executor *self = own(executor);
    struct executor_status status;
    uint32_t slot;
    process_watch(executor, directory, &status);
    if (status.phase == EXECUTOR_ABSENT)
        return fault_set(fault, STATUS_NOT_FOUND, "nothing was started in %s", directory);
    if (state_read_slot(directory, &slot) && slot < SLOTS_MAX)
        self->slot_taken[slot] = true;
    if (status.phase == EXECUTOR_LOST)
        return fault_set(fault, STATUS_NOT_FOUND, "of the run in %s nothing is left", directory);
    return STATUS_OK;
}

static enum status process_stop(struct executor *executor, const char *directory, int64_t grace_ms,
                                struct fault *fault)
{
    struct executor_status status;
    struct process_identity shim;
    process_watch(executor, directory, &status);
    if (status.phase != EXECUTOR_RUNNING)
        return STATUS_OK;
    enum status written = state_write_stop(directory, grace_ms, fault);
    if (written != STATUS_OK)
        return written;
    if (!state_read_identity(directory, "shim", &shim))
        return fault_set(fault, STATUS_UNAVAILABLE, "the run in %s is just starting: try again",
                         directory);
    process_signal(&shim, SIGTERM);
    return STATUS_OK;
}

/* Everything of the run: the shim first, since the kernel ends its sandbox with it. */
static void kill_run(const char *directory, const struct cgroup_set *cgroups)
{
    struct process_identity shim;
    struct process_identity inner;
    bool const has_shim = state_read_identity(directory, "shim", &shim);
    bool const has_inner = state_read_identity(directory, "sandbox", &inner);
    for (int round = 0; round < RELEASE_WAIT_ROUNDS_MAX; round++) {
        bool const shim_lives = has_shim && process_signal(&shim, SIGKILL);
        bool const inner_lives = has_inner && process_signal(&inner, SIGKILL);
        bool const emptied = cgroup_kill(cgroups, 1);
        reap(directory);
        if (!shim_lives && !inner_lives && emptied)
            return;
        usleep(1000);
    }
}

static void process_release(struct executor *executor, const char *directory)
{
    static const char *const files[] = {"shim",   "sandbox",     "stop", "launch", "checkpoint",
                                        "passwd", "environment", "slot", "lock",   "exit"};
    struct process_executor *self = own(executor);
    struct cgroup_set cgroups;
    uint32_t slot;
    process_cgroups(self, directory, &cgroups);
    kill_run(directory, &cgroups);
    cgroup_remove(&cgroups);
    if (state_read_slot(directory, &slot) && slot < SLOTS_MAX)
        self->slot_taken[slot] = false;
    /* exit goes last: until then a watch says how it ended. */
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        char path[FILE_PATH_MAX];
        if ((size_t)snprintf(path, sizeof path, "%s/state/%s", directory, files[f]) < sizeof path)
            unlink(path);
    }
}
