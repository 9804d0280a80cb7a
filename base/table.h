/*
 * Table: output for people: aligned columns under headings that carry the units. Numbers right,
 * words left.
 *
 *     struct table table;
 *     table_init(&table, columns, 3);
 *     for (...) { table_text(&table, name); table_format(&table, "%u", gpus); table_format(&table,
 * "%.4f", price); } table_print(&table, stdout); table_fini(&table);
 *
 * Cells are filled row by row; memory trouble marks the table and table_print says so. Thread rule:
 * one thread.
 */
#ifndef ENTENTE_BASE_TABLE_H
#define ENTENTE_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"

struct table_column {
    const char *heading; /* "price (credits/GPU-s)" */
    bool right;          /* numbers */
};

struct table {
    const struct table_column *columns; /* borrowed */
    size_t column_count;
    char **cells; /* row by row */
    size_t cell_count;
    size_t cell_capacity;
    bool broken; /* memory ran out */
};

void table_init(struct table *table, const struct table_column *columns, size_t column_count);
void table_text(struct table *table, const char *text);
void table_format(struct table *table, const char *format, ...) PRINTF_LIKE(2, 3);
void table_print(const struct table *table, FILE *to);
void table_fini(struct table *table);

#endif
