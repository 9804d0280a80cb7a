/*
 * Sql: the few verbs by which the spool's files speak to SQLite: prepare, bind, step, read a
 * column.
 *
 * A statement remembers the first thing that went wrong; sql_run() and sql_step() report it, so
 * that binding needs no checks. Private to peer/spool. Thread rule: the loop's thread.
 */
#ifndef ENTENTE_PEER_SPOOL_SQL_H
#define ENTENTE_PEER_SPOOL_SQL_H

#include <sqlite3.h>

#include "peer/spool/spool.h"

enum { SQL_STATEMENTS_MAX = 64 };

/* A statement prepared once, known by the address of its text. */
struct sql_prepared {
    const char *text;
    sqlite3_stmt *statement;
    bool busy; /* between sql_prepare() and sql_close(); a second use at once gets one of its own */
};

struct spool {
    sqlite3 *database;
    const struct clock *clock;
    uint64_t incarnation;
    bool unsynced; /* something was written since the last sync */
    void (*failed)(void *context, const struct fault *fault); /* nullable: a write that failed */
    void *context;
    struct sql_prepared prepared[SQL_STATEMENTS_MAX];
    uint32_t prepared_count;
    bool reserved;     /* by this opening */
    uint64_t troubles; /* statements that failed */
    /* Nothing was there when it was last looked for, and nothing was put since: ticks ask often. */
    bool no_reports;
    bool no_receipts[RECEIPT_STATE_COUNT];
};

struct sql {
    struct spool *spool;
    sqlite3_stmt *statement;   /* NULL where prepare failed */
    struct sql_prepared *kept; /* whose statement it is; NULL: its own */
    int bound;                 /* parameters bound so far */
    int read;                  /* columns read so far in this row */
    bool failed;
};

/* text: a string literal, as it is prepared once and found again by its address. */
struct sql sql_prepare(struct spool *spool, const char *text);
/* Before the database is closed. */
void sql_forget_all(struct spool *spool);

void sql_bind_number(struct sql *sql, int64_t value);
void sql_bind_unsigned(struct sql *sql, uint64_t value);
void sql_bind_real(struct sql *sql, double value);
void sql_bind_text(struct sql *sql, const char *text);
void sql_bind_bytes(struct sql *sql, struct bytes bytes);
void sql_bind_lease(struct sql *sql, struct lease_id id); /* "" for none */

/* Steps to the end and closes. */
MUST_USE enum status sql_run(struct sql *sql, struct fault *fault);

/* True: a row is there. False: no more, or trouble; sql_close() says which. */
bool sql_step(struct sql *sql);
MUST_USE enum status sql_close(struct sql *sql, struct fault *fault);

/* Columns of the present row, from left to right. */
int64_t sql_number(struct sql *sql);
uint64_t sql_unsigned(struct sql *sql);
double sql_real(struct sql *sql);
/* One of 0..count-1; anything else marks the statement failed and gives 0. */
int sql_choice(struct sql *sql, int count);
void sql_text(struct sql *sql, char *text, size_t size);
void sql_name(struct sql *sql, struct name *name);
struct lease_id sql_lease(struct sql *sql);
/* Borrowed until the next step. */
struct bytes sql_bytes(struct sql *sql);
/* A copy in the arena. */
struct bytes sql_bytes_copy(struct sql *sql, struct arena *arena);
void sql_exact(struct sql *sql, void *value, size_t size); /* a blob of exactly that size */
/* A struct that grew at its end since it was written: what the blob lacks is zero. */
void sql_grown(struct sql *sql, void *value, size_t size);

enum status sql_execute(struct spool *spool, const char *text, struct fault *fault);

#endif
