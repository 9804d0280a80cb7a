#include "broker/store/query.h"

#include <assert.h>
#include <string.h>

enum { GROWN_FIRST = 16 };

static sqlite3_stmt *prepare(struct query *query, const char *sql)
{
    struct store *store = query->store;
    for (uint32_t i = 0; i < store->prepared_count; i++)
        if (store->prepared[i].sql == sql)
            return store->prepared[i].statement;
    assert(store->prepared_count < STATEMENTS_MAX);
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK) {
        query->status = query_failure(store, code, query->fault);
        return NULL;
    }
    store->prepared[store->prepared_count++] = (struct prepared){sql, statement};
    return statement;
}

void query_begin(struct query *query, struct store *store, const char *sql, struct fault *fault)
{
    *query = (struct query){.store = store, .status = STATUS_OK, .fault = fault};
    query->statement = prepare(query, sql);
    assert(query->statement == NULL || !sqlite3_stmt_busy(query->statement));
}

void query_begin_write(struct query *query, struct store *store, const char *sql,
                       struct fault *fault)
{
    assert(store->in_transaction);
    query_begin(query, store, sql, fault);
}

static void check(struct query *query, int code)
{
    if (code != SQLITE_OK && query->status == STATUS_OK)
        query->status = query_failure(query->store, code, query->fault);
}

void query_put_number(struct query *query, int64_t value)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_int64(query->statement, ++query->parameter, value));
}

void query_put_real(struct query *query, double value)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_double(query->statement, ++query->parameter, value));
}

void query_put_text(struct query *query, const char *text)
{
    if (query->status == STATUS_OK)
        check(query,
              sqlite3_bind_text(query->statement, ++query->parameter, text, -1, SQLITE_STATIC));
}

void query_put_name(struct query *query, const struct name *name)
{
    query_put_text(query, name->text);
}

void query_put_bytes(struct query *query, struct bytes bytes)
{
    if (query->status != STATUS_OK)
        return;
    int at = ++query->parameter;
    /* a NULL pointer would bind NULL instead of an empty blob */
    if (bytes.size == 0)
        check(query, sqlite3_bind_zeroblob(query->statement, at, 0));
    else
        check(query,
              sqlite3_bind_blob64(query->statement, at, bytes.data, bytes.size, SQLITE_STATIC));
}

void query_put_digest(struct query *query, const struct digest *digest)
{
    query_put_bytes(query, (struct bytes){digest->bytes, sizeof digest->bytes});
}

void query_put_null(struct query *query)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_null(query->statement, ++query->parameter));
}

bool query_row(struct query *query)
{
    if (query->status != STATUS_OK)
        return false;
    query->column = 0;
    query->stepped = true;
    int code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        check(query, code);
    return false;
}

int64_t query_number(struct query *query)
{
    return query->status == STATUS_OK ? sqlite3_column_int64(query->statement, query->column++) : 0;
}

unsigned query_choice(struct query *query, unsigned count)
{
    int64_t number = query_number(query);
    if (number >= 0 && number < (int64_t)count)
        return (unsigned)number;
    query_fail(query, STATUS_CORRUPT,
               "a stored state or kind is unknown: restore the store from a backup");
    return 0;
}

double query_real(struct query *query)
{
    return query->status == STATUS_OK ? sqlite3_column_double(query->statement, query->column++)
                                      : 0.0;
}

/* NULL where the column is; where there was no memory to terminate it the query fails. */
static const char *column_text(struct query *query, int at)
{
    bool null = sqlite3_column_type(query->statement, at) == SQLITE_NULL;
    const char *found = (const char *)sqlite3_column_text(query->statement, at);
    if (found == NULL && !null)
        query_fail(query, STATUS_NO_MEMORY, "store: out of memory");
    return found;
}

void query_text(struct query *query, char *text, size_t size)
{
    memset(text, 0, size);
    if (query->status != STATUS_OK)
        return;
    const char *found = column_text(query, query->column++);
    if (found != NULL)
        memcpy(text, found, strnlen(found, size - 1));
}

void query_name(struct query *query, struct name *name)
{
    query_text(query, name->text, sizeof name->text);
}

bool query_fixed(struct query *query, void *data, size_t size)
{
    memset(data, 0, size);
    if (query->status != STATUS_OK)
        return false;
    int at = query->column++;
    if (sqlite3_column_type(query->statement, at) == SQLITE_NULL)
        return false;
    const void *found = sqlite3_column_blob(query->statement, at);
    if (found == NULL || (size_t)sqlite3_column_bytes(query->statement, at) != size) {
        query_fail(query, STATUS_CORRUPT,
                   "a stored value has the wrong size: restore the store from a backup");
        return false;
    }
    memcpy(data, found, size);
    return true;
}

struct bytes query_bytes(struct query *query, struct arena *arena)
{
    struct bytes none = {NULL, 0};
    if (query->status != STATUS_OK)
        return none;
    int at = query->column++;
    const void *found = sqlite3_column_blob(query->statement, at);
    size_t size = (size_t)sqlite3_column_bytes(query->statement, at);
    if (found == NULL || size == 0)
        return none;
    const void *copy = arena_copy(arena, found, size);
    if (copy == NULL) {
        query->status = query_arena_full(query->fault);
        return none;
    }
    return (struct bytes){copy, size};
}

const char *query_arena_text(struct query *query, struct arena *arena)
{
    if (query->status != STATUS_OK)
        return "";
    int at = query->column++;
    const char *found = column_text(query, at);
    size_t size = (size_t)sqlite3_column_bytes(query->statement, at);
    if (found == NULL)
        return "";
    const char *copy = arena_copy_text(arena, found, size);
    if (copy == NULL) {
        query->status = query_arena_full(query->fault);
        return "";
    }
    return copy;
}

void query_fail(struct query *query, enum status status, const char *text)
{
    if (query->status == STATUS_OK)
        query->status = fault_set(query->fault, status, "%s", text);
}

enum status query_end(struct query *query)
{
    if (query->statement == NULL)
        return query->status;
    if (!query->stepped)
        (void)query_row(query);
    sqlite3_reset(query->statement);
    sqlite3_clear_bindings(query->statement);
    return query->status;
}

enum status query_end_found(struct query *query, const char *what, const char *name)
{
    enum status status = query_end(query);
    if (status != STATUS_OK)
        return status;
    if (sqlite3_changes(query->store->database) == 0)
        return fault_set(query->fault, STATUS_NOT_FOUND, "there is no %s '%s'", what, name);
    return STATUS_OK;
}

enum status query_script(struct store *store, const char *sql, struct fault *fault)
{
    int code = sqlite3_exec(store->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : query_failure(store, code, fault);
}

static enum status constraint_status(int extended)
{
    if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
        extended == SQLITE_CONSTRAINT_ROWID)
        return STATUS_EXISTS;
    return extended == SQLITE_CONSTRAINT_FOREIGNKEY ? STATUS_NOT_FOUND : STATUS_INTERNAL;
}

static enum status failure_status(struct store *store, int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return constraint_status(sqlite3_extended_errcode(store->database));
    case SQLITE_NOMEM: return STATUS_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return STATUS_UNAVAILABLE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return STATUS_CORRUPT;
    case SQLITE_TOOBIG: return STATUS_EXHAUSTED;
    case SQLITE_READONLY: return STATUS_PRECONDITION;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return STATUS_IO;
    default: return STATUS_INTERNAL;
    }
}

enum status query_failure(struct store *store, int code, struct fault *fault)
{
    return fault_set(fault, failure_status(store, code), "store: %s",
                     sqlite3_errmsg(store->database));
}

void *grown_push(struct grown *grown, struct arena *arena, size_t item_size)
{
    if (grown->count == grown->capacity) {
        uint32_t capacity = grown->capacity == 0 ? GROWN_FIRST : grown->capacity * 2;
        void *items = arena_alloc(arena, capacity, item_size);
        if (items == NULL)
            return NULL;
        if (grown->count > 0)
            memcpy(items, grown->items, grown->count * item_size);
        grown->items = items;
        grown->capacity = capacity;
    }
    return (char *)grown->items + (size_t)grown->count++ * item_size;
}

enum status query_arena_full(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED,
                     "the answer is larger than the memory set aside for it: ask for fewer rows");
}
