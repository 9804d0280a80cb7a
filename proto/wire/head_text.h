/*
 * Head, text: a signed ledger head as one line of text, for files that people keep and hand on:
 * "entente-ledger-head HEX", HEX being the encoded SignedBytes.
 *
 * Pure; any thread. Ownership: results lie in the arena.
 */
#ifndef ENTENTE_PROTO_WIRE_HEAD_TEXT_H
#define ENTENTE_PROTO_WIRE_HEAD_TEXT_H

#include "proto/wire/messages.h"
#include "proto/wire/wire.h"

/* Without a newline. */
MUST_USE enum status head_text_format(const struct signed_bytes *head, struct arena *arena,
                                      const char **line, struct fault *fault);

/* One line; its signature is the caller's to verify. INVALID where it is not such a line. */
MUST_USE enum status head_text_parse(const char *line, struct arena *arena,
                                     struct signed_bytes *head, struct fault *fault);

#endif
