/*
 * Query: one SQL statement being run, as a cursor with a sticky error. Inside broker/store only.
 *
 *     struct query query;
 *     query_begin(&query, store, sql_find_x, fault);
 *     query_put_name(&query, name);          parameters in order
 *     if (query_row(&query))
 *         x->state = query_number(&query);   columns in order
 *     return query_end(&query);              the first error of all of it
 *
 * After an error every step does nothing, so callers check once, at the end. Statements are
 * prepared once and kept by the address of their text, which is therefore a static constant. Bound
 * memory must live to query_end().
 */
#ifndef ENTENTE_BROKER_STORE_QUERY_H
#define ENTENTE_BROKER_STORE_QUERY_H

#include <sqlite3.h>

#include "base/units.h"
#include "broker/store/store.h"

enum {
    STATEMENTS_MAX = 192,
    LEASES_TOUCHED_MAX = 256 /* beyond so many a commit looks at all held GPUs */
};

struct prepared {
    const char *sql;
    sqlite3_stmt *statement;
};

struct store {
    sqlite3 *database;
    int lock_fd; /* -1: none */
    bool writes; /* may write at all */
    bool in_transaction;
    bool unsynced;          /* since the last commit that was, or sync */
    int64_t entries_before; /* newest ledger entry and transaction when this one began */
    int64_t transactions_before;
    uint32_t touched_count; /* leases that came to hold GPUs in this transaction */
    uint64_t touched[LEASES_TOUCHED_MAX];
    uint32_t prepared_count;
    struct prepared prepared[STATEMENTS_MAX];
};

struct query {
    struct store *store;
    sqlite3_stmt *statement;
    int parameter;
    int column;
    bool stepped;
    enum status status;
    struct fault *fault;
};

void query_begin(struct query *query, struct store *store, const char *sql, struct fault *fault);
/* The same for a statement that changes something: asserts an open transaction. */
void query_begin_write(struct query *query, struct store *store, const char *sql,
                       struct fault *fault);

void query_put_number(struct query *query, int64_t value);
void query_put_real(struct query *query, double value);
void query_put_text(struct query *query, const char *text);
void query_put_name(struct query *query, const struct name *name);
void query_put_bytes(struct query *query, struct bytes bytes);
void query_put_digest(struct query *query, const struct digest *digest);
void query_put_null(struct query *query);

/* Steps to the next row; false at the end and after an error. */
bool query_row(struct query *query);

int64_t query_number(struct query *query);
/* A number below count, else the query fails with CORRUPT: the file may have been damaged. */
unsigned query_choice(struct query *query, unsigned count);
double query_real(struct query *query);
/* Copies at most size - 1 bytes. */
void query_text(struct query *query, char *text, size_t size);
void query_name(struct query *query, struct name *name);
/* Exactly size bytes, else the query fails with CORRUPT. NULL columns: false, and zeros. */
bool query_fixed(struct query *query, void *data, size_t size);
/* Into the arena. */
struct bytes query_bytes(struct query *query, struct arena *arena);
const char *query_arena_text(struct query *query, struct arena *arena);

/* Makes the query fail; keeps the first failure. */
void query_fail(struct query *query, enum status status, const char *text);

/* Runs it where query_row() never did, resets, and gives the first error. */
enum status query_end(struct query *query);
/* The same for a statement that changes one row: NOT_FOUND with `what` where it changed none. */
enum status query_end_found(struct query *query, const char *what, const char *name);

/* Runs the whole script, for schema and pragmas. */
enum status query_script(struct store *store, const char *sql, struct fault *fault);

/* SQLite's word on a failure as ours. */
enum status query_failure(struct store *store, int code, struct fault *fault);

/* An array that grows in an arena by doubling. Zeroed new item; NULL where the arena is full. */
struct grown {
    void *items;
    uint32_t count;
    uint32_t capacity;
};

void *grown_push(struct grown *grown, struct arena *arena, size_t item_size);

/* EXHAUSTED, with the mend. */
enum status query_arena_full(struct fault *fault);

/* The schema, brought to the newest version. */
enum status schema_migrate(struct store *store, struct fault *fault);
/* What store_commit() checks, against what stood when the transaction began. */
enum status invariants_begin(struct store *store, struct fault *fault);
enum status invariants_check(struct store *store, struct fault *fault);
/* Notes that a lease came to hold GPUs. */
void invariants_touch(struct store *store, uint64_t lease_row);

#endif
