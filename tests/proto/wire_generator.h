/*
 * Generator: valid domain structs at random, made from the tables themselves, so that no message
 * can be forgotten; and their comparison.
 *
 * What one row can't say is put right per message (gpus_max is not below gpus_min, ...).
 * Deterministic: one seed, one struct. Ownership: the arena's. Thread rule: one thread.
 */
#ifndef ENTENTE_TESTS_PROTO_WIRE_GENERATOR_H
#define ENTENTE_TESTS_PROTO_WIRE_GENERATOR_H

#include "base/rng.h"
#include "proto/wire/table.h"

enum { GENERATOR_MESSAGES_MAX = 256 };

/* Fills a zeroed struct. */
void generator_fill(const struct wire_message *message, void *domain, struct rng *rng,
                    struct arena *arena);

/* The rules across fields; the last step of generator_fill. */
void generator_put_right(const struct wire_message *message, void *domain, struct rng *rng);

/* A new one. */
void *generator_make(const struct wire_message *message, struct rng *rng, struct arena *arena);

/* NULL where a and b say the same, else the name of the first field in which they differ. */
const char *generator_difference(const struct wire_message *message, const void *a, const void *b);

/* Bytes of one element of a STRUCTS, NAMES, TEXTS or DIGESTS row. */
size_t generator_element_size(const struct wire_row *row);

/* Every message that a method or a stored record reaches, each once; returns how many. */
size_t generator_messages(const struct wire_message *messages[static GENERATOR_MESSAGES_MAX]);

#endif
