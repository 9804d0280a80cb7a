/*
 * Store: opening, transactions, settings, request keys. SQLite, WAL, synchronous=FULL.
 */
#include "broker/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/store/query.h"

enum {
    STORE_PATH_MAX = 4000,
    STORE_BUSY_MS =
        10000, /* how long a reader waits for another process's checkpoint or recovery */
    STORE_APPLICATION_ID = 0x454e5431 /* "ENT1": the file is ours */
};

static enum status file_prepare(const char *path, enum store_mode mode, struct fault *fault);
static enum status lock_take(struct store *store, const char *path, struct fault *fault);
static enum status database_open(struct store *store, const char *path, enum store_mode mode,
                                 struct fault *fault);
static enum status database_configure(struct store *store, enum store_mode mode,
                                      struct fault *fault);
static enum status rollback_prepare(struct store *store, struct fault *fault);

enum status store_open(const char *path, enum store_mode mode, struct store **store,
                       struct fault *fault)
{
    struct store *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the store");
    opened->lock_fd = -1;
    opened->writes = mode != STORE_READ;
    enum status status = STATUS_OK;
    if (mode != STORE_MEMORY)
        status = file_prepare(path, mode, fault);
    if (status == STATUS_OK && (mode == STORE_CREATE || mode == STORE_WRITE))
        status = lock_take(opened, path, fault);
    if (status == STATUS_OK)
        status = database_open(opened, path, mode, fault);
    if (status == STATUS_OK)
        status = database_configure(opened, mode, fault);
    if (status == STATUS_OK)
        status = schema_migrate(opened, fault);
    if (status == STATUS_OK)
        status = rollback_prepare(opened, fault);
    if (status != STATUS_OK) {
        store_close(opened);
        return status;
    }
    *store = opened;
    return STATUS_OK;
}

/* SQLite would make the file readable for everybody; its WAL gets the mode of the file. */
static enum status file_prepare(const char *path, enum store_mode mode, struct fault *fault)
{
    if (strlen(path) > STORE_PATH_MAX)
        return fault_set(fault, STATUS_INVALID, "the store's path is longer than %d bytes",
                         STORE_PATH_MAX);
    if (mode != STORE_CREATE) {
        if (access(path, F_OK) == 0)
            return STATUS_OK;
        return fault_set(fault, STATUS_NOT_FOUND, "there is no store at %s: run 'init' first",
                         path);
    }
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST)
        return fault_set(fault, STATUS_EXISTS, "there is a store at %s already", path);
    if (fd < 0)
        return fault_set(fault, STATUS_IO, "can't create %s: %s", path, strerror(errno));
    close(fd);
    return STATUS_OK;
}

/* A lock on a file of its own: SQLite drops its own locks whenever it likes. */
static enum status lock_take(struct store *store, const char *path, struct fault *fault)
{
    char lock[STORE_PATH_MAX + 8];
    snprintf(lock, sizeof lock, "%s.lock", path);
    store->lock_fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (store->lock_fd < 0)
        return fault_set(fault, STATUS_IO, "can't open %s: %s", lock, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "another process writes the store %s: stop that broker first", path);
    return STATUS_OK;
}

static enum status database_open(struct store *store, const char *path, enum store_mode mode,
                                 struct fault *fault)
{
    int flags = mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == STORE_MEMORY)
        flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    int code = sqlite3_open_v2(mode == STORE_MEMORY ? ":memory:" : path, &store->database,
                               flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (store->database == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the store");
    if (code != SQLITE_OK)
        return query_failure(store, code, fault);
    sqlite3_extended_result_codes(store->database, 1);
    sqlite3_busy_timeout(store->database, STORE_BUSY_MS);
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return STATUS_OK;
}

/* A file of somebody else's is not touched; an empty one becomes ours. */
static enum status application_check(struct store *store, struct fault *fault)
{
    static const char sql[] = "SELECT application_id, (SELECT count(*) FROM sqlite_schema)"
                              " FROM pragma_application_id";
    struct query query;
    int64_t id = 0;
    int64_t tables = 0;
    query_begin(&query, store, sql, fault);
    if (query_row(&query)) {
        id = query_number(&query);
        tables = query_number(&query);
    }
    enum status status = query_end(&query);
    if (status != STATUS_OK || id == STORE_APPLICATION_ID)
        return status;
    if (id != 0 || tables != 0 || !store->writes)
        return fault_set(fault, STATUS_CORRUPT, "the file is not a store of entente-broker");
    char set[64];
    snprintf(set, sizeof set, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
    return query_script(store, set, fault);
}

static enum status database_configure(struct store *store, enum store_mode mode,
                                      struct fault *fault)
{
    enum status status = application_check(store, fault);
    if (status == STATUS_OK && (mode == STORE_CREATE || mode == STORE_WRITE))
        status = query_script(store,
                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA journal_size_limit = 67108864;",
                              fault);
    if (status == STATUS_OK)
        status = query_script(store,
                              "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                              "PRAGMA cell_size_check = ON; PRAGMA cache_size = -65536;",
                              fault);
    return status;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->database != NULL)
        store_rollback(store);
    for (uint32_t i = 0; i < store->prepared_count; i++)
        sqlite3_finalize(store->prepared[i].statement);
    int code = sqlite3_close(store->database);
    assert(code == SQLITE_OK);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store);
}

/* --- transactions */

static const char sql_rollback[] = "ROLLBACK";

static enum status run(struct store *store, const char *sql, struct fault *fault)
{
    struct query query;
    query_begin(&query, store, sql, fault);
    return query_end(&query);
}

/* Prepared beforehand: to go back must not need memory when there is none. */
static enum status rollback_prepare(struct store *store, struct fault *fault)
{
    struct query query;
    query_begin(&query, store, sql_rollback, fault);
    return query.status;
}

enum status store_begin(struct store *store, struct fault *fault)
{
    static const char sql[] = "BEGIN IMMEDIATE";
    assert(store->writes && !store->in_transaction);
    enum status status = run(store, sql, fault);
    if (status != STATUS_OK)
        return status;
    store->in_transaction = true;
    status = invariants_begin(store, fault);
    if (status != STATUS_OK)
        store_rollback(store);
    return status;
}

enum status store_commit(struct store *store, struct fault *fault)
{
    static const char sql[] = "COMMIT";
    assert(store->in_transaction);
    enum status status = invariants_check(store, fault);
    if (status == STATUS_OK)
        status = run(store, sql, fault);
    if (status != STATUS_OK)
        store_rollback(store);
    store->in_transaction = false;
    return status;
}

void store_rollback(struct store *store)
{
    /* SQLite may have rolled back by itself, e.g. when the disk was full */
    if (sqlite3_get_autocommit(store->database) == 0)
        (void)run(store, sql_rollback, NULL);
    store->in_transaction = false;
}

/* --- syncing many commits at once */

static int note_commit(void *context)
{
    ((struct store *)context)->unsynced = true;
    return 0;
}

/* NORMAL syncs the log before each checkpoint and the database after it, and the log's header when
 * it begins anew: only the newest commits are left to store_sync(). */
enum status store_defer_sync(struct store *store, struct fault *fault)
{
    assert(store->writes && !store->in_transaction);
    sqlite3_commit_hook(store->database, note_commit, store);
    return query_script(store, "PRAGMA synchronous = NORMAL", fault);
}

bool store_unsynced(const struct store *store)
{
    return store->unsynced;
}

enum status store_sync(struct store *store, struct fault *fault)
{
    sqlite3_file *log = NULL;
    if (!store->unsynced)
        return STATUS_OK;
    int code =
        sqlite3_file_control(store->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log);
    if (code == SQLITE_OK && log != NULL && log->pMethods != NULL)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK)
        return fault_set(fault, STATUS_IO, "the store can't be synced to disk: %s",
                         sqlite3_errstr(code));
    store->unsynced = false;
    return STATUS_OK;
}

enum status store_read_begin(struct store *store, struct fault *fault)
{
    static const char sql[] = "BEGIN";
    assert(!store->in_transaction && sqlite3_get_autocommit(store->database) != 0);
    return run(store, sql, fault);
}

void store_read_end(struct store *store)
{
    assert(!store->in_transaction);
    if (sqlite3_get_autocommit(store->database) == 0)
        (void)run(store, sql_rollback, NULL);
}

bool store_in_transaction(const struct store *store)
{
    return store->in_transaction;
}

/* --- settings */

enum status store_setting_put(struct store *store, const char *name, struct bytes value,
                              struct fault *fault)
{
    static const char sql[] = "INSERT OR REPLACE INTO settings VALUES (?, ?)";
    if (value.size > STORE_SETTING_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "setting %s is larger than %d bytes", name,
                         STORE_SETTING_BYTES_MAX);
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_text(&query, name);
    query_put_bytes(&query, value);
    return query_end(&query);
}

enum status store_setting_get(struct store *store, const char *name, struct arena *arena,
                              struct bytes *value, struct fault *fault)
{
    static const char sql[] = "SELECT value FROM settings WHERE name = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, name);
    if (query_row(&query))
        *value = query_bytes(&query, arena);
    else
        query_fail(&query, STATUS_NOT_FOUND, "there is no such setting");
    return query_end(&query);
}

enum status store_number_put(struct store *store, const char *name, int64_t value,
                             struct fault *fault)
{
    return store_setting_put(store, name, (struct bytes){(const uint8_t *)&value, sizeof value},
                             fault);
}

enum status store_number_get(struct store *store, const char *name, int64_t fallback,
                             int64_t *value, struct fault *fault)
{
    static const char sql[] = "SELECT value FROM settings WHERE name = ?";
    struct query query;
    int64_t found = fallback;
    query_begin(&query, store, sql, fault);
    query_put_text(&query, name);
    if (query_row(&query))
        (void)query_fixed(&query, &found, sizeof found);
    enum status status = query_end(&query);
    if (status == STATUS_OK)
        *value = found;
    return status;
}

static const char setting_incarnation[] = "incarnation";

enum status store_incarnation(struct store *store, uint64_t *incarnation, struct fault *fault)
{
    int64_t value = 1;
    enum status status = store_number_get(store, setting_incarnation, 1, &value, fault);
    if (status == STATUS_OK)
        *incarnation = (uint64_t)value;
    return status;
}

enum status store_incarnation_raise(struct store *store, uint64_t least, uint64_t *incarnation,
                                    struct fault *fault)
{
    uint64_t now = 0;
    enum status status = store_incarnation(store, &now, fault);
    uint64_t next = now + 1 > least ? now + 1 : least;
    if (status == STATUS_OK)
        status = store_number_put(store, setting_incarnation, (int64_t)next, fault);
    if (status == STATUS_OK)
        *incarnation = next;
    return status;
}

/* --- request keys */

enum status store_request_add(struct store *store, const struct store_request *request,
                              struct fault *fault)
{
    static const char sql[] = "INSERT INTO requests VALUES (?, ?, ?, ?)";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_name(&query, &request->caller);
    query_put_digest(&query, &request->key);
    query_put_digest(&query, &request->content);
    query_put_number(&query, request->issued_wall_ms);
    return query_end(&query);
}

enum status store_request_find(struct store *store, const struct name *caller,
                               const struct digest *key, struct store_request *request,
                               struct fault *fault)
{
    static const char sql[] = "SELECT content, issued FROM requests WHERE caller = ? AND key = ?";
    struct query query;
    query_begin(&query, store, sql, fault);
    query_put_name(&query, caller);
    query_put_digest(&query, key);
    if (query_row(&query)) {
        *request = (struct store_request){.caller = *caller, .key = *key};
        (void)query_fixed(&query, &request->content, sizeof request->content);
        request->issued_wall_ms = query_number(&query);
    } else {
        query_fail(&query, STATUS_NOT_FOUND, "there is no such request");
    }
    return query_end(&query);
}

enum status store_requests_forget(struct store *store, int64_t before_wall_ms, struct fault *fault)
{
    static const char sql[] = "DELETE FROM requests WHERE issued < ?";
    struct query query;
    query_begin_write(&query, store, sql, fault);
    query_put_number(&query, before_wall_ms);
    return query_end(&query);
}
