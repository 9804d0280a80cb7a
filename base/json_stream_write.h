/*
 * JSON stream, written: values go to the file as they come, so that a document of any size costs no
 * memory. (base/json.h builds a tree first; use that for small ones.)
 *
 * Trouble (the file, a number that isn't finite, nesting) sticks; emit_close() says so. key: NULL
 * inside arrays. Numbers read back as the same double. Ownership: the emitter is emit_open's until
 * emit_close; texts are borrowed. Thread rule: one thread. Complexity: O(bytes).
 */
#ifndef ENTENTE_BASE_JSON_STREAM_WRITE_H
#define ENTENTE_BASE_JSON_STREAM_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

struct emitter;

/* Opens the outermost object. NO_MEMORY. */
MUST_USE enum status emit_open(FILE *to, struct emitter **emitter, struct fault *fault);

void emit_object(struct emitter *emitter, const char *key);
void emit_array(struct emitter *emitter, const char *key);
void emit_end(struct emitter *emitter);
void emit_text(struct emitter *emitter, const char *key, const char *text);
void emit_number(struct emitter *emitter, const char *key, double number);
void emit_integer(struct emitter *emitter, const char *key, int64_t number);
void emit_boolean(struct emitter *emitter, const char *key, bool value);
void emit_null(struct emitter *emitter, const char *key);

/* Ends the document, and the emitter. NULL is fine. INTERNAL, IO. */
MUST_USE enum status emit_close(struct emitter *emitter, struct fault *fault);

#endif
