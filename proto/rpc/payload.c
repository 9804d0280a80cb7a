#include "proto/rpc/payload.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include "proto/rpc/call.h"

static enum status to_slice(const struct wire_message *message, const void *domain,
                            struct arena *arena, struct bytes *bytes, struct fault *fault)
{
    if (message != NULL)
        return wire_encode(message, domain, arena, bytes, fault);
    *bytes = *(const struct bytes *)domain;
    return STATUS_OK;
}

enum status payload_encode(const struct wire_message *message, const void *domain,
                           grpc_byte_buffer **buffer, struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct bytes bytes;
    enum status status = to_slice(message, domain, &arena, &bytes, fault);
    if (status == STATUS_OK && bytes.size > RPC_MESSAGE_BYTES_MAX)
        status = fault_set(fault, STATUS_EXHAUSTED,
                           "a message of %zu bytes is over the limit of %d bytes", bytes.size,
                           RPC_MESSAGE_BYTES_MAX);
    if (status == STATUS_OK) {
        grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.size);
        *buffer = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
    }
    arena_fini(&arena);
    return status;
}

static enum status from_slice(const struct wire_message *message, const grpc_slice *slice,
                              struct arena *arena, void **domain, struct fault *fault)
{
    struct bytes bytes = {GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
    if (message != NULL)
        return wire_decode(message, bytes, arena, domain, fault);
    struct bytes *raw = arena_alloc(arena, 1, sizeof *raw);
    if (raw != NULL)
        *raw = (struct bytes){arena_copy(arena, bytes.data, bytes.size), bytes.size};
    if (raw == NULL || raw->data == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no room for a message of %zu bytes", bytes.size);
    *domain = raw;
    return STATUS_OK;
}

/* Compressed messages are refused: a few bytes could stand for gigabytes. */
enum status payload_decode(const struct wire_message *message, grpc_byte_buffer *buffer,
                           struct arena *arena, void **domain, struct fault *fault)
{
    grpc_byte_buffer_reader reader;
    if (buffer->type != GRPC_BB_RAW || buffer->data.raw.compression != GRPC_COMPRESS_NONE ||
        !grpc_byte_buffer_reader_init(&reader, buffer))
        return fault_set(fault, STATUS_INVALID, "compressed messages are not accepted");
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    enum status status = from_slice(message, &slice, arena, domain, fault);
    grpc_slice_unref(slice);
    return status;
}
