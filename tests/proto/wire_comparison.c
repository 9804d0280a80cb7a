/* Comparison of two domain structs, by their table. */
#include "tests/proto/wire_generator.h"

#include <assert.h>
#include <string.h>

static bool same_element(const struct wire_row *row, const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    switch ((int)row->kind) {
    case WIRE_NAMES: return name_equal(a, b);
    case WIRE_TEXTS: return strcmp(*left, *right) == 0;
    case WIRE_DIGESTS: return memcmp(a, b, sizeof(struct digest)) == 0;
    default: return generator_difference(row->sub, a, b) == NULL;
    }
}

static bool same_array(const struct wire_row *row, const void *a, const void *b)
{
    if (wire_count(row, a) != wire_count(row, b))
        return false;
    size_t size = generator_element_size(row);
    for (uint32_t i = 0; i < wire_count(row, a); i++)
        if (!same_element(row, wire_at(wire_array(row, a), i * size),
                          wire_at(wire_array(row, b), i * size)))
            return false;
    return true;
}

static bool same_row(const struct wire_row *row, const void *a, const void *b)
{
    const void *left = wire_at(a, row->offset);
    const void *right = wire_at(b, row->offset);
    const struct bytes *x = left;
    const struct bytes *y = right;
    switch (row->kind) {
    case WIRE_BOOL: return *(const bool *)left == *(const bool *)right;
    case WIRE_U32:
    case WIRE_I32:
    case WIRE_ENUM: return memcmp(left, right, sizeof(uint32_t)) == 0;
    case WIRE_U64:
    case WIRE_I64: return memcmp(left, right, sizeof(uint64_t)) == 0;
    /* protobuf does not keep the sign of a zero */
    case WIRE_DOUBLE: return *(const double *)left == *(const double *)right;
    case WIRE_NAME:
    case WIRE_ADDRESS: return strcmp(left, right) == 0;
    case WIRE_TEXT: return strcmp(wire_text(row, a), wire_text(row, b)) == 0;
    case WIRE_BYTES:
        return x->size == y->size && (x->size == 0 || memcmp(x->data, y->data, x->size) == 0);
    case WIRE_FIXED: return memcmp(left, right, row->max) == 0;
    case WIRE_STRUCT: return generator_difference(row->sub, left, right) == NULL;
    case WIRE_STRUCTS:
    case WIRE_NAMES:
    case WIRE_TEXTS:
    case WIRE_DIGESTS: return same_array(row, a, b);
    case WIRE_KIND_COUNT:
    default: break;
    }
    assert(false);
    return false;
}

const char *generator_difference(const struct wire_message *message, const void *a, const void *b)
{
    for (size_t i = 0; i < message->row_count; i++)
        if (!same_row(&message->rows[i], a, b))
            return message->rows[i].field;
    return NULL;
}
