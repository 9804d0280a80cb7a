#include "peer/spool/spool.h"

#include <stdlib.h>
#include <string.h>

#include "peer/spool/sql.h"

enum { SPOOL_VERSION = 1, BUSY_MS_MAX = 5000, JOB_NAMES_PASSED_OVER = 100000 };

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS settings(key TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS jobs(job TEXT PRIMARY KEY, state INTEGER, placement INTEGER,"
    " cancelled INTEGER, demand_open INTEGER, lease TEXT, renewal TEXT, next TEXT, examples_done "
    "INTEGER,"
    " checkpoint_examples INTEGER, checkpoint_bytes INTEGER, log_base INTEGER, starts INTEGER,"
    " retries_left INTEGER, exit_code INTEGER, submitted_wall_ms INTEGER, started_wall_ms INTEGER,"
    " ended_wall_ms INTEGER, paid_micros INTEGER, text TEXT);"
    "CREATE TABLE IF NOT EXISTS places(job TEXT PRIMARY KEY, lease TEXT, host TEXT, gpu TEXT,"
    " gpus INTEGER, price_nanos INTEGER, predicted REAL, measured REAL);"
    "CREATE TABLE IF NOT EXISTS bodies(owner TEXT, kind INTEGER, body BLOB NOT NULL,"
    " PRIMARY KEY(owner, kind));"
    "CREATE TABLE IF NOT EXISTS leases(lease TEXT, side INTEGER, job TEXT, run TEXT, body BLOB,"
    " signature BLOB, key_id TEXT, taken_boot_ms INTEGER, started_boot_ms INTEGER,"
    " ended_boot_ms INTEGER, checkpoints INTEGER, signed_held_ms INTEGER,"
    " signed_checkpoints INTEGER, signed_sequence INTEGER, PRIMARY KEY(lease, side));"
    "CREATE TABLE IF NOT EXISTS runs(run TEXT PRIMARY KEY, lease TEXT, next TEXT, state INTEGER,"
    " job TEXT, home TEXT, own INTEGER, ends INTEGER, lost INTEGER, stop_grace_ms INTEGER,"
    " changed_wall_ms INTEGER, exit_code INTEGER, outcome INTEGER, delivered_number INTEGER,"
    " meter BLOB, text TEXT);"
    "CREATE TABLE IF NOT EXISTS reports(number INTEGER PRIMARY KEY AUTOINCREMENT, lease TEXT,"
    " kind INTEGER, text TEXT, examples INTEGER, rate REAL, UNIQUE(lease, kind));"
    "CREATE TABLE IF NOT EXISTS receipts(number INTEGER PRIMARY KEY AUTOINCREMENT, lease TEXT,"
    " sequence INTEGER, body BLOB, host_signature BLOB, home_signature BLOB, home_signed INTEGER,"
    " state INTEGER, made_wall_ms INTEGER, made_boot_ms INTEGER, UNIQUE(lease, sequence));"
    "CREATE INDEX IF NOT EXISTS receipts_state ON receipts(state, number);"
    "CREATE TABLE IF NOT EXISTS disputes(number INTEGER PRIMARY KEY AUTOINCREMENT, lease TEXT,"
    " sequence INTEGER, payable_ms INTEGER, text TEXT, told INTEGER, UNIQUE(lease, sequence));"
    "CREATE TABLE IF NOT EXISTS heads(incarnation INTEGER PRIMARY KEY, sequence INTEGER,"
    " hash BLOB, body BLOB, signature BLOB, key_id TEXT);";

static enum status prepare_database(struct spool *spool, struct fault *fault);
static enum status check_version(struct spool *spool, struct fault *fault);
static enum status find_incarnation(struct spool *spool, struct fault *fault);

enum status spool_open(const char *path, const struct clock *clock, struct spool **spool,
                       struct fault *fault)
{
    struct spool *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the spool");
    opened->clock = clock;
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(path, &opened->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        status = fault_set(fault, STATUS_IO, "%s: can't open the spool: %s", path,
                           sqlite3_errmsg(opened->database));
    if (status == STATUS_OK)
        status = prepare_database(opened, fault);
    if (status == STATUS_OK)
        status = check_version(opened, fault);
    if (status == STATUS_OK)
        status = find_incarnation(opened, fault);
    if (status != STATUS_OK) {
        spool_close(opened);
        return status;
    }
    *spool = opened;
    return STATUS_OK;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    sql_forget_all(spool);
    sqlite3_close(spool->database);
    free(spool);
}

static enum status prepare_database(struct spool *spool, struct fault *fault)
{
    sqlite3_busy_timeout(spool->database, BUSY_MS_MAX);
    enum status status = sql_execute(spool,
                                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                     "PRAGMA trusted_schema=OFF;",
                                     fault);
    if (status != STATUS_OK)
        return status;
    return sql_execute(spool, tables, fault);
}

static enum status check_version(struct spool *spool, struct fault *fault)
{
    uint64_t version = spool_get_number(spool, "spool-version", 0);
    if (version == SPOOL_VERSION)
        return STATUS_OK;
    if (version != 0)
        return fault_set(fault, STATUS_CORRUPT,
                         "the spool has layout %llu, this program knows %d: run the release that "
                         "wrote it, or a newer one",
                         (unsigned long long)version, SPOOL_VERSION);
    return spool_put_number(spool, "spool-version", SPOOL_VERSION, fault);
}

static enum status find_incarnation(struct spool *spool, struct fault *fault)
{
    spool->incarnation = spool_get_number(spool, "incarnation", 0);
    if (spool->incarnation != 0)
        return STATUS_OK;
    int64_t seconds = clock_wall_ms(spool->clock) / MS_PER_SECOND;
    spool->incarnation = seconds > 0 ? (uint64_t)seconds : 1;
    return spool_put_number(spool, "incarnation", spool->incarnation, fault);
}

uint64_t spool_troubles(const struct spool *spool)
{
    return spool->troubles;
}

enum status spool_restored(struct spool *spool, struct fault *fault)
{
    int64_t seconds = clock_wall_ms(spool->clock) / MS_PER_SECOND;
    uint64_t next = spool->incarnation + 1;
    if (seconds > 0 && (uint64_t)seconds > next)
        next = (uint64_t)seconds;
    uint64_t job = spool_get_number(spool, "next-job", 1) + JOB_NAMES_PASSED_OVER;
    enum status status = spool_begin(spool, fault);
    if (status == STATUS_OK)
        status = spool_put_number(spool, "incarnation", next, fault);
    if (status == STATUS_OK)
        status = spool_put_number(spool, "next-job", job, fault);
    if (status == STATUS_OK)
        status = spool_commit(spool, fault);
    if (status != STATUS_OK)
        spool_rollback(spool);
    else
        spool->incarnation = next;
    return status;
}

void spool_tell_failures(struct spool *spool,
                         void (*failed)(void *context, const struct fault *fault), void *context)
{
    spool->failed = failed;
    spool->context = context;
}

uint64_t spool_incarnation(const struct spool *spool)
{
    return spool->incarnation;
}

enum status spool_begin(struct spool *spool, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "BEGIN IMMEDIATE");
    return sql_run(&sql, fault);
}

enum status spool_commit(struct spool *spool, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "COMMIT");
    return sql_run(&sql, fault);
}

/* What was deleted meanwhile is there again. */
void spool_rollback(struct spool *spool)
{
    spool->no_reports = false;
    memset(spool->no_receipts, 0, sizeof spool->no_receipts);
    enum status ignored = sql_execute(spool, "ROLLBACK", NULL);
    (void)ignored;
}

/* --- syncing many writes at once */

static int note_commit(void *context)
{
    ((struct spool *)context)->unsynced = true;
    return 0;
}

/* NORMAL syncs the log before each checkpoint and the database after it, and the log's header when
 * it begins anew: only the newest writes are left to spool_sync(). */
enum status spool_defer_sync(struct spool *spool, struct fault *fault)
{
    sqlite3_commit_hook(spool->database, note_commit, spool);
    return sql_execute(spool, "PRAGMA synchronous=NORMAL", fault);
}

bool spool_unsynced(const struct spool *spool)
{
    return spool->unsynced;
}

enum status spool_sync(struct spool *spool, struct fault *fault)
{
    sqlite3_file *log = NULL;
    if (!spool->unsynced)
        return STATUS_OK;
    int code =
        sqlite3_file_control(spool->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log);
    if (code == SQLITE_OK && log != NULL && log->pMethods != NULL)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK)
        return fault_set(fault, STATUS_IO, "the spool can't be synced to disk: %s",
                         sqlite3_errstr(code));
    spool->unsynced = false;
    return STATUS_OK;
}

enum status spool_put(struct spool *spool, const char *key, struct bytes value, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "INSERT OR REPLACE INTO settings VALUES(?,?)");
    sql_bind_text(&sql, key);
    sql_bind_bytes(&sql, value);
    return sql_run(&sql, fault);
}

enum status spool_get(struct spool *spool, const char *key, struct arena *arena,
                      struct bytes *value, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT value FROM settings WHERE key=?");
    sql_bind_text(&sql, key);
    bool found = sql_step(&sql);
    if (found)
        *value = sql_bytes_copy(&sql, arena);
    enum status status = sql_close(&sql, fault);
    if (status == STATUS_OK && !found)
        return fault_set(fault, STATUS_NOT_FOUND, "the spool has no %s", key);
    return status;
}

enum status spool_put_number(struct spool *spool, const char *key, uint64_t value,
                             struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "INSERT OR REPLACE INTO settings VALUES(?,?)");
    sql_bind_text(&sql, key);
    sql_bind_unsigned(&sql, value);
    return sql_run(&sql, fault);
}

uint64_t spool_get_number(struct spool *spool, const char *key, uint64_t fallback)
{
    struct sql sql = sql_prepare(spool, "SELECT value FROM settings WHERE key=?");
    sql_bind_text(&sql, key);
    uint64_t value = sql_step(&sql) ? sql_unsigned(&sql) : fallback;
    return sql_close(&sql, NULL) == STATUS_OK ? value : fallback;
}

enum status spool_body_put(struct spool *spool, const char *owner, enum spool_body kind,
                           struct bytes body, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "INSERT OR REPLACE INTO bodies VALUES(?,?,?)");
    sql_bind_text(&sql, owner);
    sql_bind_number(&sql, kind);
    sql_bind_bytes(&sql, body);
    return sql_run(&sql, fault);
}

enum status spool_body_get(struct spool *spool, const char *owner, enum spool_body kind,
                           struct arena *arena, struct bytes *body, struct fault *fault)
{
    struct sql sql = sql_prepare(spool, "SELECT body FROM bodies WHERE owner=? AND kind=?");
    sql_bind_text(&sql, owner);
    sql_bind_number(&sql, kind);
    bool found = sql_step(&sql);
    if (found)
        *body = sql_bytes_copy(&sql, arena);
    enum status status = sql_close(&sql, fault);
    if (status == STATUS_OK && !found)
        return fault_set(fault, STATUS_NOT_FOUND, "the spool has nothing of %s", owner);
    return status;
}
