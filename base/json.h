/*
 * JSON: documents read with the path of what is wrong ("jobs[3].configurations[0].gpus: ..."), and
 * written. The only home of jansson.
 *
 * A place in a document is a struct on the reader's stack that knows its parent; the path is put
 * together only where something is wrong. Syntax errors give line and column. Keys given twice are
 * refused; json_allow() refuses unknown ones and names the nearest.
 *
 * Ownership: places and texts are borrowed from the document. Thread rule: one thread per document.
 * Complexity: O(1) a look-up.
 */
#ifndef ENTENTE_BASE_JSON_H
#define ENTENTE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

struct json_document;

/* A value, and where it is. The parent must outlive it. */
struct json_place {
    const void *value; /* NULL: an optional key that is absent */
    const struct json_place *parent;
    const char *key; /* of an object's member; NULL: an element */
    size_t index;    /* of an array's element */
};

/* IO, EXHAUSTED over bytes_max, INVALID with "PATH:LINE:COLUMN: ...". */
MUST_USE enum status json_read(const char *path, size_t bytes_max, struct json_document **document,
                               struct fault *fault);
/* As json_read, of text; name stands for the path in faults. */
MUST_USE enum status json_parse(const char *name, const char *text, size_t size,
                                struct json_document **document, struct fault *fault);
void json_close(struct json_document *document); /* NULL is fine */

struct json_place json_root(const struct json_document *document);

/* INVALID: "PATH: TEXT". */
enum status json_fault(const struct json_place *place, struct fault *fault, const char *text);

/* keys ends with NULL. INVALID: not an object, or another key. */
MUST_USE enum status json_allow(const struct json_place *object, const char *const *keys,
                                struct fault *fault);

bool json_present(const struct json_place *place);

/* How many members an object has; 0 where the place holds none. */
size_t json_member_count(const struct json_place *object);

/* A member of an object; absent is INVALID where required, else a place without value. */
MUST_USE enum status json_get_member(const struct json_place *object, const char *key,
                                     bool required, struct json_place *member, struct fault *fault);

/* The array at `key`; an absent optional one has no elements. */
MUST_USE enum status json_get_array(const struct json_place *object, const char *key, bool required,
                                    struct json_place *array, size_t *count, struct fault *fault);
struct json_place json_element(const struct json_place *array, size_t index);

/* A number within [least, most] (integers too); *number untouched where optional and absent. */
MUST_USE enum status json_get_number(const struct json_place *object, const char *key,
                                     bool required, double least, double most, double *number,
                                     struct fault *fault);
MUST_USE enum status json_get_integer(const struct json_place *object, const char *key,
                                      bool required, int64_t least, int64_t most, int64_t *number,
                                      struct fault *fault);
MUST_USE enum status json_get_boolean(const struct json_place *object, const char *key,
                                      bool required, bool *value, struct fault *fault);
/* Of 1 to bytes_max bytes; *text untouched where optional and absent. */
MUST_USE enum status json_get_text(const struct json_place *object, const char *key, bool required,
                                   size_t bytes_max, const char **text, struct fault *fault);

/* As json_get_text, of the value at the place itself (an element of an array). */
MUST_USE enum status json_text_of(const struct json_place *place, size_t bytes_max,
                                  const char **text, struct fault *fault);

/* A number within [least, most], at the place itself. */
MUST_USE enum status json_number_of(const struct json_place *place, double least, double most,
                                    double *number, struct fault *fault);

/* Whether the place holds an array, and of how many elements (0 where not). */
bool json_is_list(const struct json_place *place, size_t *count);

/*
 * Writer: values in order, then one json_write. key: NULL inside arrays. Trouble (memory, a number
 * that isn't finite, deeper than JSON_DEPTH_MAX) sticks and json_write says so.
 */
enum { JSON_DEPTH_MAX = 16 };

struct json_writer {
    void *open[JSON_DEPTH_MAX]; /* the containers we are in, the outermost first */
    size_t depth;
    bool broken;
};

void json_writer_init(struct json_writer *writer);      /* opens the outermost object */
void json_writer_init_list(struct json_writer *writer); /* the outermost is an array */
void json_writer_fini(struct json_writer *writer);
void json_open_object(struct json_writer *writer, const char *key);
void json_open_array(struct json_writer *writer, const char *key);
void json_end(struct json_writer *writer);
void json_put_text(struct json_writer *writer, const char *key, const char *text);
void json_put_number(struct json_writer *writer, const char *key, double number);
void json_put_integer(struct json_writer *writer, const char *key, int64_t number);
void json_put_boolean(struct json_writer *writer, const char *key, bool value);
void json_put_null(struct json_writer *writer, const char *key);

/* The document, indented, with a newline. */
MUST_USE enum status json_write(const struct json_writer *writer, FILE *to, struct fault *fault);

#endif
