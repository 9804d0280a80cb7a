/*
 * Wire: every message between processes, in both directions: domain struct <-> protobuf bytes, with
 * all input validation.
 *
 * A message is described by one table (struct wire_message, opaque here): for each field the domain
 * member, the protobuf field and its bounds. wire_decode() accepts only what keeps every bound:
 * names are names, counts are under their named limit, numbers are finite and in range,
 * enumerations are known, required sub-messages are there. So a handler may assert what a decoded
 * struct promises, and remote input never reaches an assert.
 * Ownership: decoded structs and everything they point to live in the arena given. Thread rule:
 * pure, any thread. Complexity: O(bytes). Errors: INVALID with the path of the field
 * ("demand.gpus_min: 0 is below 1"); EXHAUSTED for a limit.
 */
#ifndef ENTENTE_PROTO_WIRE_WIRE_H
#define ENTENTE_PROTO_WIRE_WIRE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/domain/bytes.h"
#include "base/fault.h"

struct wire_message; /* the description of one message */

enum wire_shape { WIRE_UNARY, WIRE_SERVER_STREAM, WIRE_CLIENT_STREAM };

/*
 * One RPC: its path "/entente.v1.MemberService/Submit", its shape, and the messages both ways. A
 * message that is NULL is no protobuf of ours: the request or response is a struct bytes, as it is
 * (health checks, tests).
 */
struct wire_method {
    const char *path;
    enum wire_shape shape;
    const struct wire_message *request;
    const struct wire_message *response;
};

/* The name, e.g. "entente.v1.SubmitRequest", and the size of the domain struct. */
const char *wire_message_name(const struct wire_message *message);
size_t wire_message_size(const struct wire_message *message);

/* Encodes the domain struct; *bytes lies in the arena. The same bounds are judged as on the way in:
 * INVALID names the field that breaks one. Only texts for people (reasons, summaries) are mended
 * instead: cut to their limit, bad bytes replaced by '?'. A NULL text counts as "". EXHAUSTED where
 * the arena is full or a limit is passed. Deterministic: same struct, same bytes. */
MUST_USE enum status wire_encode(const struct wire_message *message, const void *domain,
                                 struct arena *arena, struct bytes *bytes, struct fault *fault);

/* Decodes and validates into a new struct of the arena. */
MUST_USE enum status wire_decode(const struct wire_message *message, struct bytes bytes,
                                 struct arena *arena, void **domain, struct fault *fault);

#endif
