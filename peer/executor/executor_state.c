#include "peer/executor/executor_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/beneath.h"

/* Which file a checkpoint was when it was counted. */
struct checkpoint_record {
    uint64_t number;
    uint64_t inode; /* 0: there was none */
    int64_t changed_ns;
    uint64_t size_bytes;
    char path[PATH_BYTES_MAX + 1];
};

static bool read_state(const char *directory, const char *name, char text[static STATE_FILE_MAX]);
static enum status write_state(const char *directory, const char *name, const char *text,
                               struct fault *fault);
static ssize_t read_once(int fd, char *text, size_t size);
static bool find_number(const char *text, const char *key, uint64_t *number);
static bool find_checkpoint(const char *directory, const char *path, struct stat *about);
static enum status write_checkpoint(const char *directory, const struct checkpoint_record *record,
                                    struct fault *fault);
static bool read_checkpoint(const char *directory, struct checkpoint_record *record);

/* --- what the peer hands the shim: texts with a NUL behind each */

enum { LAUNCH_HEAD = 2 + CGROUP_CONTROLLERS };
static const char launch_magic[] = "entente launch 1";

enum status launch_write(const char *directory, const struct launch *launch, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    enum status status;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    fprintf(memory, "%s%c%d%c", launch_magic, 0, launch->sandboxed ? 1 : 0, 0);
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
        fprintf(memory, "%s%c", launch->cgroups.directories[c], 0);
    for (uint32_t i = 0; i < launch->argument_count; i++)
        fprintf(memory, "%s%c", launch->arguments[i], 0);
    if (fclose(memory) != 0)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    else if (size > LAUNCH_BYTES_MAX || launch->argument_count > LAUNCH_ARGUMENTS_MAX)
        status = fault_set(fault, STATUS_EXHAUSTED, "the job's command is too long");
    else
        status = state_write_text(directory, "launch", (struct bytes){(const uint8_t *)text, size},
                                  0600, fault);
    free(text);
    return status;
}

enum status launch_read(const char *directory, struct arena *arena, struct launch *launch,
                        struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct bytes bytes;
    enum status status = path_join(path, directory, "state/launch", fault);
    if (status == STATUS_OK)
        status = file_read(path, LAUNCH_BYTES_MAX, arena, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    const char **texts = arena_alloc(arena, LAUNCH_HEAD + LAUNCH_ARGUMENTS_MAX + 1, sizeof *texts);
    if (texts == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    uint32_t count = 0;
    const char *text = (const char *)bytes.data;
    const char *end = text + bytes.size;
    for (; text < end && count < LAUNCH_HEAD + LAUNCH_ARGUMENTS_MAX; text += strlen(text) + 1)
        texts[count++] = text;
    if (count <= LAUNCH_HEAD || strcmp(texts[0], launch_magic) != 0)
        return fault_set(fault, STATUS_CORRUPT, "%s isn't a launch file of this release", path);
    *launch = (struct launch){
        .sandboxed = strcmp(texts[1], "1") == 0,
        .arguments = texts + LAUNCH_HEAD,
        .argument_count = count - LAUNCH_HEAD,
    };
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
        snprintf(launch->cgroups.directories[c], sizeof launch->cgroups.directories[c], "%s",
                 texts[2 + c]);
    return STATUS_OK;
}

/* --- state files */

static bool read_state(const char *directory, const char *name, char text[static STATE_FILE_MAX])
{
    char path[FILE_PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/state/%s", directory, name) >= sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t const length = read_once(fd, text, STATE_FILE_MAX);
    close(fd);
    return length > 0;
}

/* Whole or not at all, but not synced: after a power cut there is no run that it could be about. */
static enum status write_state(const char *directory, const char *name, const char *text,
                               struct fault *fault)
{
    return state_write_text(directory, name, (struct bytes){(const uint8_t *)text, strlen(text)},
                            0600, fault);
}

enum status state_write_text(const char *directory, const char *name, struct bytes bytes,
                             mode_t mode, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    char beside[FILE_PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/state/%s", directory, name) >= sizeof path ||
        (size_t)snprintf(beside, sizeof beside, "%s/state/%s.%ld", directory, name,
                         (long)getpid()) >= sizeof beside)
        return fault_set(fault, STATUS_EXHAUSTED, "path %s is too long", directory);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    bool const written = fd >= 0 && fchmod(fd, mode) == 0 &&
                         write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size;
    int error = errno;
    if (fd >= 0)
        close(fd);
    bool const moved = written && rename(beside, path) == 0;
    if (moved)
        return STATUS_OK;
    if (written)
        error = errno;
    unlink(beside);
    return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(error));
}

/* A small file in one read, terminated; -1 on error. */
static ssize_t read_once(int fd, char *text, size_t size)
{
    ssize_t const length = read(fd, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

/* The number behind "key " at the beginning of a line. */
static bool find_number(const char *text, const char *key, uint64_t *number)
{
    size_t const length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || line[length] != ' ' || line[length + 1] < '0' ||
            line[length + 1] > '9')
            continue;
        errno = 0;
        *number = strtoull(line + length + 1, NULL, 10);
        return errno == 0;
    }
    return false;
}

enum status state_write_identity(const char *directory, const char *name,
                                 const struct process_identity *identity, struct fault *fault)
{
    char text[256];
    snprintf(text, sizeof text, "pid %ld\nstart_ticks %" PRIu64 "\nboot %s\n", (long)identity->pid,
             identity->start_ticks, identity->boot);
    return write_state(directory, name, text, fault);
}

bool state_read_identity(const char *directory, const char *name, struct process_identity *identity)
{
    char text[STATE_FILE_MAX];
    uint64_t pid;
    *identity = (struct process_identity){0};
    if (!read_state(directory, name, text) || !find_number(text, "pid", &pid) || pid == 0 ||
        pid > INT32_MAX || !find_number(text, "start_ticks", &identity->start_ticks))
        return false;
    identity->pid = (pid_t)pid;
    const char *boot = strstr(text, "\nboot ");
    return boot != NULL && sscanf(boot, "\nboot %39s", identity->boot) == 1;
}

enum status state_write_exit(const char *directory, const struct exit_record *record,
                             struct fault *fault)
{
    char text[128];
    snprintf(text, sizeof text, "code %d\nstopped %d\nout_of_memory %d\n", (int)record->code,
             record->stopped, record->out_of_memory);
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, directory, "state/exit", fault);
    if (status != STATUS_OK)
        return status;
    return file_write(path, (struct bytes){(const uint8_t *)text, strlen(text)}, 0600, fault);
}

bool state_read_exit(const char *directory, struct exit_record *record)
{
    char text[STATE_FILE_MAX];
    uint64_t code;
    uint64_t stopped;
    uint64_t out_of_memory;
    if (!read_state(directory, "exit", text) || !find_number(text, "code", &code) ||
        !find_number(text, "stopped", &stopped) ||
        !find_number(text, "out_of_memory", &out_of_memory) || code > 255)
        return false;
    *record = (struct exit_record){(int32_t)code, stopped != 0, out_of_memory != 0};
    return true;
}

enum status state_write_stop(const char *directory, int64_t grace_ms, struct fault *fault)
{
    char text[64];
    snprintf(text, sizeof text, "grace_ms %" PRId64 "\n", grace_ms > 0 ? grace_ms : 0);
    return write_state(directory, "stop", text, fault);
}

bool state_read_stop(const char *directory, int64_t *grace_ms)
{
    char text[STATE_FILE_MAX];
    uint64_t grace;
    if (!read_state(directory, "stop", text) || !find_number(text, "grace_ms", &grace) ||
        grace > INT64_MAX)
        return false;
    *grace_ms = (int64_t)grace;
    return true;
}

enum status state_write_slot(const char *directory, uint32_t slot, struct fault *fault)
{
    char text[64];
    snprintf(text, sizeof text, "slot %" PRIu32 "\n", slot);
    return write_state(directory, "slot", text, fault);
}

bool state_read_slot(const char *directory, uint32_t *slot)
{
    char text[STATE_FILE_MAX];
    uint64_t number;
    if (!read_state(directory, "slot", text) || !find_number(text, "slot", &number) ||
        number > UINT32_MAX)
        return false;
    *slot = (uint32_t)number;
    return true;
}

int state_lock(const char *directory)
{
    char path[FILE_PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/state/lock", directory) >= sizeof path)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int const error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* --- what the job says */

void state_read_progress(const char *directory, struct executor_status *status)
{
    char text[STATE_FILE_MAX];
    char path[FILE_PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/report/progress", directory) >= sizeof path)
        return;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    struct stat about;
    ssize_t const length =
        fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? read_once(fd, text, sizeof text) : -1;
    close(fd);
    if (length <= 0)
        return;
    find_number(text, "steps", &status->steps);
    find_number(text, "examples", &status->examples);
    const char *rate = strstr(text, "examples_per_second ");
    double const value = rate != NULL ? strtod(rate + strlen("examples_per_second "), NULL) : 0;
    if (isfinite(value) && value >= 0)
        status->examples_per_second = value;
}

static bool find_checkpoint(const char *directory, const char *path, struct stat *about)
{
    char work[FILE_PATH_MAX];
    if (path[0] == '\0' || (size_t)snprintf(work, sizeof work, "%s/work", directory) >= sizeof work)
        return false;
    int top = open(work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0)
        return false;
    int fd = -1;
    bool const found = beneath_open(top, path, &fd, NULL) == STATUS_OK && fstat(fd, about) == 0 &&
                       S_ISREG(about->st_mode);
    if (fd >= 0)
        close(fd);
    close(top);
    return found;
}

static void take_identity(struct checkpoint_record *record, const struct stat *about)
{
    record->inode = (uint64_t)about->st_ino;
    record->changed_ns = (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
    record->size_bytes = (uint64_t)about->st_size;
}

enum status state_begin_reports(const char *directory, const char *path, struct fault *fault)
{
    char progress[FILE_PATH_MAX];
    enum status status = path_join(progress, directory, "report/progress", fault);
    if (status != STATUS_OK)
        return status;
    unlink(progress);
    struct checkpoint_record record = {0};
    struct stat about;
    snprintf(record.path, sizeof record.path, "%s", path);
    if (find_checkpoint(directory, path, &about))
        take_identity(&record, &about);
    return write_checkpoint(directory, &record, fault);
}

uint64_t state_count_checkpoint(const char *directory)
{
    struct checkpoint_record record;
    struct stat about;
    if (!read_checkpoint(directory, &record))
        return 0;
    if (!find_checkpoint(directory, record.path, &about))
        return record.number;
    struct checkpoint_record now = record;
    take_identity(&now, &about);
    if (now.inode == record.inode && now.changed_ns == record.changed_ns &&
        now.size_bytes == record.size_bytes)
        return record.number;
    now.number++;
    /* Where this can't be written, the checkpoint is counted again the next time. */
    return write_checkpoint(directory, &now, NULL) == STATUS_OK ? now.number : record.number;
}

static enum status write_checkpoint(const char *directory, const struct checkpoint_record *record,
                                    struct fault *fault)
{
    char text[STATE_FILE_MAX];
    snprintf(text, sizeof text,
             "number %" PRIu64 "\ninode %" PRIu64 "\nchanged_ns %" PRId64 "\nsize %" PRIu64
             "\npath %s\n",
             record->number, record->inode, record->changed_ns, record->size_bytes, record->path);
    return write_state(directory, "checkpoint", text, fault);
}

static bool read_checkpoint(const char *directory, struct checkpoint_record *record)
{
    char text[STATE_FILE_MAX];
    uint64_t changed_ns;
    *record = (struct checkpoint_record){0};
    if (!read_state(directory, "checkpoint", text) ||
        !find_number(text, "number", &record->number) ||
        !find_number(text, "inode", &record->inode) ||
        !find_number(text, "changed_ns", &changed_ns) ||
        !find_number(text, "size", &record->size_bytes))
        return false;
    record->changed_ns = (int64_t)changed_ns;
    const char *path = strstr(text, "\npath ");
    if (path == NULL)
        return false;
    snprintf(record->path, sizeof record->path, "%s", path + strlen("\npath "));
    record->path[strcspn(record->path, "\n")] = '\0';
    return true;
}
