#include "peer/spool/sql.h"

#include <string.h>

static struct sql_prepared *find_prepared(struct spool *spool, const char *text)
{
    for (uint32_t p = 0; p < spool->prepared_count; p++)
        if (spool->prepared[p].text == text)
            return &spool->prepared[p];
    return NULL;
}

struct sql sql_prepare(struct spool *spool, const char *text)
{
    struct sql sql = {.spool = spool};
    struct sql_prepared *known = find_prepared(spool, text);
    if (known != NULL && !known->busy) {
        known->busy = true;
        sql.kept = known;
        sql.statement = known->statement;
        return sql;
    }
    bool keep = known == NULL && spool->prepared_count < SQL_STATEMENTS_MAX;
    if (sqlite3_prepare_v3(spool->database, text, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0,
                           &sql.statement, NULL) != SQLITE_OK) {
        sql.failed = true;
    } else if (keep) {
        sql.kept = &spool->prepared[spool->prepared_count++];
        *sql.kept = (struct sql_prepared){text, sql.statement, true};
    }
    return sql;
}

void sql_forget_all(struct spool *spool)
{
    for (uint32_t p = 0; p < spool->prepared_count; p++)
        sqlite3_finalize(spool->prepared[p].statement);
    spool->prepared_count = 0;
}

static void note(struct sql *sql, int code)
{
    if (code != SQLITE_OK)
        sql->failed = true;
}

void sql_bind_number(struct sql *sql, int64_t value)
{
    if (!sql->failed)
        note(sql, sqlite3_bind_int64(sql->statement, ++sql->bound, value));
}

/* SQLite has signed integers; the bit pattern comes back as it went. */
void sql_bind_unsigned(struct sql *sql, uint64_t value)
{
    int64_t signed_value;
    memcpy(&signed_value, &value, sizeof value);
    sql_bind_number(sql, signed_value);
}

void sql_bind_real(struct sql *sql, double value)
{
    if (!sql->failed)
        note(sql, sqlite3_bind_double(sql->statement, ++sql->bound, value));
}

void sql_bind_text(struct sql *sql, const char *text)
{
    if (!sql->failed)
        note(sql, sqlite3_bind_text(sql->statement, ++sql->bound, text, -1, SQLITE_TRANSIENT));
}

void sql_bind_bytes(struct sql *sql, struct bytes bytes)
{
    if (!sql->failed)
        note(sql, sqlite3_bind_blob64(sql->statement, ++sql->bound,
                                      bytes.size > 0 ? (const void *)bytes.data : "", bytes.size,
                                      SQLITE_TRANSIENT));
}

void sql_bind_lease(struct sql *sql, struct lease_id id)
{
    char text[LEASE_ID_TEXT_MAX];
    sql_bind_text(sql, lease_id_none(id) ? "" : lease_id_format(id, text));
}

enum status sql_run(struct sql *sql, struct fault *fault)
{
    while (sql_step(sql))
        ;
    return sql_close(sql, fault);
}

bool sql_step(struct sql *sql)
{
    if (sql->failed)
        return false;
    sql->read = 0;
    int code = sqlite3_step(sql->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        sql->failed = true;
    return code == SQLITE_ROW;
}

/* COMMIT counts as reading for SQLite. */
static bool writes(const struct sql *sql)
{
    return sql->statement == NULL || sqlite3_stmt_readonly(sql->statement) == 0 ||
           strcmp(sqlite3_sql(sql->statement), "COMMIT") == 0;
}

enum status sql_close(struct sql *sql, struct fault *fault)
{
    enum status status = STATUS_OK;
    struct fault own;
    sql->spool->troubles += sql->failed;
    if (sql->failed)
        status = fault_set(&own, STATUS_IO,
                           "the spool can't be read or written: %s; check the disk under the "
                           "state directory",
                           sqlite3_errmsg(sql->spool->database));
    if (sql->failed && fault != NULL)
        *fault = own;
    if (sql->failed && writes(sql) && sql->spool->failed != NULL)
        sql->spool->failed(sql->spool->context, &own);
    if (sql->kept != NULL) {
        sqlite3_reset(sql->statement);
        sqlite3_clear_bindings(sql->statement);
        sql->kept->busy = false;
    } else {
        sqlite3_finalize(sql->statement);
    }
    sql->statement = NULL;
    return status;
}

int64_t sql_number(struct sql *sql)
{
    return sqlite3_column_int64(sql->statement, sql->read++);
}

uint64_t sql_unsigned(struct sql *sql)
{
    int64_t signed_value = sql_number(sql);
    uint64_t value;
    memcpy(&value, &signed_value, sizeof value);
    return value;
}

double sql_real(struct sql *sql)
{
    return sqlite3_column_double(sql->statement, sql->read++);
}

int sql_choice(struct sql *sql, int count)
{
    int64_t value = sql_number(sql);
    if (value >= 0 && value < count)
        return (int)value;
    sql->failed = true;
    return 0;
}

void sql_text(struct sql *sql, char *text, size_t size)
{
    struct bytes bytes = sql_bytes(sql);
    size_t length = bytes.size < size ? bytes.size : size - 1;
    memset(text, 0, size);
    if (length > 0)
        memcpy(text, bytes.data, length);
}

void sql_name(struct sql *sql, struct name *name)
{
    sql_text(sql, name->text, sizeof name->text);
}

struct lease_id sql_lease(struct sql *sql)
{
    char text[LEASE_ID_TEXT_MAX];
    struct lease_id id = {0};
    sql_text(sql, text, sizeof text);
    if (text[0] != '\0' && !lease_id_parse(text, &id))
        sql->failed = true;
    return id;
}

struct bytes sql_bytes(struct sql *sql)
{
    int column = sql->read++;
    const void *data = sqlite3_column_blob(sql->statement, column);
    int size = sqlite3_column_bytes(sql->statement, column);
    return (struct bytes){data, data != NULL && size > 0 ? (size_t)size : 0};
}

struct bytes sql_bytes_copy(struct sql *sql, struct arena *arena)
{
    struct bytes bytes = sql_bytes(sql);
    void *copy = arena_copy(arena, bytes.data, bytes.size);
    if (copy == NULL)
        sql->failed = true;
    return (struct bytes){copy, copy != NULL ? bytes.size : 0};
}

void sql_exact(struct sql *sql, void *value, size_t size)
{
    struct bytes bytes = sql_bytes(sql);
    if (bytes.size == size)
        memcpy(value, bytes.data, size);
    else
        sql->failed = true;
}

void sql_grown(struct sql *sql, void *value, size_t size)
{
    struct bytes bytes = sql_bytes(sql);
    memset(value, 0, size);
    if (bytes.size <= size)
        memcpy(value, bytes.data, bytes.size);
    else
        sql->failed = true;
}

enum status sql_execute(struct spool *spool, const char *text, struct fault *fault)
{
    if (sqlite3_exec(spool->database, text, NULL, NULL, NULL) == SQLITE_OK)
        return STATUS_OK;
    return fault_set(fault, STATUS_IO,
                     "the spool can't be written: %s; check the disk under the "
                     "state directory",
                     sqlite3_errmsg(spool->database));
}
