/*
 * JSON stream: documents too large for a tree, read in one pass into the caller's structs. The only
 * home of yajl.
 *
 * The caller describes its objects as shapes: which keys, of which kind, in which range, where in
 * its struct. For each object the stream asks `begin` for the struct to fill (defaults in it) and
 * calls `end` when it is whole. What is wrong is refused with its path, in the words of
 * base/json.h ("jobs[3].configurations[0].gpus: -1 is not within 1 and 65536"): wrong kinds,
 * ranges, missing keys, unknown ones (with the nearest), keys given twice. Syntax errors give line
 * and column.
 *
 * Ownership: texts are the stream's and die with the callback. Thread rule: one thread per stream.
 * Complexity: O(bytes × keys of a shape); memory O(depth), whatever the document's size.
 */
#ifndef ENTENTE_BASE_JSON_STREAM_H
#define ENTENTE_BASE_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

struct json_stream;

enum { JSON_STREAM_DEPTH_MAX = 12, JSON_STREAM_FIELDS_MAX = 32, JSON_STREAM_TEXT_MAX = 128 };

enum json_field_kind {
    JSON_FIELD_TEXT,    /* char[JSON_STREAM_TEXT_MAX]: 1 to `most` bytes */
    JSON_FIELD_NUMBER,  /* double */
    JSON_FIELD_INTEGER, /* int64_t */
    JSON_FIELD_BOOLEAN, /* bool */
    JSON_FIELD_TEXTS,   /* an array of texts: `text` is called for each */
    JSON_FIELD_OBJECTS, /* an array of objects of the shape `of` */
    JSON_FIELD_NUMBERS, /* an object of numbers: `number` is called for each key */
    JSON_FIELD_PASSED   /* anything: passed over */
};

struct json_shape;

struct json_field {
    const char *key;
    enum json_field_kind kind;
    bool required;
    size_t offset; /* in the object's struct */
    double least;
    double most; /* of texts: bytes, below JSON_STREAM_TEXT_MAX */
    const struct json_shape *of;
    enum status (*text)(void *context, struct json_stream *stream, const char *text,
                        struct fault *fault);
    enum status (*number)(void *context, struct json_stream *stream, const char *key, double number,
                          struct fault *fault);
};

struct json_shape {
    const struct json_field *fields;
    size_t field_count; /* at most JSON_STREAM_FIELDS_MAX */
    bool open;          /* unknown keys are passed over */
    void *(*begin)(void *context);
    enum status (*end)(void *context, struct json_stream *stream,
                       struct fault *fault); /* or NULL */
};

/* Reads to the end of the file. name stands before faults. IO, INVALID, or what a callback said. */
MUST_USE enum status json_stream_read(FILE *from, const char *name, const struct json_shape *root,
                                      void *context, struct fault *fault);

/* For callbacks: INVALID "PATH: TEXT" of a key of the present object; key NULL: of the present
 * value. */
enum status json_stream_fault(const struct json_stream *stream, const char *key,
                              struct fault *fault, const char *text);

/* The path of a key of the present object, or of the present value. */
void json_stream_path(const struct json_stream *stream, const char *key, char *path, size_t size);

/* Whether the object that is ending had this key. */
bool json_stream_given(const struct json_stream *stream, const char *key);

/* In the innermost array: the present element's index. */
size_t json_stream_index(const struct json_stream *stream);

#endif
