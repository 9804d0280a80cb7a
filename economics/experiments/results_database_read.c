#include "economics/experiments/results_read.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

struct reading {
    const char *path;
    sqlite3 *sqlite;
    struct arena *arena;
    struct results_read *into;
    struct fault *fault;
};

/* Reads one row of a table into the next place. */
typedef enum status take_row(struct reading *reading, sqlite3_stmt *statement);

static enum status take_arm(struct reading *reading, sqlite3_stmt *statement);
static enum status take_summary(struct reading *reading, sqlite3_stmt *statement);
static enum status take_difference(struct reading *reading, sqlite3_stmt *statement);
static enum status count_rows(struct reading *reading, const char *query, uint32_t *count);
static enum status read_rows(struct reading *reading, const char *query, take_row *take);

static enum status trouble(struct reading *reading)
{
    return fault_set(reading->fault, STATUS_CORRUPT, "%s: %s; run the experiment again",
                     reading->path, sqlite3_errmsg(reading->sqlite));
}

static enum status read_all(struct reading *reading)
{
    struct results_read *into = reading->into;
    uint32_t arms;
    uint32_t rows;
    uint32_t differences;
    enum status status = count_rows(reading, "SELECT 1 + max(arm) FROM summary", &arms);
    if (status == STATUS_OK)
        status = count_rows(reading, "SELECT count(*) FROM summary", &rows);
    if (status == STATUS_OK)
        status = count_rows(reading, "SELECT count(*) FROM comparisons WHERE kind = 'series'",
                            &differences);
    if (status != STATUS_OK)
        return status;
    into->arms = arena_alloc(reading->arena, arms, sizeof *into->arms);
    into->rows = arena_alloc(reading->arena, rows, sizeof *into->rows);
    into->differences = arena_alloc(reading->arena, differences, sizeof *into->differences);
    if (into->arms == NULL || into->rows == NULL || into->differences == NULL)
        return fault_set(reading->fault, STATUS_NO_MEMORY, "no memory for %s", reading->path);
    into->arm_count = arms;
    status = read_rows(reading, "SELECT arm, parameter, value FROM arms ORDER BY rowid", take_arm);
    if (status == STATUS_OK)
        status = read_rows(reading,
                           "SELECT arm, series, subject, metric, unit, n, mean, low, high"
                           " FROM summary ORDER BY rowid",
                           take_summary);
    if (status == STATUS_OK)
        status = read_rows(reading,
                           "SELECT arm, series, against_series, subject, metric, n, difference,"
                           " low, high FROM comparisons WHERE kind = 'series' ORDER BY rowid",
                           take_difference);
    return status;
}

enum status results_read(const char *path, struct arena *arena, struct results_read *results,
                         struct fault *fault)
{
    struct reading reading = {.path = path, .arena = arena, .into = results, .fault = fault};
    *results = (struct results_read){0};
    if (access(path, R_OK) != 0)
        return fault_set(fault, STATUS_NOT_FOUND,
                         "%s isn't there; `experiment run FILE --out DIR` makes it", path);
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(path, &reading.sqlite, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        status = trouble(&reading);
    else
        status = read_all(&reading);
    sqlite3_close(reading.sqlite);
    return status;
}

static enum status count_rows(struct reading *reading, const char *query, uint32_t *count)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(reading->sqlite, query, -1, &statement, NULL) != SQLITE_OK)
        return trouble(reading);
    int code = sqlite3_step(statement);
    int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW)
        return trouble(reading);
    if (number < 0 || number > RESULTS_ROWS_MAX)
        return fault_set(reading->fault, STATUS_EXHAUSTED,
                         "%s: more than %d rows are too many for a page; query it with sqlite3",
                         reading->path, RESULTS_ROWS_MAX);
    *count = (uint32_t)number;
    return STATUS_OK;
}

static enum status read_rows(struct reading *reading, const char *query, take_row *take)
{
    sqlite3_stmt *statement;
    enum status status = STATUS_OK;
    int code;
    if (sqlite3_prepare_v2(reading->sqlite, query, -1, &statement, NULL) != SQLITE_OK)
        return trouble(reading);
    while (status == STATUS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = take(reading, statement);
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = trouble(reading);
    sqlite3_finalize(statement);
    return status;
}

/* NULL where memory ran out: the arena's limit is generous, so callers report it at the end. */
static const char *text_of(struct reading *reading, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    const char *kept =
        arena_copy_text(reading->arena, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    return kept != NULL ? kept : "";
}

static double number_of(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? (double)NAN
               : sqlite3_column_double(statement, column);
}

static enum status bad_arm(struct reading *reading)
{
    return fault_set(reading->fault, STATUS_CORRUPT, "%s: rows of an arm that isn't there",
                     reading->path);
}

static enum status take_arm(struct reading *reading, sqlite3_stmt *statement)
{
    struct results_read *into = reading->into;
    const char *name = (const char *)sqlite3_column_text(statement, 1);
    int64_t arm = sqlite3_column_int64(statement, 0);
    uint32_t axis = 0;
    if (arm < 0 || arm >= into->arm_count || name == NULL)
        return bad_arm(reading);
    while (axis < into->axis_count && strcmp(into->axes[axis], name) != 0)
        axis++;
    if (axis == into->axis_count) {
        if (axis == RESULTS_AXES_MAX)
            return bad_arm(reading);
        into->axes[into->axis_count++] = text_of(reading, statement, 1);
    }
    into->arms[arm].values[axis] = text_of(reading, statement, 2);
    return STATUS_OK;
}

static enum status take_summary(struct reading *reading, sqlite3_stmt *statement)
{
    struct result_row *row = &reading->into->rows[reading->into->row_count++];
    int64_t arm = sqlite3_column_int64(statement, 0);
    if (arm < 0 || arm >= reading->into->arm_count)
        return bad_arm(reading);
    *row = (struct result_row){
        .arm = (uint32_t)arm,
        .series = text_of(reading, statement, 1),
        .subject = text_of(reading, statement, 2),
        .metric = text_of(reading, statement, 3),
        .unit = text_of(reading, statement, 4),
        .count = (uint32_t)sqlite3_column_int64(statement, 5),
        .mean = number_of(statement, 6),
        .low = number_of(statement, 7),
        .high = number_of(statement, 8),
    };
    return STATUS_OK;
}

static enum status take_difference(struct reading *reading, sqlite3_stmt *statement)
{
    struct result_difference *row = &reading->into->differences[reading->into->difference_count++];
    int64_t arm = sqlite3_column_int64(statement, 0);
    if (arm < 0 || arm >= reading->into->arm_count)
        return bad_arm(reading);
    *row = (struct result_difference){
        .arm = (uint32_t)arm,
        .series = text_of(reading, statement, 1),
        .against = text_of(reading, statement, 2),
        .subject = text_of(reading, statement, 3),
        .metric = text_of(reading, statement, 4),
        .count = (uint32_t)sqlite3_column_int64(statement, 5),
        .mean = number_of(statement, 6),
        .low = number_of(statement, 7),
        .high = number_of(statement, 8),
    };
    return STATUS_OK;
}
