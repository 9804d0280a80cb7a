#include "base/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, const struct table_column *columns, size_t column_count)
{
    assert(column_count > 0);
    *table = (struct table){.columns = columns, .column_count = column_count};
}

static void take(struct table *table, char *cell)
{
    if (cell != NULL && table->cell_count == table->cell_capacity) {
        size_t capacity = table->cell_capacity * 2 + 64;
        char **cells = reallocarray(table->cells, capacity, sizeof *cells);
        if (cells != NULL) {
            table->cells = cells;
            table->cell_capacity = capacity;
        }
    }
    if (cell == NULL || table->cell_count == table->cell_capacity) {
        free(cell);
        table->broken = true;
        return;
    }
    table->cells[table->cell_count++] = cell;
}

void table_text(struct table *table, const char *text)
{
    take(table, strdup(text));
}

void table_format(struct table *table, const char *format, ...)
{
    char *cell = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&cell, format, arguments) < 0)
        cell = NULL;
    va_end(arguments);
    take(table, cell);
}

/* Columns on a terminal, not bytes: UTF-8 continuation bytes take no room. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(FILE *to, const char *text, int width, bool right, bool last)
{
    int padding = width - width_of(text);
    if (right)
        fprintf(to, "%*s%s", padding, "", text);
    else
        fprintf(to, "%s%*s", text, last ? 0 : padding, "");
    fputs(last ? "\n" : "  ", to);
}

void table_print(const struct table *table, FILE *to)
{
    size_t columns = table->column_count;
    int *widths = calloc(columns, sizeof *widths);
    if (widths == NULL || table->broken) {
        fputs("(no memory for this table)\n", to);
        free(widths);
        return;
    }
    for (size_t c = 0; c < columns; c++)
        widths[c] = width_of(table->columns[c].heading);
    for (size_t i = 0; i < table->cell_count; i++)
        if (width_of(table->cells[i]) > widths[i % columns])
            widths[i % columns] = width_of(table->cells[i]);
    for (size_t c = 0; c < columns; c++)
        print_cell(to, table->columns[c].heading, widths[c], table->columns[c].right,
                   c + 1 == columns);
    for (size_t i = 0; i < table->cell_count; i++)
        print_cell(to, table->cells[i], widths[i % columns], table->columns[i % columns].right,
                   i % columns + 1 == columns);
    free(widths);
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
