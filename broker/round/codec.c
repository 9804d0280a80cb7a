#include "broker/round/codec.h"

#include <stdlib.h>
#include <string.h>

void codec_writer_init(struct codec_writer *writer, size_t limit)
{
    *writer = (struct codec_writer){.limit = limit};
}

void codec_writer_fini(struct codec_writer *writer)
{
    free(writer->data);
    *writer = (struct codec_writer){0};
}

static bool reserve(struct codec_writer *writer, size_t size)
{
    if (writer->broken || size > writer->limit - writer->size) {
        writer->broken = true;
        return false;
    }
    if (writer->size + size <= writer->capacity)
        return true;
    size_t capacity = writer->capacity == 0 ? 4096 : writer->capacity;
    while (capacity < writer->size + size)
        capacity *= 2;
    uint8_t *data = realloc(writer->data, capacity);
    if (data == NULL) {
        writer->broken = true;
        return false;
    }
    writer->data = data;
    writer->capacity = capacity;
    return true;
}

void codec_put_raw(struct codec_writer *writer, const void *bytes, size_t size)
{
    if (size == 0 || !reserve(writer, size))
        return;
    memcpy(writer->data + writer->size, bytes, size);
    writer->size += size;
}

void codec_put_unsigned(struct codec_writer *writer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        count++;
        value >>= 7;
    } while (value != 0);
    codec_put_raw(writer, bytes, count);
}

void codec_put_signed(struct codec_writer *writer, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    codec_put_unsigned(writer, (bits << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void codec_put_double(struct codec_writer *writer, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    codec_put_raw(writer, bytes, sizeof bytes);
}

void codec_put_name(struct codec_writer *writer, const struct name *name)
{
    size_t length = strlen(name->text);
    codec_put_unsigned(writer, length);
    codec_put_raw(writer, name->text, length);
}

void codec_put_nodes(struct codec_writer *writer, const struct lease_node *nodes, uint32_t count)
{
    codec_put_unsigned(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        codec_put_unsigned(writer, nodes[i].node);
        codec_put_unsigned(writer, nodes[i].gpus);
    }
}

static void complain(struct codec_reader *reader, const char *what)
{
    if (reader->problem == NULL)
        reader->problem = what;
    reader->at = reader->end;
}

uint64_t codec_unsigned(struct codec_reader *reader, uint64_t most, const char *what)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end)
            break;
        uint8_t byte = *reader->at++;
        uint64_t bits = byte & 0x7f;
        if (shift == 63 && bits > 1)
            break;
        value |= bits << shift;
        if (byte >= 0x80)
            continue;
        bool shortest = byte != 0 || shift == 0; /* one value, one encoding */
        if (!shortest || value > most)
            break;
        return value;
    }
    complain(reader, what);
    return 0;
}

int64_t codec_signed(struct codec_reader *reader, int64_t least, int64_t most, const char *what)
{
    uint64_t bits = codec_unsigned(reader, UINT64_MAX, what);
    int64_t value = (int64_t)(bits >> 1) ^ ((bits & 1) != 0 ? -1 : 0);
    if (value >= least && value <= most)
        return value;
    complain(reader, what);
    return 0;
}

double codec_double(struct codec_reader *reader, const char *what)
{
    if (reader->end - reader->at < 8) {
        complain(reader, what);
        return 0.0;
    }
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += 8;
    double value = 0.0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void codec_name(struct codec_reader *reader, struct name *name, const char *what)
{
    size_t length = codec_unsigned(reader, NAME_BYTES_MAX, what);
    *name = (struct name){0};
    if (length > (size_t)(reader->end - reader->at)) {
        complain(reader, what);
        return;
    }
    memcpy(name->text, reader->at, length);
    reader->at += length;
    if (length > 0 && (strlen(name->text) != length || !name_valid(name->text)))
        complain(reader, what);
}

uint32_t codec_count(struct codec_reader *reader, uint32_t most, const char *what)
{
    uint64_t count = codec_unsigned(reader, most, what);
    if (count <= (uint64_t)(reader->end - reader->at))
        return (uint32_t)count;
    complain(reader, what);
    return 0;
}

void codec_expect(struct codec_reader *reader, const void *bytes, size_t size, const char *what)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, bytes, size) != 0) {
        complain(reader, what);
        return;
    }
    reader->at += size;
}
