/* See json.h. The walk is that of check.c: recursion follows the tables, never the input. */
#include "proto/wire/json.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/domain/lease.h"
#include "proto/wire/rows.h"
#include "proto/wire/table.h"

struct printing {
    FILE *to;
    int depth;
};

static void print_message(const struct printing *printing, const struct wire_message *message,
                          const void *domain);
static void print_value(const struct printing *printing, const struct wire_message *message,
                        size_t index, const void *domain);
static void print_array(const struct printing *printing, const struct wire_row *row,
                        const void *domain);

void wire_print_json(const struct wire_message *message, const void *domain, FILE *to)
{
    struct printing printing = {.to = to};
    print_message(&printing, message, domain);
    putc('\n', to);
}

static void new_line(const struct printing *printing, int depth)
{
    fprintf(printing->to, "\n%*s", 2 * depth, "");
}

static void print_text(FILE *to, const char *text)
{
    putc('"', to);
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            fprintf(to, "\\%c", byte);
        else if (byte < ' ')
            fprintf(to, "\\u%04x", byte);
        else
            putc(byte, to);
    }
    putc('"', to);
}

static void print_hex(FILE *to, const uint8_t *bytes, size_t size)
{
    putc('"', to);
    for (size_t i = 0; i < size; i++)
        fprintf(to, "%02x", bytes[i]);
    putc('"', to);
}

static void print_lease_id(FILE *to, const void *domain)
{
    struct lease_id id;
    char text[LEASE_ID_TEXT_MAX];
    memcpy(&id, domain, sizeof id);
    if (lease_id_none(id))
        fputs("null", to);
    else
        print_text(to, lease_id_format(id, text));
}

static void print_message(const struct printing *printing, const struct wire_message *message,
                          const void *domain)
{
    if (message == &wire_message_lease_id) {
        print_lease_id(printing->to, domain);
        return;
    }
    struct printing inner = {printing->to, printing->depth + 1};
    assert(inner.depth <= 2 * WIRE_DEPTH_MAX);
    putc('{', printing->to);
    for (size_t i = 0; i < message->row_count; i++) {
        new_line(&inner, inner.depth);
        print_text(inner.to, message->rows[i].field);
        fputs(": ", inner.to);
        print_value(&inner, message, i, domain);
        if (i + 1 < message->row_count)
            putc(',', inner.to);
    }
    new_line(printing, printing->depth);
    putc('}', printing->to);
}

/* "LEASE_STATE_RUNNING" of enum LeaseState: "running". */
static void print_enum(FILE *to, const ProtobufCEnumDescriptor *type, unsigned value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, (int)value + 1);
    size_t prefix = strlen(type->short_name) + 1;
    for (const char *c = type->short_name + 1; *c != '\0'; c++)
        prefix += isupper((unsigned char)*c) ? 1 : 0;
    const char *name = found == NULL ? "" : found->name;
    putc('"', to);
    for (const char *c = strlen(name) > prefix ? name + prefix : name; *c != '\0'; c++)
        putc(tolower((unsigned char)*c), to);
    putc('"', to);
}

static void print_number(FILE *to, const struct wire_row *row, const void *at)
{
    if (row->kind == WIRE_BOOL)
        fputs(*(const bool *)at ? "true" : "false", to);
    else if (row->kind == WIRE_U32)
        fprintf(to, "%" PRIu32, *(const uint32_t *)at);
    else if (row->kind == WIRE_I32)
        fprintf(to, "%" PRId32, *(const int32_t *)at);
    else if (row->kind == WIRE_U64)
        fprintf(to, "%" PRIu64, *(const uint64_t *)at);
    else if (row->kind == WIRE_I64)
        fprintf(to, "%" PRId64, *(const int64_t *)at);
    else
        fprintf(to, "%.17g", *(const double *)at);
}

static void print_value(const struct printing *printing, const struct wire_message *message,
                        size_t index, const void *domain)
{
    const struct wire_row *row = &message->rows[index];
    const void *at = wire_at(domain, row->offset);
    const struct bytes *bytes = at;
    switch (row->kind) {
    case WIRE_BOOL:
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_DOUBLE: print_number(printing->to, row, at); break;
    case WIRE_ENUM:
        print_enum(printing->to, message->descriptor->fields[index].descriptor,
                   *(const unsigned *)at);
        break;
    case WIRE_NAME:
    case WIRE_ADDRESS: print_text(printing->to, at); break;
    case WIRE_TEXT: print_text(printing->to, wire_text(row, domain)); break;
    case WIRE_BYTES: print_hex(printing->to, bytes->data, bytes->size); break;
    case WIRE_FIXED: print_hex(printing->to, at, (size_t)row->max); break;
    case WIRE_STRUCT: print_message(printing, row->sub, at); break;
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS:
    case WIRE_DIGESTS: print_array(printing, row, domain); break;
    case WIRE_KIND_COUNT: assert(false); break;
    }
}

static void print_element(const struct printing *printing, const struct wire_row *row,
                          const void *array, size_t i)
{
    if (row->kind == WIRE_STRUCTS)
        print_message(printing, row->sub, wire_at(array, i * row->sub->size));
    else if (row->kind == WIRE_NAMES)
        print_text(printing->to, ((const struct name *)array)[i].text);
    else if (row->kind == WIRE_TEXTS)
        print_text(printing->to, ((const char *const *)array)[i]);
    else
        print_hex(printing->to, ((const struct digest *)array)[i].bytes, DIGEST_BYTES);
}

static void print_array(const struct printing *printing, const struct wire_row *row,
                        const void *domain)
{
    struct printing inner = {printing->to, printing->depth + 1};
    uint32_t count = wire_count(row, domain);
    putc('[', printing->to);
    for (uint32_t i = 0; i < count; i++) {
        new_line(&inner, inner.depth);
        print_element(&inner, row, wire_array(row, domain), i);
        if (i + 1 < count)
            putc(',', printing->to);
    }
    if (count > 0)
        new_line(printing, printing->depth);
    putc(']', printing->to);
}
