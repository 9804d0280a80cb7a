/*
 * Backup: SQLite's online backup in one step. A reader of a WAL database sees one committed state
 * and hinders no writer, so nothing is ever copied twice. [sqlite.org/backup.html]
 */
#include "broker/store/backup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/store/query.h"

enum { BACKUP_BUSY_MS = 10000 }; /* a writer's recovery or checkpoint */

struct copying {
    sqlite3 *from;
    const char *path;
    struct store *copy;
    const struct store_extra *extras;
    size_t extra_count;
    struct fault *fault;
};

static enum status file_make(struct copying *copying);
static enum status copy_open(struct copying *copying);
static enum status pages_copy(struct copying *copying);
static enum status extras_put(struct copying *copying);
static enum status log_drop(struct copying *copying);
static enum status file_sync(struct copying *copying);

static enum status copy_database(struct copying *copying)
{
    static enum status (*const steps[])(struct copying *) = {
        copy_open, pages_copy, extras_put, log_drop, file_sync,
    };
    enum status status = file_make(copying);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](copying);
    store_close(copying->copy);
    if (status != STATUS_OK)
        unlink(copying->path);
    return status;
}

static enum status file_make(struct copying *copying)
{
    int fd = open(copying->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return fault_set(copying->fault, errno == EEXIST ? STATUS_EXISTS : STATUS_IO, "%s: %s",
                         copying->path, strerror(errno));
    close(fd);
    return STATUS_OK;
}

static enum status copy_open(struct copying *copying)
{
    struct store *copy = calloc(1, sizeof *copy);
    copying->copy = copy;
    if (copy == NULL)
        return fault_set(copying->fault, STATUS_NO_MEMORY, "no memory for a copy of the store");
    copy->lock_fd = -1;
    copy->writes = true;
    int code = sqlite3_open_v2(copying->path, &copy->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    return code == SQLITE_OK ? STATUS_OK : query_failure(copy, code, copying->fault);
}

static enum status pages_copy(struct copying *copying)
{
    struct store *copy = copying->copy;
    sqlite3_backup *backup = sqlite3_backup_init(copy->database, "main", copying->from, "main");
    if (backup == NULL)
        return query_failure(copy, sqlite3_errcode(copy->database), copying->fault);
    int code = sqlite3_backup_step(backup, -1);
    (void)sqlite3_backup_finish(backup); /* repeats the step's error */
    return code == SQLITE_DONE ? STATUS_OK : query_failure(copy, code, copying->fault);
}

static enum status extras_put(struct copying *copying)
{
    struct store *copy = copying->copy;
    if (copying->extra_count == 0)
        return STATUS_OK;
    enum status status = query_script(copy, "BEGIN IMMEDIATE", copying->fault);
    copy->in_transaction = status == STATUS_OK;
    for (size_t i = 0; i < copying->extra_count && status == STATUS_OK; i++)
        status = store_setting_put(copy, copying->extras[i].name, copying->extras[i].value,
                                   copying->fault);
    if (status == STATUS_OK)
        status = query_script(copy, "COMMIT", copying->fault);
    store_rollback(copy);
    return status;
}

/* The copy says of itself that it has a log; without one it is a single file, and can be read where
 * nothing can be written. */
static enum status log_drop(struct copying *copying)
{
    return query_script(copying->copy, "PRAGMA journal_mode = DELETE", copying->fault);
}

static enum status file_sync(struct copying *copying)
{
    int fd = open(copying->path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    enum status status =
        synced ? STATUS_OK
               : fault_set(copying->fault, STATUS_IO, "%s: %s", copying->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

enum status store_backup(struct store *store, const struct store_extra *extras, size_t extra_count,
                         const char *path, struct fault *fault)
{
    struct copying copying = {.from = store->database,
                              .path = path,
                              .extras = extras,
                              .extra_count = extra_count,
                              .fault = fault};
    assert(!store->in_transaction);
    return copy_database(&copying);
}

enum status store_backup_copy(const char *backup, const char *path, struct fault *fault)
{
    struct copying copying = {.path = path, .fault = fault};
    if (access(backup, R_OK) != 0)
        return fault_set(fault, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", backup,
                         strerror(errno));
    int code =
        sqlite3_open_v2(backup, &copying.from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum status status = STATUS_OK;
    if (code != SQLITE_OK)
        status = fault_set(fault, STATUS_IO, "%s: %s", backup, sqlite3_errstr(code));
    if (status == STATUS_OK) {
        sqlite3_busy_timeout(copying.from, BACKUP_BUSY_MS);
        status = copy_database(&copying);
    }
    sqlite3_close(copying.from);
    return status;
}
