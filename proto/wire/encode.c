/*
 * Encode: domain struct -> protobuf bytes.
 *
 * What breaks a bound is refused here already, with the field's path, so that a defect shows at its
 * source; only texts for people are mended instead (cut to their limit, bad bytes replaced), since
 * a reason cut in the middle of a character must not stop a lease. A NULL text counts as "".
 * Deterministic: protobuf-c writes fields by number, leaves out zeros, and we send no map.
 * Ownership: protobuf-c's structs borrow from the domain struct and live in a scratch arena of the
 * call. Recursion follows the tables, at most WIRE_DEPTH_MAX deep. Cost: O(bytes).
 */
#include <assert.h>
#include <string.h>

#include "proto/wire/table.h"

static void *build(const struct wire_message *message, const void *domain, struct arena *scratch);
static bool build_row(const struct wire_row *row, const ProtobufCFieldDescriptor *field,
                      const void *domain, void *wire, struct arena *scratch);
static enum status pack(const ProtobufCMessage *wire, struct arena *arena, struct bytes *bytes,
                        struct fault *fault);

enum status wire_encode(const struct wire_message *message, const void *domain, struct arena *arena,
                        struct bytes *bytes, struct fault *fault)
{
    *bytes = (struct bytes){0};
    enum status status = wire_check(message, domain, true, NULL, fault);
    return status == STATUS_OK ? wire_pack(message, domain, arena, bytes, fault) : status;
}

enum status wire_pack(const struct wire_message *message, const void *domain, struct arena *arena,
                      struct bytes *bytes, struct fault *fault)
{
    struct arena scratch;
    arena_init(&scratch, WIRE_SCRATCH_BYTES_MAX);
    void *wire = build(message, domain, &scratch);
    enum status status =
        wire != NULL ? pack(wire, arena, bytes, fault)
                     : fault_set(fault, STATUS_EXHAUSTED, "%s: takes over %d bytes to encode",
                                 message->descriptor->short_name, WIRE_SCRATCH_BYTES_MAX);
    arena_fini(&scratch);
    return status;
}

static enum status pack(const ProtobufCMessage *wire, struct arena *arena, struct bytes *bytes,
                        struct fault *fault)
{
    size_t size = protobuf_c_message_get_packed_size(wire);
    uint8_t *packed = arena_alloc(arena, size, 1);
    if (packed == NULL)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%s: %zu bytes do not fit the message's memory limit",
                         wire->descriptor->short_name, size);
    size_t written = protobuf_c_message_pack(wire, packed);
    assert(written == size);
    *bytes = (struct bytes){.data = packed, .size = size};
    return STATUS_OK;
}

/* The protobuf-c struct of a domain struct; NULL where the scratch arena is full. */
static void *build(const struct wire_message *message, const void *domain, struct arena *scratch)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    assert(message->row_count == descriptor->n_fields);
    void *wire = arena_alloc(scratch, 1, descriptor->sizeof_message);
    if (wire == NULL)
        return NULL;
    protobuf_c_message_init(descriptor, wire);
    for (size_t i = 0; i < message->row_count; i++)
        if (!build_row(&message->rows[i], &descriptor->fields[i], domain, wire, scratch))
            return NULL;
    return wire;
}

static bool put_pointer(void *to, const void *pointer)
{
    if (pointer == NULL)
        return false;
    memcpy(to, &pointer, sizeof pointer);
    return true;
}

static bool put_bytes(void *to, const void *data, size_t size)
{
    ProtobufCBinaryData bytes = {.len = size};
    memcpy(&bytes.data, &data, sizeof data);
    memcpy(to, &bytes, sizeof bytes);
    return true;
}

static bool put_text(const struct wire_row *row, void *to, const char *text, size_t max,
                     struct arena *scratch)
{
    if (text == NULL)
        text = "";
    if (row->rule->mended && (strnlen(text, max + 1) > max || !row->rule->holds(text)))
        text = wire_mend(text, max, scratch);
    return put_pointer(to, text);
}

static bool put_struct(const struct wire_row *row, void *to, const void *inside,
                       struct arena *scratch)
{
    if (row->optional && wire_is_zero(row->sub, inside))
        return true;
    return put_pointer(to, build(row->sub, inside, scratch));
}

static bool put_scalar(const struct wire_row *row, void *to, const void *from)
{
    protobuf_c_boolean boolean;
    int32_t number;
    switch ((int)row->kind) {
    case WIRE_BOOL:
        boolean = *(const bool *)from;
        memcpy(to, &boolean, sizeof boolean);
        return true;
    case WIRE_ENUM:
        memcpy(&number, from, sizeof number);
        number++;
        memcpy(to, &number, sizeof number);
        return true;
    case WIRE_U32:
    case WIRE_I32: memcpy(to, from, sizeof(uint32_t)); return true;
    default: memcpy(to, from, sizeof(uint64_t)); return true;
    }
}

static bool put_element(const struct wire_row *row, void *to, const void *array, uint32_t index,
                        struct arena *scratch)
{
    if (row->kind == WIRE_NAMES)
        return put_pointer(to, ((const struct name *)array)[index].text);
    if (row->kind == WIRE_TEXTS)
        return put_text(row, to, ((const char *const *)array)[index], row->text_max, scratch);
    return put_pointer(to, build(row->sub, wire_at(array, index * row->sub->size), scratch));
}

static bool put_array(const struct wire_row *row, const ProtobufCFieldDescriptor *field,
                      const void *domain, void *wire, struct arena *scratch)
{
    size_t count = wire_count(row, domain);
    const void *array = wire_array(row, domain);
    void **elements = arena_alloc(scratch, count, sizeof *elements);
    if (elements == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!put_element(row, &elements[i], array, i, scratch))
            return false;
    memcpy(wire_in(wire, field->quantifier_offset), &count, sizeof count);
    return put_pointer(wire_in(wire, field->offset), elements);
}

static bool build_row(const struct wire_row *row, const ProtobufCFieldDescriptor *field,
                      const void *domain, void *wire, struct arena *scratch)
{
    const void *from = wire_at(domain, row->offset);
    void *to = wire_in(wire, field->offset);
    const struct bytes *bytes = from;
    switch (row->kind) {
    case WIRE_BOOL:
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_DOUBLE:
    case WIRE_ENUM: return put_scalar(row, to, from);
    case WIRE_NAME:
    case WIRE_ADDRESS: return put_pointer(to, from);
    case WIRE_TEXT: return put_text(row, to, wire_text(row, domain), row->max, scratch);
    case WIRE_BYTES: return put_bytes(to, bytes->data, bytes->size);
    case WIRE_FIXED:
        return (row->optional && wire_fixed_is_zero(row, domain)) || put_bytes(to, from, row->max);
    case WIRE_STRUCT: return put_struct(row, to, from, scratch);
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS: return put_array(row, field, domain, wire, scratch);
    case WIRE_DIGESTS:
        return put_bytes(to, wire_array(row, domain),
                         wire_count(row, domain) * sizeof(struct digest));
    case WIRE_KIND_COUNT:
    default: break;
    }
    assert(false); /* a table names no other kind */
    return false;
}
