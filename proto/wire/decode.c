/*
 * Decode: protobuf bytes -> domain struct, every bound kept.
 *
 * Four steps: wire_scan looks at the raw bytes; protobuf-c parses them into a bounded scratch
 * arena; the table fills the domain struct in the caller's arena (what has no room in a domain type
 * is refused here: counts, sizes, long names, unknown enumerations, missing messages); wire_check
 * judges all bounds.
 * A hostile message can at most fill the scratch arena (WIRE_SCRATCH_BYTES_MAX, freed on return)
 * and the caller's. Recursion follows the tables, at most WIRE_DEPTH_MAX deep. Cost: O(bytes).
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/wire/table.h"

/* What every step is told. */
struct filling {
    const struct wire_row *row;
    const ProtobufCFieldDescriptor *field;
    const void *wire; /* the protobuf-c struct */
    void *domain;
    struct arena *arena;
    const struct wire_path *path;
    struct fault *fault;
};

static enum status parse(const struct wire_message *message, struct bytes bytes,
                         struct arena *arena, const void **wire, struct fault *fault);
static enum status fill(const struct wire_message *message, const void *wire, void *domain,
                        struct arena *arena, const struct wire_path *path, struct fault *fault);
static enum status fill_row(const struct filling *f);
static enum status fill_text(const struct filling *f);
static enum status fill_bytes(const struct filling *f);
static enum status fill_struct(const struct filling *f);
static enum status fill_array(const struct filling *f);
static enum status fill_digests(const struct filling *f);

enum status wire_decode(const struct wire_message *message, struct bytes bytes, struct arena *arena,
                        void **domain, struct fault *fault)
{
    *domain = NULL;
    struct arena scratch;
    arena_init(&scratch, WIRE_SCRATCH_BYTES_MAX);
    const void *wire;
    enum status status = wire_scan(message, bytes, fault);
    if (status == STATUS_OK)
        status = parse(message, bytes, &scratch, &wire, fault);
    void *filled = NULL;
    if (status == STATUS_OK) {
        filled = arena_alloc(arena, 1, message->size);
        status = filled == NULL ? fault_set(fault, STATUS_EXHAUSTED,
                                            "%s: does not fit the message's memory limit",
                                            message->descriptor->short_name)
                                : fill(message, wire, filled, arena, NULL, fault);
    }
    arena_fini(&scratch);
    if (status == STATUS_OK)
        status = wire_check(message, filled, false, NULL, fault);
    if (status == STATUS_OK)
        *domain = filled;
    return status;
}

/* ---- protobuf-c, in bounded memory */

struct scratch {
    struct arena *arena;
    bool full;
};

static void *scratch_alloc(void *data, size_t size)
{
    struct scratch *scratch = data;
    void *bytes = arena_alloc(scratch->arena, 1, size);
    scratch->full |= bytes == NULL;
    return bytes;
}

static void scratch_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer; /* goes with the arena */
}

static enum status parse(const struct wire_message *message, struct bytes bytes,
                         struct arena *arena, const void **wire, struct fault *fault)
{
    static const uint8_t nothing[1];
    struct scratch scratch = {.arena = arena};
    ProtobufCAllocator allocator = {scratch_alloc, scratch_free, &scratch};
    *wire = protobuf_c_message_unpack(message->descriptor, &allocator, bytes.size,
                                      bytes.size > 0 ? bytes.data : nothing);
    if (*wire != NULL)
        return STATUS_OK;
    if (scratch.full)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%s: has too many parts for the message's memory limit",
                         message->descriptor->short_name);
    return fault_set(fault, STATUS_INVALID, "%s: is not a well-formed protobuf message",
                     message->descriptor->short_name);
}

/* ---- the walk */

static enum status fill(const struct wire_message *message, const void *wire, void *domain,
                        struct arena *arena, const struct wire_path *path, struct fault *fault)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    assert(message->row_count == descriptor->n_fields);
    for (size_t i = 0; i < message->row_count; i++) {
        struct wire_path here = {.up = path, .field = message->rows[i].field, .index = -1};
        struct filling filling = {
            &message->rows[i], &descriptor->fields[i], wire, domain, arena, &here, fault};
        enum status status = fill_row(&filling);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status full(const struct filling *f)
{
    return wire_refuse(f->path, NULL, STATUS_EXHAUSTED, f->fault,
                       "does not fit the message's memory limit");
}

static enum status fill_enum(const struct filling *f, const void *from, void *to)
{
    int32_t number;
    memcpy(&number, from, sizeof number);
    if (number == 0)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault, "is missing");
    if (number < 0 || (uint64_t)number - 1 > f->row->max)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault, "%" PRId32 " is not known",
                           number);
    uint32_t value = (uint32_t)number - 1;
    memcpy(to, &value, sizeof value);
    return STATUS_OK;
}

static enum status fill_row(const struct filling *f)
{
    const struct wire_row *row = f->row;
    const void *from = wire_at(f->wire, f->field->offset);
    void *to = wire_in(f->domain, row->offset);
    protobuf_c_boolean boolean;
    switch (row->kind) {
    case WIRE_BOOL:
        memcpy(&boolean, from, sizeof boolean);
        *(bool *)to = boolean != 0;
        return STATUS_OK;
    case WIRE_U32:
    case WIRE_I32: memcpy(to, from, sizeof(uint32_t)); return STATUS_OK;
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_DOUBLE: memcpy(to, from, sizeof(uint64_t)); return STATUS_OK;
    case WIRE_ENUM: return fill_enum(f, from, to);
    case WIRE_NAME:
    case WIRE_ADDRESS:
    case WIRE_TEXT: return fill_text(f);
    case WIRE_BYTES:
    case WIRE_FIXED: return fill_bytes(f);
    case WIRE_STRUCT: return fill_struct(f);
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS: return fill_array(f);
    case WIRE_DIGESTS: return fill_digests(f);
    case WIRE_KIND_COUNT:
    default: break;
    }
    assert(false); /* a table names no other kind */
    return STATUS_INTERNAL;
}

/* ---- texts and bytes */

/* Its length, or a refusal: a fixed array has no room, and an arena should not be filled with it.
 */
static enum status measure(const struct filling *f, const char *text, size_t max, size_t *length)
{
    *length = strlen(text);
    if (*length <= max)
        return STATUS_OK;
    return wire_refuse(f->path, NULL, STATUS_EXHAUSTED, f->fault, "is longer than %zu bytes", max);
}

static enum status copy_text(const struct filling *f, const char *text, size_t max,
                             const char **copy)
{
    size_t length;
    enum status status = measure(f, text, max, &length);
    if (status != STATUS_OK)
        return status;
    *copy = length > 0 ? arena_copy_text(f->arena, text, length) : "";
    return *copy != NULL ? STATUS_OK : full(f);
}

static enum status fill_text(const struct filling *f)
{
    const char *const *text = wire_at(f->wire, f->field->offset);
    if (f->row->kind == WIRE_TEXT)
        return copy_text(f, *text, f->row->max, wire_in(f->domain, f->row->offset));
    size_t length;
    enum status status = measure(f, *text, f->row->max, &length);
    if (status == STATUS_OK)
        memcpy(wire_in(f->domain, f->row->offset), *text, length + 1);
    return status;
}

static enum status fill_bytes(const struct filling *f)
{
    const ProtobufCBinaryData *from = wire_at(f->wire, f->field->offset);
    void *to = wire_in(f->domain, f->row->offset);
    if (f->row->kind == WIRE_BYTES) {
        if (from->len > f->row->max)
            return wire_refuse(f->path, NULL, STATUS_EXHAUSTED, f->fault,
                               "%zu bytes are over the limit of %" PRIu64, from->len, f->row->max);
        struct bytes *bytes = to;
        bytes->size = from->len;
        bytes->data = from->len > 0 ? arena_copy(f->arena, from->data, from->len) : NULL;
        return from->len == 0 || bytes->data != NULL ? STATUS_OK : full(f);
    }
    if (from->len == 0 && f->row->optional)
        return STATUS_OK;
    if (from->len == 0)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault, "is missing");
    if (from->len != f->row->max)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault,
                           "has %zu bytes instead of %" PRIu64, from->len, f->row->max);
    memcpy(to, from->data, from->len);
    return STATUS_OK;
}

/* ---- messages inside, and arrays */

static enum status fill_struct(const struct filling *f)
{
    const void *const *inside = wire_at(f->wire, f->field->offset);
    if (*inside == NULL && f->row->optional)
        return STATUS_OK;
    if (*inside == NULL)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault, "is missing");
    return fill(f->row->sub, *inside, wire_in(f->domain, f->row->offset), f->arena, f->path,
                f->fault);
}

static size_t element_size(const struct wire_row *row)
{
    if (row->kind == WIRE_NAMES)
        return sizeof(struct name);
    return row->kind == WIRE_TEXTS ? sizeof(const char *) : row->sub->size;
}

static enum status fill_element(const struct filling *f, const void *from, void *to)
{
    size_t length;
    enum status status;
    if (f->row->kind == WIRE_STRUCTS)
        return fill(f->row->sub, from, to, f->arena, f->path, f->fault);
    if (f->row->kind == WIRE_TEXTS)
        return copy_text(f, from, f->row->text_max, to);
    status = measure(f, from, NAME_BYTES_MAX, &length);
    if (status == STATUS_OK)
        memcpy(to, from, length + 1);
    return status;
}

/* Room for the elements, once their number is known to be allowed. */
static enum status reserve(const struct filling *f, size_t count, size_t size, void **array)
{
    if (count > f->row->max)
        return wire_refuse(f->path, NULL, STATUS_EXHAUSTED, f->fault,
                           "%zu are over the limit of %" PRIu64, count, f->row->max);
    *array = arena_alloc(f->arena, count, size);
    if (*array == NULL)
        return full(f);
    uint32_t counted = (uint32_t)count;
    memcpy(wire_in(f->domain, f->row->count_offset), &counted, sizeof counted);
    memcpy(wire_in(f->domain, f->row->offset), array, sizeof *array);
    return STATUS_OK;
}

static enum status fill_array(const struct filling *f)
{
    const size_t *count = wire_at(f->wire, f->field->quantifier_offset);
    const void *const *const *elements = wire_at(f->wire, f->field->offset);
    size_t size = element_size(f->row);
    void *array;
    enum status status = reserve(f, *count, size, &array);
    for (size_t i = 0; status == STATUS_OK && i < *count; i++) {
        struct wire_path here = {f->path->up, f->path->field, (int64_t)i};
        struct filling element = *f;
        element.path = &here;
        status = fill_element(&element, (*elements)[i], wire_in(array, i * size));
    }
    return status;
}

static enum status fill_digests(const struct filling *f)
{
    const ProtobufCBinaryData *from = wire_at(f->wire, f->field->offset);
    if (from->len % sizeof(struct digest) != 0)
        return wire_refuse(f->path, NULL, STATUS_INVALID, f->fault,
                           "has %zu bytes, not a multiple of %zu", from->len,
                           sizeof(struct digest));
    void *array;
    enum status status =
        reserve(f, from->len / sizeof(struct digest), sizeof(struct digest), &array);
    if (status == STATUS_OK && from->len > 0)
        memcpy(array, from->data, from->len);
    return status;
}
