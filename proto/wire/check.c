/*
 * Check: does a domain struct keep every bound that its table states? The one place where bounds
 * are judged, for what was received and for what is about to be sent.
 *
 * The first rule broken is told with the path of its field. Recursion follows the tables (at most
 * WIRE_DEPTH_MAX deep), never the input. Cost: O(size of the message). Pure.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire/table.h"

/* What every step is told: the row, the struct it looks at, and how to refuse. */
struct checking {
    const struct wire_row *row;
    const void *domain;
    bool sending;
    const struct wire_path *path;
    struct fault *fault;
};

static enum status check_row(const struct checking *c);
static enum status check_number(const struct checking *c);
static enum status check_double(const struct checking *c);
static enum status check_text(const struct checking *c, const char *text, size_t max);
static enum status check_bytes(const struct checking *c);
static enum status check_struct(const struct checking *c);
static enum status check_array(const struct checking *c);

enum status wire_check(const struct wire_message *message, const void *domain, bool sending,
                       const struct wire_path *path, struct fault *fault)
{
    for (size_t i = 0; i < message->row_count; i++) {
        const struct wire_row *row = &message->rows[i];
        struct wire_path here = {.up = path, .field = row->field, .index = -1};
        struct checking checking = {row, domain, sending, &here, fault};
        enum status status = check_row(&checking);
        if (status != STATUS_OK)
            return status;
    }
    return message->check != NULL ? message->check(domain, path, fault) : STATUS_OK;
}

static enum status check_row(const struct checking *c)
{
    const struct wire_row *row = c->row;
    switch (row->kind) {
    case WIRE_BOOL:
    case WIRE_FIXED: return STATUS_OK;
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_ENUM: return check_number(c);
    case WIRE_DOUBLE: return check_double(c);
    case WIRE_NAME:
    case WIRE_ADDRESS: return check_text(c, wire_at(c->domain, row->offset), row->max);
    case WIRE_TEXT: return check_text(c, wire_text(row, c->domain), row->max);
    case WIRE_BYTES: return check_bytes(c);
    case WIRE_STRUCT: return check_struct(c);
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS:
    case WIRE_DIGESTS: return check_array(c);
    case WIRE_KIND_COUNT:
    default: break;
    }
    assert(false); /* a table names no other kind */
    return STATUS_INTERNAL;
}

static enum status check_unsigned(const struct checking *c, uint64_t value)
{
    assert(c->row->min >= 0);
    if (value < (uint64_t)c->row->min)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%" PRIu64 " is below %" PRId64,
                           value, c->row->min);
    if (value > c->row->max)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%" PRIu64 " is above %" PRIu64,
                           value, c->row->max);
    return STATUS_OK;
}

static enum status check_signed(const struct checking *c, int64_t value)
{
    if (value < c->row->min)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%" PRId64 " is below %" PRId64,
                           value, c->row->min);
    if (value > 0 && (uint64_t)value > c->row->max)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%" PRId64 " is above %" PRIu64,
                           value, c->row->max);
    return STATUS_OK;
}

static enum status check_number(const struct checking *c)
{
    const void *at = wire_at(c->domain, c->row->offset);
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    int64_t i64;
    switch ((int)c->row->kind) {
    case WIRE_U32: memcpy(&u32, at, sizeof u32); return check_unsigned(c, u32);
    case WIRE_I32: memcpy(&i32, at, sizeof i32); return check_signed(c, i32);
    case WIRE_U64: memcpy(&u64, at, sizeof u64); return check_unsigned(c, u64);
    case WIRE_I64: memcpy(&i64, at, sizeof i64); return check_signed(c, i64);
    default: memcpy(&u32, at, sizeof u32); break;
    }
    if (u32 > c->row->max)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%" PRIu32 " is not known",
                           u32);
    return STATUS_OK;
}

static enum status check_double(const struct checking *c)
{
    const double *value = wire_at(c->domain, c->row->offset);
    if (!isfinite(*value))
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "is not a finite number");
    if (*value < c->row->least)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%g is below %g", *value,
                           c->row->least);
    if (*value > c->row->most)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%g is above %g", *value,
                           c->row->most);
    return STATUS_OK;
}

static enum status check_text(const struct checking *c, const char *text, size_t max)
{
    if (text[0] == '\0' && c->row->optional)
        return STATUS_OK;
    if (c->row->rule->mended && c->sending)
        return STATUS_OK;
    if (text[0] == '\0')
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "is missing");
    size_t length = strnlen(text, max + 1);
    if (length > max)
        return wire_refuse(c->path, NULL, STATUS_EXHAUSTED, c->fault, "is longer than %zu bytes",
                           max);
    if (!c->row->rule->holds(text))
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "%s", c->row->rule->otherwise);
    return STATUS_OK;
}

static enum status check_bytes(const struct checking *c)
{
    const struct bytes *bytes = wire_at(c->domain, c->row->offset);
    if (bytes->size < (uint64_t)c->row->min)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault, "is missing");
    if (bytes->size > c->row->max)
        return wire_refuse(c->path, NULL, STATUS_EXHAUSTED, c->fault,
                           "%zu bytes are over the limit of %" PRIu64, bytes->size, c->row->max);
    return STATUS_OK;
}

static enum status check_struct(const struct checking *c)
{
    const void *inside = wire_at(c->domain, c->row->offset);
    if (c->row->optional && wire_is_zero(c->row->sub, inside))
        return STATUS_OK;
    return wire_check(c->row->sub, inside, c->sending, c->path, c->fault);
}

static enum status check_element(const struct checking *c, const void *array, uint32_t index)
{
    const struct wire_row *row = c->row;
    if (row->kind == WIRE_NAMES)
        return check_text(c, ((const struct name *)array)[index].text, NAME_BYTES_MAX);
    if (row->kind == WIRE_TEXTS) {
        const char *text = ((const char *const *)array)[index];
        return check_text(c, text != NULL ? text : "", row->text_max);
    }
    if (row->kind == WIRE_DIGESTS)
        return STATUS_OK;
    const void *element = wire_at(array, index * row->sub->size);
    if (row->order != NULL && index > 0 &&
        row->order(wire_at(array, (index - 1) * row->sub->size), element) >= 0)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault,
                           "is not above the one before: sort them, each once");
    return wire_check(row->sub, element, c->sending, c->path, c->fault);
}

static enum status check_array(const struct checking *c)
{
    uint32_t count = wire_count(c->row, c->domain);
    const void *array = wire_array(c->row, c->domain);
    if (count < (uint64_t)c->row->min)
        return wire_refuse(c->path, NULL, STATUS_INVALID, c->fault,
                           "%" PRIu32 " are below the least of %" PRId64, count, c->row->min);
    if (count > c->row->max)
        return wire_refuse(c->path, NULL, STATUS_EXHAUSTED, c->fault,
                           "%" PRIu32 " are over the limit of %" PRIu64, count, c->row->max);
    assert(count == 0 || array != NULL);
    for (uint32_t i = 0; i < count; i++) {
        struct wire_path here = {.up = c->path->up, .field = c->path->field, .index = i};
        struct checking element = *c;
        element.path = &here;
        enum status status = check_element(&element, array, i);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool all_zero(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != 0)
            return false;
    return true;
}

bool wire_fixed_is_zero(const struct wire_row *row, const void *domain)
{
    return all_zero(wire_at(domain, row->offset), row->max);
}

static bool row_is_zero(const struct wire_row *row, const void *domain)
{
    const void *at = wire_at(domain, row->offset);
    switch (row->kind) {
    case WIRE_BOOL: return all_zero(at, sizeof(bool));
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_ENUM: return all_zero(at, sizeof(uint32_t));
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_DOUBLE: return all_zero(at, sizeof(uint64_t));
    case WIRE_NAME:
    case WIRE_ADDRESS: return *(const char *)at == '\0';
    case WIRE_TEXT: return wire_text(row, domain)[0] == '\0';
    case WIRE_BYTES: return ((const struct bytes *)at)->size == 0;
    case WIRE_FIXED: return wire_fixed_is_zero(row, domain);
    case WIRE_STRUCT: return wire_is_zero(row->sub, at);
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS:
    case WIRE_DIGESTS: return wire_count(row, domain) == 0;
    case WIRE_KIND_COUNT:
    default: break;
    }
    assert(false); /* a table names no other kind */
    return false;
}

bool wire_is_zero(const struct wire_message *message, const void *domain)
{
    for (size_t i = 0; i < message->row_count; i++)
        if (!row_is_zero(&message->rows[i], domain))
            return false;
    return true;
}

enum status wire_refuse(const struct wire_path *path, const char *field, enum status status,
                        struct fault *fault, const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fault_set(fault, status, "%s", text);
    char where[FAULT_TEXT_MAX];
    snprintf(where, sizeof where, "%s", field != NULL ? field : "");
    for (; path != NULL; path = path->up) {
        char longer[FAULT_TEXT_MAX];
        const char *dot = where[0] != '\0' ? "." : "";
        int used = path->index < 0
                       ? snprintf(longer, sizeof longer, "%s%s%s", path->field, dot, where)
                       : snprintf(longer, sizeof longer, "%s[%" PRId64 "]%s%s", path->field,
                                  path->index, dot, where);
        if (used < 0 || (size_t)used >= sizeof longer)
            break;
        memcpy(where, longer, (size_t)used + 1);
    }
    return where[0] != '\0' ? fault_prefix(fault, status, "%s", where) : status;
}
