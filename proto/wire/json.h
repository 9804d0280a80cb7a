/*
 * Json: any message as JSON text, from its table; what --json prints.
 *
 * Names as in the .proto files, so units stay in them (price_nanos, cap_micros, *_wall_ms). Numbers
 * are exact integers; enumerations their .proto names in lower case without the type's prefix;
 * digests, keys and bytes hex; lease ids "1.12.3"; an absent lease id null. Thread rule: pure.
 * Complexity: O(message).
 */
#ifndef ENTENTE_PROTO_WIRE_JSON_H
#define ENTENTE_PROTO_WIRE_JSON_H

#include <stdio.h>

#include "proto/wire/wire.h"

/* One JSON value, indented, with a newline at the end. */
void wire_print_json(const struct wire_message *message, const void *domain, FILE *to);

#endif
