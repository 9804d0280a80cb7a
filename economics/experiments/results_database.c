#include "economics/experiments/results_database.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"

struct results_database {
    char path[FILE_PATH_MAX];
    sqlite3 *sqlite;
    sqlite3_stmt *insert[RESULTS_TABLES];
    int next_cell[RESULTS_TABLES];
};

/* The file is made anew each time: if we die in between nothing of value is lost, so no journal. */
static const char schema[] =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA page_size=4096; BEGIN;"
    "CREATE TABLE arms(arm INTEGER, parameter TEXT, value TEXT);"
    "CREATE TABLE results(arm INTEGER, replication INTEGER, series TEXT, subject TEXT,"
    " metric TEXT, value REAL);"
    "CREATE TABLE summary(arm INTEGER, series TEXT, subject TEXT, metric TEXT, unit TEXT,"
    " n INTEGER, missing INTEGER, mean REAL, sd REAL, low REAL, high REAL);"
    "CREATE TABLE comparisons(kind TEXT, arm INTEGER, against_arm INTEGER, series TEXT,"
    " against_series TEXT, subject TEXT, metric TEXT, n INTEGER, difference REAL, sd REAL,"
    " low REAL, high REAL);";

static const char *const inserts[RESULTS_TABLES] = {
    [RESULTS_ARMS] = "INSERT INTO arms VALUES(?,?,?)",
    [RESULTS_ROWS] = "INSERT INTO results VALUES(?,?,?,?,?,?)",
    [RESULTS_SUMMARY] = "INSERT INTO summary VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [RESULTS_COMPARISONS] = "INSERT INTO comparisons VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
};

static enum status trouble(const struct results_database *database, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "%s: %s", database->path, sqlite3_errmsg(database->sqlite));
}

enum status results_database_open(const char *path, struct results_database **database,
                                  struct fault *fault)
{
    struct results_database *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %s", path);
    *database = opened;
    snprintf(opened->path, sizeof opened->path, "%s", path);
    (void)unlink(path);
    if (sqlite3_open(path, &opened->sqlite) != SQLITE_OK ||
        sqlite3_exec(opened->sqlite, schema, NULL, NULL, NULL) != SQLITE_OK)
        return results_database_close(opened, trouble(opened, fault), fault);
    for (int table = 0; table < RESULTS_TABLES; table++)
        if (sqlite3_prepare_v2(opened->sqlite, inserts[table], -1, &opened->insert[table], NULL) !=
            SQLITE_OK)
            return results_database_close(opened, trouble(opened, fault), fault);
    return STATUS_OK;
}

/* Binding fails only where a statement has no such cell, and then the row's step fails too. */

void results_database_integer(struct results_database *database, enum results_table table,
                              int64_t value)
{
    (void)sqlite3_bind_int64(database->insert[table], ++database->next_cell[table], value);
}

void results_database_number(struct results_database *database, enum results_table table,
                             double value)
{
    int cell = ++database->next_cell[table];
    if (isfinite(value))
        (void)sqlite3_bind_double(database->insert[table], cell, value);
    else
        (void)sqlite3_bind_null(database->insert[table], cell);
}

void results_database_text(struct results_database *database, enum results_table table,
                           const char *text)
{
    (void)sqlite3_bind_text(database->insert[table], ++database->next_cell[table], text, -1,
                            SQLITE_TRANSIENT);
}

enum status results_database_row(struct results_database *database, enum results_table table,
                                 struct fault *fault)
{
    sqlite3_stmt *insert = database->insert[table];
    int code = sqlite3_step(insert);
    database->next_cell[table] = 0;
    (void)sqlite3_reset(insert);
    return code == SQLITE_DONE ? STATUS_OK : trouble(database, fault);
}

enum status results_database_close(struct results_database *database, enum status status,
                                   struct fault *fault)
{
    if (status == STATUS_OK &&
        sqlite3_exec(database->sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = trouble(database, fault);
    for (int table = 0; table < RESULTS_TABLES; table++)
        sqlite3_finalize(database->insert[table]);
    if (sqlite3_close(database->sqlite) != SQLITE_OK && status == STATUS_OK)
        status = fault_set(fault, STATUS_IO, "%s can't be closed", database->path);
    if (status != STATUS_OK)
        (void)unlink(database->path);
    free(database);
    return status;
}
