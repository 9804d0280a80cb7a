#include "base/json_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/nearest.h"
#include "base/number.h"

enum { CHUNK_BYTES = 65536, PATH_TEXT_MAX = 256, KEY_BYTES_MAX = 127 };

/* A container that is open. */
struct frame {
    const struct json_shape *shape; /* an object with a shape */
    const struct json_field *list;  /* an array, or an object of numbers: the field that it is */
    bool is_array;
    uint32_t given; /* bit i: field i was there */
    void *into;
    const struct json_field *field; /* of the key that was read */
    size_t index;                   /* of an array's present element */
    char key[KEY_BYTES_MAX + 1];
};

struct json_stream {
    void *context;
    const struct json_shape *root;
    struct frame frames[JSON_STREAM_DEPTH_MAX];
    size_t depth;
    size_t passing; /* containers open inside a value that is passed over */
    enum status status;
    struct fault fault;
};

static enum status feed(struct json_stream *stream, yajl_handle parser, FILE *from,
                        const char *name);

/* -- Where we are ------------------------------------------------------------------------------ */

static struct frame *top(struct json_stream *stream)
{
    return stream->depth > 0 ? &stream->frames[stream->depth - 1] : NULL;
}

/* Inside a container: the grammar has no keys and no ends elsewhere. */
static struct frame *innermost(struct json_stream *stream)
{
    assert(stream->depth > 0);
    return &stream->frames[stream->depth - 1];
}

void json_stream_path(const struct json_stream *stream, const char *key, char *path, size_t size)
{
    size_t used = 0;
    path[0] = '\0';
    for (size_t i = 0; i < stream->depth && used < size - 1; i++) {
        const struct frame *frame = &stream->frames[i];
        const char *step = frame->key;
        int wrote = 0;
        if (i + 1 == stream->depth && key != NULL)
            step = key;
        if (frame->is_array)
            wrote = snprintf(path + used, size - used, "[%zu]", frame->index);
        else if (step[0] != '\0')
            wrote = snprintf(path + used, size - used, "%s%s", used > 0 ? "." : "", step);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    if (path[0] == '\0')
        snprintf(path, size, "the document");
}

enum status json_stream_fault(const struct json_stream *stream, const char *key,
                              struct fault *fault, const char *text)
{
    char path[PATH_TEXT_MAX];
    json_stream_path(stream, key, path, sizeof path);
    return fault_set(fault, STATUS_INVALID, "%s: %s", path, text);
}

bool json_stream_given(const struct json_stream *stream, const char *key)
{
    const struct frame *frame = &stream->frames[stream->depth - 1];
    for (size_t i = 0; frame->shape != NULL && i < frame->shape->field_count; i++)
        if (strcmp(frame->shape->fields[i].key, key) == 0)
            return (frame->given >> i & 1) != 0;
    return false;
}

size_t json_stream_index(const struct json_stream *stream)
{
    for (size_t i = stream->depth; i > 0; i--)
        if (stream->frames[i - 1].is_array)
            return stream->frames[i - 1].index;
    return 0;
}

/* -- Values ------------------------------------------------------------------------------------ */

/* yajl's way of saying "stop": 0. */
static int stop(struct json_stream *stream, const char *text)
{
    stream->status = json_stream_fault(stream, NULL, &stream->fault, text);
    return 0;
}

static int went(struct json_stream *stream, enum status status)
{
    stream->status = status;
    return status == STATUS_OK;
}

/* A value of an array is about to be read. */
static void step(struct frame *frame)
{
    if (frame != NULL && frame->is_array)
        frame->index++; /* starts at SIZE_MAX */
}

static const char *kind_words(const struct json_field *field)
{
    switch (field->kind) {
    case JSON_FIELD_TEXT: return "must be a text";
    case JSON_FIELD_NUMBER: return "must be a number";
    case JSON_FIELD_INTEGER: return "must be a whole number";
    case JSON_FIELD_BOOLEAN: return "must be true or false";
    case JSON_FIELD_TEXTS:
    case JSON_FIELD_OBJECTS: return "must be an array";
    case JSON_FIELD_NUMBERS: return "must be an object";
    case JSON_FIELD_PASSED: break;
    }
    return "is not expected";
}

/* What an element of the open container must be. */
static int refuse_kind(struct json_stream *stream)
{
    const struct frame *frame = top(stream);
    if (frame == NULL)
        return stop(stream, "must be an object");
    if (frame->list == NULL)
        return stop(stream, kind_words(frame->field));
    if (frame->list->kind == JSON_FIELD_TEXTS)
        return stop(stream, "must be a text");
    return stop(stream,
                frame->list->kind == JSON_FIELD_NUMBERS ? "must be a number" : "must be an object");
}

static bool passed_over(const struct json_stream *stream)
{
    const struct frame *frame = stream->depth > 0 ? &stream->frames[stream->depth - 1] : NULL;
    return stream->passing > 0 || (frame != NULL && frame->list == NULL && frame->field != NULL &&
                                   frame->field->kind == JSON_FIELD_PASSED);
}

static bool within(struct json_stream *stream, const struct json_field *field, double number)
{
    if (number >= field->least && number <= field->most)
        return true;
    char text[96];
    snprintf(text, sizeof text, "%g is not within %g and %g", number, field->least, field->most);
    (void)stop(stream, text);
    return false;
}

static int take_number(void *context, const char *text, size_t length)
{
    struct json_stream *stream = context;
    struct frame *frame = top(stream);
    if (passed_over(stream))
        return 1;
    step(frame);
    bool const of_key = frame != NULL && frame->list == NULL;
    bool const listed = frame != NULL && frame->list != NULL;
    const struct json_field *field = of_key ? frame->field : listed ? frame->list : NULL;
    double number = 0;
    if (field == NULL ||
        (of_key && field->kind != JSON_FIELD_NUMBER && field->kind != JSON_FIELD_INTEGER) ||
        (listed && field->kind != JSON_FIELD_NUMBERS))
        return refuse_kind(stream);
    if (!number_parse(text, length, &number))
        return stop(stream, "has too many digits");
    if (field->kind == JSON_FIELD_INTEGER) {
        int64_t whole = 0;
        if (!number_parse_integer(text, length, &whole))
            return stop(stream, "must be a whole number");
        if (!within(stream, field, number))
            return 0;
        memcpy((char *)frame->into + field->offset, &whole, sizeof whole);
        return 1;
    }
    if (!within(stream, field, number))
        return 0;
    if (listed)
        return went(stream,
                    field->number(stream->context, stream, frame->key, number, &stream->fault));
    memcpy((char *)frame->into + field->offset, &number, sizeof number);
    return 1;
}

static int take_text(void *context, const unsigned char *text, size_t length)
{
    struct json_stream *stream = context;
    struct frame *frame = top(stream);
    if (passed_over(stream))
        return 1;
    step(frame);
    const struct json_field *field = frame == NULL         ? NULL
                                     : frame->list != NULL ? frame->list
                                                           : frame->field;
    if (field == NULL || (field->kind != JSON_FIELD_TEXT && field->kind != JSON_FIELD_TEXTS))
        return refuse_kind(stream);
    if (length == 0 || (double)length > field->most) {
        char wrong[64];
        snprintf(wrong, sizeof wrong, "must have 1 to %.0f bytes", field->most);
        return stop(stream, wrong);
    }
    if (memchr(text, '\0', length) != NULL)
        return stop(stream, "must not hold a zero byte");
    char copy[JSON_STREAM_TEXT_MAX];
    char *into = frame->list != NULL ? copy : (char *)frame->into + field->offset;
    memcpy(into, text, length);
    into[length] = '\0';
    return frame->list == NULL ||
           went(stream, field->text(stream->context, stream, copy, &stream->fault));
}

static int take_boolean(void *context, int value)
{
    struct json_stream *stream = context;
    struct frame *frame = top(stream);
    if (passed_over(stream))
        return 1;
    step(frame);
    if (frame == NULL || frame->list != NULL || frame->field->kind != JSON_FIELD_BOOLEAN)
        return refuse_kind(stream);
    bool const truth = value != 0;
    memcpy((char *)frame->into + frame->field->offset, &truth, sizeof truth);
    return 1;
}

static int take_null(void *context)
{
    struct json_stream *stream = context;
    if (passed_over(stream))
        return 1;
    step(top(stream));
    return refuse_kind(stream);
}

/* -- Containers -------------------------------------------------------------------------------- */

static int push(struct json_stream *stream, struct frame frame)
{
    if (stream->depth == JSON_STREAM_DEPTH_MAX)
        return stop(stream, "is nested too deep");
    stream->frames[stream->depth++] = frame;
    return 1;
}

static int open_object(void *context)
{
    struct json_stream *stream = context;
    struct frame *frame = top(stream);
    if (passed_over(stream)) {
        stream->passing++;
        return 1;
    }
    step(frame);
    const struct json_shape *shape = NULL;
    if (frame == NULL)
        shape = stream->root;
    else if (frame->list != NULL && frame->list->kind == JSON_FIELD_OBJECTS)
        shape = frame->list->of;
    else if (frame->list == NULL && frame->field->kind == JSON_FIELD_NUMBERS)
        return push(stream, (struct frame){.list = frame->field});
    if (shape == NULL)
        return refuse_kind(stream);
    return push(stream, (struct frame){.shape = shape, .into = shape->begin(stream->context)});
}

static int open_array(void *context)
{
    struct json_stream *stream = context;
    struct frame *frame = top(stream);
    if (passed_over(stream)) {
        stream->passing++;
        return 1;
    }
    step(frame);
    if (frame == NULL || frame->list != NULL ||
        (frame->field->kind != JSON_FIELD_TEXTS && frame->field->kind != JSON_FIELD_OBJECTS))
        return refuse_kind(stream);
    return push(stream, (struct frame){.list = frame->field, .is_array = true, .index = SIZE_MAX});
}

static int close_array(void *context)
{
    struct json_stream *stream = context;
    if (stream->passing > 0) {
        stream->passing--;
        return 1;
    }
    stream->depth--;
    return 1;
}

static int close_object(void *context)
{
    struct json_stream *stream = context;
    if (stream->passing > 0) {
        stream->passing--;
        return 1;
    }
    struct frame *frame = innermost(stream);
    frame->key[0] = '\0';
    const struct json_shape *shape = frame->shape;
    for (size_t i = 0; shape != NULL && i < shape->field_count; i++)
        if (shape->fields[i].required && (frame->given >> i & 1) == 0) {
            stream->status =
                json_stream_fault(stream, shape->fields[i].key, &stream->fault, "is missing");
            return 0;
        }
    if (shape != NULL && shape->end != NULL &&
        !went(stream, shape->end(stream->context, stream, &stream->fault)))
        return 0;
    stream->depth--;
    return 1;
}

static int refuse_key(struct json_stream *stream, const struct frame *frame)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    char text[NAME_HINT_MAX + 32];
    nearest_begin(&nearest, frame->key);
    for (size_t i = 0; i < frame->shape->field_count; i++)
        nearest_offer(&nearest, frame->shape->fields[i].key);
    nearest_hint(&nearest, hint);
    snprintf(text, sizeof text, "unknown key%s", hint);
    return stop(stream, text);
}

static int take_key(void *context, const unsigned char *key, size_t length)
{
    static const struct json_field passed = {.kind = JSON_FIELD_PASSED};
    struct json_stream *stream = context;
    if (stream->passing > 0)
        return 1;
    struct frame *frame = innermost(stream);
    size_t const kept = length < KEY_BYTES_MAX ? length : KEY_BYTES_MAX;
    memcpy(frame->key, key, kept);
    frame->key[kept] = '\0';
    if (frame->shape == NULL)
        return kept == length ? 1 : stop(stream, "the key is too long");
    for (size_t i = 0; i < frame->shape->field_count; i++) {
        const struct json_field *field = &frame->shape->fields[i];
        if (strcmp(field->key, frame->key) != 0)
            continue;
        if ((frame->given >> i & 1) != 0)
            return stop(stream, "is there twice");
        frame->given |= UINT32_C(1) << i;
        frame->field = field;
        return 1;
    }
    frame->field = &passed;
    return frame->shape->open || refuse_key(stream, frame);
}

/* -- The whole --------------------------------------------------------------------------------- */

enum status json_stream_read(FILE *from, const char *name, const struct json_shape *root,
                             void *context, struct fault *fault)
{
    static const yajl_callbacks callbacks = {take_null,    take_boolean, NULL,        NULL,
                                             take_number,  take_text,    open_object, take_key,
                                             close_object, open_array,   close_array};
    struct json_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory", name);
    stream->context = context;
    stream->root = root;
    yajl_handle parser = yajl_alloc(&callbacks, NULL, stream);
    enum status status = STATUS_NO_MEMORY;
    if (parser != NULL)
        status = feed(stream, parser, from, name);
    if (status != STATUS_OK)
        status = fault_set(fault, status, "%s", stream->fault.text);
    if (parser != NULL)
        yajl_free(parser);
    free(stream);
    return status;
}

/* How far the parser is, for people. */
struct reached {
    size_t line;
    size_t column;
};

static struct reached advance(struct reached at, const unsigned char *bytes, size_t size)
{
    const unsigned char *end = bytes + size;
    for (const unsigned char *line; (line = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL;) {
        at = (struct reached){.line = at.line + 1};
        bytes = line + 1;
    }
    at.column += (size_t)(end - bytes);
    return at;
}

static enum status syntax_error(struct json_stream *stream, yajl_handle parser, const char *name,
                                struct reached at)
{
    unsigned char *words = yajl_get_error(parser, 0, NULL, 0);
    size_t length = words != NULL ? strlen((const char *)words) : 0;
    while (length > 0 && words[length - 1] == '\n')
        length--;
    enum status const status =
        fault_set(&stream->fault, STATUS_INVALID, "%s:%zu:%zu: %.*s", name, at.line + 1,
                  at.column + 1, (int)length, words != NULL ? (const char *)words : "");
    if (words != NULL)
        yajl_free_error(parser, words);
    return status;
}

/* What a callback or the parser found wrong in this chunk. */
static enum status explain(struct json_stream *stream, yajl_handle parser, yajl_status answer,
                           const char *name, struct reached at)
{
    if (answer == yajl_status_ok)
        return STATUS_OK;
    if (answer == yajl_status_client_canceled)
        return fault_prefix(&stream->fault, stream->status, "%s", name);
    return syntax_error(stream, parser, name, at);
}

static enum status feed(struct json_stream *stream, yajl_handle parser, FILE *from,
                        const char *name)
{
    static_assert(CHUNK_BYTES <= 65536, "chunks lie on the stack");
    unsigned char chunk[CHUNK_BYTES];
    struct reached at = {0};
    enum status status = STATUS_OK;
    for (size_t size; status == STATUS_OK && (size = fread(chunk, 1, sizeof chunk, from)) > 0;) {
        yajl_status const answer = yajl_parse(parser, chunk, size);
        size_t const good = answer == yajl_status_ok ? size : yajl_get_bytes_consumed(parser);
        at = advance(at, chunk, good <= size ? good : size);
        status = explain(stream, parser, answer, name, at);
    }
    if (status != STATUS_OK)
        return status;
    if (ferror(from) != 0)
        return fault_set(&stream->fault, STATUS_IO, "%s: %s", name, strerror(errno));
    return explain(stream, parser, yajl_complete_parse(parser), name, at);
}
