#include "economics/market/instance/trace_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next line that isn't empty, split. *count 0: the end. */
static enum status split(struct trace_csv *csv, uint32_t *count, struct fault *fault)
{
    size_t length = 0;
    *count = 0;
    while (length == 0 && csv->at < csv->text.size) {
        const char *from = (const char *)csv->text.data + csv->at;
        const char *end = memchr(from, '\n', csv->text.size - csv->at);
        length = end != NULL ? (size_t)(end - from) : csv->text.size - csv->at;
        csv->at += length + (end != NULL ? 1 : 0);
        csv->line++;
        if (length >= TRACE_LINE_MAX || memchr(from, '\0', length) != NULL)
            return fault_set(fault, STATUS_INVALID,
                             "%s:%u: longer than %d bytes, or not a line of text", csv->name,
                             csv->line, TRACE_LINE_MAX - 1);
        if (length > 0 && from[length - 1] == '\r')
            length--;
        memcpy(csv->buffer, from, length);
        csv->buffer[length] = '\0';
    }
    if (length == 0)
        return STATUS_OK;
    char *rest = csv->buffer;
    while (rest != NULL && *count < TRACE_FIELDS_MAX)
        csv->fields[(*count)++] = strsep(&rest, ",");
    if (rest != NULL)
        return fault_set(fault, STATUS_INVALID, "%s:%u: more than %d columns", csv->name, csv->line,
                         TRACE_FIELDS_MAX);
    return STATUS_OK;
}

enum status trace_csv_open(struct trace_csv *csv, const char *name, struct bytes text,
                           const char *const *columns, size_t required, struct fault *fault)
{
    *csv = (struct trace_csv){.name = name, .columns = columns, .text = text};
    enum status const status = split(csv, &csv->field_count, fault);
    if (status != STATUS_OK)
        return status;
    for (size_t c = 0; columns[c] != NULL; c++) {
        csv->field_of[c] = -1;
        for (uint32_t f = 0; f < csv->field_count; f++)
            if (strcmp(csv->fields[f], columns[c]) == 0)
                csv->field_of[c] = (int)f;
        if (csv->field_of[c] < 0 && c < required)
            return fault_set(fault, STATUS_INVALID, "%s:1: the heading has no column '%s'", name,
                             columns[c]);
    }
    return STATUS_OK;
}

enum status trace_csv_next(struct trace_csv *csv, bool *there, struct fault *fault)
{
    uint32_t count = 0;
    enum status const status = split(csv, &count, fault);
    *there = status == STATUS_OK && count > 0;
    if (*there && count != csv->field_count)
        return fault_set(fault, STATUS_INVALID, "%s:%u: %u columns, but the heading has %u",
                         csv->name, csv->line, count, csv->field_count);
    return status;
}

bool trace_csv_has(const struct trace_csv *csv, size_t column)
{
    return csv->field_of[column] >= 0;
}

const char *trace_csv_text(const struct trace_csv *csv, size_t column)
{
    return csv->fields[csv->field_of[column]];
}

enum status trace_csv_fault(const struct trace_csv *csv, size_t column, const char *what,
                            struct fault *fault)
{
    return fault_set(fault, STATUS_INVALID, "%s:%u: %s: %s", csv->name, csv->line,
                     csv->columns[column], what);
}

enum status trace_csv_number(const struct trace_csv *csv, size_t column, double least, double most,
                             double *number, struct fault *fault)
{
    const char *text = trace_csv_text(csv, column);
    char *end = NULL;
    double const value = strtod(text, &end);
    if (end != text && *end == '\0' && value >= least && value <= most) { /* not NaN */
        *number = value;
        return STATUS_OK;
    }
    char wrong[160];
    snprintf(wrong, sizeof wrong, "'%.40s' is not a number of %.15g to %.15g", text, least, most);
    return trace_csv_fault(csv, column, wrong, fault);
}

enum status trace_csv_whole(const struct trace_csv *csv, size_t column, uint32_t most,
                            uint32_t *number, struct fault *fault)
{
    double value = 0;
    enum status const status = trace_csv_number(csv, column, 0, most, &value, fault);
    if (status == STATUS_OK && value != floor(value))
        return trace_csv_fault(csv, column, "must be a whole number", fault);
    *number = (uint32_t)value;
    return status;
}

enum status trace_csv_name(const struct trace_csv *csv, size_t column, struct name *name,
                           struct fault *fault)
{
    enum status const status =
        name_parse(name, csv->columns[column], trace_csv_text(csv, column), fault);
    return status == STATUS_OK ? status
                               : fault_prefix(fault, status, "%s:%u", csv->name, csv->line);
}
