/* How the process executor starts a run: everything the shim needs is written down, then it is
 * spawned.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/beneath.h"
#include "peer/executor/executor_process.h"
#include "peer/executor/executor_sandbox.h"
#include "peer/executor/executor_state.h"
#include "proto/identity/identity.h"

enum {
    SCRATCH_BYTES_FALLBACK = 256 * 1024 * 1024,
    CPU_SHARES_PER_GPU = 256, /* below the 1024 that the host's own work has */
    CPU_SHARES_MAX = 262144
};

static enum status check_paths(const struct executor_run *run, struct fault *fault);
static enum status take_slot(struct process_executor *self, const char *directory, uid_t *uid,
                             struct fault *fault);
static enum status write_files(const struct sandbox_request *request, struct arena *arena,
                               struct fault *fault);
static enum status give_to_job(const struct sandbox_request *request, struct fault *fault);
static bool give_tree(char *path, uid_t uid);
static enum status make_cgroups(const struct process_executor *self, const struct executor_run *run,
                                struct cgroup_set *set, struct fault *fault);
static enum status spawn_shim(const struct process_executor *self, const char *directory, int lock,
                              struct fault *fault);

void process_cgroups(const struct process_executor *self, const char *directory,
                     struct cgroup_set *set)
{
    struct digest digest;
    char hex[DIGEST_TEXT_MAX];
    char name[CGROUP_NAME_MAX];
    digest_bytes(directory, strlen(directory), &digest);
    snprintf(name, sizeof name, "entente-%.24s", digest_format(&digest, hex));
    cgroup_name_set(&self->cgroups, name, set);
}

static enum status start_locked(struct process_executor *self, const struct executor_run *run,
                                int lock, struct arena *arena, struct fault *fault)
{
    const struct job_limits *limits = &run->specification->limits;
    const char *checkpoint = run->specification->checkpoint_path;
    struct sandbox_request request = {
        .directory = run->directory,
        .run = run,
        .bwrap = self->bwrap[0] != '\0' ? self->bwrap : NULL,
        .device_directory = self->devices,
        .root = self->root,
        .network = limits->network && self->settings.allow_network,
        .scratch_bytes = limits->scratch_bytes != 0 ? limits->scratch_bytes
                                                    : self->settings.scratch_bytes_default,
    };
    if (request.scratch_bytes == 0)
        request.scratch_bytes = SCRATCH_BYTES_FALLBACK;
    struct launch launch = {0};
    enum status status = check_paths(run, fault);
    if (status == STATUS_OK)
        status = take_slot(self, run->directory, &request.uid, fault);
    if (status == STATUS_OK)
        status = sandbox_command(&request, arena, &launch, fault);
    if (status == STATUS_OK)
        status = state_begin_reports(run->directory, checkpoint != NULL ? checkpoint : "", fault);
    if (status == STATUS_OK)
        status = write_files(&request, arena, fault);
    if (status == STATUS_OK)
        status = give_to_job(&request, fault);
    if (status == STATUS_OK)
        status = make_cgroups(self, run, &launch.cgroups, fault);
    if (status == STATUS_OK)
        status = launch_write(run->directory, &launch, fault);
    if (status == STATUS_OK)
        status = spawn_shim(self, run->directory, lock, fault);
    return status;
}

enum status process_start(struct executor *executor, const struct executor_run *run,
                          struct fault *fault)
{
    struct process_executor *self = (struct process_executor *)executor;
    struct exit_record record;
    if (state_read_exit(run->directory, &record))
        return fault_set(fault, STATUS_PRECONDITION,
                         "the run in %s is over: release it before it is started again",
                         run->directory);
    int const lock = state_lock(run->directory);
    if (lock < 0 && errno == EWOULDBLOCK)
        return STATUS_OK; /* its shim lives */
    if (lock < 0)
        return fault_set(fault, STATUS_PRECONDITION, "the run in %s isn't prepared: %s",
                         run->directory, strerror(errno));
    struct arena arena;
    arena_init(&arena, 2 * (size_t)ARENA_MESSAGE_BYTES);
    enum status status = start_locked(self, run, lock, &arena, fault);
    arena_fini(&arena);
    close(lock);
    return status;
}

/* Said here, since bubblewrap would say it in the job's log, and the job be blamed. */
static enum status check_paths(const struct executor_run *run, struct fault *fault)
{
    for (uint32_t p = 0; p < run->path_count; p++)
        if (run->read_only_paths[p][0] != '/' || access(run->read_only_paths[p], F_OK) != 0)
            return fault_set(fault, STATUS_PRECONDITION,
                             "data set path %s isn't there at this host: mend its configuration",
                             run->read_only_paths[p]);
    return STATUS_OK;
}

/* The slot survives in state/uid, for release and for a later peer. */
static enum status take_slot(struct process_executor *self, const char *directory, uid_t *uid,
                             struct fault *fault)
{
    *uid = 0;
    if (!self->root || self->settings.first_uid == 0 || self->bwrap[0] == '\0')
        return STATUS_OK; /* a plain process could not reach its directory as another user */
    uint32_t slot = 0;
    if (!state_read_slot(directory, &slot) || slot >= SLOTS_MAX) {
        for (slot = 0; slot < SLOTS_MAX && self->slot_taken[slot]; slot++)
            ;
        if (slot == SLOTS_MAX)
            return fault_set(fault, STATUS_EXHAUSTED, "%d runs have a user of their own already",
                             SLOTS_MAX);
    }
    self->slot_taken[slot] = true;
    *uid = self->settings.first_uid + slot;
    return state_write_slot(directory, slot, fault);
}

static enum status write_files(const struct sandbox_request *request, struct arena *arena,
                               struct fault *fault)
{
    char passwd[256];
    char path[FILE_PATH_MAX];
    struct bytes environment;
    uid_t const uid = request->uid != 0 ? request->uid : geteuid();
    snprintf(passwd, sizeof passwd, "job:x:%lu:%lu::/work:/bin/sh\n", (unsigned long)uid,
             (unsigned long)uid);
    enum status status =
        state_write_text(request->directory, "passwd",
                         (struct bytes){(const uint8_t *)passwd, strlen(passwd)}, 0644, fault);
    if (status == STATUS_OK)
        status = sandbox_environment(request, arena, &environment, fault);
    if (status == STATUS_OK)
        status = state_write_text(request->directory, "environment", environment, 0400, fault);
    if (status == STATUS_OK)
        status = path_join(path, request->directory, "state/environment", fault);
    if (status == STATUS_OK && request->uid != 0 && chown(path, request->uid, request->uid) != 0)
        status = fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    return status;
}

static enum status give_to_job(const struct sandbox_request *request, struct fault *fault)
{
    static const char *const parts[] = {"work", "report", "scratch"};
    const char *checkpoint = request->run->specification->checkpoint_path;
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, request->directory, "work", fault);
    if (status == STATUS_OK && checkpoint != NULL && checkpoint[0] != '\0') {
        int const work = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int parent = -1;
        const char *last;
        status =
            beneath_open_parent(work, checkpoint, BENEATH_MAKE_DIRECTORIES, &parent, &last, fault);
        if (work >= 0)
            close(work);
        if (parent >= 0)
            close(parent);
    }
    for (size_t p = 0; status == STATUS_OK && request->uid != 0 && p < 3; p++) {
        status = path_join(path, request->directory, parts[p], fault);
        if (status == STATUS_OK && !give_tree(path, request->uid))
            status = fault_set(fault, STATUS_IO, "%s can't be given to its user: %s", path,
                               strerror(errno));
    }
    return status;
}

/* Nobody else writes below its directories before the job runs; links are given, not followed. */
static bool give_tree(char *path, uid_t uid)
{
    char *const paths[] = {path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    if (tree == NULL)
        return false;
    bool given = true;
    errno = 0;
    for (FTSENT *item; given && (item = fts_read(tree)) != NULL;)
        if (item->fts_info != FTS_DP)
            given = lchown(item->fts_accpath, uid, uid) == 0;
    int const error = errno;
    fts_close(tree);
    errno = error;
    return given;
}

static enum status make_cgroups(const struct process_executor *self, const struct executor_run *run,
                                struct cgroup_set *set, struct fault *fault)
{
    const struct job_limits *limits = &run->specification->limits;
    uint64_t const scratch =
        limits->scratch_bytes != 0 ? limits->scratch_bytes : self->settings.scratch_bytes_default;
    uint64_t const memory =
        limits->memory_bytes != 0 ? limits->memory_bytes : self->settings.memory_bytes_default;
    uint64_t const processes =
        limits->processes != 0 ? limits->processes : self->settings.processes_default;
    uint64_t const shares = (uint64_t)CPU_SHARES_PER_GPU * run->gpu_count;
    struct cgroup_limits const groups = {
        /* scratch is memory too, and comes on top of what the job may use otherwise */
        .memory_bytes = memory != 0 ? memory + scratch : 0,
        .processes = processes != 0 ? processes + 2 : 0, /* bwrap's two */
        .cpu_shares = shares < CPU_SHARES_MAX ? shares : CPU_SHARES_MAX,
    };
    process_cgroups(self, run->directory, set);
    return cgroup_make(&self->cgroups, set, &groups, fault);
}

/* The shim gets the lock's open description, so the run is never without a holder; the signals it
 * listens to are blocked before it is there, so that no stop is lost. */
static enum status spawn_shim(const struct process_executor *self, const char *directory, int lock,
                              struct fault *fault)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t blocked;
    sigset_t all;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGCHLD);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int fd = 0; fd < SHIM_LOCK_FD; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, lock, SHIM_LOCK_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, SHIM_LOCK_FD + 1);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char command[] = "run-shim";
    char place[FILE_PATH_MAX];
    char program[FILE_PATH_MAX];
    snprintf(place, sizeof place, "%s", directory);
    snprintf(program, sizeof program, "%s", self->program);
    char *arguments[] = {program, command, place, NULL};
    pid_t pid;
    int const error = posix_spawn(&pid, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return fault_set(fault, STATUS_IO, "%s: %s", program, strerror(error));
    struct process_identity identity;
    if (process_identify(pid, &identity))
        return state_write_identity(directory, "shim", &identity, fault);
    return fault_set(fault, STATUS_IO, "%s: it is gone", program);
}
