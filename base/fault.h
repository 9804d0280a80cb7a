/*
 * Fault: the sentence that goes with a status, for the person who has to mend it.
 *
 * A fallible function that faces the outside takes a nullable `struct fault *` as its last
 * parameter and fills it exactly when it returns something else than STATUS_OK. The text names the
 * file, line or field, and the mend. Ownership: the caller's storage, nothing to free. Thread rule:
 * one thread at a time. Complexity: O(length).
 */
#ifndef ENTENTE_BASE_FAULT_H
#define ENTENTE_BASE_FAULT_H

#include "base/status.h"

enum { FAULT_TEXT_MAX = 512 };

struct fault {
    enum status status;
    char text[FAULT_TEXT_MAX]; /* always terminated; cut with "..." where too long */
};

/* Records status and text; returns status, so that a caller leaves with `return fault_set(...)`.
 * `fault` may be NULL. */
enum status fault_set(struct fault *fault, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "context: " before the text that is there; returns the fault's status (INTERNAL where fault
 * is NULL). */
enum status fault_prefix(struct fault *fault, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
