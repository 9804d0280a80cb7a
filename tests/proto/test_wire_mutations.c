/*
 * Hostile bytes: mutated, cut, spliced and oversized messages. Whatever comes, the decoder answers;
 * what it accepts keeps every bound, so that it can be sent on.
 */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/rpc/call.h"
#include "proto/wire/methods.h"
#include "tests/proto/wire_generator.h"

enum { MUTATIONS = 100000, CHANGES_MAX = 4, ROOM = 64 * 1024 };

static size_t mutate(uint8_t *bytes, size_t size, struct rng *rng)
{
    uint64_t changes = 1 + rng_below(rng, CHANGES_MAX);
    for (uint64_t i = 0; i < changes && size > 0; i++) {
        size_t at = rng_below(rng, size);
        size_t from = rng_below(rng, size);
        size_t length = 1 + rng_below(rng, size - (at > from ? at : from));
        switch (rng_below(rng, 6)) {
        case 0: bytes[at] ^= (uint8_t)(1U << rng_below(rng, 8)); break;
        case 1: bytes[at] = (uint8_t)rng_next(rng); break;
        case 2: size = at; break;
        case 3: memmove(bytes + at, bytes + from, length); break;
        case 4: bytes[at] = 0xff; break;
        default: /* a piece of it once more */
            if (size + length <= ROOM) {
                memmove(bytes + from + length, bytes + from, size - from);
                size += length;
            }
            break;
        }
    }
    return size;
}

/* Returns whether it was accepted. */
static bool assert_harmless(const struct wire_message *message, struct bytes bytes)
{
    struct arena arena;
    struct fault fault = {0};
    void *domain;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = wire_decode(message, bytes, &arena, &domain, &fault);
    if (status == STATUS_OK) {
        struct bytes again;
        void *back;
        assert_ok(wire_encode(message, domain, &arena, &again, &fault));
        assert_ok(wire_decode(message, again, &arena, &back, &fault));
        assert_null(generator_difference(message, domain, back));
    } else {
        assert_true(status == STATUS_INVALID || status == STATUS_EXHAUSTED);
        assert_true(domain == NULL && fault.status == status && fault.text[0] != '\0');
    }
    arena_fini(&arena);
    return status == STATUS_OK;
}

static void mutated_messages_never_break_a_bound(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    uint64_t seed = support_seed(5);
    static uint8_t room[ROOM];
    size_t accepted = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < MUTATIONS; i++) {
        struct rng rng;
        struct arena arena;
        struct bytes bytes;
        rng_init(&rng, seed, i);
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        const struct wire_message *message = messages[i % count];
        assert_ok(
            wire_encode(message, generator_make(message, &rng, &arena), &arena, &bytes, NULL));
        assert_true(bytes.size <= ROOM);
        if (bytes.size > 0)
            memcpy(room, bytes.data, bytes.size);
        size_t size = mutate(room, bytes.size, &rng);
        /* exactly as long as it is, so that the sanitizer sees a read beyond it */
        bytes = (struct bytes){arena_copy(&arena, room, size), size};
        accepted += assert_harmless(message, bytes);
        arena_fini(&arena);
    }
    /* both answers come up often: neither path is tested by luck */
    assert_in_range(accepted, MUTATIONS / 20, MUTATIONS - MUTATIONS / 20);
}

static void one_message_read_as_another_never_breaks_a_bound(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    for (size_t i = 0; i < count; i++) {
        struct rng rng;
        struct arena arena;
        struct bytes bytes;
        rng_init(&rng, support_seed(6), i);
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        assert_ok(wire_encode(messages[i], generator_make(messages[i], &rng, &arena), &arena,
                              &bytes, NULL));
        for (size_t k = 0; k < count; k++)
            assert_harmless(messages[k], bytes);
        arena_fini(&arena);
    }
}

/* A message of the largest size, made of the smallest parts: `pattern` again and again. */
static enum status decode_flood(const struct wire_message *message, const char *pattern,
                                size_t length)
{
    struct arena arena;
    struct fault fault;
    void *domain;
    static uint8_t flood[RPC_MESSAGE_BYTES_MAX];
    size_t size = sizeof flood / length * length;
    for (size_t i = 0; i < size; i += length)
        memcpy(flood + i, pattern, length);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = wire_decode(message, (struct bytes){flood, size}, &arena, &domain, &fault);
    assert_true(arena.used_bytes <= ARENA_MESSAGE_BYTES);
    arena_fini(&arena);
    return status;
}

static void two_million_empty_parts_are_refused_before_they_cost_memory(void **state)
{
    (void)state;
    const struct wire_message *messages[GENERATOR_MESSAGES_MAX];
    size_t count = generator_messages(messages);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < messages[i]->row_count; k++) {
            const ProtobufCFieldDescriptor *field = &messages[i]->descriptor->fields[k];
            if (field->label != PROTOBUF_C_LABEL_REPEATED || field->id > 15)
                continue;
            char const empty[2] = {(char)(field->id << 3 | 2), 0};
            assert_int_equal(decode_flood(messages[i], empty, 2), STATUS_EXHAUSTED);
        }
}

static void a_flood_of_unknown_fields_is_refused_within_the_memory_limit(void **state)
{
    (void)state;
    /* field 15, varint 0: no revocation list has it; protobuf-c keeps 24 bytes of each */
    assert_int_equal(decode_flood(&message_revocation_list, "\x7a\x00", 2), STATUS_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_messages_never_break_a_bound),
        cmocka_unit_test(one_message_read_as_another_never_breaks_a_bound),
        cmocka_unit_test(two_million_empty_parts_are_refused_before_they_cost_memory),
        cmocka_unit_test(a_flood_of_unknown_fields_is_refused_within_the_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
