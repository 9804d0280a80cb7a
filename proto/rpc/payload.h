/*
 * Payload: one message between its struct and gRPC's byte buffer, with the size limit.
 *
 * A method whose wire_message is NULL carries bytes as they are: its request or response is a
 * struct bytes. Health checks and tests use that. Thread rule: pure. Complexity: O(bytes).
 */
#ifndef ENTENTE_PROTO_RPC_PAYLOAD_H
#define ENTENTE_PROTO_RPC_PAYLOAD_H

#include <grpc/byte_buffer.h>

#include "base/arena.h"
#include "proto/wire/wire.h"

/* *buffer is the caller's to destroy. EXHAUSTED over RPC_MESSAGE_BYTES_MAX. */
MUST_USE enum status payload_encode(const struct wire_message *message, const void *domain,
                                    grpc_byte_buffer **buffer, struct fault *fault);

/* *domain lies in the arena; the buffer stays the caller's. */
MUST_USE enum status payload_decode(const struct wire_message *message, grpc_byte_buffer *buffer,
                                    struct arena *arena, void **domain, struct fault *fault);

#endif
