/*
 * Preload kill: SIGKILL at a chosen moment of a real daemon, for scenarios (LD_PRELOAD). Production
 * code knows nothing of it.
 *
 * The moment is ENTENTE_KILL_AT: a part of an SQL text and WHEN, "INSERT INTO rounds@sync".
 * ENTENTE_KILL_NTH (default 1) is which of its executions is meant.
 *     before   instead of the statement
 *     sync     the first fsync after it: what it wrote is in the log file, not on the disk
 *     synced   when that fsync returned: committed, and nobody was told
 *     send     the first message to a socket after it, not sent
 *     sent     when that message was sent
 * Or a part of a file's path, "file:/chunks/@sync": the Nth fsync (sync, synced) or read (read) of
 * such a file. Only the program named by ENTENTE_KILL_PROGRAM (the end of /proc/self/exe) is meant,
 * not what it starts. ENTENTE_KILL_MARK names a file that is made first, and that a test waits for;
 * where it is there already nothing happens. Thread rule: any thread; the first that comes by is
 * enough.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sqlite3.h>

enum { TEXT_MAX = 256, PATH_TEXT_MAX = 4096 };

enum moment { NEVER, BEFORE, SYNC, SYNCED, SEND, SENT, READ };

static const char *const moment_names[] = {"never", "before", "sync", "synced",
                                           "send",  "sent",   "read"};

static char text_meant[TEXT_MAX];
static bool file_meant; /* the text is of a path, not of SQL */
static enum moment moment_meant;
static atomic_int executions_left;
static atomic_bool armed; /* the statement has been executed */

/* The real function behind ours; ISO C has no cast from an object's pointer to a function's. */
static void find_real(const char *name, void *function, size_t size)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, size);
}

static bool program_is_meant(void)
{
    char path[PATH_TEXT_MAX];
    const char *program = getenv("ENTENTE_KILL_PROGRAM");
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (program == NULL || length < (ssize_t)strlen(program))
        return false;
    path[length] = '\0';
    return strcmp(path + length - (ssize_t)strlen(program), program) == 0;
}

__attribute__((constructor)) static void read_what_is_meant(void)
{
    const char *at = getenv("ENTENTE_KILL_AT");
    const char *nth = getenv("ENTENTE_KILL_NTH");
    const char *when = at != NULL ? strrchr(at, '@') : NULL;
    if (when == NULL || when == at || (size_t)(when - at) >= TEXT_MAX || !program_is_meant())
        return;
    static const char file[] = "file:";
    file_meant = strncmp(at, file, sizeof file - 1) == 0;
    at += file_meant ? sizeof file - 1 : 0;
    memcpy(text_meant, at, (size_t)(when - at));
    for (size_t m = 0; m < sizeof moment_names / sizeof moment_names[0]; m++)
        if (strcmp(moment_names[m], when + 1) == 0)
            moment_meant = (enum moment)m;
    executions_left = nth != NULL ? (int)strtol(nth, NULL, 10) : 1;
}

static void come_to(enum moment moment)
{
    if (moment != moment_meant || (moment != BEFORE && !armed))
        return;
    const char *mark = getenv("ENTENTE_KILL_MARK");
    int fd = mark != NULL ? open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    moment_meant = NEVER;
    if (fd < 0)
        return;
    close(fd);
    kill(getpid(), SIGKILL);
}

/* After the statement, or with a file that is meant. */
static void come_to_file(enum moment moment, int fd)
{
    char path[PATH_TEXT_MAX];
    char link[64];
    if (moment != moment_meant)
        return;
    if (file_meant) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length > 0 ? length : 0] = '\0';
        if (strstr(path, text_meant) == NULL || atomic_fetch_sub(&executions_left, 1) != 1)
            return;
        armed = true;
    }
    come_to(moment);
}

/* sqlite3_step is called again and again for one execution's rows: the first call is the execution.
 */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*real)(sqlite3_stmt *);
    if (real == NULL)
        find_real("sqlite3_step", &real, sizeof real);
    const char *sql = sqlite3_sql(statement);
    bool meant = moment_meant != NEVER && !file_meant && !armed && sql != NULL &&
                 sqlite3_stmt_busy(statement) == 0 && strstr(sql, text_meant) != NULL &&
                 atomic_fetch_sub(&executions_left, 1) == 1;
    if (meant)
        come_to(BEFORE);
    int result = real(statement);
    if (meant)
        armed = true;
    return result;
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (real == NULL)
        find_real("fdatasync", &real, sizeof real);
    come_to_file(SYNC, fd);
    int result = real(fd);
    come_to_file(SYNCED, fd);
    return result;
}

int fsync(int fd)
{
    static int (*real)(int);
    if (real == NULL)
        find_real("fsync", &real, sizeof real);
    come_to_file(SYNC, fd);
    int result = real(fd);
    come_to_file(SYNCED, fd);
    return result;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    static ssize_t (*real)(int, const struct msghdr *, int);
    if (real == NULL)
        find_real("sendmsg", &real, sizeof real);
    come_to(SEND);
    ssize_t result = real(fd, message, flags);
    come_to(SENT);
    return result;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL)
        find_real("read", &real, sizeof real);
    ssize_t result = real(fd, buffer, size);
    if (result > 0)
        come_to_file(READ, fd);
    return result;
}
