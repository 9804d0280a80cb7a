/*
 * Trace CSV: rows of a public trace, found by the names in its heading. Internal to trace import.
 *
 * Fields are parted by commas, without quotes; CRLF and empty lines are fine; columns nobody asks
 * for are passed over. Faults name "FILE:LINE: column: ...". The row lives until the next one.
 *
 * Ownership: the text is borrowed. Thread rule: one thread. Complexity: O(bytes).
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_TRACE_CSV_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_TRACE_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/domain/bytes.h"
#include "base/domain/name.h"
#include "base/fault.h"

enum { TRACE_LINE_MAX = 4096, TRACE_FIELDS_MAX = 64, TRACE_COLUMNS_MAX = 16 };

struct trace_csv {
    const char *name;           /* of the file */
    const char *const *columns; /* asked for; ends with NULL */
    struct bytes text;
    size_t at;
    uint32_t line;
    uint32_t field_count; /* of the heading: every row has as many */
    int field_of[TRACE_COLUMNS_MAX];
    char buffer[TRACE_LINE_MAX];
    char *fields[TRACE_FIELDS_MAX];
};

/* Reads the heading. INVALID where one of the first `required` columns isn't in it. */
MUST_USE enum status trace_csv_open(struct trace_csv *csv, const char *name, struct bytes text,
                                    const char *const *columns, size_t required,
                                    struct fault *fault);

/* *there: false at the end. INVALID: a row of another length than the heading, or too long. */
MUST_USE enum status trace_csv_next(struct trace_csv *csv, bool *there, struct fault *fault);

bool trace_csv_has(const struct trace_csv *csv, size_t column);
const char *trace_csv_text(const struct trace_csv *csv, size_t column);

/* "FILE:LINE: column: what". */
enum status trace_csv_fault(const struct trace_csv *csv, size_t column, const char *what,
                            struct fault *fault);

/* A finite number within [least, most]. */
MUST_USE enum status trace_csv_number(const struct trace_csv *csv, size_t column, double least,
                                      double most, double *number, struct fault *fault);
MUST_USE enum status trace_csv_whole(const struct trace_csv *csv, size_t column, uint32_t most,
                                     uint32_t *number, struct fault *fault);
MUST_USE enum status trace_csv_name(const struct trace_csv *csv, size_t column, struct name *name,
                                    struct fault *fault);

#endif
