/*
 * Results database: the same rows as the CSV files, in one SQLite file that any tool can query.
 *
 *   arms         arm, parameter, value
 *   results      arm, replication, series, subject, metric, value    value NULL: undefined there
 *   summary      arm, series, subject, metric, unit, n, missing, mean, sd, low, high
 *   comparisons  kind, arm, against_arm, series, against_series, subject, metric, n, difference,
 * sd, low, high
 *
 * Written in one transaction, in order, so that the same results make the same file. The home of
 * SQLite in economics. Ownership: the database is closed by results_database_close(). Thread rule:
 * one thread. Complexity: O(rows).
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_DATABASE_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_RESULTS_DATABASE_H

#include <stdint.h>

#include "base/fault.h"

struct results_database;

enum results_table {
    RESULTS_ARMS,
    RESULTS_ROWS,
    RESULTS_SUMMARY,
    RESULTS_COMPARISONS,
    RESULTS_TABLES
};

/* A new file at path; one that is there is replaced. */
MUST_USE enum status results_database_open(const char *path, struct results_database **database,
                                           struct fault *fault);

/* The next cell of a row of `table`; results_database_row() ends the row. */
void results_database_integer(struct results_database *database, enum results_table table,
                              int64_t value);
void results_database_number(struct results_database *database, enum results_table table,
                             double value); /* not finite: NULL */
void results_database_text(struct results_database *database, enum results_table table,
                           const char *text);
MUST_USE enum status results_database_row(struct results_database *database,
                                          enum results_table table, struct fault *fault);

/* Commits where status is OK, and removes the file otherwise. Returns what became of it. */
MUST_USE enum status results_database_close(struct results_database *database, enum status status,
                                            struct fault *fault);

#endif
