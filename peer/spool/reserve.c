/*
 * Reserve: room for what was promised. A spool that can't be written forgets leases and receipts,
 * so it takes beforehand what its next writes need: free pages inside its file, and a log file that
 * is kept at its full size. A disk that is full then refuses new jobs (room.h), not the ends of
 * old ones.
 */
#include "peer/spool/sql.h"

/* SQLite moves its log into the database at 1000 pages of 4 KiB: so much is written over and over.
 */
enum { RESERVE_PAGES = 1024 };

#define RESERVE_SQL                                                                                \
    "CREATE TABLE IF NOT EXISTS reserve(bytes BLOB);"                                              \
    "INSERT INTO reserve VALUES(zeroblob(4 * 1024 * 1024));"                                       \
    "DELETE FROM reserve;"

static int64_t free_pages(struct spool *spool)
{
    int64_t pages = 0;
    struct sql sql = sql_prepare(spool, "PRAGMA freelist_count");
    if (sql_step(&sql))
        pages = sql_number(&sql);
    return sql_close(&sql, NULL) == STATUS_OK ? pages : 0;
}

enum status spool_reserve(struct spool *spool, struct fault *fault)
{
    int keep_log = 1;
    if (spool->reserved && free_pages(spool) >= RESERVE_PAGES / 2)
        return STATUS_OK;
    sqlite3_file_control(spool->database, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_log);
    enum status status = sql_execute(spool, RESERVE_SQL, fault);
    spool->reserved = status == STATUS_OK;
    return status;
}
