/*
 * Scan: a look at the raw bytes before protobuf-c allocates anything for them.
 *
 * It refuses, with the field's path, what protobuf-c would refuse without one (broken tags,
 * lengths, types), what it would let pass (a NUL inside a text, which it cuts off there: two
 * readers of one signed message would then disagree), and arrays over their limit, before they cost
 * memory. Unknown fields are stepped over.
 * Recursion follows the tables, at most WIRE_DEPTH_MAX deep. Cost: O(bytes + messages × rows);
 * memory: none. Pure.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/wire/table.h"

enum { VARINT_BYTES_MAX = 10, TAG_BYTES_MAX = 5 };

/* A reader of bytes whose first error sticks. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    const char *broken; /* NULL: not */
};

/* One field as it lies in the bytes; payload only where length-prefixed. */
struct raw_field {
    uint32_t number;
    ProtobufCWireType type;
    struct cursor payload;
};

static enum status scan_message(const struct wire_message *message, struct cursor cursor,
                                const struct wire_path *path, struct fault *fault);
static bool next_field(struct cursor *cursor, struct raw_field *raw);
static enum status scan_field(const struct wire_row *row, const ProtobufCFieldDescriptor *field,
                              const struct raw_field *raw, const struct wire_path *path,
                              struct fault *fault);

enum status wire_scan(const struct wire_message *message, struct bytes bytes, struct fault *fault)
{
    struct cursor cursor = {.at = bytes.data, .end = bytes.data};
    if (bytes.size > 0)
        cursor.end += bytes.size;
    return scan_message(message, cursor, NULL, fault);
}

static enum status scan_message(const struct wire_message *message, struct cursor cursor,
                                const struct wire_path *path, struct fault *fault)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    uint32_t counts[WIRE_ROWS_MAX] = {0};
    assert(message->row_count <= WIRE_ROWS_MAX);
    struct raw_field raw;
    while (next_field(&cursor, &raw)) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(descriptor, raw.number);
        if (field == NULL)
            continue; /* of a newer release */
        size_t i = (size_t)(field - descriptor->fields);
        const struct wire_row *row = &message->rows[i];
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        struct wire_path here = {path, row->field, repeated ? (int64_t)counts[i] : -1};
        if (repeated && counts[i]++ >= row->max) {
            here.index = -1;
            return wire_refuse(&here, NULL, STATUS_EXHAUSTED, fault,
                               "more than %" PRIu64 " are over the limit", row->max);
        }
        enum status status = scan_field(row, field, &raw, &here, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (cursor.broken == NULL)
        return STATUS_OK;
    return wire_refuse(path, NULL, STATUS_INVALID, fault, "is not a well-formed %s: %s",
                       descriptor->short_name, cursor.broken);
}

static ProtobufCWireType type_on_wire(const ProtobufCFieldDescriptor *field)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_DOUBLE: return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default: return PROTOBUF_C_WIRE_TYPE_VARINT; /* no .proto of ours has a fixed-width integer */
    }
}

static bool holds_nul(const struct cursor *text)
{
    return text->at != text->end && memchr(text->at, '\0', (size_t)(text->end - text->at)) != NULL;
}

static enum status scan_field(const struct wire_row *row, const ProtobufCFieldDescriptor *field,
                              const struct raw_field *raw, const struct wire_path *path,
                              struct fault *fault)
{
    if (raw->type != type_on_wire(field))
        return wire_refuse(path, NULL, STATUS_INVALID, fault, "has another type on the wire");
    if (row->sub != NULL)
        return scan_message(row->sub, raw->payload, path, fault);
    if (field->type == PROTOBUF_C_TYPE_STRING && holds_nul(&raw->payload))
        return wire_refuse(path, NULL, STATUS_INVALID, fault, "has a NUL inside");
    return STATUS_OK;
}

/* ---- the bytes */

static bool broken(struct cursor *cursor, const char *why)
{
    cursor->broken = why;
    return false;
}

static bool read_varint(struct cursor *cursor, int bytes_max, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < bytes_max; i++) {
        if (cursor->at == cursor->end)
            return broken(cursor, "it ends inside a number");
        uint8_t byte = *cursor->at++;
        *value |= (uint64_t)(byte & 0x7f)
                  << (7 * i); /* bits beyond 64 are dropped, as protobuf's */
        if (byte < 0x80)
            return true;
    }
    return broken(cursor, "a number is too long");
}

static bool skip(struct cursor *cursor, uint64_t size)
{
    if (size > (uint64_t)(cursor->end - cursor->at))
        return broken(cursor, "it ends inside a field");
    cursor->at += size;
    return true;
}

static bool read_payload(struct cursor *cursor, struct raw_field *raw)
{
    uint64_t value;
    switch ((int)raw->type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT: return read_varint(cursor, VARINT_BYTES_MAX, &value);
    case PROTOBUF_C_WIRE_TYPE_64BIT: return skip(cursor, sizeof(uint64_t));
    case PROTOBUF_C_WIRE_TYPE_32BIT: return skip(cursor, sizeof(uint32_t));
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: break;
    default: return broken(cursor, "a field has a type that does not exist");
    }
    if (!read_varint(cursor, VARINT_BYTES_MAX, &value))
        return false;
    raw->payload.at = cursor->at;
    if (!skip(cursor, value))
        return false;
    raw->payload.end = cursor->at;
    return true;
}

/* False at the end, and where the bytes are broken. */
static bool next_field(struct cursor *cursor, struct raw_field *raw)
{
    uint64_t tag;
    if (cursor->at == cursor->end || !read_varint(cursor, TAG_BYTES_MAX, &tag))
        return false;
    *raw = (struct raw_field){.number = (uint32_t)(tag >> 3), .type = (ProtobufCWireType)(tag & 7)};
    if (tag > UINT32_MAX || raw->number == 0)
        return broken(cursor, "a field has no number");
    return read_payload(cursor, raw);
}
